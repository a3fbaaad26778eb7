"""The vector layers of a result, as geometries in local metres with plain attributes.

Writers (GeoPackage, GeoJSON, KML) only differ in where they bring these coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from cv_pipeline.accuracy.choices import less_likely, likely
from cv_pipeline.frame import LocalFrame, local_frame, transformer
from cv_pipeline.report.rows import COLUMN_DECIMALS, Cell, finite, impact_rows, matches_by_impact
from cv_pipeline.types import Assessment, Float64Array, Hypothesis, Impact, LandmarkKind, Match

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

CIRCLE_QUAD_SEGMENTS = 16


@dataclass(frozen=True, slots=True)
class Layer:
    """A named table of geometries in local metres.

    ``columns`` maps each attribute to its pandas dtype, so that an empty layer keeps its fields.
    """

    name: str
    geometry_type: str
    columns: Mapping[str, str]
    rows: tuple[Mapping[str, Cell], ...]
    geometries_m: tuple[BaseGeometry, ...]


def all_layers(assessment: Assessment) -> tuple[Layer, ...]:
    """Every layer, in the order in which files list them; each may be empty.

    A review adds the impacts that it rejected.
    """
    return (
        impacts_layer(assessment),
        patterns_layer(assessment),
        structures_layer(assessment),
        links_layer(assessment),
        *landmarks_layers(assessment),
        aim_points_layer(assessment),
        masked_layer(assessment),
        *rejected_layers(assessment),
    )


def impacts_layer(assessment: Assessment) -> Layer:
    """Crater centres with every column of the impacts table."""
    columns = {name: "str" if decimals is None else "float64" for name, decimals in COLUMN_DECIMALS.items()}
    points = tuple(shapely.Point(i.x_m, i.y_m) for i in assessment.impacts)
    return Layer("impacts", "Point", columns, tuple(impact_rows(assessment)), points)


def rejected_layers(assessment: Assessment) -> tuple[Layer, ...]:
    """The impacts that a reviewer rejected, with the columns of :func:`impacts_layer`; no layer without a review."""
    rejected = rejected_assessment(assessment)
    return () if rejected is None else (replace(impacts_layer(rejected), name="rejected"),)


def rejected_assessment(assessment: Assessment) -> Assessment | None:
    """An assessment of the rejected impacts alone, without matches; None where nobody has reviewed the result."""
    review = assessment.review
    return None if review is None else replace(assessment, impacts=review.rejected, matches=(), accuracy=())


def patterns_layer(assessment: Assessment) -> Layer:
    """Crater circles and blast outlines as polygons; ``part`` is ``blast``, ``secondary`` or ``crater``.

    A blast pattern without an outline is drawn as the circle of its radius.
    """
    columns = {"impact_id": "str", "part": "str", "pattern": "str", "radius_m": "float64"}
    rows: list[Mapping[str, Cell]] = []
    shapes: list[BaseGeometry] = []
    for impact in assessment.impacts:
        for part, radius_m, shape in pattern_parts(impact):
            rows.append(
                {
                    "impact_id": impact.impact_id,
                    "part": part,
                    "pattern": impact.pattern.value,
                    "radius_m": finite(radius_m, 2),
                }
            )
            shapes.append(shapely.MultiPolygon([shape]) if shape.geom_type == "Polygon" else shape)
    return Layer("patterns", "MultiPolygon", columns, tuple(rows), tuple(shapes))


def pattern_parts(impact: Impact) -> list[tuple[str, float | None, BaseGeometry]]:
    """What there is to draw of one impact as (part, radius_m, polygon), largest first."""
    centre = shapely.Point(impact.x_m, impact.y_m)
    parts: list[tuple[str, float | None, BaseGeometry]] = []
    if impact.secondary_radius_m:
        parts.append(("secondary", impact.secondary_radius_m, _circle(centre, impact.secondary_radius_m)))
    blast = _blast_shape(impact, centre)
    if blast is not None:
        parts.append(("blast", impact.blast_radius_m, blast))
    if impact.crater_radius_m > 0:
        parts.append(("crater", impact.crater_radius_m, _circle(centre, impact.crater_radius_m)))
    return parts


def structures_layer(assessment: Assessment) -> Layer:
    """Footprints with their identifier, kind and the source file's own label."""
    columns = {"structure_id": "str", "kind": "str", "name": "str"}
    rows = tuple({"structure_id": s.structure_id, "kind": s.kind.value, "name": s.name} for s in assessment.structures)
    kinds = {s.geometry_m.geom_type for s in assessment.structures}
    if not kinds <= {"Polygon", "MultiPolygon"}:
        return Layer("structures", "Unknown", columns, rows, tuple(s.geometry_m for s in assessment.structures))
    shapes = tuple(_as_multi(s.geometry_m) for s in assessment.structures)
    return Layer("structures", "MultiPolygon", columns, rows, shapes)


def links_layer(assessment: Assessment) -> Layer:
    """Lines from each impact to the nearest point of its nearest structure.

    An impact inside its structure has distance 0, so there is no line to draw and it has no row here.
    """
    columns = {"impact_id": "str", "structure_id": "str", "distance_edge_m": "float64", "distance_sd_m": "float64"}
    shapes = {s.structure_id: s.geometry_m for s in assessment.structures}
    matches = matches_by_impact(assessment)
    rows: list[Mapping[str, Cell]] = []
    lines: list[BaseGeometry] = []
    for impact in assessment.impacts:
        match = matches[impact.impact_id]
        shape = shapes.get(match.structure_id or "")
        line = None if shape is None else shapely.shortest_line(shapely.Point(impact.x_m, impact.y_m), shape)
        if line is None or line.length == 0:
            continue
        rows.append(
            {
                "impact_id": impact.impact_id,
                "structure_id": match.structure_id,
                "distance_edge_m": finite(match.distance_edge_m, 2),
                "distance_sd_m": finite(match.distance_sd_m, 2),
            }
        )
        lines.append(line)
    return Layer("links", "LineString", columns, tuple(rows), tuple(lines))


def landmarks_layers(assessment: Assessment) -> tuple[Layer, Layer, Layer]:
    """Groups as multipolygons, centrelines as lines, junctions and corners as points, as a style fits one geometry."""
    return (
        _landmarks(assessment, "groups", "MultiPolygon", {LandmarkKind.GROUP}),
        _landmarks(assessment, "centrelines", "MultiLineString", {LandmarkKind.CENTRELINE}),
        _landmarks(assessment, "junctions", "Point", {LandmarkKind.JUNCTION, LandmarkKind.CORNER}),
    )


def _landmarks(assessment: Assessment, name: str, geometry_type: str, kinds: Set[LandmarkKind]) -> Layer:
    columns = {"landmark_id": "str", "kind": "str", "structure_ids": "str"}
    marks = [mark for mark in assessment.landmarks if mark.kind in kinds]
    rows = tuple(
        {"landmark_id": mark.landmark_id, "kind": mark.kind.value, "structure_ids": " ".join(mark.structure_ids)}
        for mark in marks
    )
    return Layer(name, geometry_type, columns, rows, tuple(_as_multi(mark.geometry_m) for mark in marks))


def aim_points_layer(assessment: Assessment) -> Layer:
    """Every aim point that was weighed, as a point with its hypothesis, likelihood, distance, SD and weight."""
    columns = {
        "impact_id": "str",
        "hypothesis": "str",
        "kind": "str",
        "likelihood": "str",
        "structure_id": "str",
        "distance_m": "float64",
        "distance_sd_m": "float64",
        "weight": "float64",
    }
    weighed = [(match, h) for match in assessment.matches for h in match.hypotheses if h.aim_m is not None]
    rows = tuple(
        {
            "impact_id": match.impact_id,
            "hypothesis": h.hypothesis_id,
            "kind": h.kind,
            "likelihood": likelihood(match, h),
            "structure_id": h.structure_id,
            "distance_m": finite(h.distance_m, 2),
            "distance_sd_m": finite(h.distance_sd_m, 2),
            "weight": finite(h.weight, 4),
        }
        for match, h in weighed
    )
    return Layer("aim_points", "Point", columns, rows, tuple(shapely.Point(h.aim_m) for _, h in weighed))


def likelihood(match: Match, hypothesis: Hypothesis) -> str:
    """``likely`` or ``less likely`` for the two that the statistics use, ``considered`` for all others."""
    if hypothesis is likely(match):
        return "likely"
    return "less likely" if hypothesis is less_likely(match) else "considered"


def masked_layer(assessment: Assessment) -> Layer:
    """Ground of the after image that was left out as cloud or blank, in cells; empty where nothing was masked.

    What the file itself declares as nodata is not in it.
    """
    from rasterio.features import shapes

    source = assessment.pair.after
    columns = {"why": "str"}
    if source.obscured is None or not source.obscured.cells.any():
        return Layer("masked", "MultiPolygon", columns, (), ())
    cells, size = source.obscured.cells, source.obscured.cell_px
    frame = local_frame(source.grid)
    corners = np.array([source.grid.width, source.grid.height])

    def to_metres(points: Float64Array) -> Float64Array:
        cols, rows = np.minimum(points * size, corners).T  # the last cells reach past the image's edge
        return frame.pixel_to_metres(rows, cols)

    outlines = [shapely.geometry.shape(found) for found, _ in shapes(cells.astype(np.uint8), mask=cells)]
    ground = tuple(_as_multi(shapely.transform(outline, to_metres)) for outline in outlines)
    return Layer("masked", "MultiPolygon", columns, ({"why": "cloud or blank"},) * len(ground), ground)


def to_image_crs(frame: LocalFrame) -> Callable[[Float64Array], Float64Array]:
    """A function from local metres (n, 2) to map (x, y) in the image's CRS; identity without a CRS."""
    if frame.crs is None:
        return lambda points_m: points_m
    to_map = transformer(frame.crs, frame.grid.crs)
    return lambda points_m: np.column_stack(to_map.transform(points_m[:, 0], points_m[:, 1]))


def _blast_shape(impact: Impact, centre: BaseGeometry) -> BaseGeometry | None:
    if len(impact.outline_m) >= 3:
        # A traced outline may cross itself; GIS programs refuse such polygons.
        polygon = _polygons_only(shapely.make_valid(shapely.Polygon(impact.outline_m)))
        if not polygon.is_empty:
            return polygon
    return _circle(centre, impact.blast_radius_m) if impact.blast_radius_m else None


def _circle(centre: BaseGeometry, radius_m: float) -> BaseGeometry:
    return centre.buffer(radius_m, quad_segs=CIRCLE_QUAD_SEGMENTS)


def _polygons_only(shape: BaseGeometry) -> BaseGeometry:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _as_multi(shape: BaseGeometry) -> BaseGeometry:
    """Polygons and lines as their multi-part kinds, which a layer holds throughout; anything else as it is."""
    if shape.geom_type == "Polygon":
        return shapely.MultiPolygon([shape])
    return shapely.MultiLineString([shape]) if shape.geom_type == "LineString" else shape
