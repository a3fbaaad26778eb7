import numpy as np
import pytest
from scipy import stats

from cv_pipeline.accuracy.order import least_n, median_interval


@pytest.mark.parametrize("n", [6, 9, 20, 51])
def test_coverage_of_the_median(n):
    """Any continuous distribution will do; 4000 samples, standard error 0.35 points."""
    values = np.random.default_rng(n).exponential(1, (4000, n))
    hits = np.mean([low <= np.log(2) <= high for low, high in (median_interval(v, confidence=0.95) for v in values)])
    assert hits == pytest.approx(0.95, abs=0.012 if n > 6 else 0.025)


def test_lies_between_the_order_statistics_that_enclose_it():
    values = np.arange(1.0, 21)
    low, high = median_interval(values, confidence=0.95)
    shares = [stats.binom.cdf(20 - k, 20, 0.5) - stats.binom.cdf(k - 1, 20, 0.5) for k in (6, 7)]
    assert shares[0] > 0.95 > shares[1]
    assert 6 < low < 7
    assert 14 < high < 15
    assert low + high == pytest.approx(21)


def test_none_where_the_whole_range_is_not_enough():
    assert least_n(0.95) == 6
    assert median_interval(np.arange(5.0), confidence=0.95) is None
    assert median_interval(np.arange(5.0), confidence=0.9) is not None
    assert median_interval(np.zeros(0), confidence=0.95) is None


def test_ties_and_units():
    tied = median_interval(np.array([2.0] * 7), confidence=0.95)
    assert (tied.low, tied.high) == (2, 2)
    values = np.random.default_rng(0).rayleigh(1, 12)
    assert np.array(median_interval(values * 7, confidence=0.95)) == pytest.approx(
        7 * np.array(median_interval(values, confidence=0.95))
    )
