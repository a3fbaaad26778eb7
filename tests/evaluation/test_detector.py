from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipeline.evaluation.detector import detect_craters
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.types import ModelInfo
from tests.segmentation.factories import PlantedNet

MODEL = ModelInfo("planted", "", 0.5, 0.2, 1.2, 0.5)


@pytest.mark.parametrize("gsd_m", [0.25, 0.5, 0.8])
def test_planted_craters_are_found_in_pixels_of_the_image(tmp_path: Path, gsd_m: float) -> None:
    at_m = np.array([[40.0, 55.0], [90.0, 30.0]])  # right, down
    side = round(120 / gsd_m)
    down, right = (np.indices((side, side)) + 0.5) * gsd_m
    image = np.full((side, side, 3), 120, np.uint8)
    for x_m, y_m in at_m:
        image[np.hypot(right - x_m, down - y_m) < 3.0] = (0, 0, 255)  # OpenCV writes blue first
    cv2.imwrite(str(tmp_path / "a.png"), image)
    found = detect_craters(tmp_path / "a.png", gsd_m, TorchBackend(PlantedNet(3.0, 7.0)), MODEL, score_threshold=0.3)
    order = np.argsort(found.points_px[:, 0])
    np.testing.assert_allclose(found.points_px[order] * gsd_m, at_m, atol=0.4)
    assert (found.score > 0.3).all()
