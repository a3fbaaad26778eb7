"""``summary.json``: the result for other programs, and the file by which an output folder is recognised."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cv_pipeline.accuracy.document import combination_document, summary_document
from cv_pipeline.imagery.grid import overlap_share
from cv_pipeline.imagery.masked import masked_shares
from cv_pipeline.report.geojson import NO_CRS_WARNING
from cv_pipeline.report.review_words import review_sentences
from cv_pipeline.report.words import (
    accuracy_sentence,
    counted_combinations,
    counts,
    headline,
    is_trusted,
    null_sentence,
    registration_sentence,
)
from cv_pipeline.types import AccuracySummary, Assessment, Grid, Match, Registration, Review, ScenePair

SCHEMA_VERSION = 1


def summarise(assessment: Assessment, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``summary.json`` as plain values; NaN and infinity become None.

    The order of keys is fixed by this function, so equal inputs give equal text.
    """
    segmentation = assessment.segmentation
    content: dict[str, Any] = _plain(
        {
            "schema_version": SCHEMA_VERSION,
            "trusted": is_trusted(assessment),
            "headline": headline(assessment),
            "counts": counts(assessment),
            "review": _review(assessment.review),
            "accuracy": [_accuracy(summary) for summary in assessment.accuracy],
            "combinations": combination_document(counted_combinations(assessment)),
            "matches": [_match(match) for match in assessment.matches],
            "footprint_offset": None if assessment.footprint_offset is None else asdict(assessment.footprint_offset),
            "registration": None
            if assessment.registration is None
            else registration_document(assessment.registration, assessment.pair.after.grid),
            "masked": _masked(assessment.pair),
            "segmentation": {
                "working_gsd_m": segmentation.grid.gsd_m,
                "valid_share": segmentation.valid_share,
                "has_before": segmentation.has_before,
                "model": segmentation.model.name,
            },
            "warnings": list(all_warnings(assessment)),
            "provenance": provenance,
        }
    )
    return content


def all_warnings(assessment: Assessment) -> tuple[str, ...]:
    """The run's warnings, and the one about files without places where the image has no CRS."""
    no_crs = (NO_CRS_WARNING,) if assessment.pair.after.grid.crs is None else ()
    return (*assessment.warnings, *no_crs)


def write_summary(summary: Mapping[str, Any], path: Path) -> Path:
    """Write ``summary`` as UTF-8 JSON; ValueError where a NaN slipped through."""
    path.write_text(json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return path


def _accuracy(summary: AccuracySummary) -> dict[str, Any]:
    null = summary.null_model
    sentence = f"{accuracy_sentence(summary)} {null_sentence(null, summary.confidence)}"
    return summary_document(summary) | {"statement": summary.statement or sentence}


def _review(review: Review | None) -> dict[str, Any] | None:
    """A review's counts and rates; the rejected impacts by ID, as ``rejected.csv`` holds their rows."""
    if review is None:
        return None
    rejected = [impact.impact_id for impact in review.rejected]
    return asdict(replace(review, rejected=())) | {"rejected": rejected, "statements": list(review_sentences(review))}


def _masked(pair: ScenePair) -> dict[str, Any]:
    """Shares of each image that show nothing, and of the after image that the before image reaches over."""
    before = pair.before
    return {
        "after": masked_shares(pair.after)._asdict(),
        "before": None if before is None else masked_shares(before)._asdict(),
        "before_covers": None if before is None else overlap_share(pair.after.grid, before.grid),
    }


def _match(match: Match) -> dict[str, Any]:
    """What the impacts table has no column for: the nearest by centre, and what the distance's SD is made of."""
    return {
        "impact_id": match.impact_id,
        "structure_id": match.structure_id,
        "distance_edge_m": match.distance_edge_m,
        "centre_structure_id": match.centre_structure_id,
        "nearest_centre_m": match.nearest_centre_m,
        "distance_sd_m": match.distance_sd_m,
        "error_budget": None if match.error is None else asdict(match.error),
    }


def registration_document(registration: Registration, after: Grid) -> dict[str, Any]:
    """A registration as JSON holds it; lengths in after-image pixels and metres.

    ``tie_points`` has a row per local match (see :mod:`cv_pipeline.registration.ties`), ``local`` the correction on
    top of the matrix, None where none was made.
    """
    from cv_pipeline.registration.ties import tie_rows

    r = registration
    local = None if r.local is None else {"lattice": r.local.lattice.tolist(), "shift_px": r.local.shift_px.tolist()}
    return {
        "gate": r.gate.value,
        "reason": r.reason,
        "shift_px": r.shift_px,
        "rotation_deg": r.rotation_deg,
        "scale": r.scale,
        "residual_px": r.residual_px,
        "residual_m": r.residual_m,
        "sd_m": r.sd_m if math.isfinite(r.sd_m) else None,
        "windows_tried": r.windows_tried,
        "windows_used": r.windows_used,
        "matrix": [[float(v) for v in row] for row in r.matrix],
        "local": local,
        "tie_points": tie_rows(r, after),
        "statement": registration_sentence(r),
    }


def _plain(value: Any) -> Any:
    """``value`` as JSON can hold it; numpy scalars become Python's, floats keep twelve significant digits."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and callable(value.item):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value
