from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.sensor import Sensor, acquire, draw_sensor

IDENTITY = Sensor((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 1.0, 1.0, 0.2, 0.0, 0.0, None, 3)


def scene() -> np.ndarray:
    return np.random.default_rng(0).uniform(30, 220, (32, 40, 3)).astype(np.float32)


def test_identity_sensor_only_rounds() -> None:
    image = acquire(scene(), IDENTITY)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(float) - scene()).max() <= 1.0


def test_gain_and_offset_act_per_channel() -> None:
    flat = np.full((16, 16, 3), 100, np.float32)
    image = acquire(flat, replace(IDENTITY, gain=(0.5, 1.0, 1.5), offset_dn=(10, 0, -20)))
    np.testing.assert_allclose(image[8, 8], [60, 100, 130], atol=1)


def test_blur_lowers_contrast_and_noise_has_its_sd() -> None:
    assert acquire(scene(), replace(IDENTITY, blur_px=2.0)).std() < 0.5 * scene().std()
    flat = np.full((128, 128, 3), 120, np.float32)
    assert acquire(flat, replace(IDENTITY, noise_dn=4.0)).std() == pytest.approx(
        4.0, rel=0.1
    )  # 0.8 ** 2 + 0.6 ** 2 = 1


def test_the_same_sensor_makes_the_same_image() -> None:
    sensor = draw_sensor(np.random.default_rng(9), 0.5)
    np.testing.assert_array_equal(acquire(scene(), sensor), acquire(scene(), sensor))
    assert not np.array_equal(acquire(scene(), sensor), acquire(scene(), replace(sensor, noise_seed=1)))


def test_jpeg_keeps_shape_and_colour_order() -> None:
    red = np.zeros((24, 24, 3), np.float32) + np.array([200, 40, 30], np.float32)
    image = acquire(red, replace(IDENTITY, jpeg_quality=80))
    np.testing.assert_allclose(image[12, 12], [200, 40, 30], atol=4)
