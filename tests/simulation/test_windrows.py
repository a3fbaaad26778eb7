"""Windrows: regular lines over a field that go around craters."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.config import ChangeConfig
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.setting import Setting
from cv_pipeline.simulation.strike import NO_CHANGE, Strike
from cv_pipeline.simulation.windrows import draw_windrows

GSD_M = 0.25
SIDE_PX = 400
ALWAYS = ChangeConfig(windrow_share=1.0)


def ground(material: Material = Material.GRASS) -> Ground:
    return level_ground(np.full((SIDE_PX, SIDE_PX, 3), 100.0, np.float32), material, GSD_M)


def setting() -> Setting:
    return Setting(ground(), (), (), np.zeros((SIDE_PX, SIDE_PX), int), 0.0)


def lines(seed: int, strikes: tuple[Strike, ...] = ()) -> np.ndarray:
    """How much each pixel of the after image changed, luminance; lines run along columns as no parcel has a heading."""
    before, after = ground(), ground()
    assert draw_windrows(before, after, setting(), strikes, ALWAYS, np.random.default_rng(seed))
    return np.asarray(np.abs(after.colour - 100.0).mean(axis=2))


@pytest.mark.parametrize("seed", range(4))
def test_lines_lie_three_to_seven_and_a_half_metres_apart(seed: int) -> None:
    profile = lines(seed).mean(axis=0)
    power = np.abs(np.fft.rfft(profile - profile.mean(), 8 * SIDE_PX))
    frequency = np.fft.rfftfreq(8 * SIDE_PX, GSD_M)
    assert 3.0 <= 1 / frequency[power.argmax()] <= 7.6


def test_lines_go_around_a_crater_and_nowhere_else() -> None:
    middle = SIDE_PX / 2
    strike = Strike(middle, middle, 3.0, NO_CHANGE)
    rows, cols = np.indices((SIDE_PX, SIDE_PX)) + 0.5
    away_m = np.hypot(rows - middle, cols - middle) * GSD_M
    bent = 0
    for seed in range(8):
        without, beside = lines(seed), lines(seed, (strike,))
        if np.array_equal(without, beside):
            continue
        bent += 1
        np.testing.assert_allclose(beside[away_m > 43], without[away_m > 43], atol=1e-3)
        assert beside[away_m < 0.6 * 3.0].mean() < 0.5 * without.mean()
    assert 3 <= bent < 8


def test_only_fields_carry_them() -> None:
    before, after = ground(Material.CONCRETE), ground(Material.CONCRETE)
    draw_windrows(before, after, setting(), (), ALWAYS, np.random.default_rng(1))
    assert np.array_equal(after.colour, ground().colour)


def test_without_a_share_nothing_is_drawn() -> None:
    before, after = ground(), ground()
    assert not draw_windrows(before, after, setting(), (), ChangeConfig(), np.random.default_rng(1))
    assert np.array_equal(after.colour, before.colour)
