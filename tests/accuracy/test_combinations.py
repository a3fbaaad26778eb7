import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_pipeline.accuracy import combinations
from cv_pipeline.accuracy.combinations import combination_range
from cv_pipeline.accuracy.document import combination_document
from cv_pipeline.accuracy.words import combination_sentence

DISTANCES = st.integers(0, 400).map(lambda k: k / 8)
CHOICES = st.lists(st.lists(DISTANCES, min_size=1, max_size=3), min_size=1, max_size=5)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(CHOICES)
def test_equals_brute_force(choices):
    tables = np.array(list(product(*choices)))
    found = combination_range(choices)
    assert found.count == np.prod([len(set(of_one)) for of_one in choices])
    assert (found.mean_m.low, found.mean_m.high) == pytest.approx(ends(tables.mean(axis=1)))
    assert (found.median_m.low, found.median_m.high) == pytest.approx(ends(np.median(tables, axis=1)))
    if len(choices) == 1:
        assert found.sd_sample_m is found.sd_population_m is None
        return
    for ddof, sd in ((0, found.sd_population_m), (1, found.sd_sample_m)):
        assert (sd.low, sd.high) == pytest.approx(ends(tables.std(axis=1, ddof=ddof)), abs=1e-6)
        assert sd.is_exact


def ends(values):
    return values.min(), values.max()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(CHOICES.filter(lambda choices: len(choices) > 1))
def test_the_bound_is_never_below_the_greatest(choices):
    least, greatest = (np.array([end(of_one) for of_one in choices]) for end in (min, max))
    exact = combinations._greatest_variance(least, greatest)
    assert combinations._variance_bound(least, greatest) >= exact - 1e-9


def test_many_choices_are_bounded_at_once():
    rng = np.random.default_rng(0)
    found = combination_range([sorted(rng.rayleigh(10, 4)) for _ in range(200)])
    assert found.count == 4**200
    assert not found.sd_population_m.is_exact
    assert 0 < found.sd_population_m.low < found.sd_population_m.high


def test_nothing_to_combine():
    assert combination_range([]) is None
    assert combination_range([[3.0], [3.0, 3.0]]).count == 1
    with pytest.raises(ValueError, match="at least one"):
        combination_range([[1.0], []])


def test_thousands_of_impacts_are_told_and_written() -> None:
    many = combination_range([[1.0, 2.0]] * 20_000)
    assert many is not None and many.count == 2**20_000
    assert "10^6021 combinations" in combination_sentence(many)
    assert json.loads(json.dumps(combination_document(many)))["count"] is None
    few = combination_document(combination_range([[1.0, 2.0]] * 50))
    assert few is not None and few["count"] == 2**50
