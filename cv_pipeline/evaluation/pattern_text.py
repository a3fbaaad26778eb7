"""Figures about patterns, each with its number of cases and its interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from cv_pipeline.evaluation.plain import DRAWS, Figure
from cv_pipeline.types import BoolArray, Float64Array

SIGMAS_90 = 1.6449
"""Half the width of a 90 % interval, in SDs."""


def bootstrapped(values: Float64Array, statistic: Callable[[Float64Array], float]) -> Figure:
    """A statistic with its 95 % bootstrap interval; without a value where there are fewer than 5 values."""
    if len(values) < 5:
        return Figure(None, None, None, len(values))
    rng = np.random.default_rng(0)
    draws = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Figure(statistic(values), float(low), float(high), len(values))


def median(values: Float64Array) -> Figure:
    """The median."""
    return bootstrapped(values, lambda v: float(np.median(v)))


def p90(values: Float64Array) -> Figure:
    """The 90th percentile."""
    return bootstrapped(values, lambda v: float(np.quantile(v, 0.9)))


def share(hits: BoolArray | Float64Array) -> Figure:
    """Share of True."""
    return bootstrapped(np.asarray(hits, np.float64), lambda v: float(v.mean()))


def auroc(positive: Float64Array, negative: Float64Array) -> float:
    """Chance that a positive's value is above a negative's, ties counting half; NaN where either is empty."""
    if not len(positive) or not len(negative):
        return float("nan")
    ranks = rankdata(np.r_[positive, negative])[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / len(positive) / len(negative))


def auroc_figure(positive: Float64Array, negative: Float64Array) -> Figure:
    """:func:`auroc` with its 95 % bootstrap interval; ``n`` is of both together."""
    n = len(positive) + len(negative)
    if not len(positive) or not len(negative):
        return Figure(None, None, None, n)
    rng = np.random.default_rng(0)
    draws = [auroc(rng.choice(positive, len(positive)), rng.choice(negative, len(negative))) for _ in range(DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Figure(auroc(positive, negative), float(low), float(high), n)
