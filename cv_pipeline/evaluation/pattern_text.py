"""Figures about patterns as text, each with its number of cases and its interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from cv_pipeline.types import BoolArray, Float64Array

_DRAWS = 400
SIGMAS_90 = 1.6449
"""Half the width of a 90 % interval, in SDs."""


def interval(values: Float64Array, statistic: Callable[[Float64Array], float]) -> str:
    """A statistic with its 95 % bootstrap interval, as text; ``-`` where there are fewer than 5 values."""
    if len(values) < 5:
        return f"- (n={len(values)})"
    rng = np.random.default_rng(0)
    draws = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(_DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{statistic(values):.3g} [{low:.3g}, {high:.3g}] (n={len(values)})"


def auroc(positive: Float64Array, negative: Float64Array) -> float:
    """Chance that a positive's value is above a negative's, ties counting half; NaN where either is empty."""
    if not len(positive) or not len(negative):
        return float("nan")
    ranks = rankdata(np.r_[positive, negative])[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / len(positive) / len(negative))


def auroc_text(positive: Float64Array, negative: Float64Array) -> str:
    """:func:`auroc` with its 95 % bootstrap interval and both numbers."""
    rng = np.random.default_rng(0)
    draws = [
        auroc(rng.choice(positive, len(positive)), rng.choice(negative, len(negative)))
        for _ in range(_DRAWS)
        if len(positive) and len(negative)
    ]
    low, high = np.quantile(draws, [0.025, 0.975]) if draws else (np.nan, np.nan)
    value = auroc(positive, negative)
    return f"{value:.3f} [{low:.3f}, {high:.3f}] ({len(positive)} directional, {len(negative)} round)"


def share(hits: BoolArray | Float64Array) -> str:
    """Share of True with its 95 % bootstrap interval."""
    return interval(np.asarray(hits, np.float64), lambda v: float(v.mean()))


def axis_text(errors_deg: Float64Array) -> str:
    """Median, 90th percentile and flips of absolute errors."""
    return (
        f"median {interval(errors_deg, lambda v: float(np.median(v)))}, "
        f"90th percentile {interval(errors_deg, lambda v: float(np.quantile(v, 0.9)))}, "
        f"flips {share(errors_deg > 90)}"
    )
