import numpy as np
import pytest

from cv_pipeline.accuracy.influence import influences, robust_z

NINE = np.array([28.0, 3, 3, 6, 14, 5, 7, 23, 11])


def test_statistics_without_each():
    found = influences(NINE, [f"s{k}" for k in range(1, 10)])
    rest = NINE[1:]
    assert found[0].impact_id == "s1"
    assert found[0].mean_without_m == pytest.approx(rest.mean())
    assert found[0].median_without_m == np.median(rest)
    assert found[0].sd_sample_without_m == pytest.approx(rest.std(ddof=1))


def test_a_planted_outlier_is_named_and_kept():
    values = np.append(np.random.default_rng(0).normal(10, 1, 12), 40.0)
    flags = [i.is_outlier for i in influences(values, [str(k) for k in range(13)])]
    assert flags == [False] * 12 + [True]
    assert len(flags) == len(values)


def test_scaled_deviation_is_that_of_a_normal():
    values = np.random.default_rng(1).normal(100, 5, 100_001)
    assert np.std(robust_z(values)) == pytest.approx(1, abs=0.02)
    assert robust_z(values * 3.28) == pytest.approx(robust_z(values))


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [4.0, 4.0, 4.0, 9.0]])
def test_no_deviation_without_spread(values):
    values = np.array(values)
    assert robust_z(values) is None
    assert not any(i.is_outlier for i in influences(values, [str(k) for k in range(len(values))]))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 31])
def test_equals_deleting_one_by_one(n):
    values = np.random.default_rng(n).integers(0, 9, n).astype(float)  # with ties
    for row, found in enumerate(influences(values, [str(k) for k in range(n)])):
        rest = np.delete(values, row)
        assert found.mean_without_m == pytest.approx(rest.mean())
        assert found.median_without_m == np.median(rest)
        if n > 2:
            assert found.sd_sample_without_m == pytest.approx(rest.std(ddof=1), abs=1e-7)


def test_of_many_impacts_those_that_count_are_listed():
    values = np.append(np.random.default_rng(2).rayleigh(10, 50_000), 1000.0)
    found = influences(values, [str(k) for k in range(len(values))])
    assert len(found) == 200
    assert found[-1].impact_id == "50000"


def test_too_few_left():
    (only,) = influences(np.array([3.0]), ["a"])
    assert only.mean_without_m is only.median_without_m is only.sd_sample_without_m is None
    assert influences(np.array([3.0, 5.0]), ["a", "b"])[0].mean_without_m == 5
