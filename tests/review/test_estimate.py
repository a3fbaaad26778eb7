"""Precision and recall: intervals that hold what was planted as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy.stats import binomtest, hypergeom

from cv_pipeline.review.estimate import missed_total, recall, share, windows_with_missed
from cv_pipeline.types import Interval, Rate

LEVEL = 0.95


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 9), (9, 9), (3, 7), (50, 60)])
def test_precision_agrees_with_scipys_exact_interval(hits: int, n: int) -> None:
    found = share(hits, n, LEVEL)
    expected = binomtest(hits, n).proportion_ci(LEVEL, method="exact")
    assert found is not None and found.value == hits / n
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_nothing_decided_gives_no_precision() -> None:
    assert share(0, 0, LEVEL) is None


@pytest.mark.parametrize(("population", "seen"), [(30, 12), (60, 25)])
def test_windows_with_a_miss_are_covered_for_every_true_number(population: int, seen: int) -> None:
    """Exactly, by summing probabilities over all that may be found."""
    limits = [windows_with_missed(population, seen, k, LEVEL) for k in range(seen + 1)]
    for truth in range(population + 1):
        inside = [k for k in range(seen + 1) if limits[k][0] <= truth <= limits[k][1]]
        assert hypergeom.pmf(inside, population, truth, seen).sum() >= LEVEL - 1e-9


def test_none_found_still_leaves_a_finite_bound_that_shrinks() -> None:
    highs = [missed_total(400, [0] * n, 1.0, LEVEL).interval.high for n in (10, 40, 100, 300)]  # type: ignore[union-attr]
    assert highs == sorted(highs, reverse=True) and 0 < highs[-1] < highs[0] < 400
    assert highs[1] == pytest.approx(3.69 * 400 / 40, rel=0.12)  # the rule of 3.7 over n
    assert missed_total(400, [0] * 40, 2.5, LEVEL) == Rate(0.0, Interval(0.0, 2.5 * highs[1]))


def test_a_whole_population_looked_at_leaves_nothing_open() -> None:
    assert missed_total(5, [0, 2, 0, 1, 0], 1.0, LEVEL) == Rate(3.0, Interval(3.0, 3.0))
    assert missed_total(5, [], 1.0, LEVEL) is None


@pytest.mark.parametrize(
    ("draw", "least"),
    [
        (lambda rng, n: rng.poisson(0.01, n), LEVEL),
        (lambda rng, n: rng.poisson(0.1, n), LEVEL),
        (lambda rng, n: (rng.random(n) < 0.06) * rng.integers(1, 5, n), 0.88),
    ],
    ids=["rare", "common", "clusters of 1 to 4"],
)
def test_the_planted_number_of_missed_impacts_is_covered(
    draw: Callable[[np.random.Generator, int], np.ndarray], least: float
) -> None:
    rng, population, seen, held, ratio = np.random.default_rng(11), 150, 50, [], []

    @cache
    def estimate(found: tuple[int, ...]) -> Rate:
        total = missed_total(population, [*found, *[0] * (seen - len(found))], 1.0, LEVEL)
        assert total is not None
        return total

    for _ in range(600):
        counts = draw(rng, population)
        looked_at = rng.permutation(counts)[:seen]
        rate = estimate(tuple(sorted(int(c) for c in looked_at if c)))
        held.append(rate.interval.low - 1e-9 <= counts.sum() <= rate.interval.high + 1e-9)
        ratio.append((rate.value, counts.sum()))
    assert np.mean(held) >= least - 2 * np.sqrt(least * (1 - least) / len(held))
    values, truths = np.array(ratio).T
    assert values.mean() == pytest.approx(truths.mean(), rel=0.12)  # the expansion has no bias


def test_recall_turns_the_interval_round() -> None:
    found = recall(90, Rate(10.0, Interval(2.0, 60.0)))
    assert found == Rate(0.9, Interval(0.6, 90 / 92))
    assert recall(0, Rate(0.0, Interval(0.0, 4.0))) is None
    assert recall(5, None) is None
