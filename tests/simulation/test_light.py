"""Light and lean: planted walls, bowls and boxes under known suns."""

import numpy as np
import pytest

from cv_pipeline.simulation.ground import Ground, Material, level_ground, patch_around
from cv_pipeline.simulation.light import (
    NADIR,
    SKY_SHARE_RGB,
    Sun,
    View,
    lean_offset_px,
    photograph,
    relative_light,
    shadow_share,
)

GSD_M = 0.5


def make_ground(size: int = 121, level: float = 100.0) -> Ground:
    return level_ground(np.full((size, size, 3), level, np.float32), Material.SOIL, GSD_M)


def with_post(ground: Ground, height_m: float, half_px: int = 2) -> Ground:
    middle = ground.shape[0] // 2
    around = slice(middle - half_px, middle + half_px + 1)
    ground.height_m[around, around] = height_m
    return ground


def with_bowl(ground: Ground, radius_m: float = 5.0) -> Ground:
    middle = ground.shape[0] / 2
    patch = patch_around(ground.shape, middle, middle, radius_m, GSD_M)
    assert patch is not None
    depth = -0.5 * radius_m * np.clip(1 - (patch.radius_m / radius_m) ** 2, 0, None)
    ground.height_m[patch.rows, patch.cols] = depth
    return ground


def test_level_ground_keeps_its_colour_exactly() -> None:
    ground = with_post(make_ground(), 6.0)
    ground.colour[...] = np.random.default_rng(0).uniform(0, 255, ground.colour.shape)
    scene = photograph(ground, Sun(135.0, 40.0), View(20.0, 40.0))
    untouched = np.ones(ground.shape, bool)
    untouched[40:, :] = False  # the post's shadow falls up and left, 14 px at most
    np.testing.assert_array_equal(scene[untouched], ground.colour[untouched])
    level = make_ground()
    np.testing.assert_array_equal(photograph(level, Sun(10.0, 20.0)), level.colour)
    assert photograph(level, Sun(10.0, 20.0)) is not level.colour


@pytest.mark.parametrize("azimuth_deg", [0, 30, 45, 90, 137, 180, 222, 270, 315, 350])
@pytest.mark.parametrize("elevation_deg", [25.0, 50.0])
def test_shadow_length_and_direction(azimuth_deg: float, elevation_deg: float) -> None:
    ground = with_post(make_ground(), 5.0, half_px=1)
    shadow = shadow_share(ground.height_m, GSD_M, Sun(azimuth_deg, elevation_deg))
    rows, cols = np.nonzero(shadow > 0.5)
    middle = ground.shape[0] // 2
    azimuth = np.deg2rad(azimuth_deg)
    along = (rows - middle) * np.cos(azimuth) - (cols - middle) * np.sin(azimuth)
    across = (rows - middle) * np.sin(azimuth) + (cols - middle) * np.cos(azimuth)
    expected_px = 5.0 / np.tan(np.deg2rad(elevation_deg)) / GSD_M
    reach_of_post = np.sqrt(2) * 1.5
    assert expected_px - 0.5 < along.max() < expected_px + reach_of_post
    assert np.abs(across).max() < reach_of_post + 0.5
    in_axis = along[np.abs(across) < 0.8].max()  # behind the middle of the post, whose own half width is 1 to 1.5 px
    assert in_axis == pytest.approx(expected_px + 1.0, abs=1.0)


def test_long_wall_casts_h_over_tan() -> None:
    ground = make_ground()
    ground.height_m[60, :] = 4.0
    shadow = shadow_share(ground.height_m, GSD_M, Sun(180.0, 30.0))
    assert shadow[:60, 60].sum() * GSD_M == pytest.approx(4.0 / np.tan(np.deg2rad(30)), abs=GSD_M)
    assert shadow[61:, 60].max() == 0


def test_shadow_is_dim_and_bluish_not_black() -> None:
    scene = photograph(with_post(make_ground(), 8.0), Sun(180.0, 45.0))
    in_shadow = scene[50, 60]
    np.testing.assert_allclose(in_shadow, 100 * np.asarray(SKY_SHARE_RGB), rtol=1e-5)
    assert in_shadow[2] > in_shadow[0] > 20


@pytest.mark.parametrize("azimuth_deg", [0, 60, 90, 180, 250, 300])
def test_sunlit_wall_of_a_bowl_is_the_one_far_from_the_sun(azimuth_deg: float) -> None:
    ground = with_bowl(make_ground(61))
    light = relative_light(ground.height_m, GSD_M, Sun(azimuth_deg, 35.0)).mean(axis=2) - 1.0
    rows, cols = np.indices(light.shape) - 30.0
    azimuth = np.deg2rad(azimuth_deg)
    towards_sun = -rows * np.cos(azimuth) + cols * np.sin(azimuth)
    across = rows * np.sin(azimuth) + cols * np.cos(azimuth)
    assert light[towards_sun < -4].sum() > 0 > light[towards_sun > 4].sum()
    # The dipole's axis is the sun's azimuth.
    assert abs((light * across).sum()) < 0.05 * abs((light * towards_sun).sum())


def test_slope_follows_lambert() -> None:
    ground = make_ground(61)
    slope = 0.2
    ground.height_m[...] = slope * GSD_M * np.arange(61)[::-1][None, :]  # falls to the right, faces right
    light = relative_light(ground.height_m, GSD_M, Sun(90.0, 40.0))[30, 30]
    elevation = np.deg2rad(40.0)
    direct = np.sin(elevation + np.arctan(slope)) / np.sin(elevation)
    np.testing.assert_allclose(light, [sky + (1 - sky) * direct for sky in SKY_SHARE_RGB], rtol=1e-4)


def test_shallow_relief_is_lit_the_same_wherever_its_centre_lies_within_a_pixel() -> None:
    contrasts = []
    for offset in (0.0, 0.25, 0.5, 0.75):
        ground = make_ground(61)
        patch = patch_around(ground.shape, 30 + offset, 30 + offset / 2, 8.0, GSD_M)
        assert patch is not None
        ground.height_m[patch.rows, patch.cols] = -0.6 * np.exp(-((patch.radius_m / 2.0) ** 2))
        contrasts.append(np.abs(relative_light(ground.height_m, GSD_M, Sun(140.0, 45.0)) - 1).sum())
    assert np.ptp(contrasts) < 0.02 * np.mean(contrasts)


def test_wall_does_not_light_up_roof_or_yard() -> None:
    ground = with_post(make_ground(), 5.0, half_px=8)
    light = relative_light(ground.height_m, GSD_M, Sun(180.0, 40.0))[:, 60, 1]
    np.testing.assert_allclose(light[52:69], 1.0, atol=1e-5)
    np.testing.assert_allclose(light[69:75], 1.0, atol=1e-5)


@pytest.mark.parametrize("azimuth_deg", [0.0, 90.0, 135.0, 200.0])
def test_roof_leans_away_from_the_sensor(azimuth_deg: float) -> None:
    ground = with_post(make_ground(), 6.0, half_px=10)
    ground.colour[ground.height_m > 0] = (250.0, 0.0, 0.0)
    ground.material[ground.height_m > 0] = Material.ROOF
    view = View(25.0, azimuth_deg)
    scene = photograph(ground, Sun(azimuth_deg, 60.0), view)
    red = (scene[..., 0] > 150) & (scene[..., 1] < 40)
    rows, cols = np.nonzero(red)
    expected = lean_offset_px(6.0, view, GSD_M)
    assert np.hypot(*expected) == pytest.approx(6.0 * np.tan(np.deg2rad(25.0)) / GSD_M)
    assert (rows.mean() - 60, cols.mean() - 60) == pytest.approx(expected, abs=0.7)
    assert red.sum() == pytest.approx(21 * 21, rel=0.12)


def test_facade_shows_towards_the_sensor_and_ground_behind_is_hidden() -> None:
    ground = with_post(make_ground(), 6.0, half_px=10)
    ground.colour[ground.height_m > 0] = (250.0, 0.0, 0.0)
    ground.material[ground.height_m > 0] = Material.ROOF
    scene = photograph(ground, Sun(180.0, 60.0), View(25.0, 180.0))  # sensor and sun below the image
    assert scene[68, 60, 1] > 60  # the lower wall: a facade tone where the roof was
    assert scene[46, 60, 0] > 200  # the roof hides the ground above the house
    np.testing.assert_array_equal(photograph(ground, Sun(180.0, 60.0), NADIR)[68, 60], ground.colour[68, 60])


def test_nothing_leans_on_level_ground() -> None:
    ground = with_bowl(make_ground(61))
    sun = Sun(100.0, 30.0)
    np.testing.assert_array_equal(photograph(ground, sun, View(30.0, 10.0)), photograph(ground, sun))
