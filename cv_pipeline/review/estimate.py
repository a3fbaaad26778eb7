"""Precision and recall from a person's decisions, with intervals that say how little a small sample tells.

Precision is a share of decided impacts; its interval is Clopper and Pearson's (1934, doi:10.1093/biomet/26.4.404),
which never covers less than it says.

What was missed is extrapolated from windows without a find, looked at in random order without replacement. How many
of the ``N`` windows hold a missed impact is bounded by inverting the hypergeometric distribution at half the error
on each side (Wang 2015, doi:10.1080/01621459.2014.966191, calls this the usual exact interval; it never covers less
than it says). The number per such window has a mean with an interval of its own, and both are joined by squaring and
adding the logarithms of their limits (MOVER: Newcombe 2016, doi:10.1177/0962280213502144). The value is the plain
expansion ``N m / n`` of ``m`` impacts found in ``n`` windows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import beta, hypergeom, norm

from cv_pipeline.types import Interval, Rate


def share(hits: int, n: int, confidence: float) -> Rate | None:
    """Hits of n as a share with its Clopper-Pearson interval; None for n = 0."""
    if n == 0:
        return None
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return Rate(hits / n, Interval(low, high))


def windows_with_missed(population: int, seen: int, with_missed: int, confidence: float) -> tuple[int, int]:
    """Least and greatest number of the population's windows that may hold a missed impact.

    With none found among ``seen`` the greatest is finite: about ``3.7 population / seen`` at 95 %, and less where
    a good part of the population was looked at; 0 where all of it was.
    """
    if seen == 0:
        return 0, population
    tail = (1 - confidence) / 2
    numbers = np.arange(with_missed, population - seen + with_missed + 1)
    too_few = hypergeom.cdf(with_missed, population, numbers, seen) > tail
    too_many = hypergeom.sf(with_missed - 1, population, numbers, seen) > tail
    possible = numbers[too_few & too_many]
    return int(possible[0]), int(possible[-1])


def missed_total(population: int, counts: Sequence[int], per_window: float, confidence: float) -> Rate | None:
    """How many impacts were missed in a population of windows, from the counts in those that were looked at.

    Args:
        population: number of windows.
        counts: missed impacts in each window that was looked at.
        per_window: how many impacts a window that holds any is taken to hold where fewer than two were found with a
            miss, at least 1; that of the windows with finds is a fair guess.
        confidence: of the interval.

    Returns:
        The total, whose lower limit is never below what was found; None where no window was looked at.
    """
    if not counts:
        return None
    found = [count for count in counts if count]
    low, high = windows_with_missed(population, len(counts), len(found), confidence)
    total, unseen = sum(counts), population - len(counts)
    if not unseen:
        return Rate(float(total), Interval(float(total), float(total)))
    if not found:
        return Rate(0.0, Interval(0.0, high * max(per_window, 1.0)))
    windows, mean = population * len(found) / len(counts), total / len(found)
    spread = _log_spread(found, per_window, confidence)
    up = math.hypot(math.log(high / windows), spread) if high > windows else spread
    down = math.hypot(math.log(windows / low), spread) if low < windows else spread
    value = windows * mean
    return Rate(value, Interval(max(float(total), value * math.exp(-down)), value * math.exp(up)))


def recall(accepted: int, missed: Rate | None) -> Rate | None:
    """Share of a scene's impacts that were found: accepted over accepted and missed; None where neither is known.

    Accepted impacts are counted, not sampled, so the interval is that of the missed ones.
    """
    if missed is None or accepted + missed.value == 0:
        return None
    low, high = (accepted / (accepted + m) if accepted + m else 1.0 for m in missed.interval[::-1])
    return Rate(accepted / (accepted + missed.value), Interval(low, high))


def _log_spread(found: Sequence[int], per_window: float, confidence: float) -> float:
    """Half the width of the interval of the logarithm of the mean number per window with a miss.

    From two such windows on by the counts' own scatter; of one window it is how far the guess ``per_window`` lies from
    what it holds. Where impacts come in clusters and two or three windows were found, the interval of the total falls
    short (91 % for 95 %, see docs/review.md).
    """
    z, mean = float(norm.ppf((1 + confidence) / 2)), float(np.mean(found))
    if len(found) == 1:
        return abs(math.log(max(per_window, 1.0) / mean))
    return z * float(np.std(found, ddof=1)) / (mean * math.sqrt(len(found)))
