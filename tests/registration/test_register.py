"""Planted transforms on the shipped mosaic are recovered; unrelated pairs are refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipeline.config import AssessConfig
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import overview
from cv_pipeline.registration.register import before_view, register
from cv_pipeline.types import Gate, Registration, Window

MOSAIC = Path(__file__).parents[2] / "datasets" / "kampala_strikes" / "before.tif"
GSD_M = 0.5


def ground() -> np.ndarray:
    """A real scene (rows, cols, 3) at 0.5 m."""
    rgb, _, _ = overview(open_source(MOSAIC), 458)
    return rgb


def moved(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """``image`` with (col, row) moved by ``matrix`` (2, 3) of corner-based pixel coordinates."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centred = np.linalg.inv(half) @ np.vstack([matrix, [0, 0, 1]]) @ half
    size = image.shape[1], image.shape[0]
    return cv2.warpAffine(image, centred[:2], size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def similarity(shift: tuple[float, float], rotation_deg: float, scale: float, shape: tuple[int, ...]) -> np.ndarray:
    """(2, 3): turn and scale about the image's centre, then shift by (col, row)."""
    matrix = cv2.getRotationMatrix2D((shape[1] / 2, shape[0] / 2), rotation_deg, scale)
    matrix[:, 2] += shift
    return matrix


def run(tmp_path: Path, before: np.ndarray, after: np.ndarray) -> Registration:
    paths = []
    for name, image in (("before", before), ("after", after)):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), image[..., ::-1])
        paths.append(path)
    pair = open_pair(paths[0], paths[1], AssessConfig(gsd_m=GSD_M))
    registration = register(pair, GSD_M).registration
    assert registration is not None
    return registration


def worst_error_px(found: Registration, planted: np.ndarray, shape: tuple[int, ...]) -> float:
    """Greatest distance between where the found and the planted transform put the image's corners."""
    corners = np.array([[0, 0, 1], [shape[1], 0, 1], [0, shape[0], 1], [shape[1], shape[0], 1]], dtype=float)
    return float(np.linalg.norm(corners @ (found.matrix - planted).T, axis=1).max())


@pytest.mark.parametrize(
    ("shift", "rotation_deg", "scale"),
    [
        ((0.0, 0.0), 0.0, 1.0),
        ((0.4, -0.3), 0.1, 1.0),
        ((-6.3, 4.7), -0.8, 1.0),
        ((21.0, -14.5), 1.5, 1.01),
        ((50.0, 40.0), -5.0, 0.95),
    ],
)
def test_a_planted_similarity_is_recovered(
    tmp_path: Path, shift: tuple[float, float], rotation_deg: float, scale: float
) -> None:
    before = ground()
    planted = similarity(shift, rotation_deg, scale, before.shape)
    rng = np.random.default_rng(3)
    after = moved(before, planted).astype(float) ** 0.9 * 1.4 + rng.normal(0, 4, before.shape)
    found = run(tmp_path, before, np.clip(after, 0, 255).astype(np.uint8))
    assert found.gate is Gate.PASS
    assert worst_error_px(found, planted, before.shape) < 0.35
    assert found.sd_m < 0.5 * GSD_M
    assert found.rotation_deg == pytest.approx(-rotation_deg, abs=0.05)  # OpenCV turns the other way
    assert found.scale == pytest.approx(scale, abs=0.001)


def test_change_over_a_tenth_of_the_ground_does_not_pull_the_fit(tmp_path: Path) -> None:
    before = ground()
    planted = similarity((2.3, -1.6), 0.4, 1.0, before.shape)
    after = moved(before, planted)
    rng = np.random.default_rng(5)
    for _ in range(25):
        col, row = rng.integers(0, before.shape[1]), rng.integers(0, before.shape[0])
        cv2.circle(after, (int(col), int(row)), 9, (25, 22, 20), -1, cv2.LINE_AA)
    found = run(tmp_path, before, after)
    assert found.gate is Gate.PASS
    assert worst_error_px(found, planted, before.shape) < 0.35


def test_unrelated_ground_is_refused_and_left_unmoved(tmp_path: Path) -> None:
    scene = ground()
    half = scene.shape[1] // 2
    left, right = scene[:, :half], np.rot90(scene[:, -half:], 2)
    found = run(tmp_path, np.ascontiguousarray(left), np.ascontiguousarray(right))
    assert found.gate is Gate.FAIL
    assert "same place" in found.reason
    np.testing.assert_allclose(found.matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-9)
    assert found.sd_m > 5.0


def test_the_before_view_lies_on_the_after_image(tmp_path: Path) -> None:
    before = ground()
    planted = similarity((7.0, 3.0), 0.6, 1.0, before.shape)
    after = moved(before, planted)
    for name, image in (("b", before), ("a", after)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), image[..., ::-1])
    pair = open_pair(tmp_path / "b.png", tmp_path / "a.png", AssessConfig(gsd_m=GSD_M))
    aligned = register(pair, GSD_M)
    inner = Window(40, 40, before.shape[0] - 80, before.shape[1] - 80)
    with before_view(aligned) as view:
        seen, valid = view.read(inner)
    wanted = after[40:-40, 40:-40]
    assert valid.all()
    assert np.abs(seen.astype(float) - wanted).mean() < 4.0  # unaligned it is above 20
    assert np.abs(before[40:-40, 40:-40].astype(float) - wanted).mean() > 20.0


def test_after_only_has_nothing_to_register(tmp_path: Path) -> None:
    aligned = register(open_pair(None, MOSAIC, AssessConfig()), 0.6)
    assert aligned.registration is None
    assert aligned.working_grid.gsd_m == pytest.approx(0.6)
    with pytest.raises(ValueError, match="no before"):
        before_view(aligned)
