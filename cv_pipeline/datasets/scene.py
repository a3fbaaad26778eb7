"""The one form that every data set is read into: scenes with objects, in pixels of their after image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from cv_pipeline.types import Float64Array, Status

CRATER = "crater"
NO_SCALE = "carries no CRS, so its scale is unknown; state gsd_m (metres per pixel) in dataset.yaml, or give it a CRS"
_NO_OUTLINE = np.zeros((0, 2))


@dataclass(frozen=True, slots=True)
class TrueObject:
    """One labelled thing. None, "" and an outline of (0, 2) mean that the label does not tell.

    ``outline_px`` (n, 2) holds (row, col) of its edge, without a closing point; pixel centre = integer + 0.5.
    ``axis_deg`` and ``direction_deg`` are clockwise from image up; ``structure_id`` and ``distance_edge_m`` belong to
    the nearest structure. ``attributes`` holds whatever else the source says of it, such as a grade of damage.
    """

    object_id: str
    kind: str
    row_px: float
    col_px: float
    radius_m: float | None = None
    outline_px: Float64Array = field(default_factory=lambda: _NO_OUTLINE)
    blast_radius_m: float | None = None
    direction_deg: float | None = None
    status: Status = Status.UNKNOWN
    structure_id: str = ""
    distance_edge_m: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RasterBand:
    """One band of a raster file on the after image's grid; ``band`` counts from 1.

    ``values`` are those that mean yes; empty: everything above one half.
    """

    path: Path
    band: int = 1
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DataScene:
    """One scene of a data set.

    ``place`` is what a split must not tear apart. ``gsd_m`` None: the image's own. ``is_complete`` False: there are
    more craters than labels, so only the ground within the labels' hull is scored and precision is a lower bound.
    ``area_px`` are rings (n, 2) of (row, col) in which every object is labelled; empty: the whole image.
    ``masks`` holds truth by pixel, by class; ``known`` where the truth is known at all. ``facts`` is for facts that
    few data sets have, such as the true shift between the dates.
    """

    name: str
    place: str
    split: str
    after: Path
    before: Path | None = None
    gsd_m: float | None = None
    objects: tuple[TrueObject, ...] = ()
    condition: str = ""
    structures: Path | None = None
    masks: Mapping[str, RasterBand] = field(default_factory=dict)
    known: RasterBand | None = None
    is_complete: bool = True
    area_px: tuple[Float64Array, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def background(self) -> str:
        """What kind of ground it shows: its places without their last part; "synthetic" where there is no place."""
        return "|".join(sorted({place.rpartition("/")[0] or place for place in self.place.split("|")})) or "synthetic"

    def of_kind(self, kind: str) -> tuple[TrueObject, ...]:
        """Its objects of one kind."""
        return tuple(thing for thing in self.objects if thing.kind == kind)


class Entry(NamedTuple):
    """One scene that has not been read yet; ``path`` is the file that says what is in it."""

    path: Path
    read: Callable[[], DataScene]


@dataclass(frozen=True, slots=True)
class Dataset(ABC):
    """A data set in a folder. Reading a scene opens label files and, where it must, the heads of images."""

    folder: Path

    format: ClassVar[str]
    """The adapter's name."""
    layout: ClassVar[str]
    """What the folder looks like, in a line."""
    is_simulated: ClassVar[bool] = False
    """Whether its truth was drawn rather than observed."""

    @staticmethod
    @abstractmethod
    def recognises(folder: Path) -> bool:
        """Whether a folder looks like this format."""

    @abstractmethod
    def entries(self) -> Sequence[Entry]:
        """All scenes of all splits, in a fixed order.

        Raises:
            LabelsError: a file that lists scenes is missing or cannot be read.
        """

    def scenes(self) -> list[DataScene]:
        """All scenes, read.

        Raises:
            LabelsError: also where a scene's own files cannot be used.
        """
        return [entry.read() for entry in self.entries()]
