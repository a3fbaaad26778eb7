"""Acquisition: every stage on a scene for which its effect is known."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from cv_pipeline.simulation.config import SensorConfig
from cv_pipeline.simulation.sensor import Kernel, Sensor, acquire, draw_sensor, draw_sensors

IDENTITY = Sensor((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 1.0, 1.0, 0.0, 0.0, 0.0, None, 3)


def scene() -> np.ndarray:
    return np.random.default_rng(0).uniform(30, 220, (32, 40, 3)).astype(np.float32)


def flat(level: float = 100.0, size: int = 128) -> np.ndarray:
    return np.full((size, size, 3), level, np.float32)


def step_edge(size: int = 128) -> np.ndarray:
    image = flat(60.0, size)
    image[:, size // 2 :] = 160.0
    return image


def test_identity_sensor_only_rounds() -> None:
    image = acquire(scene(), IDENTITY)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(float) - scene()).max() <= 0.51


def test_gain_and_offset_act_per_channel() -> None:
    image = acquire(flat(), replace(IDENTITY, gain=(0.5, 1.0, 1.5), offset_dn=(10, 0, -20)))
    np.testing.assert_allclose(image[8, 8], [60, 100, 130], atol=1)


def test_gamma_level_and_contrast() -> None:
    assert acquire(flat(), replace(IDENTITY, gamma=1.3))[0, 0, 0] == pytest.approx(255 * (100 / 255) ** 1.3, abs=1)
    assert acquire(flat(150.0), replace(IDENTITY, level_dn=90.0))[0, 0, 0] == pytest.approx(
        150 * (90 / 150) ** 0.7, abs=1
    )
    halved = acquire(scene(), replace(IDENTITY, contrast=0.5)).astype(float)
    assert halved.std() == pytest.approx(0.5 * scene().std(), rel=0.02)


def test_stretch_widens_a_dull_scene_and_clips_its_ends() -> None:
    dull = 100 + 0.1 * (scene() - 125)
    assert acquire(dull, replace(IDENTITY, clip_share=0.01)).std() > 1.5 * dull.std()


@pytest.mark.parametrize("sigma_px", [0.6, 1.0, 1.8])
def test_blur_has_the_stated_sigma(sigma_px: float) -> None:
    edge = acquire(step_edge(), replace(IDENTITY, blur_px=sigma_px)).astype(float)[64, :, 1]
    spread = np.diff(edge)
    position = np.arange(spread.size)
    centre = (position * spread).sum() / spread.sum()
    assert np.sqrt((spread * (position - centre) ** 2).sum() / spread.sum()) == pytest.approx(sigma_px, rel=0.12)
    assert centre == pytest.approx(63.0, abs=0.05)


@pytest.mark.parametrize("kernel", get_args(Kernel))
def test_coarser_sensor_keeps_place_and_level(kernel: str) -> None:
    image = acquire(step_edge(120), replace(IDENTITY, native_px=2.0, file_px=1.5, kernel=kernel)).astype(float)
    assert image.shape == (120, 120, 3)
    assert image.mean() == pytest.approx(110, abs=1.5)
    edge = np.interp(110.0, image[60, 50:70, 1], np.arange(50, 70))
    assert edge == pytest.approx(59.5, abs=1.1)
    assert np.abs(np.diff(image[60, :, 1])).max() < 100


@pytest.mark.parametrize("kernel", get_args(Kernel))
@pytest.mark.parametrize(
    ("native_px", "file_px"), [(1.0, 1.5), (1.5, 1.5), (1.6, 1.0), (2.0, 1.5), (2.4, 1.3), (3.0, 3.0)]
)
def test_no_resampling_moves_the_ground(kernel: Kernel, native_px: float, file_px: float) -> None:
    side = 180
    rows, cols = np.indices((side, side)) + 0.5
    row, col = 81.3, 96.6
    blob = 60 + 120 * np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * 6.0**2))
    sensor = replace(IDENTITY, native_px=native_px, file_px=file_px, kernel=kernel)
    weight = acquire(np.repeat(blob[..., None], 3, axis=2).astype(np.float32), sensor)[..., 1].astype(float) - 60
    weight[weight < 3] = 0
    found = (rows * weight).sum() / weight.sum(), (cols * weight).sum() / weight.sum()
    assert found == pytest.approx((row, col), abs=0.05)


def test_sharpening_leaves_halos() -> None:
    image = acquire(step_edge(), replace(IDENTITY, sharpen=0.8, blur_px=0.8)).astype(float)[64, :, 1]
    assert image.max() > 165
    assert image.min() < 55


@pytest.mark.parametrize("level", [40.0, 160.0])
def test_noise_grows_with_the_signal(level: float) -> None:
    image = acquire(flat(level), replace(IDENTITY, noise_dn=4.0)).astype(float)
    expected = 4.0 * np.sqrt(0.3 + 0.7 * level / 100)
    assert image.std() == pytest.approx(expected, rel=0.05)  # 0.8 ** 2 + 0.6 ** 2 = 1


def test_stripes_run_along_columns() -> None:
    image = acquire(flat(), replace(IDENTITY, stripe_dn=2.0)).astype(float)
    assert image.mean(axis=0).std() == pytest.approx(2.0, rel=0.3)
    assert image[:, 5].std() < 0.01


def test_pansharpening_keeps_luminance_sharp_and_colour_soft_and_shifted() -> None:
    scene_ = flat(100.0)
    scene_[:, 64:] = (180.0, 60.0, 60.0)
    image = acquire(scene_, replace(IDENTITY, chroma_shift_px=(0.0, 2.0))).astype(float)
    weights = np.array([0.30, 0.55, 0.15])
    np.testing.assert_allclose(image[64] @ weights, scene_[64] @ weights, atol=1.0)
    chroma = image[64, :, 0] - image[64, :, 1]
    assert np.sum(np.abs(np.diff(chroma)) > 1) >= 4
    crossing = np.interp(60.0, chroma[50:80], np.arange(50, 80))
    assert crossing == pytest.approx(63.5 + 2.0, abs=0.6)
    np.testing.assert_allclose(image[64, 100], (180, 60, 60), atol=1.5)


def test_black_and_white() -> None:
    image = acquire(scene(), replace(IDENTITY, saturation=0.0))
    assert np.ptp(image.astype(int), axis=2).max() <= 1


def test_the_same_sensor_makes_the_same_image() -> None:
    sensor = replace(draw_sensor(np.random.default_rng(9), 0.5), jpeg_quality=80, noise_dn=3.0)
    np.testing.assert_array_equal(acquire(scene(), sensor), acquire(scene(), sensor))
    assert not np.array_equal(acquire(scene(), sensor), acquire(scene(), replace(sensor, noise_seed=1)))


@pytest.mark.parametrize("change", [{"jpeg_quality": 80}, {"jpeg2000_ratio": 10.0}])
def test_compression_keeps_shape_place_and_colour_order(change: dict[str, float]) -> None:
    red = np.zeros((35, 41, 3), np.float32) + np.array([200, 40, 30], np.float32)
    red[:, 20:] = (30, 40, 200)
    image = acquire(red, replace(IDENTITY, **change))
    assert image.shape == red.shape
    np.testing.assert_allclose(image[12, 4], [200, 40, 30], atol=6)
    np.testing.assert_allclose(image[12, 36], [30, 40, 200], atol=6)


OFF = SensorConfig(
    coarse_share=0, pansharpen_share=0, sharpen_share=0, stripe_share=0, jpeg_share=0, jpeg2000_share=0, dull_share=0,
    vivid_share=0, black_and_white_share=0, stretch_share=0, enlarged_share=0,
)  # fmt: skip


def test_a_share_of_zero_turns_its_element_off_and_leaves_the_rest() -> None:
    for seed in range(30):
        on, off = (draw_sensor(np.random.default_rng(seed), 0.6, config) for config in (SensorConfig(), OFF))
        assert off.jpeg_quality is off.jpeg2000_ratio is off.chroma_shift_px is None
        assert off.sharpen == off.stripe_dn == off.clip_share == 0
        assert off.native_px <= 0.8 / 0.6 + 1e-9
        assert 0.45 <= off.saturation <= 1.25
        assert (on.noise_seed, on.gamma, on.level_dn) == (off.noise_seed, off.gamma, off.level_dn)
        assert on.saturation == 0 or on.gain == off.gain  # black and white has no cast


def test_a_pair_of_one_sensor_differs_in_radiometry_only() -> None:
    before, after = draw_sensors(np.random.default_rng(2), 0.6, SensorConfig(same_sensor_share=1))
    assert (before.native_px, before.sharpen, before.jpeg_quality) == (
        after.native_px,
        after.sharpen,
        after.jpeg_quality,
    )
    assert before.gain != after.gain
    assert before.noise_seed != after.noise_seed
