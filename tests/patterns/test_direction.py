"""Densities of an axis: planted lobes come back, what is not one-sided does not, and SDs are those of the model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import i0e, i1e

from cv_pipeline.patterns.direction import REACH_INDEPENDENT, combined_axis, lobe_log_density, vector_log_density
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS

ONES = np.ones(SECTORS)


def difference(found_deg: float, true_deg: float) -> float:
    return abs((found_deg - true_deg + 180) % 360 - 180)


@pytest.mark.parametrize("azimuth_deg", [0.0, 33.0, 181.0, 357.0])
@pytest.mark.parametrize("concentration", [0.7, 4.0, 12.0])
def test_a_planted_lobe_comes_back(azimuth_deg: float, concentration: float) -> None:
    lobe = np.exp(concentration * (np.cos(AZIMUTHS_RAD - np.deg2rad(azimuth_deg)) - 1))
    values = 1 + 0.8 * lobe + np.random.default_rng(3).normal(0, 0.05, SECTORS)
    density = lobe_log_density(values, ONES, 0.05, REACH_INDEPENDENT)
    axis = combined_axis([density], [1.0])
    assert density.max() > 5
    assert difference(axis.azimuth_deg, azimuth_deg) < 6
    assert axis.sd_deg < 30


@pytest.mark.parametrize(
    "values",
    [ONES, 1 + 0.3 * np.cos(2 * AZIMUTHS_RAD), 1 + 0.2 * (np.arange(SECTORS) % 12 < 6)],
    ids=["circle", "two wings", "star"],
)
def test_what_is_not_one_sided_has_no_axis(values: np.ndarray) -> None:
    lobe = 1 + 0.3 * np.exp(3 * (np.cos(AZIMUTHS_RAD) - 1))
    one_sided = lobe_log_density(lobe, ONES, 0.05, REACH_INDEPENDENT).max()
    assert lobe_log_density(values, ONES, 0.05, REACH_INDEPENDENT).max() < 0.35 * one_sided


def test_two_equal_wings_are_no_evidence_and_a_shorter_one_behind_does_not_turn_the_axis() -> None:
    def wings(behind: float) -> np.ndarray:
        lobes = (np.exp(8 * (np.cos(AZIMUTHS_RAD - turn) - 1)) for turn in (2.0, 2.0 + np.pi))
        return 1 + sum(h * lobe for h, lobe in zip((0.8, 0.8 * behind), lobes, strict=True))

    assert lobe_log_density(wings(1.0), ONES, 0.05, REACH_INDEPENDENT).max() < 1
    one_sided = lobe_log_density(wings(0.4), ONES, 0.05, REACH_INDEPENDENT)
    assert one_sided.max() > 5
    assert difference(5.0 * one_sided.argmax(), np.rad2deg(2.0)) < 6


def test_left_out_sectors_have_no_say() -> None:
    values = 1 + np.exp(5 * (np.cos(AZIMUTHS_RAD - 1.0) - 1))
    spoilt = values.copy()
    spoilt[40:60] = 9.0
    weight = np.where((np.arange(SECTORS) >= 40) & (np.arange(SECTORS) < 60), 0.0, 1.0)
    clean = lobe_log_density(values, weight, 0.05, REACH_INDEPENDENT)
    np.testing.assert_allclose(lobe_log_density(spoilt, weight, 0.05, REACH_INDEPENDENT), clean)
    assert not lobe_log_density(values, np.where(np.arange(SECTORS) < 20, 1.0, 0.0), 0.05, REACH_INDEPENDENT).any()


@pytest.mark.parametrize("length", [2.0, 8.0, 30.0])
def test_sd_of_a_von_mises_density(length: float) -> None:
    """Against the mean resultant length of the distribution, I1 / I0."""
    axis = combined_axis([vector_log_density(np.sin(2.0), np.cos(2.0), length)], [1.0])
    assert axis.azimuth_deg == pytest.approx(np.rad2deg(2.0), abs=0.01)
    assert axis.sd_deg == pytest.approx(np.rad2deg(np.sqrt(-2 * np.log(i1e(length) / i0e(length)))), rel=1e-3)


def test_a_product_is_surer_than_its_parts_and_a_flat_one_knows_nothing() -> None:
    first, second = vector_log_density(0.0, 1.0, 4.0), vector_log_density(np.sin(0.4), np.cos(0.4), 4.0)
    both = combined_axis([first, second], [1.0, 1.0])
    assert both.azimuth_deg == pytest.approx(np.rad2deg(0.2), abs=0.01)
    assert both.sd_deg < combined_axis([first], [1.0]).sd_deg
    assert combined_axis([np.zeros(SECTORS)], [1.0]).sd_deg > 180
