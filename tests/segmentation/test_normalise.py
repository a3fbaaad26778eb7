from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cv_pipeline.segmentation.normalise import (
    CLIP_SD,
    FLOOR_DN,
    MEAN_SIGMA_M,
    SPREAD_SIGMA_M,
    normalise,
    normalise_part,
    shrunk,
)
from cv_pipeline.types import Window
from tests.conftest import texture

GSD_M = 0.5


def image(height: int = 160, width: int = 200, seed: int = 0) -> np.ndarray:
    return (60 + texture(height, width, seed) * 0.5).astype(np.uint8)


def test_shape_type_and_range() -> None:
    rgb = image()
    found = normalise(rgb, np.ones(rgb.shape[:2], bool), GSD_M)
    assert found.shape == (4, 160, 200)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert np.abs(found[:3]).max() <= CLIP_SD
    np.testing.assert_allclose(found[3], rgb.mean(axis=2) / 128 - 1, atol=1e-5)


def test_local_mean_is_zero_and_spread_near_one() -> None:
    rgb = image(400, 400)
    found = normalise(rgb, np.ones(rgb.shape[:2], bool), GSD_M)[:3]
    assert abs(found.mean()) < 0.1
    assert 0.5 < found.std() < 2.0


def test_invalid_pixels_are_zero_and_do_not_matter() -> None:
    rgb = image()
    valid = np.ones(rgb.shape[:2], bool)
    valid[40:90, 50:120] = False
    white = rgb.copy()
    white[~valid] = 255
    black = np.where(valid[..., None], rgb, 0).astype(np.uint8)
    found = normalise(white, valid, GSD_M)
    assert (found[:, ~valid] == 0).all()
    np.testing.assert_array_equal(found, normalise(black, valid, GSD_M))


def test_a_hole_leaves_the_ground_beside_it_almost_as_it_was() -> None:
    rgb = image()
    valid = np.ones(rgb.shape[:2], bool)
    whole = normalise(rgb, valid, GSD_M)
    valid[:, 150:] = False
    cut = normalise(rgb, valid, GSD_M)
    # Black that counted as ground would shift the colours there by several SDs.
    assert np.abs(whole - cut)[:, :, :140].max() < 1.0


@pytest.mark.parametrize(("gain", "offset"), [(0.6, 0.0), (1.0, 40.0), (0.7, 60.0)])
def test_colours_do_not_follow_gain_and_offset(gain: float, offset: float) -> None:
    rgb = image()
    valid = np.ones(rgb.shape[:2], bool)
    other = np.rint(rgb * gain + offset).clip(0, 255).astype(np.uint8)
    assert other.max() < 255
    first, second = normalise(rgb, valid, GSD_M)[:3], normalise(other, valid, GSD_M)[:3]
    # The constant of 2.5 DN takes a little of a weaker signal; a straight line must remain.
    slope = (first * second).sum() / (first**2).sum()
    assert 0.8 < slope < 1.05
    assert np.abs(second - slope * first).mean() < 0.06


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_field_is_not_blown_up(value: int) -> None:
    rgb = np.full((80, 80, 3), value, np.uint8)
    found = normalise(rgb, np.ones((80, 80), bool), GSD_M)
    assert np.abs(found[:3]).max() < 0.05


def test_nothing_valid_gives_zeros() -> None:
    found = normalise(image(), np.zeros((160, 200), bool), GSD_M)
    assert np.isfinite(found).all()
    assert (found == 0).all()


def test_an_image_smaller_than_the_shrink_factor() -> None:
    found = normalise(np.full((3, 2, 3), 90, np.uint8), np.ones((3, 2), bool), GSD_M)
    assert found.shape == (4, 3, 2)
    assert np.isfinite(found).all()


def plainly(rgb: np.ndarray, valid: np.ndarray, gsd_m: float) -> np.ndarray:
    """The formula as it reads, in double precision with scipy; sides are multiples of 4."""
    height, width = valid.shape

    def shrunk(image: np.ndarray) -> np.ndarray:
        return image.reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3))

    def blurred(image: np.ndarray, sigma_m: float) -> np.ndarray:
        sigma = sigma_m / gsd_m / 4
        return gaussian_filter(shrunk(image), sigma, mode="mirror", radius=(round(8 * sigma + 1) | 1) // 2)

    def enlarged(small: np.ndarray) -> np.ndarray:
        rows, cols = ((np.arange(4 * side) + 0.5) / 4 - 0.5 for side in small.shape)
        down = np.array([np.interp(rows, np.arange(len(small)), column) for column in small.T]).T
        return np.array([np.interp(cols, np.arange(small.shape[1]), row) for row in down])

    image = rgb.astype(np.float64) * valid[..., None]
    light = image.mean(axis=2)
    share, wide_share = (blurred(valid.astype(np.float64), s) + 1e-6 for s in (MEAN_SIGMA_M, SPREAD_SIGMA_M))
    wide_mean = blurred(light, SPREAD_SIGMA_M) / wide_share
    variance = blurred(light**2, SPREAD_SIGMA_M) / wide_share - wide_mean**2
    spread = enlarged(np.sqrt(variance.clip(0)) + FLOOR_DN)
    means = [enlarged(blurred(image[..., k], MEAN_SIGMA_M) / share) for k in range(3)]
    colours = [((image[..., k] - means[k]) / spread).clip(-CLIP_SD, CLIP_SD) for k in range(3)]
    return np.stack([*colours, light / 128 - 1]) * valid


@pytest.mark.parametrize("holes", [False, True])
def test_agrees_with_the_formula_written_plainly(holes: bool) -> None:
    rgb = image(320, 400)
    valid = np.ones(rgb.shape[:2], bool)
    if holes:
        valid[40:90, 50:120] = False
        valid[::7, ::5] = False
    np.testing.assert_allclose(normalise(rgb, valid, GSD_M), plainly(rgb, valid, GSD_M), atol=1e-4)


def test_a_part_is_cut_from_the_whole() -> None:
    rgb = image(320, 400)
    valid = np.ones(rgb.shape[:2], bool)
    valid[40:90, 50:120] = False
    whole, small = normalise(rgb, valid, GSD_M), shrunk(rgb, valid)
    for window in (Window(16, 32, 96, 160), Window(0, 0, 320, 400), Window(3, 397, 317, 3), Window(7, 5, 1, 1)):
        cut = np.s_[window.row : window.row + window.height, window.col : window.col + window.width]
        part = normalise_part(rgb[cut], valid[cut], GSD_M, small, window)
        assert part.flags.c_contiguous
        np.testing.assert_array_equal(part, whole[:, *cut])
