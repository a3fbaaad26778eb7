"""Least and greatest statistics over all combinations of one aim point per impact.

With k impacts that have a choice of two there are 2^k tables, and a reader may suspect that the one shown
was picked. The ranges need no enumeration: mean and median rise with every distance, so both ends are
reached by taking all least or all greatest distances. The variance is the least mean square about any
centre, so its minimum is found on the finitely many centres where a nearest choice changes. Only its
maximum is enumerated, and bounded where that would take too long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np

from cv_pipeline.types import CombinationRange, Float64Array, Range

MAX_ENUMERATED = 2**14
"""Combinations of extremes that are tried one by one, in about 0.1 s."""

Choices = Sequence[Sequence[float]]
"""Per impact the distances of its aim points, at least one."""


def combination_range(choices: Choices) -> CombinationRange | None:
    """Ranges of mean, median and SD; None without impacts.

    Raises:
        ValueError: an impact has no distance.
    """
    if not choices:
        return None
    if not all(len(of_one) for of_one in choices):
        raise ValueError("every impact needs at least one distance")
    distinct = [sorted(set(map(float, of_one))) for of_one in choices]
    least = np.array([of_one[0] for of_one in distinct])
    greatest = np.array([of_one[-1] for of_one in distinct])
    n = len(distinct)
    sd = _population_sd(distinct, least, greatest) if n > 1 else None
    unbiased = math.sqrt(n / (n - 1)) if n > 1 else 1.0
    return CombinationRange(
        n=n,
        with_choice=sum(len(of_one) > 1 for of_one in distinct),
        count=math.prod(len(of_one) for of_one in distinct),
        mean_m=Range(float(least.mean()), float(greatest.mean())),
        median_m=Range(float(np.median(least)), float(np.median(greatest))),
        sd_sample_m=None if sd is None else Range(sd.low * unbiased, sd.high * unbiased, sd.is_exact),
        sd_population_m=sd,
    )


def _population_sd(distinct: Choices, least: Float64Array, greatest: Float64Array) -> Range:
    n = len(distinct)
    low = math.sqrt(_least_squares(distinct) / n)
    if 2 ** int(np.sum(greatest > least)) <= MAX_ENUMERATED:
        return Range(low, math.sqrt(_greatest_variance(least, greatest)))
    return Range(low, math.sqrt(_variance_bound(least, greatest)), is_exact=False)


def _least_squares(distinct: Choices) -> float:
    """Least sum of squares about the mean over all choices.

    It is the least, over centres c, of the summed squared distances from c to the nearest choice of each
    impact. As c rises past the midpoint of two neighbouring choices, that impact goes over to the
    greater one; each state between two such changes is one combination, and the best is among them.
    """
    start = np.array([of_one[0] for of_one in distinct])
    origin = float(start.mean())  # squares of small numbers lose less to rounding
    steps = sorted((a + b, a - origin, b - origin) for of_one in distinct for a, b in pairwise(of_one))
    before, after = np.array([step[1:] for step in steps], dtype=np.float64).reshape(-1, 2).T
    centred = start - origin
    sums = centred.sum() + np.concatenate([[0.0], np.cumsum(after - before)])
    squares = np.sum(centred**2) + np.concatenate([[0.0], np.cumsum(after**2 - before**2)])
    return max(0.0, float(np.min(squares - sums**2 / len(distinct))))


def _greatest_variance(least: Float64Array, greatest: Float64Array) -> float:
    """Greatest variance; it is convex in each distance, so only least and greatest ones can give it."""
    open_rows = np.flatnonzero(greatest > least)
    values = least.copy()
    best = float(values.var())
    for taken in product((False, True), repeat=len(open_rows)):
        values[open_rows] = np.where(taken, greatest[open_rows], least[open_rows])
        best = max(best, float(values.var()))
    return best


def _variance_bound(least: Float64Array, greatest: Float64Array) -> float:
    """Upper bound of the variance: the greatest mean square about the centre where that is least."""
    from scipy.optimize import minimize_scalar

    def greatest_square(centre: float) -> float:
        return float(np.mean(np.maximum((least - centre) ** 2, (greatest - centre) ** 2)))

    bounds = (float(least.min()), float(greatest.max()))
    return float(minimize_scalar(greatest_square, bounds=bounds, method="bounded", options={"xatol": 1e-12}).fun)
