from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.strike import (
    ColourDelta,
    Strike,
    azimuth_difference_rad,
    core_edge_m,
    drawn_extent_m,
    pattern_extent_m,
    periodic_noise,
    secondary_extent_m,
)

AZIMUTHS = np.linspace(-np.pi, np.pi, 721)
STRIKE = Strike(50.5, 50.5, 2.0, ColourDelta(-50, -50, -50), blast_radius_m=6.0, raggedness=0.0)


def test_extent_without_raggedness_is_a_circle() -> None:
    np.testing.assert_allclose(pattern_extent_m(STRIKE, AZIMUTHS), 6.0)


def test_no_pattern_has_no_extent() -> None:
    assert not pattern_extent_m(replace(STRIKE, blast_radius_m=0.0), AZIMUTHS).any()


def test_ragged_extent_stays_within_its_limits_and_closes() -> None:
    extent = pattern_extent_m(replace(STRIKE, raggedness=0.3, ray_strength=0.3, ray_seed=4), AZIMUTHS)
    assert extent.min() >= 0.55 * 6 and extent.max() <= 1.55 * 6
    assert extent[0] == pytest.approx(extent[-1])


def test_cone_reaches_its_length_on_the_axis_only() -> None:
    cone = replace(STRIKE, cone_azimuth_deg=350.0, cone_length_m=15.0, cone_half_width_deg=25.0)
    axis, opposite, far = pattern_extent_m(cone, np.deg2rad(np.array([-10.0, 170.0, 60.0])))
    assert axis == pytest.approx(15.0)
    assert opposite == far == pytest.approx(6.0)


def test_azimuth_difference_wraps() -> None:
    assert np.rad2deg(azimuth_difference_rad(np.deg2rad(np.array([5.0])), 355.0))[0] == pytest.approx(10.0)


def test_periodic_noise_has_unit_sd_and_belongs_to_its_seed() -> None:
    noise = periodic_noise(AZIMUTHS, 3, 2, 9)
    assert noise[:-1].std() == pytest.approx(1.0, rel=0.05)
    np.testing.assert_array_equal(noise, periodic_noise(AZIMUTHS, 3, 2, 9))
    assert not np.allclose(noise, periodic_noise(AZIMUTHS, 4, 2, 9))


def test_reach_covers_pattern_and_cone() -> None:
    assert replace(STRIKE, cone_length_m=20.0).reach_m > 20.0
    assert STRIKE.at(1.0, 2.0).row_px == 1.0


def test_directional_patterns_lose_what_lies_behind() -> None:
    cone = replace(STRIKE, cone_azimuth_deg=0.0, cone_length_m=12.0, cone_half_width_deg=30.0, directionality=1.0)
    ahead, behind = pattern_extent_m(cone, np.array([0.0, np.pi]))
    assert ahead == pytest.approx(12.0) and behind == pytest.approx(0.3 * 6.0)


def test_faint_patterns_are_drawn_but_not_visible() -> None:
    faint = replace(STRIKE, blast_radius_m=0.0, faint_radius_m=7.0)
    assert not pattern_extent_m(faint, AZIMUTHS).any()
    np.testing.assert_allclose(drawn_extent_m(faint, AZIMUTHS), 7.0)


def test_secondary_and_core_edges_are_exact() -> None:
    wide = replace(STRIKE, secondary_radius_m=15.0, core_stretch=1.5, core_stretch_azimuth_deg=90.0)
    np.testing.assert_allclose(secondary_extent_m(wide, AZIMUTHS), 15.0)
    along, across = core_edge_m(wide, np.array([np.pi / 2, 0.0]))
    assert (along, across) == (pytest.approx(3.0), pytest.approx(2.0 / 1.5))
