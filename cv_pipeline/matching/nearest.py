"""The nearest and second nearest structure of many points, by edge and by centre.

Distances to the *edge* are 0 inside a footprint. The *centre* is the area centroid of a polygon
(for an L-shaped one it may lie outside), the mean of a multipoint, and for a line the line itself,
because a line stands for a pavement's centreline and the centroid of a runway is no place at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cv_pipeline.types import Float64Array, Structure

IntArray = npt.NDArray[np.int64]
NO_STRUCTURE = -1


@dataclass(frozen=True)
class StructureIndex:
    """Spatial indexes over one set of structures, built once and asked many times."""

    structures: tuple[Structure, ...]

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
        is_line = shapely.get_dimensions(edges) == 1
        return np.where(is_line, edges, shapely.centroid(edges))

    @cached_property
    def edge_tree(self) -> shapely.STRtree:
        """Index over :attr:`edges`."""
        return shapely.STRtree(self.edges)

    @cached_property
    def centre_tree(self) -> shapely.STRtree:
        """Index over :attr:`centres`."""
        return shapely.STRtree(self.centres)

    @cached_property
    def spacing_m(self) -> float:
        """Side of the square that one structure has on average over their common bounds; at least 1 m."""
        min_x, min_y, max_x, max_y = shapely.total_bounds(self.edges)
        return max(1.0, float(np.sqrt(max(max_x - min_x, 1.0) * max(max_y - min_y, 1.0) / len(self.structures))))


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


def index_structures(structures: Sequence[Structure]) -> StructureIndex:
    """An index over ``structures``; their order decides the last ties."""
    return StructureIndex(tuple(structures))


def nearest(points_m: Float64Array, index: StructureIndex) -> Nearest:
    """Nearest structures of points (n, 2) given as (x_m, y_m).

    Ties by edge, such as a point inside several overlapping footprints, go to the nearer centre,
    then to the structure listed first. Ties by centre go to the structure listed first. With one
    structure ``second`` is ``NO_STRUCTURE``; with none all are, and every distance is nan.
    """
    points = shapely.points(np.asarray(points_m, dtype=np.float64).reshape(-1, 2))
    n = len(points)
    if not index.structures or not n:
        nothing, unknown = np.full(n, NO_STRUCTURE), np.full(n, np.nan)
        return Nearest(nothing, unknown, unknown, nothing, unknown, nothing)
    rows, candidates = _two_or_more_candidates(points, index)
    edge_m = shapely.distance(points[rows], index.edges[candidates])
    centre_m = shapely.distance(points[rows], index.centres[candidates])
    order = np.lexsort((candidates, centre_m, edge_m, rows))
    rows, candidates, edge_m, centre_m = rows[order], candidates[order], edge_m[order], centre_m[order]
    start = np.searchsorted(rows, np.arange(n))
    if len(index.structures) == 1:
        second, second_m = np.full(n, NO_STRUCTURE), np.full(n, np.nan)
    else:
        second, second_m = candidates[start + 1], edge_m[start + 1]
    return Nearest(candidates[start], edge_m[start], centre_m[start], second, second_m, _by_centre(points, index))


def _two_or_more_candidates(points: npt.NDArray[Any], index: StructureIndex) -> tuple[IntArray, IntArray]:
    """Pairs (point row, structure) holding, per point, all structures within a radius that takes in two.

    STRtree answers "nearest" but not "second nearest", so the radius around each point grows until
    two structures lie in it; whatever lies outside is farther than both.
    """
    wanted = min(2, len(index.structures))
    found_rows, found = [], []
    pending = np.arange(len(points))
    first_m = index.edge_tree.query_nearest(points, return_distance=True, all_matches=False)[1]
    step_m = index.spacing_m
    while len(pending):
        rows, candidates = index.edge_tree.query(
            points[pending], predicate="dwithin", distance=first_m[pending] + step_m
        )
        enough = np.bincount(rows, minlength=len(pending)) >= wanted
        keep = enough[rows]
        found_rows.append(pending[rows[keep]])
        found.append(candidates[keep])
        pending = pending[~enough]
        step_m *= 2
    return np.concatenate(found_rows), np.concatenate(found)


def _by_centre(points: npt.NDArray[Any], index: StructureIndex) -> IntArray:
    """Structure with the nearest centre; the first listed among equals."""
    rows, candidates = index.centre_tree.query_nearest(points, all_matches=True)
    best = np.full(len(points), len(index.structures))
    np.minimum.at(best, rows, candidates)
    return best
