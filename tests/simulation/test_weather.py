"""Weather: planted air light, clouds with shadows where the sun puts them, plumes that hide."""

import cv2
import numpy as np
import pytest

from cv_pipeline.simulation.config import WeatherConfig
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.weather import CLEAR, Plume, apply_weather, draw_weather, smooth_field

SUN = Sun(150.0, 40.0)


def make_scene(size: int = 200, level: float = 100.0) -> np.ndarray:
    return np.full((size, size, 3), level, np.float32)


def test_clear_air_changes_and_hides_nothing() -> None:
    scene = make_scene()
    assert not apply_weather(scene, CLEAR, SUN, 0.6).any()
    assert (scene == 100).all()


def test_haze_lowers_contrast_by_its_share() -> None:
    scene = make_scene()
    scene[:100] = 50
    hidden = apply_weather(scene, CLEAR._replace(haze=0.25), SUN, 0.6)
    assert not hidden.any()
    np.testing.assert_allclose(scene[150, 0] - scene[50, 0], 0.75 * 50, rtol=1e-5)


def test_patchy_haze_varies() -> None:
    scene = make_scene()
    apply_weather(scene, CLEAR._replace(haze=0.3, haze_patchiness=1.0, seed=3), SUN, 2.0)
    assert scene[..., 2].std() > 3


@pytest.mark.parametrize("azimuth_deg", [0.0, 90.0, 215.0])
def test_cloud_shadow_falls_away_from_the_sun(azimuth_deg: float) -> None:
    sun, height_m, gsd_m = Sun(azimuth_deg, 45.0), 60.0, 1.0
    scene = make_scene(600)
    weather = CLEAR._replace(cloud_cover=0.25, cloud_alpha=1.0, cloud_height_m=height_m, seed=5)
    hidden = apply_weather(scene, weather, sun, gsd_m)
    assert 0.05 < hidden.mean() < 0.5
    azimuth = np.deg2rad(azimuth_deg)
    offset = round(height_m * np.cos(azimuth)), round(-height_m * np.sin(azimuth))  # tan 45 = 1
    shaded = scene[..., 0] < 75
    shadow_of_cloud = np.roll(hidden, offset, (0, 1))[70:-70, 70:-70]
    clear = cv2.dilate(hidden.astype(np.uint8), np.ones((41, 41), np.uint8)) == 0
    open_ground = clear[70:-70, 70:-70]
    assert shaded[70:-70, 70:-70][shadow_of_cloud & open_ground].mean() > 0.9
    assert shaded[70:-70, 70:-70][~shadow_of_cloud & open_ground].mean() < 0.15


def test_thin_cloud_hides_nothing_but_brightens() -> None:
    scene = make_scene(400)
    weather = CLEAR._replace(cloud_cover=0.4, cloud_alpha=0.3, cloud_height_m=5000.0, seed=1)
    assert not apply_weather(scene, weather, SUN, 2.0).any()
    assert scene.max() > 110


def test_plume_drifts_along_its_azimuth() -> None:
    scene = make_scene()
    plume = Plume((0.5, 0.5), 90.0, 50.0, 15.0, 0.85, (220.0, 220.0, 220.0))
    hidden = apply_weather(scene, CLEAR._replace(plumes=(plume,), seed=2), SUN, 0.6)
    brightened = scene[..., 0] - 100
    assert brightened[:, :96].max() < 1
    assert brightened[:, 104:].sum() > 1000
    assert hidden[:, 100:].any()


def test_windows_of_one_plane_agree() -> None:
    whole = smooth_field((120, 120), 1.0, 7, (1000.0, 500.0), 30.0, octaves=3)
    part = smooth_field((60, 60), 1.0, 7, (1060.0, 540.0), 30.0, octaves=3)
    np.testing.assert_allclose(part, whole[60:, 40:100], atol=0.06)
    large = smooth_field((1500, 1500), 1.0, 8, (0.0, 0.0), 20.0)
    assert large.std() == pytest.approx(1.0, abs=0.1)
    assert large.mean() == pytest.approx(0.0, abs=0.1)


def test_drawn_weather_follows_its_shares() -> None:
    none = WeatherConfig(haze_share=0, thin_cloud_share=0, thick_cloud_share=0, smoke_share=0)
    rng = np.random.default_rng(0)
    assert all(draw_weather(rng, none)[0::2][0:2] == (0.0, 0.0) for _ in range(50))
    drawn = [draw_weather(rng, WeatherConfig()) for _ in range(1000)]
    assert np.mean([weather.haze > 0 for weather in drawn]) == pytest.approx(0.22, abs=0.05)
    assert np.mean([weather.cloud_cover > 0 for weather in drawn]) == pytest.approx(0.07, abs=0.03)
    assert np.mean([len(weather.plumes) > 0 for weather in drawn]) == pytest.approx(0.05, abs=0.03)
