from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from cv_pipeline.simulation.population import (
    MAX_CONTRAST_DN,
    draw_positions,
    draw_strike_at,
    draw_style,
    ground_statistics,
)
from tests.conftest import texture


@pytest.mark.parametrize("spacing_m", [2.0, 6.0, 15.0])
def test_positions_keep_their_spacing_and_lie_inside(spacing_m: float) -> None:
    positions = np.array(draw_positions((200, 300), 0.5, 12, np.random.default_rng(3), spacing_m))
    assert 1 < len(positions) <= 12
    assert pdist(positions).min() * 0.5 >= spacing_m
    assert (positions >= 0).all() and (positions < [200, 300]).all()


def test_no_positions_where_none_are_wanted_and_too_few_where_room_is_short() -> None:
    assert draw_positions((50, 50), 0.5, 0, np.random.default_rng(0), 3.0) == []
    assert len(draw_positions((50, 50), 0.5, 10, np.random.default_rng(0), 100.0)) == 1


@pytest.mark.parametrize("seed", range(12))
def test_strikes_are_in_range_and_belong_to_their_seed(seed: int) -> None:
    image = texture(100, 100, seed).astype(np.float32)
    style = draw_style(np.random.default_rng(seed))
    strike = draw_strike_at(image, 40.0, 50.0, 0.5, style, np.random.default_rng(seed))
    assert 0.8 <= strike.crater_radius_m <= 16.0
    assert np.abs(strike.core_delta).max() <= 1.7 * MAX_CONTRAST_DN
    assert strike.blast_radius_m == 0 or strike.blast_radius_m > strike.crater_radius_m
    assert strike == draw_strike_at(image, 40.0, 50.0, 0.5, style, np.random.default_rng(seed))


def test_every_pattern_is_a_cone_where_the_style_says_so() -> None:
    image, rng = texture(100, 100).astype(np.float32), np.random.default_rng(4)
    style = replace(draw_style(rng), cone_share=1.0)
    strikes = [draw_strike_at(image, 50, 50, 0.5, style, rng) for _ in range(20)]
    assert all((s.cone_azimuth_deg is not None) == s.has_pattern for s in strikes)


def test_ground_statistics_of_a_flat_ground_are_floored() -> None:
    mean, sd_dn = ground_statistics(np.full((60, 60, 3), 77, np.float32), 0, 59, 0.5)
    np.testing.assert_array_equal(mean, [77, 77, 77])
    assert sd_dn == 3.0
