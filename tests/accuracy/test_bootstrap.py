import warnings

import numpy as np
import pytest
from scipy import stats

from cv_pipeline.accuracy.bootstrap import bca_interval, mean


def median(values):
    return np.median(values, axis=-1)


def sd_sample(values):
    return np.std(values, axis=-1, ddof=1)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(mean, np.mean), (sd_sample, lambda x, axis: np.std(x, axis=axis, ddof=1))]
)
@pytest.mark.parametrize("n", [6, 20, 60])
def test_agrees_with_scipy(ours, theirs, n):
    values = np.random.default_rng(n).rayleigh(10, n)
    got = bca_interval(values, ours, confidence=0.9, draws=40_000, seed=1)
    expected = stats.bootstrap(
        (values,), theirs, n_resamples=40_000, confidence_level=0.9, method="BCa", random_state=2, batch=2000
    ).confidence_interval
    assert got == pytest.approx((expected.low, expected.high), rel=0.015)


def test_unit_free_and_repeatable():
    values = np.array([28.0, 3, 3, 6, 14, 5, 7, 23, 11])
    metres = bca_interval(values, mean, confidence=0.95, draws=2000, seed=0)
    feet = bca_interval(values / 0.3048, mean, confidence=0.95, draws=2000, seed=0)
    assert feet == pytest.approx(np.array(metres) / 0.3048)
    assert metres.low < values.mean() < metres.high


def test_expanded_levels_reach_as_far_as_a_t_interval():
    values = np.random.default_rng(3).normal(0, 1, 8)
    plain = bca_interval(values, mean, confidence=0.95, draws=20_000, seed=0)
    wide = bca_interval(values, mean, confidence=0.95, draws=20_000, seed=0, expanded=True)
    t_width = 2 * stats.t.ppf(0.975, 7) * values.std(ddof=1) / np.sqrt(8)
    assert wide.low < plain.low < plain.high < wide.high
    assert wide.high - wide.low == pytest.approx(t_width, rel=0.12)


@pytest.mark.parametrize("values", [[], [4.0], [4.0, 4.0, 4.0]])
def test_none_where_it_would_mislead(values):
    assert bca_interval(np.array(values), mean, confidence=0.95, draws=200, seed=0) is None


def test_degenerate_samples_are_silent_and_finite():
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(60):
            values = rng.choice([0.0, 1.0, 2.0], rng.integers(2, 7))
            for statistic in (mean, median):
                interval = bca_interval(values, statistic, confidence=0.95, draws=200, seed=0)
                assert interval is None or (np.isfinite(interval).all() and interval.low <= interval.high)
