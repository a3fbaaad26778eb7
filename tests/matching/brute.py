"""Nearest structures by looking at every pair, in plain numpy: no GEOS, no tree, no shortcuts."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import shapely


class Brute(NamedTuple):
    """Per point: the two least edge distances and the least centre distance."""

    first_m: np.ndarray
    second_m: np.ndarray
    centre_m: np.ndarray


def to_segment(x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Squared distances (n,) of points from one segment, which may have no length."""
    along_x, along_y = end - start
    square = along_x**2 + along_y**2
    dx, dy = x - start[0], y - start[1]
    if square > 0:
        share = np.clip((dx * along_x + dy * along_y) / square, 0, 1)
        dx, dy = dx - share * along_x, dy - share * along_y
    return dx**2 + dy**2


def crosses(x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Whether the ray from each point to the east crosses a segment; an odd number of crossings is inside."""
    if start[1] == end[1]:
        return np.zeros(len(x), bool)
    above = (start[1] > y) != (end[1] > y)
    return above & (x < start[0] + (y - start[1]) * (end[0] - start[0]) / (end[1] - start[1]))


def edge_distances(points: np.ndarray, shape: shapely.Geometry) -> np.ndarray:
    """Distances (n,) of points from a point, line or polygon without holes; 0 inside."""
    corners = shapely.get_coordinates(shape)
    x, y = points.T
    if len(corners) == 1:
        return np.hypot(x - corners[0, 0], y - corners[0, 1])
    square, inside = np.full(len(points), np.inf), np.zeros(len(points), bool)
    for start, end in itertools.pairwise(corners):
        square = np.minimum(square, to_segment(x, y, start, end))
        inside ^= crosses(x, y, start, end)
    return np.where(inside & (shape.geom_type == "Polygon"), 0.0, np.sqrt(square))


def centre_of(shape: shapely.Geometry) -> shapely.Geometry:
    """The line itself, or the area centroid by the shoelace formula; a polygon without area as GEOS has it."""
    if shape.geom_type != "Polygon":
        return shape
    corners = shapely.get_coordinates(shape)
    origin = corners[0]
    x, y = (corners - origin).T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    if cross.sum() == 0:
        return shape.centroid
    centre = np.array([((x[:-1] + x[1:]) * cross).sum(), ((y[:-1] + y[1:]) * cross).sum()]) / (3 * cross.sum())
    return shapely.Point(origin + centre)


def brute_force(points: np.ndarray, shapes: list[shapely.Geometry]) -> Brute:
    """The least distances of points (n, 2) over all shapes."""
    first, second, centre = np.full((3, len(points)), np.inf)
    for shape in shapes:
        edge = edge_distances(points, shape)
        second = np.minimum(second, np.maximum(first, edge))
        first = np.minimum(first, edge)
        centre = np.minimum(centre, edge_distances(points, centre_of(shape)))
    return Brute(first, second, centre)
