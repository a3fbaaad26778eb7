from __future__ import annotations

import cv2
import numpy as np
import pytest

from cv_pipeline.evaluation.rivals import ESTIMATORS, error_px, spread
from cv_pipeline.registration.coarse import IDENTITY
from cv_pipeline.types import Float64Array


def shifted(right_px: float, down_px: float) -> Float64Array:
    return np.array([[1.0, 0.0, right_px], [0.0, 1.0, down_px]])


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "ours"])
def test_rivals_are_asked_in_our_frame(name: str) -> None:
    """What was 3 px further left and 2 px further down before is moved right and up: the sign and axes are ours."""
    ground = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (200, 240, 3), dtype=np.uint8), (0, 0), 1.5)
    after, before = ground[20:180, 20:220], ground[18:178, 23:223]
    matrix = ESTIMATORS[name](before, after)
    assert matrix is not None
    assert error_px(matrix, shifted(3, -2), (160, 200)) < 0.5


def test_error_is_the_distance_over_the_image() -> None:
    assert error_px(shifted(3, 4), IDENTITY, (100, 50)) == pytest.approx(5)
    turned = np.array([[1.0, 0.01, 0.0], [0.0, 1.0, 0.0]])
    assert error_px(turned, IDENTITY, (100, 50)) == pytest.approx(1 / np.sqrt(3), rel=0.05)


def test_refusals_have_no_error() -> None:
    found = spread([1.0, None, 3.0, 2.0])
    assert found[:3] == (4, 3, 2.0)
    assert found.worst_px == 3.0
    assert found.far == 1
    assert spread([None]) == (1, 0, None, None, None, 0)
