import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cv_pipeline.accuracy.cep.sample import Sample
from cv_pipeline.accuracy.dispersion import dispersion, maximum_spread_m
from cv_pipeline.accuracy.ellipse import ellipse

REFERENCE = json.loads((Path(__file__).parent / "cep" / "data" / "cep_reference.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in REFERENCE["cases"]}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_equals_the_reference(case):
    points = np.array(case["points"], dtype=float)
    found = dispersion(points)
    assert (found.bias_east_m, found.bias_north_m) == pytest.approx(case["sample"]["mean"], rel=1e-9)
    assert (found.sd_east_m, found.sd_north_m) == pytest.approx(case["sample"]["sd_xy"], rel=1e-9)
    assert found.mean_radius_m == pytest.approx(case["radii"]["about_mean"]["mean_radius"], rel=1e-9)
    assert found.maximum_spread_m == pytest.approx(case["max_pair_distance"]["d"], rel=1e-9)
    shape = case["confidence_ellipse"]
    for level in shape["levels"]:
        got = ellipse(Sample(points), level["level"], "published")
        assert got.semi_major_m == pytest.approx(level["semi_major"], rel=1e-9)
        assert got.semi_minor_m == pytest.approx(level["semi_minor"], rel=1e-9)
        assert (90 - got.azimuth_deg) % 180 == pytest.approx(shape["shape"]["angle"] % 180, abs=1e-6)


@pytest.mark.parametrize("kind", ["mean", "next"])
def test_ellipses_hold_what_they_say(kind):
    """20,000 groups of 7 impacts: the true mean, or one further impact, lies inside in 90 % of them."""
    rng = np.random.default_rng(1)
    n, level, trials = 7, 0.9, 20_000
    groups = rng.normal(size=(trials, n, 2))
    target = np.zeros((trials, 2)) if kind == "mean" else rng.normal(size=(trials, 2))
    centre = groups.mean(axis=1)
    centred = groups - centre[:, None]
    covariance = np.einsum("tni,tnj->tij", centred, centred) / (n - 1)
    away = target - centre
    squared = np.einsum("ti,tij,tj->t", away, np.linalg.inv(covariance), away)
    sample = Sample(groups[0])
    factor = ellipse(sample, level, kind).semi_major_m / np.sqrt(sample.variances[0])
    assert np.mean(squared <= factor**2) == pytest.approx(level, abs=0.008)
    assert factor**2 == pytest.approx(
        {"mean": 1 / n, "next": (n + 1) / n}[kind] * 2 * (n - 1) / (n - 2) * stats.f.ppf(level, 2, n - 2)
    )


def test_axis_is_planted_and_recovered():
    rng = np.random.default_rng(2)
    along, across = rng.normal(5, 20, 400), rng.normal(-3, 4, 400)
    angle = np.radians(30)
    east = along * np.sin(angle) + across * np.cos(angle)
    north = along * np.cos(angle) - across * np.sin(angle)
    found = dispersion(np.column_stack([east, north]), axis_deg=30)
    assert (found.bias_along_m, found.bias_across_m) == pytest.approx((along.mean(), across.mean()))
    assert (found.sd_along_m, found.sd_across_m) == pytest.approx((along.std(ddof=1), across.std(ddof=1)))
    assert all(e.azimuth_deg == pytest.approx(30, abs=3) for e in found.ellipses)


def test_small_groups_say_what_is_missing():
    none, one, two = dispersion(np.zeros((0, 2))), dispersion([[3.0, 4.0]]), dispersion([[0.0, 0.0], [3.0, 4.0]])
    assert none.bias_east_m is None
    assert "bias" in none.missing
    assert (one.bias_east_m, one.sd_east_m, one.mean_radius_m) == (3, None, None)
    assert (two.mean_radius_m, two.maximum_spread_m, two.ellipses) == (2.5, 5, ())
    assert {"ellipses", "r95_m", "along_across"} <= set(two.missing)
    flat = dispersion(np.outer(np.arange(5.0), [1, 1]))
    assert [e.semi_minor_m for e in flat.ellipses] == [0, 0, 0]
    assert flat.ellipses[0].azimuth_deg == pytest.approx(45)


@pytest.mark.parametrize("line", [False, True])
def test_spread_of_many_points_equals_brute_force(line):
    points = np.random.default_rng(3).normal(size=(700, 2)) * ((1, 0) if line else (1, 2))
    brute = max(np.hypot(*(points - p).T).max() for p in points)
    assert maximum_spread_m(points) == pytest.approx(brute)


POINTS = st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=3, max_size=9, unique=True)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(POINTS, st.floats(0, 360), st.sampled_from([1e-3, 0.3048, 1e3]))
def test_turning_and_scaling(points, turn_deg, factor):
    """Radii and spread do not know of north; a bias turned with the axis keeps its parts along and across."""
    points = np.array(points, dtype=float)
    angle = np.radians(turn_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # clockwise, as azimuths
    here, there = dispersion(points, axis_deg=0), dispersion(factor * points @ turn.T, axis_deg=turn_deg)
    for name in ("mean_radius_m", "maximum_spread_m", "bias_along_m", "bias_across_m", "sd_along_m", "sd_across_m"):
        assert getattr(there, name) == pytest.approx(factor * getattr(here, name), rel=1e-6, abs=1e-6 * factor), name
    for a, b in zip(here.ellipses, there.ellipses, strict=True):
        assert b.semi_major_m == pytest.approx(factor * a.semi_major_m, rel=1e-6)
