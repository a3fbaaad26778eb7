import numpy as np
import pytest

from cv_pipeline.accuracy.combinations import combination_range
from cv_pipeline.accuracy.dispersion import dispersion
from cv_pipeline.accuracy.summary import summarise
from cv_pipeline.accuracy.words import chance_caution, combination_sentence, dispersion_sentence, influence_sentence
from cv_pipeline.types import Interval, NullModel


def null(rank):
    return NullModel(draws=999, mean_m=20.0, median_m=18.0, mean_interval_m=Interval(15, 25), rank=rank)


def test_dispersion_names_the_sides():
    text = dispersion_sentence(dispersion([[-3.0, 4.0], [-5.0, 6.0]], axis_deg=0))
    assert "4.0 m west, 5.0 m north" in text
    assert "along 0 degrees +5.0 m, across it -4.0 m" in text
    assert "SD" not in dispersion_sentence(dispersion([[1.0, 2.0]]))
    assert dispersion_sentence(None) == dispersion_sentence(dispersion(np.zeros((0, 2)))) == ""


def test_influence_names_the_impact_that_carries_the_mean():
    summary = summarise([9, 10, 11, 12, 60], "h", impact_ids=list("abcde"))
    assert "Without impact e (60.0 m) the mean would be 10.5 m" in influence_sentence(summary)
    assert "apart from the rest: e" in influence_sentence(summary)
    assert influence_sentence(summarise([1, 2], "h")) == ""
    assert "no impact stands apart" in influence_sentence(summarise([1, 2, 3, 4], "h"))


@pytest.mark.parametrize(("rank", "words"), [(None, "not known"), (0.5, "cannot be told"), (0.97, "cannot be told")])
def test_nothing_is_called_accuracy_that_chance_explains(rank, words):
    summary = summarise([1, 2, 3], "h", null=None if rank is None else null(rank))
    assert words in chance_caution(summary)
    assert "no evidence of accuracy" in chance_caution(summary)


def test_no_caution_where_chance_does_not_explain():
    assert chance_caution(summarise([1, 2, 3], "h", null=null(0.01))) == ""


def test_combinations_say_what_is_bounded_and_what_is_single():
    assert "nothing to combine" in combination_sentence(combination_range([[1.0], [2.0]]))
    many = combination_sentence(combination_range([[1.0, 2.0, 9.0]] * 40))
    assert "1.2e+19 combinations" in many
    assert "at most" in many
