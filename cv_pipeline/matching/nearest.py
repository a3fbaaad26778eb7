"""The nearest and second nearest structure of many points, by edge and by centre.

Distances to the *edge* are 0 inside a footprint. The *centre* is the area centroid of a polygon
(for an L-shaped one it may lie outside), the mean of a multipoint, and for a pavement with a centreline
and for any line the line itself, because the centroid of a runway is no place at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import KDTree

from cv_pipeline.matching.aims import Aim, structure_aims
from cv_pipeline.structures.landmarks import find_landmarks
from cv_pipeline.types import Float64Array, Landmark, Structure

IntArray = npt.NDArray[np.int64]
NO_STRUCTURE = -1
_TIES = 1
"""Equally near centres that are looked at before the slower search for any number of them."""


@dataclass(frozen=True)
class StructureIndex:
    """Spatial indexes over one set of structures, built once and asked many times."""

    structures: tuple[Structure, ...]

    @cached_property
    def landmarks(self) -> tuple[Landmark, ...]:
        """Groups, centrelines, junctions and corners of the structures."""
        return find_landmarks(self.structures)

    @cached_property
    def aims(self) -> tuple[tuple[Aim, ...], ...]:
        """Per structure, the points that an impact near it may be measured from."""
        return structure_aims(self.structures, self.landmarks)

    @cached_property
    def edges(self) -> npt.NDArray[Any]:
        """(k,) geometries whose edge distance counts."""
        return np.array([structure.geometry_m for structure in self.structures], dtype=object)

    @cached_property
    def centres(self) -> npt.NDArray[Any]:
        """(k,) centre geometries, as the module's text defines them."""
        edges = self.edges
        if not len(edges):
            return edges
        centres = np.where(shapely.get_dimensions(edges) == 1, edges, shapely.centroid(edges))
        for k, structure in enumerate(self.structures):
            if structure.centreline_m is not None:
                centres[k] = structure.centreline_m
        return centres

    @cached_property
    def edge_tree(self) -> shapely.STRtree:
        """Index over :attr:`edges`."""
        return shapely.STRtree(self.edges)

    @cached_property
    def has_point_centre(self) -> npt.NDArray[np.bool_]:
        """(k,) whether the centre is a point; else it is a line."""
        return np.asarray(shapely.get_dimensions(self.centres) == 0)

    @cached_property
    def centre_tree(self) -> KDTree:
        """Index over those :attr:`centres` that are points."""
        return KDTree(shapely.get_coordinates(self.centres[self.has_point_centre]))

    @cached_property
    def bounds_m(self) -> Float64Array:
        """(k, 4) bounds of :attr:`edges` as min x, min y, max x, max y."""
        return np.asarray(shapely.bounds(self.edges))

    @cached_property
    def anchor_tree(self) -> KDTree:
        """Index over one point of each structure, which bounds the distance to the structure from above."""
        return KDTree(shapely.get_coordinates(shapely.point_on_surface(self.edges)))


@dataclass(frozen=True, slots=True)
class Nearest:
    """Per point: structure positions (``NO_STRUCTURE`` where there is none) and distances (then nan).

    ``first`` and ``second`` are by edge, ``by_centre`` is the one whose centre is nearest.
    """

    first: IntArray
    first_edge_m: Float64Array
    first_centre_m: Float64Array
    second: IntArray
    second_edge_m: Float64Array
    by_centre: IntArray
    by_centre_m: Float64Array


def index_structures(structures: Sequence[Structure]) -> StructureIndex:
    """An index over ``structures``; their order decides the last ties."""
    return StructureIndex(tuple(structures))


def nearest(points_m: Float64Array, index: StructureIndex) -> Nearest:
    """Nearest structures of points (n, 2) given as (x_m, y_m).

    Ties by edge, such as a point inside several overlapping footprints, go to the nearer centre,
    then to the structure listed first. Ties by centre go to the structure listed first. With one
    structure ``second`` is ``NO_STRUCTURE``; with none all are, and every distance is nan. There is
    no limit of distance: a point 100 km away has its nearest structure as well.
    """
    xy = np.asarray(points_m, dtype=np.float64).reshape(-1, 2)
    n = len(xy)
    if not index.structures or not n:
        nothing, unknown = np.full(n, NO_STRUCTURE), np.full(n, np.nan)
        return Nearest(nothing, unknown, unknown, nothing, unknown, nothing, unknown)
    points = shapely.points(xy)
    rows, candidates, edge_m = _two_or_more_candidates(xy, points, index)
    centre_m = shapely.distance(points[rows], index.centres[candidates])
    order = np.lexsort((candidates, centre_m, edge_m, rows))
    rows, candidates, edge_m, centre_m = rows[order], candidates[order], edge_m[order], centre_m[order]
    start = np.searchsorted(rows, np.arange(n))
    if len(index.structures) == 1:
        second, second_m = np.full(n, NO_STRUCTURE), np.full(n, np.nan)
    else:
        second, second_m = candidates[start + 1], edge_m[start + 1]
    by_centre, by_centre_m = _by_centre(xy, points, index)
    return Nearest(candidates[start], edge_m[start], centre_m[start], second, second_m, by_centre, by_centre_m)


def _two_or_more_candidates(
    xy: Float64Array, points: npt.NDArray[Any], index: StructureIndex
) -> tuple[IntArray, IntArray, Float64Array]:
    """Point row, structure and edge distance of, per point, the two nearest and all that tie with them.

    STRtree answers "nearest" but not "second nearest". The distance to the second nearest *anchor* (one
    point of each structure) is never less than that of the second nearest structure, so whatever lies
    outside the square of that half-width is farther than both, and one search of the tree is enough.
    """
    wanted = min(2, len(index.structures))
    to_anchors_m = np.asarray(index.anchor_tree.query(xy, k=wanted)[0]).reshape(len(xy), wanted)
    reach_m = to_anchors_m[:, -1] * (1 + 1e-9) + 1e-9  # rounding must not cut off what lies exactly at the reach
    squares = shapely.box(*(xy - reach_m[:, None]).T, *(xy + reach_m[:, None]).T)
    rows, candidates = index.edge_tree.query(squares)
    near = _bounds_distance(xy[rows], index.bounds_m[candidates]) <= reach_m[rows]
    rows, candidates = rows[near], candidates[near]
    edge_m = shapely.distance(points[rows], index.edges[candidates])
    start = np.searchsorted(rows, np.arange(len(xy)))  # the tree gives its answers point by point
    limit_m = np.minimum.reduceat(edge_m, start)
    if wanted == 2:
        # Without one of the nearest, the least of what is left is the second.
        at_limit = np.flatnonzero(edge_m == limit_m[rows])
        others_m = edge_m.copy()
        others_m[at_limit[np.searchsorted(rows[at_limit], np.arange(len(xy)))]] = np.inf
        limit_m = np.minimum.reduceat(others_m, start)
    keep = edge_m <= limit_m[rows]
    return rows[keep], candidates[keep], edge_m[keep]


def _bounds_distance(xy: Float64Array, bounds_m: Float64Array) -> Float64Array:
    """Distances (n,) of points (n, 2) from boxes (n, 4): a lower bound of those from what is in them."""
    outside = np.maximum(np.maximum(bounds_m[:, :2] - xy, xy - bounds_m[:, 2:]), 0)
    return np.asarray(np.hypot(outside[:, 0], outside[:, 1]))


def _by_centre(xy: Float64Array, points: npt.NDArray[Any], index: StructureIndex) -> tuple[IntArray, Float64Array]:
    """Structure with the nearest centre, the first listed among equals, and the distance."""
    best = np.full(len(xy), len(index.structures))
    best_m = np.full(len(xy), np.inf)
    lines = np.flatnonzero(~index.has_point_centre)
    if len(lines):
        rows, found = shapely.STRtree(index.centres[lines]).query_nearest(points, all_matches=True)
        np.minimum.at(best, rows, lines[found])
        best_m = shapely.distance(points, index.centres[best])
    places = np.flatnonzero(index.has_point_centre)
    if not len(places):
        return best, best_m
    k = min(_TIES + 1, len(places))
    reach_m, found = (np.asarray(part).reshape(len(xy), k) for part in index.centre_tree.query(xy, k=k))
    # The tree may round otherwise than GEOS, so near ties are measured again; more of them than were
    # asked for, as among identical footprints, are searched for one by one.
    near = reach_m <= reach_m[:, :1] * (1 + 1e-12)
    rows, columns = np.nonzero(near)
    candidates = places[found[rows, columns]]
    crowded = np.flatnonzero(near[:, -1]) if k > _TIES else np.zeros(0, dtype=np.int64)
    if len(crowded):
        more_rows, more = shapely.STRtree(index.centres[places]).query_nearest(points[crowded])
        rows = np.concatenate([rows, crowded[more_rows]])
        candidates = np.concatenate([candidates, places[more]])
    centre_m = np.asarray(shapely.distance(points[rows], index.centres[candidates]))
    order = np.lexsort((candidates, centre_m, rows))
    start = order[np.searchsorted(rows[order], np.arange(len(xy)))]
    place, place_m = candidates[start], centre_m[start]
    nearer = (place_m < best_m) | ((place_m == best_m) & (place < best))
    return np.where(nearer, place, best), np.where(nearer, place_m, best_m)
