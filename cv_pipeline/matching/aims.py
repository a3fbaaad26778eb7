"""The places that may have been meant at each structure, and how likely each is before any impact is seen.

The prior weight of a place is ``PRIOR[kind] * size``. Both are judgements, not measurements: the
published analysis by hand preferred centres of buildings, of groups and of taxiways, and named halves and
corners as alternatives. ``size`` is the square root of a footprint's area over the median area of its
kind, held between 0.71 and 1.41, because a hangar is a likelier aim than the shed beside it, but not by so
much that it outweighs distance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cv_pipeline.types import Float64Array, Landmark, LandmarkKind, Structure, StructureKind

STRUCTURE_CENTRE, GROUP_CENTRE, HALF = "structure_centre", "group_centre", "structure_half"
CENTRELINE, JUNCTION, CORNER = "centreline", "junction_centre", "corner"

PRIOR: Mapping[str, float] = {
    STRUCTURE_CENTRE: 1.0,
    CENTRELINE: 1.0,
    GROUP_CENTRE: 0.8,
    JUNCTION: 0.5,
    HALF: 0.4,
    CORNER: 0.25,
}

MIN_HALF_RATIO = 2.0
"""Length over width from which the two halves of a building are places of their own."""

_SIZE_LIMITS = (math.sqrt(0.5), math.sqrt(2))
_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True, slots=True)
class Aim:
    """A place that may have been meant: a point, or the line of a centreline, in local metres.

    ``hypothesis_id`` names it in files; ``owner_id`` is the structure's or landmark's. ``log_prior`` is
    the logarithm of its prior weight. ``landmark`` is None for places of a single structure.
    """

    kind: str
    hypothesis_id: str
    owner_id: str
    geometry_m: BaseGeometry
    log_prior: float
    landmark: Landmark | None = None


def structure_aims(structures: Sequence[Structure], landmarks: Sequence[Landmark]) -> tuple[tuple[Aim, ...], ...]:
    """Aims of each structure, in the order of ``structures``.

    Its own centre, centreline or halves first, then those of the landmarks it belongs to. Every structure
    has at least one. A group's or a junction's aim is the same object for all its members.
    """
    sizes = _log_sizes(structures)
    aims = {s.structure_id: _own_aims(s, size) for s, size in zip(structures, sizes, strict=True)}
    size_of = {s.structure_id: size for s, size in zip(structures, sizes, strict=True)}
    for landmark in landmarks:
        if landmark.kind is LandmarkKind.CENTRELINE:
            continue  # it is the structure's own
        size = float(np.mean([size_of[name] for name in landmark.structure_ids]))
        aim = _landmark_aim(landmark, size)
        for name in landmark.structure_ids:
            aims[name].append(aim)
    return tuple(tuple(aims[structure.structure_id]) for structure in structures)


def halves(footprint: BaseGeometry) -> tuple[tuple[str, BaseGeometry], ...]:
    """The halves of a long polygon, each as the wind towards which it lies and its centroid.

    Cut across the long side of the rotated bounding box, through the centroid. Empty for a footprint less
    than twice as long as wide, and for one without area.
    """
    if footprint.area <= 0:
        return ()
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(footprint))
    sides = corners[1:3] - corners[:2]
    lengths = np.hypot(*sides.T)
    long, short = float(lengths.max()), float(lengths.min())
    if long < MIN_HALF_RATIO * short:
        return ()
    along = sides[np.argmax(lengths)] / long
    across = np.array([-along[1], along[0]])
    centre = shapely.get_coordinates(footprint.centroid)[0]
    found = []
    for way in (along, -along):
        reach = 2 * long
        part = shapely.Polygon(
            [centre - across * reach, centre + across * reach, centre + across * reach + way * reach,
             centre - across * reach + way * reach]
        )  # fmt: skip
        found.append((wind(way), shapely.intersection(footprint, part).centroid))
    return tuple(sorted(found, key=lambda pair: pair[0]))


def wind(direction: Float64Array) -> str:
    """The nearest of eight winds of a direction (east, north): ``north-east`` for (1, 1)."""
    azimuth_deg = math.degrees(math.atan2(direction[0], direction[1]))
    return _WINDS[round(azimuth_deg / 45) % 8]


def _own_aims(structure: Structure, log_size: float) -> list[Aim]:
    name, shape = structure.structure_id, structure.geometry_m
    axis = structure.centreline_m
    if axis is None and shapely.get_dimensions(shape) == 1:
        axis = shape
    if axis is not None:
        return [_aim(CENTRELINE, name, axis, log_size)]
    kind = GROUP_CENTRE if structure.kind is StructureKind.GROUP else STRUCTURE_CENTRE
    own = [_aim(kind, name, shapely.centroid(shape), log_size)]
    if structure.kind is StructureKind.BUILDING:
        for side, centre in halves(shape):
            own.append(Aim(HALF, f"{HALF}:{name}:{side}", name, centre, math.log(PRIOR[HALF]) + log_size))
    return own


def _landmark_aim(landmark: Landmark, log_size: float) -> Aim:
    kind = {LandmarkKind.GROUP: GROUP_CENTRE, LandmarkKind.JUNCTION: JUNCTION, LandmarkKind.CORNER: CORNER}
    return _aim(kind[landmark.kind], landmark.landmark_id, shapely.centroid(landmark.geometry_m), log_size, landmark)


def _aim(kind: str, owner_id: str, place: BaseGeometry, log_size: float, landmark: Landmark | None = None) -> Aim:
    return Aim(kind, f"{kind}:{owner_id}", owner_id, place, math.log(PRIOR[kind]) + log_size, landmark)


def _log_sizes(structures: Sequence[Structure]) -> Float64Array:
    """Logarithm of the size factor of each structure; 0 for points, lines and strips along a line."""
    areas = np.array([s.geometry_m.area if s.centreline_m is None else 0.0 for s in structures], dtype=np.float64)
    kinds = np.array([s.kind.value for s in structures])
    logs = np.zeros(len(areas))
    for kind in set(kinds):
        chosen = (kinds == kind) & (areas > 0)
        if chosen.any():
            ratio = np.sqrt(areas[chosen] / np.median(areas[chosen]))
            logs[chosen] = np.log(np.clip(ratio, *_SIZE_LIMITS))
    return logs
