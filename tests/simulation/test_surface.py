from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.surface import Sun, bowl_height_m, relative_light

GSD_M, RADIUS_M, SIDE = 0.25, 6.0, 121


def bowl(depth_ratio: float = 0.15, rim_ratio: float = 0.03) -> np.ndarray:
    rows, cols = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    return bowl_height_m((np.hypot(rows, cols) * GSD_M).astype(np.float32), RADIUS_M, depth_ratio, rim_ratio)


def test_bowl_has_the_stated_depth_and_rim() -> None:
    height = bowl()
    assert height.min() == pytest.approx(-0.15 * 2 * RADIUS_M)
    assert height.max() == pytest.approx(0.03 * 2 * RADIUS_M, rel=0.02)
    assert height[SIDE // 2, SIDE // 2] == height.min()
    assert abs(height[0, 0]) < 0.02


@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, 90.0, 200.0, 300.0])
def test_inner_wall_opposite_the_sun_is_the_light_one(azimuth_deg: float) -> None:
    light = relative_light(bowl(), GSD_M, Sun(azimuth_deg, 45.0))
    rows, cols = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    inside = np.hypot(rows, cols) * GSD_M < 0.9 * RADIUS_M
    away = -np.sin(np.deg2rad(azimuth_deg)), np.cos(np.deg2rad(azimuth_deg))  # (col, row) pointing away from the sun
    side = cols * away[0] + rows * away[1]
    assert light[inside & (side > 6)].mean() > light[inside & (side < -6)].mean() + 0.2


def test_flat_ground_keeps_its_light() -> None:
    light = relative_light(np.zeros((20, 30), np.float32), GSD_M, Sun(120, 40))
    np.testing.assert_allclose(light, 1.0, atol=1e-5)


def test_low_sun_casts_a_shadow_and_shadow_is_not_black() -> None:
    height = np.zeros((40, 40), np.float32)
    height[18:22, 18:22] = 3.0
    light = relative_light(height, 1.0, Sun(90, 30))  # sun in the east: shadow to the west, 3 / tan(30) = 5.2 m long
    assert light[20, 14] == pytest.approx(0.35, abs=1e-3)
    assert light[20, 8] == pytest.approx(1.0, abs=1e-3)
    assert light[20, 26] == pytest.approx(1.0, abs=1e-3)
    assert light.min() >= 0.35 - 1e-6
