"""``summary.json``: the result for other programs, and the file by which an output folder is recognised."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cv_pipeline.report.geojson import NO_CRS_WARNING
from cv_pipeline.report.words import (
    accuracy_sentence,
    counts,
    headline,
    is_trusted,
    null_sentence,
    registration_sentence,
)
from cv_pipeline.types import AccuracySummary, Assessment, Registration

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
            "accuracy": [_accuracy(summary) for summary in assessment.accuracy],
            "registration": _registration(assessment.registration),
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
    return {
        "hypothesis": summary.hypothesis,
        "n": summary.n,
        "mean_m": summary.mean_m,
        "sd_sample_m": summary.sd_sample_m,
        "sd_population_m": summary.sd_population_m,
        "median_m": summary.median_m,
        "quantiles_m": dict(summary.quantiles_m),
        "confidence": summary.confidence,
        "intervals_m": {key: [value.low, value.high] for key, value in summary.intervals_m.items()},
        "mean_crater_radius_m": summary.mean_crater_radius_m,
        "mean_blast_radius_m": summary.mean_blast_radius_m,
        "null_model": null
        and {
            "draws": null.draws,
            "mean_m": null.mean_m,
            "median_m": null.median_m,
            "mean_interval_m": list(null.mean_interval_m),
            "rank": null.rank,
        },
        "statement": summary.statement or f"{accuracy_sentence(summary)} {null_sentence(null, summary.confidence)}",
    }


def _registration(registration: Registration | None) -> dict[str, Any] | None:
    if registration is None:
        return None
    r = registration
    return {
        "gate": r.gate.value,
        "reason": r.reason,
        "shift_px": r.shift_px,
        "rotation_deg": r.rotation_deg,
        "scale": r.scale,
        "residual_px": r.residual_px,
        "residual_m": r.residual_m,
        "sd_m": r.sd_m,
        "windows_tried": r.windows_tried,
        "windows_used": r.windows_used,
        "matrix": [[float(v) for v in row] for row in r.matrix],
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
