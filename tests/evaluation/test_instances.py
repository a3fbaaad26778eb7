from __future__ import annotations

import numpy as np
import pytest
from shapely import area

from cv_pipeline.evaluation.instances import covered, impact_edges, match_overlaps, outlines, overlaps
from cv_pipeline.types import Impact, PatternKind, Status


def impact(radius_m: float, major_m: float | None = None, minor_m: float | None = None, turn: float = 0.0) -> Impact:
    return Impact(
        "I001", 0, 0, 0, 0, None, None, 0.9, Status.UNKNOWN, None, 0.1, radius_m, 0.1, None, None, PatternKind.NONE,
        None, None, crater_major_m=major_m, crater_minor_m=minor_m, crater_azimuth_deg=turn,
    )  # fmt: skip


def disc(x_m: float, y_m: float, radius_m: float) -> np.ndarray:
    return outlines(np.array([[x_m, y_m]]), np.full((1, 360), radius_m))


def test_discs_overlap_as_geometry_says() -> None:
    assert overlaps(disc(0, 0, 2), disc(0, 0, 3))[0, 0] == pytest.approx(4 / 9, abs=1e-3)
    # Lens of two unit circles one radius apart.
    lens = 2 * np.pi / 3 - np.sqrt(3) / 2
    assert overlaps(disc(0, 0, 1), disc(1, 0, 1))[0, 0] == pytest.approx(lens / (2 * np.pi - lens), abs=1e-3)
    assert overlaps(disc(0, 0, 1), disc(5, 0, 1))[0, 0] == 0


def test_nothing_overlaps_nothing() -> None:
    none = outlines(np.zeros((0, 2)), np.zeros((0, 72)))
    assert overlaps(none, disc(0, 0, 1)).shape == (0, 1)
    assert overlaps(disc(0, 0, 1), none).shape == (1, 0)


def test_ellipse_lies_along_its_azimuth() -> None:
    edge = impact_edges([impact(2.0, 4.0, 1.0, 90.0), impact(2.0)])
    shape = outlines(np.array([[10.0, 20.0], [0.0, 0.0]]), edge)
    left, top, right, bottom = shape[0].bounds
    assert (right - left, bottom - top) == pytest.approx((8.0, 2.0), abs=0.05)
    assert area(shape[0]) == pytest.approx(np.pi * 4.0, rel=0.01)
    assert area(shape[1]) == pytest.approx(np.pi * 4.0, rel=0.01)
    tilted = outlines(np.zeros((1, 2)), impact_edges([impact(2.0, 4.0, 1.0, 45.0)]))[0]
    assert tilted.contains(disc(2.0, -2.0, 0.2)[0])  # right and up
    assert not tilted.contains(disc(2.0, 2.0, 0.2)[0])


def test_a_mask_holds_the_pixels_whose_centres_lie_inside() -> None:
    gsd_m, size = 0.5, (40, 50)
    rows, cols = (np.mgrid[:40, :50] + 0.5) * gsd_m
    for radius_m in (0.6, 1.3, 5.2):
        wanted = np.hypot(cols - 11.1, rows - 9.2) <= radius_m
        np.testing.assert_array_equal(covered(disc(11.1, 9.2, radius_m), size, gsd_m), wanted)
    both = np.concatenate([disc(5, 5, 2), disc(7, 5, 2), disc(60, 60, 2)])  # they overlap; one lies outside
    wanted = (np.hypot(cols - 5, rows - 5) <= 2) | (np.hypot(cols - 7, rows - 5) <= 2)
    assert (covered(both, size, gsd_m) != wanted).sum() <= 8  # centres on the edge itself
    assert not covered(np.zeros(0, dtype=object), size, gsd_m).any()


def test_best_scored_takes_first_and_each_crater_once() -> None:
    iou = np.array([[0.55, 0.0], [0.9, 0.6], [0.8, 0.0], [0.4, 0.49]])
    found = match_overlaps(np.array([0.5, 0.9, 0.7, 0.8]), iou)
    assert found.score.tolist() == [0.9, 0.8, 0.7, 0.5]
    assert found.label.tolist() == [0, -1, -1, -1]
    assert found.labels == 2
    assert match_overlaps(np.array([0.5]), np.array([[0.5]])).label.tolist() == [0]
