from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.strike import NO_CHANGE, Strike
from cv_pipeline.simulation.visibility import LEAST_CONSPICUITY, conspicuity

STRIKE = Strike(50.0, 50.0, 3.0, NO_CHANGE)
GSD_M = 0.5


def field(change: tuple[float, float, float] = (0, 0, 0), sd_dn: float = 8.0) -> np.ndarray:
    rng = np.random.default_rng(2)
    image = rng.normal((90, 100, 80), sd_dn, (100, 100, 3))
    rows, cols = np.mgrid[:100, :100] + 0.5
    image[np.hypot(rows - 50, cols - 50) * GSD_M < 3.0] += change
    return np.clip(image, 0, 255).astype(np.uint8)


def test_nothing_drawn_is_below_the_limit_and_a_dark_core_far_above() -> None:
    assert conspicuity(field(), STRIKE, GSD_M) < LEAST_CONSPICUITY
    assert conspicuity(field((-30, -30, -30)), STRIKE, GSD_M) > 3


def test_colour_alone_is_seen() -> None:
    assert conspicuity(field((25, -12, 0)), STRIKE, GSD_M) > 1.5


def test_rough_ground_hides_what_smooth_ground_shows() -> None:
    change = (-8.0, -8.0, -8.0)
    rough, smooth = (conspicuity(field(change, sd), STRIKE, GSD_M) for sd in (20.0, 3.0))
    assert smooth > 2 * rough


@pytest.mark.parametrize("value", [0, 128])
def test_flat_images_show_nothing(value: int) -> None:
    assert conspicuity(np.full((100, 100, 3), value, np.uint8), STRIKE, GSD_M) == 0.0


def test_outside_the_image_nothing_is_seen() -> None:
    assert conspicuity(field(), STRIKE.at(-90.0, 50.0), GSD_M) == 0.0
