"""Intervals of mean, median and SD, and why one is missing."""

from __future__ import annotations

import numpy as np

from cv_pipeline.accuracy.order import least_n, median_interval
from cv_pipeline.accuracy.spread import LEAST_FOR_SD, sd_interval
from cv_pipeline.accuracy.studentised import LEAST_FOR_MEAN, mean_interval
from cv_pipeline.types import Float64Array, Interval


def intervals(
    values: Float64Array, *, confidence: float, draws: int, seed: int
) -> tuple[dict[str, Interval], dict[str, str]]:
    """Intervals of values (n,) by statistic, and the reasons for those that are absent, under ``<key>_interval``."""
    found = {
        "mean_m": mean_interval(values, confidence=confidence, draws=draws, seed=seed),
        "median_m": median_interval(values, confidence=confidence),
        "sd_sample_m": sd_interval(values, confidence=confidence),
    }
    least = {"mean_m": LEAST_FOR_MEAN, "median_m": least_n(confidence), "sd_sample_m": LEAST_FOR_SD}
    missing = {
        f"{key}_interval": _reason(values, least[key], confidence)
        for key, interval in found.items()
        if interval is None
    }
    return {key: interval for key, interval in found.items() if interval is not None}, missing


def _reason(values: Float64Array, least: int, confidence: float) -> str:
    n = len(values)
    if n < least:
        return f"needs at least {least} distances at {confidence:.0%}, there are {n}"
    if np.ptp(values) == 0:
        return "all distances are equal; an interval without width would claim certainty"
    return "too many distances are equal"
