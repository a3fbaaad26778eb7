"""Junctions of pavements: where three or more arms of their centrelines meet, and the corners between arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cv_pipeline.structures.centreline import strip_width_m
from cv_pipeline.types import Float64Array, Landmark, LandmarkKind, Structure, StructureKind

MIN_TOLERANCE_M = 1.0
"""Centrelines that miss each other by less are taken to meet; more, where their widths are known."""

_LOOK_M = 3.0
"""Least radius of the circle around a meeting point on which arms are counted."""

_MIN_GAP_DEG, _MAX_GAP_DEG = 20.0, 150.0
"""Arms nearer in direction are one; between arms wider apart than the second there is no corner."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One line of a pavement's centreline; ``half_m`` is half its width, 0 where unknown."""

    structure: Structure
    line: BaseGeometry
    half_m: float


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm of a junction: direction (2,) away from it, half-width (0: unknown), and whose it is."""

    along: Float64Array
    half_m: float
    structure_id: str


def axis_of(structure: Structure) -> BaseGeometry | None:
    """The centreline of a pavement, which for one drawn as a line is that line; None for all else."""
    if structure.centreline_m is not None:
        return structure.centreline_m
    is_line = structure.kind is StructureKind.PAVEMENT and shapely.get_dimensions(structure.geometry_m) == 1
    return structure.geometry_m if is_line else None


def find_junctions(structures: Sequence[Structure]) -> tuple[Landmark, ...]:
    """Junctions ``J001`` ... each followed by its corners ``J001.1`` ..., clockwise from north.

    A junction is a place with at least three arms, 20 degrees or more apart: where centrelines share an
    end, cross, or where one ends at another's edge. A corner is the outline's point nearest to where the
    edges of two neighbouring arms would meet, so on a rounded corner the middle of the curve; corners
    need arms of known width, drawn as areas or stated. The junction's ``centre_sd_m`` is the per-axis
    SD of the meeting points that were taken as one. No pavement gives an empty tuple.
    """
    axes = [
        Axis(structure, line, _half_width_m(structure))
        for structure in structures
        if (whole := axis_of(structure)) is not None
        for line in shapely.get_parts(whole)
    ]
    if not axes:
        return ()
    tree = shapely.STRtree([axis.line for axis in axes])
    by_id = {axis.structure.structure_id: axis.structure.geometry_m for axis in axes}
    found: list[Landmark] = []
    number = 0
    for places, half_m in _meeting_places(axes, tree):
        centre = places.mean(axis=0)
        arms = _arms(centre, half_m, axes, tree)
        if len(arms) < 3:
            continue
        number += 1
        junction_id = f"J{number:03d}"
        names = tuple(dict.fromkeys(arm.structure_id for arm in arms))
        spread_m = float(np.sqrt(places.var(axis=0).mean()))
        found.append(Landmark(junction_id, LandmarkKind.JUNCTION, names, shapely.Point(centre), centre_sd_m=spread_m))
        outline = shapely.union_all([by_id[name] for name in names]).boundary
        found += _corners(junction_id, centre, arms, outline)
    return tuple(found)


def _half_width_m(structure: Structure) -> float:
    if structure.width_m is not None:
        return structure.width_m / 2
    return strip_width_m(structure.geometry_m) / 2 if structure.geometry_m.area > 0 else 0.0


def _meeting_places(axes: Sequence[Axis], tree: shapely.STRtree) -> list[tuple[Float64Array, float]]:
    """Clusters of places (k, 2) where axes come together, each with its widest half-width, in file order."""
    lines = np.array([axis.line for axis in axes], dtype=object)
    halves = np.array([axis.half_m for axis in axes])
    reach_m = 1.5 * halves + MIN_TOLERANCE_M
    places: list[tuple[float, float]] = []
    half: list[float] = []
    for k, axis in enumerate(axes):
        ends = shapely.get_coordinates(axis.line)[[0, -1]]
        near = tree.query(axis.line, predicate="dwithin", distance=float(reach_m.max()))
        for other in near[near != k]:
            both_m = float(max(halves[k], halves[other]))
            crossing = shapely.intersection(axis.line, lines[other])
            met = shapely.get_coordinates(crossing)
            for end in ends:
                gap_m = shapely.distance(shapely.Point(end), lines[other])
                if not len(met) and gap_m <= reach_m[other]:
                    met = shapely.get_coordinates(shapely.shortest_line(shapely.Point(end), lines[other]))[1:]
            places += [(float(x), float(y)) for x, y in met]
            half += [both_m] * len(met)
    return _clustered(np.array(places).reshape(-1, 2), np.array(half))


def _clustered(places: Float64Array, half_m: Float64Array) -> list[tuple[Float64Array, float]]:
    """Places joined while they lie within the wider half-width (at least 1 m) of each other."""
    if not len(places):
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    pairs = KDTree(places).query_pairs(float(max(half_m.max(), MIN_TOLERANCE_M)), output_type="ndarray")
    gap_m = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T)
    pairs = pairs[gap_m <= np.maximum(half_m[pairs].max(axis=1), MIN_TOLERANCE_M)]
    links = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(len(places), len(places)))
    labels = connected_components(links, directed=False)[1]
    first = {int(label): k for k, label in reversed(list(enumerate(labels)))}
    return [
        (places[labels == label], float(half_m[labels == label].max()))
        for label in sorted(first, key=lambda label: first[label])
    ]


def _arms(centre: Float64Array, half_m: float, axes: Sequence[Axis], tree: shapely.STRtree) -> list[Arm]:
    """Arms, clockwise from north: where centrelines cross a circle of 1.5 half-widths around the centre."""
    radius_m = max(1.5 * half_m, _LOOK_M)
    circle = shapely.Point(centre).buffer(radius_m, quad_segs=32).exterior
    crossings: list[tuple[float, Arm]] = []
    for k in sorted(tree.query(circle, predicate="intersects")):
        for x, y in shapely.get_coordinates(shapely.intersection(circle, axes[k].line)):
            away = np.array([x, y]) - centre
            along = away / math.hypot(*away)
            azimuth_deg = math.degrees(math.atan2(along[0], along[1])) % 360
            crossings.append((azimuth_deg, Arm(along, axes[k].half_m, axes[k].structure.structure_id)))
    crossings.sort(key=lambda pair: pair[0])
    kept: list[tuple[float, Arm]] = []
    for azimuth_deg, arm in crossings:
        if all(abs((azimuth_deg - other + 180) % 360 - 180) >= _MIN_GAP_DEG for other, _ in kept):
            kept.append((azimuth_deg, arm))
    return [arm for _, arm in kept]


def _corners(junction_id: str, centre: Float64Array, arms: Sequence[Arm], outline: BaseGeometry) -> list[Landmark]:
    """Corners between neighbouring arms, clockwise from the arm nearest north."""
    corners: list[Landmark] = []
    for arm, following in zip(arms, [*arms[1:], arms[0]], strict=True):
        gap_deg = math.degrees(math.atan2(*following.along) - math.atan2(*arm.along)) % 360
        if not _MIN_GAP_DEG <= gap_deg <= _MAX_GAP_DEG or not arm.half_m or not following.half_m:
            continue
        sharp = centre + (following.half_m * arm.along + arm.half_m * following.along) / math.sin(math.radians(gap_deg))
        corner = shapely.shortest_line(shapely.Point(sharp), outline)
        place = shapely.get_point(corner, -1) if corner is not None else shapely.Point(sharp)
        names = tuple(dict.fromkeys((arm.structure_id, following.structure_id)))
        corners.append(Landmark(f"{junction_id}.{len(corners) + 1}", LandmarkKind.CORNER, names, place))
    return corners
