"""The interval of a median from order statistics: no resampling, no assumption on the distribution."""

from __future__ import annotations

import math

import numpy as np

from cv_pipeline.types import Float64Array, Interval


def median_interval(values: Float64Array, *, confidence: float) -> Interval | None:
    """Interval of the median of values (n,), interpolated between order statistics.

    Hettmansperger and Sheather 1986 (doi:10.1016/0167-7152(86)90021-0). The k-th and the k-th last of
    n values hold the median with a binomial probability; between the two nearest such intervals the
    limits are interpolated. None where even the smallest and the largest value do not reach
    ``confidence`` (n < 6 at 95 %). With ties it holds the median more often than stated.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    if n < least_n(confidence):
        return None
    k = _greatest_rank(n, confidence)
    outer, inner = _share(n, k), _share(n, k + 1) if 2 * (k + 1) <= n else 0.0
    towards = (outer - confidence) / (outer - inner)
    weight = (n - k) * towards / (k + (n - 2 * k) * towards)
    low = (1 - weight) * ordered[k - 1] + weight * ordered[k]
    high = (1 - weight) * ordered[n - k] + weight * ordered[n - k - 1]
    return Interval(float(min(low, high)), float(max(low, high)))


def least_n(confidence: float) -> int:
    """Fewest values whose range holds the median with ``confidence``: 6 at 95 %."""
    return math.ceil(1 - math.log2(1 - confidence) - 1e-9)


def _greatest_rank(n: int, confidence: float) -> int:
    """Greatest k whose order statistics hold the median with ``confidence``; the share falls with k."""
    from scipy.stats import binom

    k = int(binom.ppf((1 - confidence) / 2, n, 0.5)) + 1
    while _share(n, k) < confidence:
        k -= 1
    return k


def _share(n: int, k: int) -> float:
    """Probability that the median lies between the k-th and the k-th last of n values."""
    from scipy.stats import binom

    return float(1 - 2 * binom.cdf(k - 1, n, 0.5))
