"""What the report's map and table show, as plain data that the page reads.

Places are in metres on the overview picture, x to the right and y down from its upper left corner, in centimetres
and as whole numbers, which keeps thousands of outlines small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cv_pipeline.report.layers import links_layer, masked_layer, pattern_parts
from cv_pipeline.report.overlays import (
    Canvas,
    aim_parts,
    axis_parts,
    axis_title,
    landmark_outline,
    link_title,
    markers,
    part_title,
)
from cv_pipeline.report.rows import COLUMN_DECIMALS, impact_rows
from cv_pipeline.types import Assessment, Float64Array

Titled = tuple[str, BaseGeometry]
"""A shape in local metres and what it is, for people."""

PAPER_COLUMNS = (
    "impact_id", "score", "status", "crater_radius_m", "blast_radius_m", "pattern", "direction_deg", "structure_id",
    "distance_edge_m", "distance_centre_m", "distance_sd_m", "likely_m", "less_likely_m",
)  # fmt: skip
"""What of the table fits on A4."""

_FINEST_M = 0.1
"""Outlines are thinned by this much: a person sees nothing of it."""


def map_data(assessment: Assessment, canvas: Canvas, chips: Sequence[tuple[str, Canvas]]) -> dict[str, Any]:
    """Everything that is drawn, by layer, and the table's rows.

    Args:
        assessment: what to show.
        canvas: the overview picture; square on the ground.
        chips: identifier and canvas of each impact that has pictures of its own.

    Returns:
        ``width_m``, ``height_m`` and ``metres_per_pixel`` of the picture; ``layers`` by name, each a list of
        {"t": title, "r": rings in cm}; ``impacts`` as {"i", "t", "s": status, "p": [x, y] in cm}; ``chips`` as
        {"i", "b": bounds in cm}; ``columns`` as (name, decimals; None: text), the table's ``rows``, and those
        ``paper_columns`` that are printed.
    """
    metres = canvas.grid.gsd_m
    status = {impact.impact_id: impact.status.value for impact in assessment.impacts}
    return {
        "metres_per_pixel": metres,
        "width_m": canvas.grid.width * metres,
        "height_m": canvas.grid.height * metres,
        "layers": {name: _drawn(titled, canvas) for name, titled in _layers(assessment).items()},
        "impacts": [
            {"i": m.impact_id, "t": m.title, "s": status[m.impact_id], "p": _cm([m.x_px, m.y_px], metres)}
            for m in markers(assessment, canvas)
        ],
        "chips": [{"i": impact_id, "b": _cm(_bounds(chip, canvas), metres)} for impact_id, chip in chips],
        "columns": list(COLUMN_DECIMALS.items()),
        "paper_columns": PAPER_COLUMNS,
        "rows": impact_rows(assessment),
    }


def _layers(assessment: Assessment) -> dict[str, list[Titled]]:
    """What is drawn, in local metres, in the order of drawing."""
    layers: dict[str, list[Titled]] = {
        "structures": [
            (f"{s.kind.value} {s.name or s.structure_id}", _solid(s.geometry_m)) for s in assessment.structures
        ],
        "landmarks": [(f"{m.kind.value} {m.landmark_id}", landmark_outline(m)) for m in assessment.landmarks],
        "secondary": [],
        "blast": [],
        "crater": [],
        "axes": [],
    }
    for impact in assessment.impacts:
        for part, radius_m, shape in pattern_parts(impact):
            layers[part].append((part_title(impact, part, radius_m), shape.simplify(_FINEST_M)))
        layers["axes"] += [(axis_title(impact), shape) for _, shape in axis_parts(impact)]
    links = links_layer(assessment)
    layers["links"] = [(link_title(row), line) for row, line in zip(links.rows, links.geometries_m, strict=True)]
    aims = [(match.impact_id, *part) for match in assessment.matches for part in aim_parts(match)]
    for name, css in (("likely", "aim likely"), ("less_likely", "aim less")):
        layers[name] = [(f"{impact_id}: {title}", shape) for impact_id, of, title, shape in aims if of == css]
    masked = masked_layer(assessment)
    layers["masked"] = [
        (f"left out: {row['why']}", shape) for row, shape in zip(masked.rows, masked.geometries_m, strict=True)
    ]
    return layers


def _drawn(titled: Sequence[Titled], canvas: Canvas) -> list[dict[str, Any]]:
    shapes = canvas.shapes([shape for _, shape in titled])
    return [
        {"t": title, "r": [_cm(shapely.get_coordinates(line).ravel(), canvas.grid.gsd_m) for line in _lines(shape)]}
        for (title, _), shape in zip(titled, shapes, strict=True)
    ]


def _cm(values_px: Sequence[float] | Float64Array, metres_per_pixel: float) -> list[int]:
    whole: list[int] = np.rint(np.asarray(values_px) * metres_per_pixel * 100.0).astype(int).tolist()
    return whole


def _solid(shape: BaseGeometry) -> BaseGeometry:
    """A point structure becomes a circle of 1 m."""
    return shape.buffer(1.0) if shape.geom_type == "Point" else shape


def _lines(shape: BaseGeometry) -> Iterable[BaseGeometry]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            yield part.exterior
            yield from part.interiors
        elif part.geom_type in ("LineString", "LinearRing"):
            yield part


def _bounds(chip: Canvas, canvas: Canvas) -> list[float]:
    """Left, top, right, bottom of a chip in the overview's pixels; both grids lie parallel."""
    to_overview = ~canvas.grid.transform @ chip.grid.transform
    left, top = to_overview @ (0.0, 0.0)
    right, bottom = to_overview @ (float(chip.grid.width), float(chip.grid.height))
    return [left, top, right, bottom]
