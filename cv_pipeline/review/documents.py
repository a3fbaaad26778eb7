"""What the page is told, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from cv_pipeline.frame import LocalFrame
from cv_pipeline.imagery.grid import pixel_matrix
from cv_pipeline.report.overlays import Canvas, landmark_outline, north_deg, scale_bar, structure_shapes, svg_path
from cv_pipeline.report.pictures import overview_grid
from cv_pipeline.report.review_words import review_sentences
from cv_pipeline.report.words import accuracy_sentence, hypothesis_name
from cv_pipeline.review.apply import Measured
from cv_pipeline.review.state import ReviewedImpact, ReviewState, untouched_impact
from cv_pipeline.review.views import metres_per_pixel, to_after
from cv_pipeline.types import (
    AccuracySummary,
    Float64Array,
    Grid,
    Interval,
    LandmarkKind,
    Match,
    Rate,
    Review,
    Structure,
)

if TYPE_CHECKING:
    from cv_pipeline.matching.nearest import StructureIndex
    from cv_pipeline.review.session import Session
    from cv_pipeline.review.windows import WindowPlan

Document = dict[str, Any]
OFFERED_WINDOWS = 200
"""More windows than a person looks at; each is the next of the random order."""


def overview(session: Session) -> Document:
    """All impacts and windows with their places in the scene's picture, and what the page needs to start."""
    run, frame = session.run, session.frame
    grid = scene_grid(frame)
    matrix = pixel_matrix(frame.grid, grid)

    def placed(centre_px: tuple[float, float]) -> list[float]:
        x, y = matrix @ (centre_px[1], centre_px[0])
        return [round(float(x), 1), round(float(y), 1)]

    seen = session.state.windows_seen
    return {
        "result": session.opened.folder.resolve().name,
        "reviewer": session.reviewer,
        "has_before": run.pair.before is not None,
        "gsd_m": frame.grid.gsd_m,
        "scene": {
            "width": grid.width,
            "height": grid.height,
            "metres_per_pixel": grid.gsd_m,
            "to_after": list(to_after(grid, frame))[:6],
        },
        "impacts": [
            {
                "id": r.impact_id,
                "decision": r.decision.value,
                "changed": bool(r.original and r.measured),
                "centre_px": list(r.centre_px),
                "at": placed(r.centre_px),
                "score": None if r.original is None else round(r.original.score, 3),
                "status": "unknown" if r.original is None else r.original.status.value,
            }
            for r in session.state.impacts.values()
        ],
        "windows": [
            {"id": w.window_id, "centre_px": list(w.centre_px), "at": placed(w.centre_px), "seen": w.window_id in seen}
            for w in session.plan.windows[:OFFERED_WINDOWS]
        ],
        "window_half_m": session.plan.height * session.plan.working.gsd_m * 0.62,
        "edits": len(session.record.edits),
        "record": session.record.path.name,
        "record_sha256": session.record.last_sha256,
    }


def scene_grid(frame: LocalFrame) -> Grid:
    """The grid of the scene's picture."""
    return overview_grid(frame.grid)


def impact(
    reviewed: ReviewedImpact, match: Match | None, frame: LocalFrame, index: StructureIndex, *, lapsed: bool
) -> Document:
    """One impact: what it is, what the run measured, its distances (None where it was rejected) and aim points.

    Places of aim points and of the nearest structure's edge are steps (east, north) in metres from the centre.
    """
    run = reviewed.original
    row, col = reviewed.centre_px
    here = frame.pixel_to_metres(np.array([row]), np.array([col]))[0]
    return {
        "id": reviewed.impact_id,
        **_values(reviewed),
        "measured": list(reviewed.measured),
        "run": None if run is None else _values(untouched_impact(run)),
        "score": None if run is None else round(run.score, 3),
        "status": "unknown" if run is None else run.status.value,
        "pattern": "none" if run is None else run.pattern.value,
        "direction_sd_deg": None if run is None or "direction_deg" in reviewed.measured else run.direction_sd_deg,
        "lapsed": lapsed,
        "match": None if match is None or match.structure_id is None else _match(match, here, index),
    }


def view(
    canvas: Canvas,
    state: ReviewState,
    structures: Sequence[Structure],
    index: StructureIndex,
    plan: WindowPlan,
) -> Document:
    """How a picture's pixels lie, and the structures, landmarks, other impacts and window borders in it."""
    outline = canvas.outline_m()
    near = [structures[k] for k in sorted(index.edge_tree.query(outline))] if structures else []
    groups = [
        m for m in index.landmarks if m.kind is not LandmarkKind.GROUP and landmark_outline(m).intersects(outline)
    ]
    from_after = ~to_after(canvas.grid, canvas.frame)
    side = canvas.grid.width
    impacts = []
    for r in state.impacts.values():
        x, y = from_after @ (r.centre_px[1], r.centre_px[0])
        if -side < x < 2 * side and -side < y < 2 * side:
            impacts.append({"id": r.impact_id, "at": [x, y], "decision": r.decision.value})
    bar = scale_bar(canvas)
    return {
        "side_px": side,
        "to_after": list(to_after(canvas.grid, canvas.frame))[:6],
        "metres": metres_per_pixel(canvas).tolist(),
        "north_deg": north_deg(canvas),
        "bar": {"length_m": bar.length_m, "length_px": bar.length_px},
        "structures": [{"d": s.path, "title": s.title} for s in structure_shapes(near, canvas)],
        "landmarks": [svg_path(shape) for shape in canvas.shapes([landmark_outline(m) for m in groups])],
        "impacts": impacts,
        "windows": [
            {"id": w.window_id, "d": _polygon(plan.outline_px(w), from_after)}
            for w in plan.windows[:OFFERED_WINDOWS]
            if _is_near(from_after @ (w.centre_px[1], w.centre_px[0]), side)
        ],
    }


def statistics(measured: Measured, review: Review) -> Document:
    """The review's counts and rates, and the statistics of distances under each assumption."""
    return {
        "counts": {
            "accepted": review.accepted,
            "rejected": len(review.rejected),
            "added": review.added,
            "unreviewed": review.unreviewed,
        },
        "sentences": list(review_sentences(review)),
        "precision": _rate(review.precision),
        "recall": _rate(review.recall),
        "missed": _rate(review.missed),
        "windows": review.windows,
        "windows_seen": review.windows_seen,
        "confidence": review.confidence,
        "accuracy": [_accuracy(summary) for summary in measured.accuracy],
    }


def _values(reviewed: ReviewedImpact) -> Document:
    return {
        "decision": reviewed.decision.value,
        "centre_px": list(reviewed.centre_px),
        "crater_radius_m": reviewed.crater_radius_m,
        "blast_radius_m": reviewed.blast_radius_m,
        "direction_deg": reviewed.direction_deg,
        "aim": reviewed.aim,
    }


def _match(match: Match, here: Float64Array, index: StructureIndex) -> Document:
    shape = next(s.geometry_m for s in index.structures if s.structure_id == match.structure_id)
    edge = shapely.get_coordinates(shapely.shortest_line(shapely.Point(here), shape))[-1]
    return {
        "structure_id": match.structure_id,
        "kind": None if match.structure_kind is None else match.structure_kind.value,
        "edge_m": match.distance_edge_m,
        "sd_m": match.distance_sd_m,
        "edge_at": (edge - here).tolist(),
        "aims": [
            {
                "id": h.hypothesis_id,
                "name": hypothesis_name(h.kind) + (f" of {h.structure_id}" if h.structure_id else ""),
                "distance_m": h.distance_m,
                "weight": h.weight,
                "at": None if h.aim_m is None else (np.array(h.aim_m) - here).tolist(),
            }
            for h in match.hypotheses
        ],
    }


def _accuracy(summary: AccuracySummary) -> Document:
    intervals: Mapping[str, Interval] = summary.intervals_m
    cep = () if summary.dispersion is None else summary.dispersion.cep
    return {
        "hypothesis": summary.hypothesis,
        "n": summary.n,
        "mean_m": summary.mean_m,
        "sd_m": summary.sd_sample_m,
        "median_m": summary.median_m,
        "mean_interval_m": intervals.get("mean_m"),
        "sd_interval_m": intervals.get("sd_sample_m"),
        "median_interval_m": intervals.get("median_m"),
        "cep": [[e.estimator, e.about, e.radius_m] for e in cep if e.level == 0.5],
        "sentence": accuracy_sentence(summary),
    }


def _rate(rate: Rate | None) -> Document | None:
    return None if rate is None else {"value": rate.value, "interval": list(rate.interval)}


def _polygon(corners_px: Any, from_after: Any) -> str:
    ring = [from_after @ (col, row) for row, col in np.asarray(corners_px)]
    return svg_path(shapely.Polygon(ring))


def _is_near(place: tuple[float, float], side: int) -> bool:
    return all(-side < value < 2 * side for value in place)
