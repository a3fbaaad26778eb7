"""Structures, places that they define together, and their shift against the image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class StructureKind(StrEnum):
    """What a structure is."""

    BUILDING = "building"
    GROUP = "group"
    PAVEMENT = "pavement"
    POINT = "point"


@dataclass(frozen=True, slots=True)
class Structure:
    """A footprint in local metres. ``name`` is the source file's own label, if it had one.

    ``centreline_m`` is the axis of a pavement: the line itself where the source drew a line, the medial
    axis where it drew an area; None for everything else. ``width_m`` is the width that the source states
    for a line; ``geometry_m`` is then the strip of that width.
    """

    structure_id: str
    kind: StructureKind
    geometry_m: BaseGeometry
    name: str | None = None
    centreline_m: BaseGeometry | None = None
    width_m: float | None = None


class LandmarkKind(StrEnum):
    """What was derived from one or more structures."""

    GROUP = "group"
    CENTRELINE = "centreline"
    JUNCTION = "junction"
    CORNER = "corner"


@dataclass(frozen=True, slots=True)
class Landmark:
    """A place that structures define together, in local metres; see :mod:`cv_pipeline.structures.landmarks`.

    ``geometry_m`` is the members' footprints of a group, the line of a centreline, and a point of a
    junction or a corner. ``centre_sd_m`` is how far, per axis, equally good definitions of the place
    lie apart. ``footprint_share`` (0 to 1] is the part of a single footprint's independent error that
    is left in the place: 1 / sqrt(k) for the centre of k equal buildings.
    """

    landmark_id: str
    kind: LandmarkKind
    structure_ids: tuple[str, ...]
    geometry_m: BaseGeometry
    centre_sd_m: float = 0.0
    footprint_share: float = 1.0


@dataclass(frozen=True, slots=True)
class FootprintOffset:
    """By how much footprints would have to move to lie on the image; see :mod:`cv_pipeline.structures.offset`.

    ``support`` of ``tried`` footprints agree by themselves. ``peak_ratio`` is the best shift's score over
    that of the best one elsewhere (1: no better). ``sd_m`` is per axis. ``applied`` says whether the
    structures of the result were moved.
    """

    dx_m: float
    dy_m: float
    sd_m: float
    support: int
    tried: int
    peak_ratio: float
    reliable: bool
    reason: str
    applied: bool = False
