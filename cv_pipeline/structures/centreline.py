"""The centreline of a paved area: its medial axis, with straight arms at junctions.

The medial axis is taken from the Voronoi diagram of points along the outline (Brandt and Algazi 1992,
doi:10.1016/1049-9660(92)90030-7). Three things are mended, because a person would draw them otherwise:
branches into corners are cut off, ends are drawn out to the outline, and at a junction, where the true
medial axis bends towards the open side by an eighth of the width, the arms are drawn straight to the
point where they meet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cv_pipeline.types import Float64Array

MIN_ELONGATION = 2.5
"""Length over width below which an area is an apron, with a centre instead of a centreline."""

_STEPS_PER_WIDTH = 8
_MAX_POINTS = 8_000
"""Outlines that need more are slivers, over 500 times as long as wide."""
_ARM_FROM, _ARM_TO = 1.5, 5.0
"""Where, in half-widths from a junction, an arm's direction is taken."""

Graph = dict[int, set[int]]
Path = list[int]


def strip_width_m(area: BaseGeometry) -> float:
    """Width of the strip that has the area and perimeter of a polygon; its equal square's side for blobs."""
    half = area.length / 2
    root = half**2 - 4 * area.area
    return float((half - math.sqrt(root)) / 2) if root > 0 else math.sqrt(area.area)


def centreline(area: BaseGeometry) -> BaseGeometry | None:
    """Centreline of a valid polygon in metres, as a line or a multiline; None for what has none.

    None for an area less than 2.5 or more than about 500 times as long as wide, for one without extent
    and for a multipolygon.
    A bend keeps the medial axis, which cuts its corner by about an eighth of the width.
    """
    if area.geom_type != "Polygon" or area.area <= 0:
        return None
    width_m = strip_width_m(area)
    if area.area < MIN_ELONGATION * width_m**2 or area.length * _STEPS_PER_WIDTH > _MAX_POINTS * width_m:
        return None
    places, graph = _medial_graph(area, width_m)
    room = shapely.distance(shapely.points(places), area.boundary) if len(places) else np.zeros(0)
    _prune(places, graph, room)
    lines = _straighten(places, graph, room)
    lines = [_drawn_out(line, ends, area, width_m) for line, ends in lines]
    lines = [line for line in shapely.simplify(lines, width_m / 100) if line.length > 0]
    if not lines:
        return None
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


def _medial_graph(area: BaseGeometry, width_m: float) -> tuple[Float64Array, Graph]:
    """Voronoi vertices (n, 2) inside the area and which of them are joined by the medial axis."""
    from scipy.spatial import Voronoi

    step_m = width_m / _STEPS_PER_WIDTH
    rings = [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(shapely.segmentize(area, step_m))]
    ring = np.concatenate([np.full(len(points), k) for k, points in enumerate(rings)])
    order = np.concatenate([np.arange(len(points)) for points in rings])
    size = np.concatenate([np.full(len(points), len(points)) for points in rings])
    points = np.concatenate(rings)
    origin = points.mean(axis=0)
    diagram = Voronoi(points - origin)
    left, right = diagram.ridge_points.T
    # Cells of neighbours on the outline meet in a hair from the outline to the axis, not in the axis.
    apart = np.abs(order[left] - order[right])
    is_hair = (ring[left] == ring[right]) & ((apart == 1) | (apart == size[left] - 1))
    places = diagram.vertices + origin
    shapely.prepare(area)
    inside = np.append(shapely.contains_xy(area, places[:, 0], places[:, 1]), False)  # -1 stands for infinity
    graph: Graph = {}
    for (start, end), hair in zip(diagram.ridge_vertices, is_hair, strict=True):
        if not hair and start != end and inside[start] and inside[end]:
            graph.setdefault(start, set()).add(end)
            graph.setdefault(end, set()).add(start)
    return places, graph


def _prune(places: Float64Array, graph: Graph, room: Float64Array) -> None:
    """Remove, in place, branches that reach less than one half-width past the disc at their root."""
    while True:
        short = []
        for leaf in [node for node, joined in graph.items() if len(joined) == 1]:
            path = _walk(graph, leaf, next(iter(graph[leaf])))
            root = path[-1]
            is_branch = len(graph[root]) > 2
            if is_branch and _length(places, path) + room[leaf] - room[root] < room[root]:
                short.append(path)
        if not short:
            return
        for path in short:
            for node in path[:-1]:
                for other in graph.pop(node):
                    graph.get(other, set()).discard(node)


def _walk(graph: Graph, start: int, following: int) -> Path:
    """Nodes from ``start`` through ``following`` to the next leaf or junction, or around back to ``start``."""
    path = [start, following]
    while len(graph[path[-1]]) == 2 and path[-1] != start:
        path.append(next(node for node in graph[path[-1]] if node != path[-2]))
    return path


def _length(places: Float64Array, path: Path) -> float:
    return float(np.hypot(*np.diff(places[path], axis=0).T).sum())


def _straighten(places: Float64Array, graph: Graph, room: Float64Array) -> list[tuple[BaseGeometry, tuple[bool, bool]]]:
    """Branches as lines, each with which of its two ends are free; their other ends meet at junction centres."""
    branches = list(_branches(graph))
    clusters = _clusters(places, graph, room, branches)
    arms: dict[int, list[Float64Array]] = {}
    for path in branches:
        for way in (path, path[::-1]):
            if way[0] in clusters:
                arms.setdefault(clusters[way[0]], []).append(places[way])
    centres = {
        label: _meeting_point(
            np.mean([places[node] for node, its in clusters.items() if its == label], axis=0),
            arms.get(label, []),
            float(max(room[node] for node, its in clusters.items() if its == label)),
        )
        for label in sorted(set(clusters.values()))
    }
    lines = []
    for path in branches:
        first, last = clusters.get(path[0]), clusters.get(path[-1])
        if first is not None and first == last:
            continue  # a short link between the two nodes of one crossing
        points = places[path]
        for label, node, at_end in ((first, path[0], False), (last, path[-1], True)):
            if label is not None:
                points = _joined(points, centres[label], float(room[node]), at_end=at_end)
        lines.append((shapely.LineString(points), (first is None, last is None)))
    return lines


def _branches(graph: Graph) -> Iterable[Path]:
    """Every path between leaves and junctions once, and a ring where there are neither."""
    seen: set[frozenset[int]] = set()
    ends = [node for node, joined in graph.items() if len(joined) != 2] or list(graph)[:1]
    for start in ends:
        for following in sorted(graph[start]):
            path = _walk(graph, start, following)
            key = frozenset(path)
            if key not in seen:
                seen.add(key)
                yield path


def _clusters(places: Float64Array, graph: Graph, room: Float64Array, branches: list[Path]) -> dict[int, int]:
    """Label of each junction node; nodes that a crossing's small irregularities part share one."""
    label = {node: node for node, joined in graph.items() if len(joined) > 2}
    for path in branches:
        start, end = path[0], path[-1]
        if start in label and end in label and _length(places, path) < max(room[start], room[end]):
            old, new = label[end], label[start]
            label = {node: new if its == old else its for node, its in label.items()}
    return label


def _meeting_point(node: Float64Array, arms: list[Float64Array], half_m: float) -> Float64Array:
    """Where straight arms come nearest to meeting, by least squares; the node itself if that is far off."""
    normal, right = np.zeros((2, 2)), np.zeros(2)
    for points in arms:
        away = np.hypot(*(points - node).T)
        part = points[(away >= _ARM_FROM * half_m) & (away <= _ARM_TO * half_m)]
        if len(part) < 3:
            continue
        centre = part.mean(axis=0)
        along = np.linalg.svd(part - centre)[2][0]
        across = np.eye(2) - np.outer(along, along)
        normal, right = normal + across, right + across @ centre
    if np.linalg.matrix_rank(normal, tol=0.1) < 2:
        return node
    met = np.asarray(np.linalg.solve(normal, right), dtype=np.float64)
    return met if math.dist(met, node) <= half_m else node


def _joined(points: Float64Array, centre: Float64Array, half_m: float, *, at_end: bool) -> Float64Array:
    """A branch whose part within 1.5 half-widths of a junction is replaced by a straight piece to its centre."""
    way = points[::-1] if at_end else points
    far = np.flatnonzero(np.hypot(*(way - centre).T) >= _ARM_FROM * half_m)
    kept = way[far[0] :] if len(far) else way[-1:]
    way = np.vstack([centre, kept])
    return way[::-1] if at_end else way


def _drawn_out(line: BaseGeometry, ends: tuple[bool, bool], area: BaseGeometry, width_m: float) -> BaseGeometry:
    """The line with its free ends drawn out straight to the outline."""
    points = shapely.get_coordinates(line)
    if math.dist(points[0], points[-1]) == 0:
        return line  # a ring
    for is_free, at_end in zip(ends, (False, True), strict=True):
        if not is_free:
            continue
        way = points[::-1] if at_end else points
        back = shapely.LineString(way).interpolate(min(width_m, line.length / 2))
        along = way[0] - shapely.get_coordinates(back)[0]
        along = along / max(math.hypot(*along), 1e-12)
        ray = shapely.LineString([way[0], way[0] + along * 3 * width_m])
        tip = shapely.Point(way[0])
        inside = [part for part in shapely.get_parts(shapely.intersection(ray, area)) if part.distance(tip) == 0]
        if inside and inside[0].geom_type == "LineString":
            way = np.vstack([shapely.get_coordinates(inside[0])[-1], way])
            points = way[::-1] if at_end else way
    return shapely.LineString(points)
