"""The studentised bootstrap interval (bootstrap-t) of the mean of distances.

Each resample's deviation is divided by that resample's own standard error, as a t statistic is, which
gives small skewed samples the width they need (Efron 1981; Hesterberg 2015, doi:10.1080/00031305.2015.1089789).
Distances are skewed and few, and the BCa interval is too narrow for both reasons.
How often it holds the truth: ``python scripts/check_coverage.py``, table in docs/accuracy.md.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.accuracy.bootstrap import bca_interval, mean
from cv_pipeline.types import Float64Array, Interval

LEAST_FOR_MEAN = 5
"""With 4 values 1.6 % of the resamples hold one value only; the tails rest on those and mean nothing."""

BLOCK_VALUES = 2_000_000
"""Values drawn at once: 32 MB with their indices."""


def mean_interval(values: Float64Array, *, confidence: float, draws: int, seed: int) -> Interval | None:
    """Interval of the mean of values (n,); None for fewer than 5 values or where all are equal.

    Where none of the values is negative, neither is the lower limit. Where so many values are equal
    (zeros inside footprints) that the outer resamples have no spread, an expanded BCa interval stands in.
    """
    sample = np.asarray(values, dtype=np.float64)
    n = len(sample)
    if n < LEAST_FOR_MEAN or _no_spread(sample):
        return None
    means, sds = _resampled_moments(sample, draws, seed)
    pivots = _ratio(means - sample.mean(), sds, sample)
    low, high = np.quantile(pivots, [(1 - confidence) / 2, (1 + confidence) / 2], method="inverted_cdf")
    if not np.isfinite([low, high]).all():
        return bca_interval(sample, mean, confidence=confidence, draws=draws, seed=seed, expanded=True)
    centre, spread = float(sample.mean()), float(sample.std(ddof=1))
    lowest = centre - high * spread
    return Interval(float(max(lowest, 0.0) if sample.min() >= 0 else lowest), float(centre - low * spread))


def _resampled_moments(sample: Float64Array, draws: int, seed: int) -> tuple[Float64Array, Float64Array]:
    """Means and SDs (draws,) of resamples, a block at a time so that memory does not grow with n."""
    rng = np.random.default_rng(seed)
    n = len(sample)
    block = max(1, BLOCK_VALUES // n)
    means, sds = [], []
    for start in range(0, draws, block):
        drawn = sample[rng.integers(0, n, (min(block, draws - start), n))]
        means.append(drawn.mean(axis=1))
        sds.append(drawn.std(axis=1, ddof=1))
    return np.concatenate(means), np.concatenate(sds)


def _no_spread(sample: Float64Array) -> bool:
    return bool(np.ptp(sample) <= 1e-12 * np.abs(sample).max())


def _ratio(deviation: Float64Array, sd: Float64Array, sample: Float64Array) -> Float64Array:
    """Deviations over SDs; of a resample without spread infinite, with the sign of its deviation."""
    has_spread = sd > 1e-9 * np.ptp(sample)
    infinite = np.where(deviation < 0, -np.inf, np.inf)
    return np.where(has_spread, deviation / np.where(has_spread, sd, 1.0), infinite)
