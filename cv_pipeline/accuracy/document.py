"""Summaries as JSON holds them, for ``summary.json`` of a run and of ``cv-pipeline accuracy``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cv_pipeline.accuracy.statement import told_from_chance
from cv_pipeline.types import AccuracySummary, CombinationRange, Interval, NullModel


def summary_document(summary: AccuracySummary) -> dict[str, Any]:
    """All fields by name, intervals as ``[low, high]``; ``told_from_chance`` is null where chance is not known."""
    content = {key: value for key, value in asdict(summary).items() if key not in {"intervals_m", "null_model"}}
    null = summary.null_model
    return content | {
        "quantiles_m": dict(summary.quantiles_m),
        "intervals_m": {key: list(interval) for key, interval in summary.intervals_m.items()},
        "null_model": None
        if null is None
        else asdict(null)
        | {
            "mean_interval_m": list(null.mean_interval_m),
            "distance_quantiles_m": list(null.distance_quantiles_m),
        },
        "told_from_chance": told_from_chance(null),
    }


def null_from_document(content: Any) -> NullModel | None:
    """The null model that :func:`summary_document` wrote; None for null.

    Raises:
        KeyError, TypeError, ValueError: it was not written by :func:`summary_document`.
    """
    if content is None:
        return None
    low, high = map(float, content["mean_interval_m"])
    return NullModel(
        draws=int(content["draws"]),
        mean_m=float(content["mean_m"]),
        median_m=float(content["median_m"]),
        mean_interval_m=Interval(low, high),
        rank=float(content["rank"]),
        distance_quantiles_m=tuple(map(float, content.get("distance_quantiles_m", ()))),
    )


def combination_document(combinations: CombinationRange | None) -> dict[str, Any] | None:
    """The ranges over all combinations of aim points by statistic; a ``count`` too large for JSON is None."""
    if combinations is None:
        return None
    return asdict(combinations) | {"count": combinations.count if combinations.count <= 2**53 else None}
