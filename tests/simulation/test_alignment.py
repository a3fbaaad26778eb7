"""Residual misregistration: planted displacement, and what the image shows of it."""

import numpy as np
import pytest

from cv_pipeline.simulation.alignment import ALIGNED, Misalignment, displacement_px, draw_misalignment, misaligned
from cv_pipeline.simulation.config import SensorConfig


def make_image(size: int = 96) -> np.ndarray:
    rows, cols = np.indices((size, size))
    spot = 200 * np.exp(-((rows - 40.0) ** 2 + (cols - 60.0) ** 2) / 18)
    return np.repeat((20 + spot)[..., None], 3, axis=2).astype(np.uint8)


def spot_centre(image: np.ndarray) -> tuple[float, float]:
    weight = np.clip(image[..., 0].astype(float) - 40, 0, None)
    rows, cols = np.indices(weight.shape)
    return float((weight * rows).sum() / weight.sum()), float((weight * cols).sum() / weight.sum())


def test_ground_moves_by_the_stated_displacement() -> None:
    misalignment = Misalignment((1.4, -0.7), 1.5, 1.01, 1.0, 60.0, 5)
    image = make_image()
    displacement = displacement_px(misalignment, (96, 96))
    row, col = spot_centre(misaligned(image, displacement))
    start_row, start_col = spot_centre(image)
    assert row - start_row == pytest.approx(displacement[0, 40, 60], abs=0.1)
    assert col - start_col == pytest.approx(displacement[1, 40, 60], abs=0.1)


def test_rotation_is_clockwise_about_the_centre() -> None:
    displacement = displacement_px(Misalignment((0.0, 0.0), 1.0, 1.0, 0.0, 1.0, 0), (101, 101))
    assert np.abs(displacement[:, 50, 50]).max() < 1e-5
    assert displacement[0, 50, 100] == pytest.approx(50 * np.sin(np.deg2rad(1.0)), rel=1e-3)  # right goes down
    assert displacement[1, 0, 50] == pytest.approx(50 * np.sin(np.deg2rad(1.0)), rel=1e-3)  # top goes right


def test_relief_is_smooth_bounded_and_along_one_line() -> None:
    field = displacement_px(Misalignment((0.0, 0.0), 0.0, 1.0, 1.5, 50.0, 3), (200, 300))
    length = np.hypot(field[0], field[1])
    assert 0.3 < length.max() <= 1.5
    assert np.abs(np.diff(field, axis=2)).max() < 0.15
    assert np.linalg.matrix_rank(field.reshape(2, -1), tol=1e-2) == 1


def test_aligned_returns_the_same_image() -> None:
    image = make_image()
    assert misaligned(image, displacement_px(ALIGNED, (96, 96))) is image
    assert draw_misalignment(np.random.default_rng(0), 0.6, SensorConfig(misaligned_share=0)) == ALIGNED


def test_drawn_residuals_are_mostly_below_half_a_pixel_with_a_tail_to_two() -> None:
    rng = np.random.default_rng(1)
    lengths = [np.hypot(*draw_misalignment(rng, 0.6, SensorConfig()).shift_px) for _ in range(2000)]
    assert np.quantile(lengths, 0.5) < 0.5
    assert 0.03 < np.mean(np.greater(lengths, 1.0)) < 0.12
    assert max(lengths) <= 2.0 + 1e-9 or np.mean(np.greater(lengths, 2.0)) < 0.001
