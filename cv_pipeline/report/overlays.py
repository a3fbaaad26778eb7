"""Shapes drawn over a picture, as SVG path data in the picture's pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cv_pipeline.accuracy.choices import less_likely, likely
from cv_pipeline.frame import LocalFrame, transformed
from cv_pipeline.report.layers import Layer, pattern_parts
from cv_pipeline.report.rows import Cell, matches_by_impact
from cv_pipeline.report.words import hypothesis_name
from cv_pipeline.types import Assessment, Float64Array, Grid, Impact, Landmark, LandmarkKind, Match, Structure

_NICE_STEPS = (1, 2, 5)
AIM_RADIUS_M = 1.5
AIM_RADIUS_PX = 6.5
AIM_QUAD_SEGMENTS = 6


@dataclass(frozen=True, slots=True)
class Shape:
    """One path; ``css_class`` says what it is, ``title`` is read out and shown on hover."""

    css_class: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Marker:
    """An impact's place in a picture, in its pixels."""

    impact_id: str
    x_px: float
    y_px: float
    title: str


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A round length and what it measures in the picture."""

    length_m: float
    length_px: float


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture's grid with the way from local metres to its pixels.

    ``to_map`` comes from :func:`cv_pipeline.report.layers.to_image_crs` and is shared by all pictures of
    a report, because building a projection costs more than using it.
    """

    grid: Grid
    frame: LocalFrame
    to_map: Callable[[Float64Array], Float64Array]

    def points(self, points_m: Float64Array) -> Float64Array:
        """Local metres (n, 2) as (x_px, y_px), x to the right and y down."""
        x, y = np.asarray(self.to_map(np.asarray(points_m, dtype=np.float64))).T
        return np.column_stack(transformed(~self.grid.transform, x, y))

    def shapes(self, shapes_m: Sequence[BaseGeometry]) -> list[BaseGeometry]:
        """Geometries in local metres as geometries in pixels."""
        if not shapes_m:
            return []
        return list(shapely.transform(np.array(shapes_m, dtype=object), self.points))

    def outline_m(self) -> BaseGeometry:
        """The picture's edge as a polygon in local metres."""
        h, w = float(self.grid.height), float(self.grid.width)
        corners = LocalFrame(self.grid, self.frame.crs).pixel_to_metres(np.array([0, 0, h, h]), np.array([0, w, w, 0]))
        return shapely.Polygon(corners)


def structure_shapes(structures: Sequence[Structure], canvas: Canvas) -> list[Shape]:
    """Outlines of structures; a point structure becomes a 1 m circle."""
    solids = [s.geometry_m.buffer(1.0) if s.geometry_m.geom_type == "Point" else s.geometry_m for s in structures]
    return [
        Shape("structure", svg_path(drawn), f"{s.kind.value} {s.name or s.structure_id}")
        for s, drawn in zip(structures, canvas.shapes(solids), strict=True)
    ]


def landmark_shapes(landmarks: Sequence[Landmark], canvas: Canvas) -> list[Shape]:
    """Hulls of groups, centrelines, and 1.5 m circles around junctions and corners."""
    drawn = [landmark_outline(landmark) for landmark in landmarks]
    return [
        Shape("landmark", svg_path(shape), f"{landmark.kind.value} {landmark.landmark_id}")
        for landmark, shape in zip(landmarks, canvas.shapes(drawn), strict=True)
    ]


def landmark_outline(landmark: Landmark) -> BaseGeometry:
    """What is drawn of a landmark, in local metres."""
    if landmark.kind is LandmarkKind.GROUP:
        return landmark.geometry_m.convex_hull
    return landmark.geometry_m if landmark.kind is LandmarkKind.CENTRELINE else landmark.geometry_m.buffer(1.5)


def impact_shapes(impacts: Sequence[Impact], canvas: Canvas) -> list[Shape]:
    """Crater circles, blast outlines and secondary circles of impacts."""
    parts = [(impact, *part) for impact in impacts for part in pattern_parts(impact)]
    drawn = canvas.shapes([shape for *_, shape in parts])
    return [
        Shape(part, svg_path(shape), part_title(impact, part, radius_m))
        for (impact, part, radius_m, _), shape in zip(parts, drawn, strict=True)
    ]


def link_shapes(links: Layer, canvas: Canvas) -> list[Shape]:
    """The lines of :func:`cv_pipeline.report.layers.links_layer`, each with its distance in the title."""
    return [
        Shape("link", svg_path(line), link_title(row))
        for row, line in zip(links.rows, canvas.shapes(links.geometries_m), strict=True)
    ]


def link_title(row: Mapping[str, Cell]) -> str:
    """What a line to a structure is called, from its row in the layer."""
    return f"{row['impact_id']} to {row['structure_id']}: {row['distance_edge_m']} m"


def axis_shapes(impacts: Sequence[Impact], canvas: Canvas) -> list[Shape]:
    """The orientation of each directional pattern as a line, over a sector of one standard deviation to each side."""
    told = [impact for impact in impacts if impact.direction_deg is not None]
    parts = [(css, shape, impact) for impact in told for css, shape in axis_parts(impact)]
    drawn = canvas.shapes([shape for _, shape, _ in parts])
    return [
        Shape(css, svg_path(shape), axis_title(impact)) for (css, _, impact), shape in zip(parts, drawn, strict=True)
    ]


def axis_parts(impact: Impact) -> list[tuple[str, BaseGeometry]]:
    """("spread", sector) and ("axis", line) of an impact in local metres; empty without a direction."""
    if impact.direction_deg is None:
        return []
    centre = np.array([impact.x_m, impact.y_m])
    reach_m = 1.15 * max(impact.blast_radius_m or 0.0, 2.0 * impact.crater_radius_m)

    def towards(azimuth_deg: Float64Array) -> Float64Array:
        angle = np.radians(azimuth_deg)
        return np.asarray(centre + reach_m * np.column_stack([np.sin(angle), np.cos(angle)]))

    parts: list[tuple[str, BaseGeometry]] = []
    if impact.direction_sd_deg:
        spread = min(impact.direction_sd_deg, 90.0)
        arc = towards(impact.direction_deg + np.linspace(-spread, spread, 13))
        parts.append(("spread", shapely.Polygon(np.vstack([centre, arc]))))
    parts.append(("axis", shapely.LineString(np.vstack([centre, towards(np.array([impact.direction_deg]))]))))
    return parts


def axis_title(impact: Impact) -> str:
    """What an orientation is called: where the pattern extends to, nothing more."""
    return f"{impact.impact_id} extends towards {impact.direction_deg:.0f}°"


def aim_parts(match: Match, radius_m: float = AIM_RADIUS_M) -> list[tuple[str, str, BaseGeometry]]:
    """(CSS class, title, shape in local metres) of the aim points that the statistics use, where their place is known.

    ``aim likely`` is a disc, ``aim less`` a diamond of the same size: they are told apart without their colours.
    """
    found = []
    for css, called, hypothesis in (
        ("aim likely", "likely", likely(match)),
        ("aim less", "less likely", less_likely(match)),
    ):
        if hypothesis is None or hypothesis.aim_m is None or (css == "aim less" and hypothesis is likely(match)):
            continue
        quarters = AIM_QUAD_SEGMENTS if css == "aim likely" else 1
        shape = shapely.Point(hypothesis.aim_m).buffer(radius_m, quad_segs=quarters)
        found.append(
            (css, f"{called} aim point: {hypothesis_name(hypothesis.kind)}, {hypothesis.distance_m:.1f} m", shape)
        )
    return found


def aim_shapes(match: Match, canvas: Canvas) -> list[Shape]:
    """The symbols of :func:`aim_parts` in a picture."""
    parts = aim_parts(match, AIM_RADIUS_PX * canvas.grid.gsd_m)
    drawn = canvas.shapes([circle for *_, circle in parts])
    return [Shape(css, svg_path(shape), title) for (css, title, _), shape in zip(parts, drawn, strict=True)]


def markers(assessment: Assessment, canvas: Canvas) -> list[Marker]:
    """Where each impact's centre falls in the picture."""
    if not assessment.impacts:
        return []
    matches = matches_by_impact(assessment)
    places = canvas.points(np.array([[i.x_m, i.y_m] for i in assessment.impacts]))
    placed = []
    for impact, (x, y) in zip(assessment.impacts, places, strict=True):
        distance = matches[impact.impact_id].distance_edge_m
        away = "" if distance is None else f", {distance:.1f} m from the nearest structure"
        title = f"{impact.impact_id}: {impact.status.value}, score {impact.score:.2f}{away}"
        placed.append(Marker(impact.impact_id, round(float(x), 1), round(float(y), 1), title))
    return placed


def scale_bar(canvas: Canvas, share: float = 0.22) -> ScaleBar:
    """The longest round length that takes up at most ``share`` of the picture's width."""
    grid = canvas.grid
    row = grid.height / 2
    ends = LocalFrame(grid, canvas.frame.crs).pixel_to_metres(np.array([row, row]), np.array([0.0, grid.width]))
    width_m = float(np.hypot(*(ends[1] - ends[0])))
    power = 10.0 ** np.floor(np.log10(width_m * share))
    length_m = float(max(step * power for step in _NICE_STEPS if step * power <= width_m * share))
    return ScaleBar(length_m, round(length_m / width_m * grid.width, 1))


def north_deg(canvas: Canvas) -> float:
    """Direction of true north in the picture's centre, in degrees clockwise from up."""
    row, col = np.array([canvas.grid.height / 2]), np.array([canvas.grid.width / 2])
    centre = LocalFrame(canvas.grid, canvas.frame.crs).pixel_to_metres(row, col)
    start, end = canvas.points(np.vstack([centre, centre + np.array([0.0, 10.0 * canvas.grid.gsd_m])]))
    return round(float(np.degrees(np.arctan2(end[0] - start[0], start[1] - end[1]))), 1) + 0.0


def svg_path(shape: BaseGeometry) -> str:
    """SVG path data of a line or (multi)polygon whose coordinates are (x, y) in pixels."""
    return "".join(path_data(points, closed=closed) for points, closed in _rings(shape))


def _rings(shape: BaseGeometry) -> Iterable[tuple[Float64Array, bool]]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                yield shapely.get_coordinates(ring), True
        elif part.geom_type in ("LineString", "LinearRing"):
            yield shapely.get_coordinates(part), False


def path_data(points: Float64Array, *, closed: bool = False) -> str:
    """SVG path data of points (n, 2) as (x, y); the last of a closed ring repeats its first and is left out."""
    if closed:
        points = points[:-1]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")


def part_title(impact: Impact, part: str, radius_m: float | None) -> str:
    """What a part of a pattern is called."""
    return f"{impact.impact_id} {part}" + ("" if radius_m is None else f", radius {radius_m:.1f} m")
