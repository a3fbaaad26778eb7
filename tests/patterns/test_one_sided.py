"""Witnesses of a direction: what each ray counts for, what speaks along an axis, and what comes of all together."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.patterns.direction import combined_axis
from cv_pipeline.patterns.one_sided import (
    Sides,
    direction_terms,
    front_minus_back,
    reach_weight,
    sides,
    weigh_axis,
)
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.patterns.weights import PLAIN
from cv_pipeline.types import Float64Array, SectorUse

USED = np.full(SECTORS, SectorUse.USED, np.float64)
NOTHING = np.zeros(SECTORS)


def fan(azimuth_deg: float, height: float = 1.0) -> Float64Array:
    """Reach of a circle with a fan, relative to the circle's radius."""
    return 1 + height * np.exp(5 * (np.cos(AZIMUTHS_RAD - np.deg2rad(azimuth_deg)) - 1))


def told(reach: Float64Array, use: Float64Array = USED, vector: tuple[float, float] = (0.0, 0.0)) -> Sides:
    return sides(reach, use, 0.05, None, vector)


def test_a_ray_cut_by_a_neighbour_counts_half_where_it_is_long_and_not_at_all_where_short() -> None:
    reach, use = np.ones(SECTORS), USED.copy()
    use[:20] = SectorUse.NEIGHBOUR
    reach[:10], reach[10:20] = 1.4, 0.7
    weight = reach_weight(reach, use)
    assert (weight[:10] == 0.5).all()
    assert (weight[10:20] == 0).all()
    assert (weight[20:] == 1).all()


@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 290.0])
def test_front_minus_back_is_the_lobe_and_knows_nothing_of_hidden_sides(azimuth_deg: float) -> None:
    at = round(azimuth_deg / 5) % SECTORS
    values = np.cos(AZIMUTHS_RAD - AZIMUTHS_RAD[at])
    expected = float(np.average(np.cos(AZIMUTHS_RAD), weights=np.exp(4 * np.cos(AZIMUTHS_RAD))))
    assert front_minus_back(values, np.ones(SECTORS), at) == pytest.approx(2 * expected)
    behind = np.where(values < -0.3, 0.0, 1.0)
    assert front_minus_back(values, behind, at) == 0.0


def test_a_fan_is_one_sided_and_two_equal_wings_are_not() -> None:
    axis, chance = weigh_axis(told(fan(140.0)))
    assert abs(axis.azimuth_deg - 140) < 4
    wings = told(fan(140.0) + fan(320.0) - 1)
    assert chance > 0.5 > 5 * weigh_axis(wings)[1]
    assert chance > 0.5 > 5 * weigh_axis(told(np.ones(SECTORS)))[1]


def test_a_longer_wing_has_the_direction() -> None:
    axis, _ = weigh_axis(told(fan(140.0, 0.8) + fan(320.0, 0.3) - 1))
    assert abs(axis.azimuth_deg - 140) < 8


def test_witnesses_that_agree_are_surer_than_those_that_do_not() -> None:
    turn = np.deg2rad(140.0)
    alone = weigh_axis(told(fan(140.0)))
    agreeing = weigh_axis(told(fan(140.0), vector=(0.6 * np.sin(turn), 0.6 * np.cos(turn))))
    against = weigh_axis(told(fan(140.0), vector=(-0.6 * np.sin(turn), -0.6 * np.cos(turn))))
    assert agreeing[1] > alone[1] > 0
    assert agreeing[0].sd_deg < alone[0].sd_deg < against[0].sd_deg
    assert against[1] < agreeing[1]


def test_where_nothing_is_known_the_terms_are_zero() -> None:
    hidden = np.full(SECTORS, SectorUse.NEIGHBOUR, np.float64)
    for found in (told(np.ones(SECTORS), hidden), told(NOTHING)):
        axis = combined_axis(found.densities, [1.0, 1.0, 1.0])
        assert not direction_terms(found, axis, PLAIN.direction).any()
        assert weigh_axis(found)[0].sd_deg > 180
