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


def bca_interval(
    values: Float64Array, statistic: Statistic, *, confidence: float, draws: int, seed: int, expanded: bool = False
) -> Interval | None:
    """Two-sided BCa interval of ``statistic`` over values (n,), or None where it would mislead.

    None: fewer than 2 values, or all resamples give one figure (all values equal), since a width of 0
    would claim certainty. Where the correction is undefined (the jackknife does not vary; or the
    estimate lies outside all resamples), the plain percentile interval stands in. At small n it is too
    narrow: a 95 % interval of a mean distance holds the truth in about 84 % of samples at n = 5 and 92 % at n = 20.

    Args:
        values: finite numbers (n,).
        statistic: the estimate.
        confidence: level in (0, 1).
        draws: number of resamples.
        seed: seed of the resampling; the same input always gives the same interval.
        expanded: widen the levels as a t interval is wider than a normal one (Hesterberg 2015,
            doi:10.1080/00031305.2015.1089789, section 5.4), which mends part of that narrowness.
    """
    sample = np.asarray(values, dtype=np.float64)
    if len(sample) < 2:
        return None
    rng = np.random.default_rng(seed)
    replicates = statistic(sample[rng.integers(0, len(sample), (draws, len(sample)))])
    if np.ptp(replicates) == 0:
        return None
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    tails = _expanded(tails, len(sample)) if expanded else tails
    levels = _bca_levels(sample, statistic, replicates, tails)
    low, high = np.quantile(replicates, tails if levels is None else levels)
    return Interval(float(low), float(high))


def _expanded(tails: Float64Array, n: int) -> Float64Array:
    """Levels of a normal distribution that reach as far as a t interval with the n - 1 denominator."""
    from scipy.special import ndtr, stdtrit

    return np.asarray(ndtr(stdtrit(n - 1, tails) * np.sqrt(n / (n - 1))))


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
