"""Small groups of like buildings that a person would take as one unit: a row of shelters, of tents."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from cv_pipeline.types import BoolArray, Float64Array, Landmark, LandmarkKind, Structure, StructureKind

IntArray = npt.NDArray[np.int64]

MAX_AREA_RATIO = 1.5
"""Two footprints are alike when the larger has at most this many times the area of the smaller."""

MAX_TURN_DEG = 20.0
"""And when their sides differ by at most this much in direction."""

MIN_FILL = 0.85
"""Share of its rotated bounding box from which a footprint counts as rectangular; others (a round tent) have
no direction to compare."""

LONG = 1.3
"""Ratio of sides from which a rectangle has a long axis; the sides of others agree at every 90 degrees."""

MAX_MEMBERS = 12
"""More than this is a settlement's fabric, not a unit: chains through a town would join everything."""


def find_groups(structures: Sequence[Structure]) -> tuple[Landmark, ...]:
    """Groups of 2 to 12 adjacent, like buildings; a structure is in one group or in none.

    Two buildings are joined when their areas differ by at most a factor of 1.5, their sides by at most
    20 degrees, and the gap between them is at most the side of the smaller one's equal square. Groups
    are the connected components in which every member is alike with the median member too. Only
    polygons of kind ``building`` take part; no such pair gives an empty tuple.

    The ID is the members' IDs joined by ``+``, the geometry the members as one multipolygon. The centre
    is the area centroid; ``centre_sd_m`` is the per-axis SD of four centres a person might take (of area,
    of members, of the convex hull, of the rotated bounding box).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    footprints = np.array([structure.geometry_m for structure in structures], dtype=object)
    if len(footprints) < 2:
        return ()
    areas = np.asarray(shapely.area(footprints))
    is_building = np.array([s.kind is StructureKind.BUILDING for s in structures]) & (areas > 0)
    left, right = _alike_pairs(footprints, areas, is_building)
    links = coo_array((np.ones(len(left)), (left, right)), shape=(len(areas), len(areas)))
    labels = connected_components(links, directed=False)[1]
    sizes = np.bincount(labels)
    order = np.argsort(labels, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    groups = []
    for label in np.flatnonzero((sizes >= 2) & (sizes <= MAX_MEMBERS)):
        members = order[starts[label] : starts[label + 1]]
        ratios = areas[members] / np.median(areas[members])
        if max(ratios.max(), 1 / ratios.min()) <= MAX_AREA_RATIO:
            groups.append(_group(structures, members, footprints[members]))
    return tuple(sorted(groups, key=lambda group: group.landmark_id))


def _alike_pairs(
    footprints: npt.NDArray[np.object_], areas: Float64Array, is_building: BoolArray
) -> tuple[IntArray, IntArray]:
    """Pairs of positions of adjacent, like buildings."""
    rows = np.flatnonzero(is_building)
    if not len(rows):
        return rows, rows
    reach_m = np.sqrt(areas[rows])
    hits, found = shapely.STRtree(footprints[rows]).query(footprints[rows], predicate="dwithin", distance=reach_m)
    left, right = rows[hits], rows[found]
    small, large = np.minimum(areas[left], areas[right]), np.maximum(areas[left], areas[right])
    keep = (left < right) & (large <= MAX_AREA_RATIO * small)
    left, right, small = left[keep], right[keep], small[keep]
    keep = shapely.distance(footprints[left], footprints[right]) <= np.sqrt(small)
    left, right = left[keep], right[keep]
    shape = np.zeros((len(footprints), 3))
    for place in np.union1d(left, right):
        shape[place] = _direction(footprints[place])
    keep = _same_direction(shape[left], shape[right])
    return left[keep], right[keep]


def _direction(footprint: shapely.Geometry) -> tuple[float, float, float]:
    """Azimuth of the long axis in degrees [0, 180), ratio of sides, and share of the rotated box filled."""
    box = shapely.minimum_rotated_rectangle(footprint)
    if box.area <= 0:
        return 0.0, 1.0, 0.0
    corners = shapely.get_coordinates(box)
    sides = corners[1:3] - corners[:2]
    lengths = np.hypot(*sides.T)
    east, north = sides[np.argmax(lengths)]
    azimuth_deg = math.degrees(math.atan2(east, north)) % 180.0
    return azimuth_deg, float(lengths.max() / lengths.min()), footprint.area / box.area


def _same_direction(first: Float64Array, second: Float64Array) -> BoolArray:
    """Whether pairs of rows of :func:`_direction` agree, or have no direction to disagree in."""
    period = np.where((first[:, 1] >= LONG) & (second[:, 1] >= LONG), 180.0, 90.0)
    turn = np.abs(first[:, 0] - second[:, 0]) % period
    turn = np.minimum(turn, period - turn)
    round_ones = (first[:, 2] < MIN_FILL) | (second[:, 2] < MIN_FILL)
    return np.asarray(round_ones | (turn <= MAX_TURN_DEG))


def _group(structures: Sequence[Structure], members: IntArray, footprints: npt.NDArray[np.object_]) -> Landmark:
    names = tuple(structures[i].structure_id for i in members)
    whole = shapely.MultiPolygon([part for footprint in footprints for part in shapely.get_parts(footprint)])
    areas = shapely.area(footprints)
    centres = [
        shapely.get_coordinates(shapely.centroid(shape))[0]
        for shape in (whole, shapely.convex_hull(whole), shapely.minimum_rotated_rectangle(whole))
    ]
    centres.append(shapely.get_coordinates(shapely.centroid(footprints)).mean(axis=0))
    return Landmark(
        "+".join(names),
        LandmarkKind.GROUP,
        names,
        whole,
        centre_sd_m=float(np.sqrt(np.var(centres, axis=0).mean())),
        footprint_share=float(np.sqrt((areas**2).sum()) / areas.sum()),
    )
