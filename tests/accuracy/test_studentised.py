import warnings

import numpy as np
import pytest

from cv_pipeline.accuracy.studentised import mean_interval

NINE = np.array([28.0, 3, 3, 6, 14, 5, 7, 23, 11])


def half_normal(rng, n):
    return np.abs(rng.normal(0, 10, n))


DISTANCES = {
    "rayleigh": (lambda rng, n: rng.rayleigh(10, n), 10 * np.sqrt(np.pi / 2)),
    "half-normal": (half_normal, 10 * np.sqrt(2 / np.pi)),
    "exponential": (lambda rng, n: rng.exponential(10, n), 10.0),
}


@pytest.mark.parametrize("kind", DISTANCES)
def test_coverage_of_the_mean_at_20(kind):
    """1500 samples: the standard error of the share is 0.6 points, so 92 to 98 holds what 93 to 97 claims."""
    draw, truth = DISTANCES[kind]
    rng = np.random.default_rng(7)
    hits = 0
    for trial in range(1500):
        low, high = mean_interval(draw(rng, 20), confidence=0.95, draws=400, seed=trial)
        hits += low <= truth <= high
    assert 0.92 <= hits / 1500 <= 0.98


def test_equals_its_definition():
    """Written out by loops on the same resamples."""
    rng = np.random.default_rng(5)
    drawn = NINE[rng.integers(0, 9, (3000, 9))]
    pivots = sorted((row.mean() - NINE.mean()) / row.std(ddof=1) for row in drawn)
    low, high = pivots[int(np.ceil(0.05 * 3000)) - 1], pivots[int(np.ceil(0.95 * 3000)) - 1]
    sd = NINE.std(ddof=1)
    expected = (NINE.mean() - high * sd, NINE.mean() - low * sd)
    assert mean_interval(NINE, confidence=0.9, draws=3000, seed=5) == pytest.approx(expected)


def test_unit_free_and_ordered():
    metres = mean_interval(NINE, confidence=0.95, draws=1000, seed=0)
    feet = mean_interval(NINE / 0.3048, confidence=0.95, draws=1000, seed=0)
    assert feet == pytest.approx(np.array(metres) / 0.3048)
    assert 0 <= metres.low < metres.high


def test_shift_moves_the_interval_of_the_mean():
    there = mean_interval(NINE + 1000, confidence=0.95, draws=1000, seed=0)
    here = mean_interval(NINE - 1000, confidence=0.95, draws=1000, seed=0)
    assert np.array(there) - 2000 == pytest.approx(np.array(here))


@pytest.mark.parametrize("values", [[], [1.0, 2, 3, 4], [4.0] * 12])
def test_none_where_it_would_mislead(values):
    assert mean_interval(np.array(values), confidence=0.95, draws=200, seed=0) is None


def test_many_zeros_are_silent_and_finite():
    """Impacts inside footprints: some resamples hold zeros only and have no standard error."""
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(80):
            values = rng.choice([0.0, 0.0, 0.0, 3.0, 8.0], rng.integers(5, 12))
            found = mean_interval(values, confidence=0.95, draws=300, seed=0)
            assert found is None or (np.isfinite(found).all() and 0 <= found.low <= found.high)
    assert mean_interval(np.array([0.0] * 7 + [5, 9]), confidence=0.95, draws=500, seed=0) is not None
