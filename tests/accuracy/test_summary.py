import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipeline.accuracy import summarise
from cv_pipeline.types import Interval, NullModel

NINE = [28, 3, 3, 6, 14, 5, 7, 23, 11]


def null(rank):
    return NullModel(draws=1000, mean_m=20.0, median_m=18.0, mean_interval_m=Interval(15, 25), rank=rank)


def test_equals_the_standard_library():
    summary = summarise(NINE, "test")
    assert summary.mean_m == pytest.approx(statistics.mean(NINE))
    assert summary.sd_sample_m == pytest.approx(statistics.stdev(NINE))
    assert summary.sd_population_m == pytest.approx(statistics.pstdev(NINE))
    assert summary.median_m == statistics.median(NINE)
    quartiles = statistics.quantiles(NINE, n=4, method="inclusive")
    assert [summary.quantiles_m[q] for q in ("0.25", "0.5", "0.75")] == pytest.approx(quartiles)
    assert set(summary.intervals_m) == {"mean_m", "median_m", "sd_sample_m"}


def test_small_n():
    none, one, two = summarise([], "h"), summarise([4.0], "h"), summarise([4.0, 6.0], "h")
    assert none.mean_m is none.sd_sample_m is none.median_m is None
    assert none.quantiles_m == {}
    assert "n = 0" in none.statement
    assert (one.mean_m, one.sd_sample_m, dict(one.intervals_m)) == (4, None, {})
    assert dict(two.intervals_m) == {}
    assert {"mean_m_interval", "median_m_interval", "sd_sample_m_interval", "dispersion"} == set(two.missing)
    assert "at least 5" in two.missing["mean_m_interval"]
    assert {"mean_m", "median_m", "sd_sample_m"} <= set(none.missing)
    assert "sd_sample_m" in one.missing
    assert set(summarise(range(8), "h").intervals_m) == {"mean_m", "median_m"}


def test_radii_leave_unknown_ones_out():
    summary = summarise(NINE, "h", crater_radii_m=[2, None, 4], blast_radii_m=[None])
    assert (summary.mean_crater_radius_m, summary.mean_blast_radius_m) == (3, None)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_unknown_distances(bad):
    with pytest.raises(ValueError, match="finite"):
        summarise([1.0, bad], "h")


@pytest.mark.parametrize(
    ("rank", "words"),
    [(0.0, "in none of"), (0.03, "nearer to the structures"), (0.4, "cannot be told from chance"), (0.99, "farther")],
)
def test_statement(rank, words):
    text = summarise(NINE, "h", null=null(rank)).statement
    assert words in text
    assert "n = 9" in text
    assert "empirical median (CEP-like)" in text
    assert "accura" not in text


DISTANCES = st.lists(st.integers(0, 4000).map(lambda k: k / 16), min_size=1, max_size=25)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(DISTANCES, st.sampled_from([1e-3, 0.3048, 1 / 0.3048, 1e3]), st.randoms(use_true_random=False))
def test_unit_and_order_of_the_impacts(distances, factor, random):
    """Another unit scales every figure; another order changes none but the resampled interval."""
    shuffled = list(distances)
    random.shuffle(shuffled)
    here = summarise(distances, "h", bootstrap_draws=200)
    scaled = summarise(np.array(distances) * factor, "h", bootstrap_draws=200)
    turned = summarise(shuffled, "h", bootstrap_draws=200)
    for name in ("mean_m", "median_m", "sd_sample_m", "sd_population_m"):
        value = getattr(here, name)
        assert getattr(turned, name) == (None if value is None else pytest.approx(value, abs=1e-9))
        assert getattr(scaled, name) == (None if value is None else pytest.approx(factor * value, abs=1e-9 * factor))
    assert scaled.missing == here.missing == turned.missing
    for key, interval in here.intervals_m.items():
        assert np.array(scaled.intervals_m[key]) == pytest.approx(factor * np.array(interval), abs=1e-9 * factor)
    z, scaled_z = ([i.robust_z for i in s.influences] for s in (here, scaled))
    assert z == scaled_z or z == pytest.approx(scaled_z)
