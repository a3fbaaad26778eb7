"""Few, coinciding and collinear points, levels out of range; the limits are known in closed form."""

import numpy as np
import pytest
from scipy.stats import norm

from cv_pipeline.accuracy.cep import ESTIMATORS, About, cep, cep_table
from cv_pipeline.accuracy.cep.normal import probability

LINE = np.outer(np.array([-3.0, -1.0, 0.5, 2.0, 4.0]), [0.6, 0.8])


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.ones((1, 2)), np.full((6, 2), 3.7)])
def test_nothing_to_measure_gives_a_reason(points):
    for estimate in cep_table(points):
        if estimate.estimator == "sample" and len(points) > 0:
            continue  # a quantile of the radii needs no spread
        assert estimate.radius_m is None
        assert estimate.reason


def test_two_points_have_a_rayleigh_radius_and_no_shape():
    table = {(e.estimator, e.about): e for e in cep_table(np.array([[0.0, 0], [2, 0]]), [0.5])}
    defined = {name for (name, about), e in table.items() if e.radius_m is not None and about == "mean"}
    assert defined == {"sample", "rayleigh", "rmse"}
    assert "at least 3 points" in table["correlated_normal", "mean"].reason


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_collinear_points_give_the_half_normal(level):
    sd = np.std([-3.0, -1.0, 0.5, 2.0, 4.0], ddof=1)
    exact = sd * norm.ppf((1 + level) / 2)
    assert cep(LINE, level, "correlated_normal").radius_m == pytest.approx(exact, rel=1e-12)
    assert cep(LINE, level, "grubbs_patnaik").radius_m == pytest.approx(exact, rel=1e-12)
    shifted = LINE + np.array([-0.8, 0.6]) * 10  # off the line by 10, so no radius is below 10
    assert cep(shifted, level, "correlated_normal", About.AIM).radius_m > 10
    for estimate in cep_table(LINE):
        assert estimate.radius_m is None or np.isfinite(estimate.radius_m)


def test_circular_group_gives_the_rayleigh_quantile():
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    sd = np.sqrt(4 / 3)
    for level in (0.01, 0.5, 0.999):
        expected = sd * np.sqrt(-2 * np.log1p(-level))
        assert cep(square, level, "correlated_normal").radius_m == pytest.approx(expected, rel=1e-10)


def test_ethridge_refuses_what_has_no_logarithm():
    with_centre = np.array([[0.0, 0], [1, 0], [0, 2], [3, 3]])
    assert "logarithm" in cep(with_centre, 0.5, "ethridge", About.AIM).reason
    ring = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    assert "equal" in cep(ring, 0.5, "ethridge", About.AIM).reason


def test_sample_quantile_needs_a_point_beyond():
    points = np.random.default_rng(0).normal(size=(20, 2))
    assert cep(points, 0.95, "sample").radius_m is not None
    assert "at least 20" in cep(points[:19], 0.95, "sample").reason


@pytest.mark.parametrize("level", [0.0, 1.0, 50.0])
def test_levels_outside_are_refused(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        cep(LINE, level, "rmse")


def test_rand_refuses_a_bias_beyond_its_polynomial():
    points = np.random.default_rng(1).normal(size=(9, 2)) + 30
    assert "2.2 times" in cep(points, 0.5, "rand", About.AIM).reason


@pytest.mark.parametrize("mean", [(0.0, 0.0), (3.0, 1.0), (0.2, 30.0), (1000.0, 0.0), (0.0, 5000.0)])
@pytest.mark.parametrize("lesser", [1.0, 0.3, 1e-4])
def test_normal_probability_equals_simulation(mean, lesser):
    rng = np.random.default_rng(2)
    sds = np.array([1.0, lesser])
    radii = np.hypot(*(rng.normal(size=(200_000, 2)) * sds + mean).T)
    radius = np.quantile(radii, 0.7)
    assert probability(radius, np.array(mean), sds) == pytest.approx(0.7, abs=5e-3)


def test_every_estimator_is_named_once():
    names = [e.estimator for e in cep_table(LINE, [0.5])]
    assert sorted(set(names)) == sorted(ESTIMATORS)
    assert len(names) == 2 * len(ESTIMATORS)
