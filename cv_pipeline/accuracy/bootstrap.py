"""Bias-corrected and accelerated (BCa) bootstrap intervals.

Efron 1987, doi:10.1080/01621459.1987.10478410. Written out here, because it must give the same
figures under every version of SciPy and be silent on degenerate samples; the tests hold it against
``scipy.stats.bootstrap``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cv_pipeline.types import Float64Array, Interval

Statistic = Callable[[Float64Array], Float64Array]
"""Reduces the last axis of an array (..., n) to (...)."""


def mean(values: Float64Array) -> Float64Array:
    """Mean over the last axis."""
    return np.asarray(np.mean(values, axis=-1))


def median(values: Float64Array) -> Float64Array:
    """Median over the last axis."""
    return np.asarray(np.median(values, axis=-1))


def sd_sample(values: Float64Array) -> Float64Array:
    """Standard deviation with denominator n - 1 over the last axis."""
    return np.asarray(np.std(values, axis=-1, ddof=1))


def bca_interval(
    values: Float64Array, statistic: Statistic, *, confidence: float, draws: int, seed: int, min_n: int = 2
) -> Interval | None:
    """Two-sided BCa interval of ``statistic`` over values (n,), or None where it would mislead.

    None: fewer than ``min_n`` values, or all resamples give one figure (all values equal), since a
    width of 0 would claim certainty. Where the correction is undefined (the jackknife does not
    vary, as for the median of some tied samples; or the estimate lies outside all resamples), the
    plain percentile interval stands in. At small n the interval is too narrow: over 3000 samples of
    Rayleigh distances a 95 % interval held the true mean in 84 % at n = 5, 90 % at n = 9 and 92 % at
    n = 20, and the true median in 94, 93 and 93 %.

    Args:
        values: finite numbers (n,).
        statistic: the estimate.
        confidence: level in (0, 1).
        draws: number of resamples.
        seed: seed of the resampling; the same input always gives the same interval.
        min_n: 3 for a standard deviation, whose jackknife needs two values.
    """
    sample = np.asarray(values, dtype=np.float64)
    n = len(sample)
    if n < max(2, min_n):
        return None
    rng = np.random.default_rng(seed)
    replicates = statistic(sample[rng.integers(0, n, (draws, n))])
    if np.ptp(replicates) == 0:
        return None
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    levels = _bca_levels(sample, statistic, replicates, tails)
    low, high = np.quantile(replicates, tails if levels is None else levels)
    return Interval(float(low), float(high))


def _bca_levels(
    sample: Float64Array, statistic: Statistic, replicates: Float64Array, tails: Float64Array
) -> Float64Array | None:
    """The corrected quantile levels (2,), or None where they are undefined."""
    from scipy.special import ndtr, ndtri

    estimate = statistic(sample)
    # Ties count half, as a median's resamples often equal the estimate; rounding must not break a tie.
    tied = np.isclose(replicates, estimate, rtol=1e-12, atol=1e-12 * np.abs(sample).max())
    below = np.mean((replicates < estimate) & ~tied) + np.mean(tied) / 2
    n = len(sample)
    left_one_out = np.broadcast_to(sample, (n, n))[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    jackknife = statistic(left_one_out)
    deviation = jackknife.mean() - jackknife
    scale = np.sum(deviation**2)
    if not 0 < below < 1 or scale <= (1e-12 * max(1.0, abs(float(estimate)))) ** 2:
        return None
    bias = ndtri(below)
    acceleration = np.sum(deviation**3) / (6 * scale**1.5)
    shifted = bias + ndtri(tails)
    denominator = 1 - acceleration * shifted
    if np.any(denominator <= 0):
        return None
    return np.asarray(ndtr(bias + shifted / denominator))
