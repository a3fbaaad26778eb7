"""Statistics over all pairs of a batch, with the pair as the unit: impacts of one scene have much in common.

One scene's registration, light, builders and shooters are the same for all its impacts, so they are no independent
draws. The bootstrap therefore draws whole pairs (Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x) and takes
percentiles. With few pairs such intervals are too narrow, so below ten there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cv_pipeline.types import Float64Array, Interval

LEAST_PAIRS = 10
"""Pairs below which no interval is given."""
DRAWS = 2000

Estimator = Callable[[Float64Array, Float64Array], float]
"""One figure of sorted values (n,) and how often each is drawn (n,); NaN where it is undefined."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """One distance over all pairs; intervals are None for fewer than :data:`LEAST_PAIRS` pairs or equal values.

    ``mean_of_pairs_m`` gives every pair the same weight, ``mean_m`` every impact. ``sd_m`` has the denominator n.
    """

    name: str
    n: int
    pairs: int
    mean_m: float
    mean_interval_m: Interval | None
    median_m: float
    median_interval_m: Interval | None
    sd_m: float
    sd_interval_m: Interval | None
    mean_of_pairs_m: float


def pool(
    name: str, values_m: Float64Array, pair: npt.NDArray[np.int64], *, confidence: float = 0.95, seed: int = 0
) -> Pooled | None:
    """Statistics of values (n,) with their pairs (n,); None where no value is a number.

    Args:
        name: what the values are.
        values_m: distances; those that are NaN are left out.
        pair: the number of each value's pair.
        confidence: level of the intervals.
        seed: seed of the resampling.
    """
    known = np.isfinite(values_m)
    if not known.any():
        return None
    order = np.argsort(values_m[known], kind="stable")
    values = np.asarray(values_m[known][order], np.float64)
    _, unit = np.unique(pair[known][order], return_inverse=True)
    pairs = int(unit.max()) + 1
    once = np.ones(len(values))
    estimators: tuple[Estimator, ...] = (_mean, _median, _sd)
    low, high = _limits(values, unit, pairs, estimators, confidence, seed)
    intervals = [None if low is None or high is None else Interval(low[k], high[k]) for k in range(3)]
    mean_m, median_m, sd_m = (estimate(values, once) for estimate in estimators)
    by_pair = np.bincount(unit, values) / np.bincount(unit)
    return Pooled(
        name, len(values), pairs, mean_m, intervals[0], median_m, intervals[1], sd_m, intervals[2],
        float(by_pair.mean()),
    )  # fmt: skip


def _limits(
    values: Float64Array,
    unit: npt.NDArray[np.int64],
    pairs: int,
    estimators: tuple[Estimator, ...],
    confidence: float,
    seed: int,
) -> tuple[list[float] | None, list[float] | None]:
    """Lower and upper limits of each estimator over resamples of whole pairs."""
    # Without any spread an interval of no width would claim certainty.
    if pairs < LEAST_PAIRS or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return None, None
    rng = np.random.default_rng(seed)
    drawn = np.empty((DRAWS, len(estimators)))
    for draw in drawn:
        weights = np.bincount(rng.integers(0, pairs, pairs), minlength=pairs)[unit].astype(np.float64)
        draw[:] = [estimate(values, weights) for estimate in estimators]
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low.tolist(), high.tolist()


def _mean(values: Float64Array, weights: Float64Array) -> float:
    return float(values @ weights / weights.sum())


def _median(values: Float64Array, weights: Float64Array) -> float:
    """The middle value, or the mean of the two in the middle."""
    upto = np.cumsum(weights)
    half = upto[-1] / 2
    low = values[np.searchsorted(upto, half, side="left")]
    high = values[min(np.searchsorted(upto, half, side="right"), len(values) - 1)]
    return float((low + high) / 2)


def _sd(values: Float64Array, weights: Float64Array) -> float:
    return float(np.sqrt(((values - _mean(values, weights)) ** 2) @ weights / weights.sum()))
