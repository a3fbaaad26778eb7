from __future__ import annotations

import cv2
import numpy as np
import pytest

from cv_pipeline.imagery.sharpness import radial_power, sharpness
from cv_pipeline.imagery.source import open_source

NAMES = {"cubic": cv2.INTER_CUBIC, "linear": cv2.INTER_LINEAR, "lanczos": cv2.INTER_LANCZOS4}


def natural(side: int, seed: int = 0) -> np.ndarray:
    """A random image whose amplitude falls with frequency, as natural images' does, through optics, with noise."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    fall = np.where(frequency > 0, 1 / np.maximum(frequency, 1 / side), 0) * np.exp(-((frequency / 0.5) ** 2))
    image = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, side))) * fall, (side, side))
    image = 128 + 35 * image / image.std() + rng.normal(0, 1, image.shape)
    return np.clip(image, 0, 255)[..., None].repeat(3, axis=2)


def enlarged(factor: float, how: int) -> np.ndarray:
    small = natural(round(512 / factor))
    return np.clip(cv2.resize(small, (512, 512), interpolation=how), 0, 255)


def test_a_sharp_image_is_sharp(make_tiff):
    found = sharpness(open_source(make_tiff(natural(512))))
    assert (found.effective_px, found.repeated) == (1.0, False)


@pytest.mark.parametrize("how", list(NAMES))
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_an_enlarged_image_is_recognised(make_tiff, how, factor):
    found = sharpness(open_source(make_tiff(enlarged(factor, NAMES[how]))))
    assert 0.5 * factor < found.effective_px < 1.4 * factor  # linear interpolation ends the spectrum less sharply
    assert found.effective_px > 1.3
    assert not found.repeated


def test_repeated_pixels_are_recognised(make_tiff):
    found = sharpness(open_source(make_tiff(np.kron(natural(256), np.ones((2, 2, 1))))))
    assert found.repeated


def test_nothing_to_measure(make_tiff):
    flat = make_tiff(np.full((96, 96, 3), 7.0), name="flat.tif")
    small = make_tiff(natural(512)[:40, :400], name="small.tif")
    holes = natural(512)
    holes[::20, ::20] = 0
    full_of_holes = make_tiff(holes, name="holes.tif", nodata=0)
    for path in (flat, small, full_of_holes):
        assert sharpness(open_source(path)).effective_px is None


def test_power_is_where_the_wave_is():
    wave = np.sin(2 * np.pi * 12 * np.arange(64) / 64)[None].repeat(64, axis=0)
    assert radial_power(wave).argmax() == 12
