from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.light import Sun, photograph
from cv_pipeline.simulation.render import draw_strike
from cv_pipeline.simulation.strike import ColourDelta, Strike

SUN = Sun(135, 45)
PLAIN = Strike(60.2, 71.7, 4.0, ColourDelta(-60, -60, -60), depth_ratio=0.0, rim_ratio=0.0, raggedness=0.0)


def centroid_px(weight: np.ndarray) -> tuple[float, float]:
    rows, cols = np.indices(weight.shape) + 0.5
    return float((rows * weight).sum() / weight.sum()), float((cols * weight).sum() / weight.sum())


def soil(height: int, width: int, level: float = 150, gsd_m: float = 0.5) -> Ground:
    return level_ground(np.full((height, width, 3), level, np.float32), Material.SOIL, gsd_m)


def test_centre_and_half_depth_radius_are_recovered_from_the_image() -> None:
    ground = soil(130, 140)
    draw_strike(ground, PLAIN)
    darkening = 150 - ground.colour.mean(axis=2)
    assert centroid_px(darkening) == pytest.approx((60.2, 71.7), abs=0.05)
    assert np.sqrt((darkening > 30).sum() / np.pi) * 0.5 == pytest.approx(4.0, abs=0.1)


def test_relief_is_dug_and_the_far_wall_is_lit() -> None:
    ground = soil(130, 140)
    draw_strike(ground, replace(PLAIN, core_delta=ColourDelta(0, 0, 0), depth_ratio=0.2, rim_ratio=0.03))
    assert ground.height_m[60, 71] < -1.0
    assert ground.height_m.max() > 0.1
    lit = photograph(ground, SUN).mean(axis=2)
    # The sun stands to the lower right, so it shines on the upper left wall.
    assert lit[57:60, 68:71].mean() > 155 > 145 > lit[61:64, 73:76].mean()


def test_outside_changes_nothing() -> None:
    ground = soil(20, 20, 90)
    draw_strike(ground, PLAIN.at(500, 500))
    assert (ground.colour == 90).all()
    assert not ground.height_m.any()


def test_strike_at_the_border_is_cut_not_refused() -> None:
    ground = soil(40, 40)
    draw_strike(ground, replace(PLAIN.at(0.5, 39.5), blast_radius_m=8, soot_delta=ColourDelta(-9, -9, -9)))
    assert np.isfinite(ground.colour).all()
    assert ground.colour[0, 39].mean() < 110
