"""``report.html``: one file that opens without a network, for people who never ran a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import shapely
from markupsafe import Markup

from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.imagery.grid import overlap_share
from cv_pipeline.imagery.masked import masked_shares
from cv_pipeline.report import words
from cv_pipeline.report.explain import MAX_FIGURES, ranked, why_uri
from cv_pipeline.report.layers import Layer, likelihood, links_layer, to_image_crs
from cv_pipeline.report.mapdata import map_data
from cv_pipeline.report.overlays import (
    Canvas,
    Marker,
    ScaleBar,
    Shape,
    aim_shapes,
    axis_shapes,
    impact_shapes,
    landmark_shapes,
    link_shapes,
    markers,
    north_deg,
    scale_bar,
    structure_shapes,
)
from cv_pipeline.report.pictures import PixelReader, chip_grid, jpeg_uri, overview_grid, svg_uri
from cv_pipeline.report.review_words import review_sentences
from cv_pipeline.report.rows import matches_by_impact
from cv_pipeline.report.summary import all_warnings
from cv_pipeline.types import Assessment, Grid, Impact, Match, Structure, UInt8Array

MAX_CARDS = 200
"""Cards have pictures of their own, 30 kB each: more would make the file too large to pass on."""
MAX_SHAPES = 1500
ASSETS = ("leaflet.css", "leaflet.js", "tabulator.min.css", "tabulator.min.js", "report.css", "report.js")
MAX_LABELS = 60
"""More labels than this hide the picture."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The whole scene as pictures with shapes over them, in the after overview's pixels."""

    width: int
    height: int
    after_uri: str
    before_uri: str | None
    shapes: Sequence[Shape]
    markers: Sequence[Marker]
    bar: ScaleBar
    north_deg: float
    show_labels: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One impact as the report shows it."""

    impact: Impact
    match: Match
    after_uri: str
    before_uri: str | None
    shapes: Sequence[Shape]
    bar: ScaleBar
    side_px: int
    canvas: Canvas
    why_uri: str | None = None


def write_html(
    assessment: Assessment,
    *,
    provenance: Mapping[str, Any],
    read: PixelReader,
    overview: UInt8Array,
    figures: Sequence[Path],
    path: Path,
) -> Path:
    """Write the report.

    Args:
        assessment: what to show.
        provenance: the block of ``summary.json``.
        read: where pixels come from.
        overview: (h, w, 3) the after image on :func:`overview_grid`.
        figures: of which the SVG files are embedded; the overview is left to the scene map.
        path: the file.
    """
    frame = local_frame(assessment.pair.after.grid)
    drawings = [figure for figure in figures if figure.suffix == ".svg" and figure.stem != "overview"]
    embedded = {figure.stem: svg_uri(figure.read_bytes()) for figure in drawings}
    canvas = Canvas(overview_grid(assessment.pair.after.grid), frame, to_image_crs(frame))
    cards = build_cards(assessment, frame, read)
    pair = assessment.pair
    images = (("after", pair.after), ("before", pair.before))
    text = _template().render(
        assessment=assessment,
        words=words,
        trusted=words.is_trusted(assessment),
        counts=words.counts(assessment),
        warnings=all_warnings(assessment),
        scene=build_scene(assessment, canvas, read, overview),
        cards=cards,
        rows=len(assessment.impacts),
        review=[] if assessment.review is None else review_sentences(assessment.review)[1:],
        data=map_data(assessment, canvas, [(card.impact.impact_id, card.canvas) for card in cards]),
        assets={name: Markup(_asset(name)) for name in ASSETS},
        figures=embedded,
        likelihood=likelihood,
        masked=[(kind, masked_shares(image)) for kind, image in images if image is not None],
        before_covers=None if pair.before is None else overlap_share(pair.after.grid, pair.before.grid),
        provenance=provenance,
    )
    path.write_text(text, encoding="utf-8")
    return path


def build_scene(assessment: Assessment, canvas: Canvas, read: PixelReader, overview: UInt8Array) -> Scene:
    """Both overviews, which the map shows too, and what is drawn over them on paper; thousands of shapes are not."""
    grid, links = canvas.grid, links_layer(assessment)
    few = len(assessment.impacts) + len(assessment.structures) <= MAX_SHAPES
    return Scene(
        width=grid.width,
        height=grid.height,
        after_uri=jpeg_uri(overview),
        before_uri=None if assessment.pair.before is None else jpeg_uri(read("before", grid)),
        shapes=[
            *structure_shapes(assessment.structures, canvas),
            *landmark_shapes(assessment.landmarks, canvas),
            *impact_shapes(assessment.impacts, canvas),
            *link_shapes(links, canvas),
        ]
        if few
        else [],
        markers=markers(assessment, canvas) if few else [],
        bar=scale_bar(canvas),
        north_deg=north_deg(canvas),
        show_labels=len(assessment.impacts) <= MAX_LABELS,
    )


def build_cards(assessment: Assessment, frame: LocalFrame, read: PixelReader) -> list[Card]:
    """Cards of the ``MAX_CARDS`` impacts with the highest scores, best first; ties by identifier."""
    matches = matches_by_impact(assessment)
    to_map = to_image_crs(frame)
    tree = shapely.STRtree([s.geometry_m for s in assessment.structures])
    layer = links_layer(assessment)
    links = {str(row["impact_id"]): index for index, row in enumerate(layer.rows)}
    cards: list[Card] = []
    for impact in ranked(assessment.impacts)[:MAX_CARDS]:
        canvas = Canvas(chip_grid(impact, matches[impact.impact_id], frame), frame, to_map)
        near = [assessment.structures[i] for i in sorted(tree.query(canvas.outline_m()))]
        link = _only(layer, links.get(impact.impact_id))
        has_before = assessment.pair.before is not None
        match = matches[impact.impact_id]
        card = _card(impact, match, canvas, near=near, link=link, read=read, has_before=has_before)
        cards.append(replace(card, why_uri=why_uri(impact, frame, read)) if len(cards) < MAX_FIGURES else card)
    return cards


def _card(
    impact: Impact,
    match: Match,
    canvas: Canvas,
    *,
    near: Sequence[Structure],
    link: Layer,
    read: PixelReader,
    has_before: bool,
) -> Card:
    grid: Grid = canvas.grid
    return Card(
        impact=impact,
        match=match,
        after_uri=jpeg_uri(read("after", grid)),
        before_uri=jpeg_uri(read("before", grid)) if has_before else None,
        shapes=[
            *structure_shapes(near, canvas),
            *impact_shapes([impact], canvas),
            *axis_shapes([impact], canvas),
            *link_shapes(link, canvas),
            *aim_shapes(match, canvas),
        ],
        bar=scale_bar(canvas),
        side_px=grid.width,
        canvas=canvas,
    )


def _only(layer: Layer, index: int | None) -> Layer:
    """The layer with one row, or with none."""
    picked = slice(0, 0) if index is None else slice(index, index + 1)
    return Layer(layer.name, layer.geometry_type, layer.columns, layer.rows[picked], layer.geometries_m[picked])


def _asset(name: str) -> str:
    folder = resources.files("cv_pipeline.report")
    return (folder / name if name.startswith("report.") else folder / "static" / name).read_text(encoding="utf-8")


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("cv_pipeline.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["metres"] = lambda value: "unknown" if value is None else f"{value:.1f} m"
    environment.filters["known"] = lambda value: "" if value is None else value
    return environment.get_template("report.html.j2")
