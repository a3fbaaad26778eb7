from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.shapes import (
    beside,
    broken_noise,
    line_cover,
    local_metres,
    local_point,
    local_points,
    pick,
    polygon_cover,
    rectangle,
    smooth_noise,
    stripe,
    touches,
)


@pytest.mark.parametrize("azimuth_deg", [0.0, 30.0, 117.0])
@pytest.mark.parametrize(("length_px", "width_px"), [(20.0, 9.0), (6.3, 2.7)])
def test_a_polygon_covers_its_area_about_its_centre(azimuth_deg: float, length_px: float, width_px: float) -> None:
    cover = polygon_cover((80, 90), rectangle(40.3, 50.6, azimuth_deg, length_px, width_px))
    assert cover is not None
    assert cover.share.sum() == pytest.approx(length_px * width_px, rel=0.12)
    rows, cols = np.mgrid[cover.rows, cover.cols] + 0.5
    centre = [(rows * cover.share).sum(), (cols * cover.share).sum()] / cover.share.sum()
    np.testing.assert_allclose(centre, [40.3, 50.6], atol=0.1)


def test_a_rectangle_points_along_its_azimuth() -> None:
    np.testing.assert_allclose(
        rectangle(10, 10, 90, 8, 2), [[11, 14], [9, 14], [9, 6], [11, 6]], atol=1e-9
    )  # 90 degrees is image right


@pytest.mark.parametrize("width_px", [0.1, 0.25, 0.6, 1.0, 3.0, 9.0])
@pytest.mark.parametrize("drop_px", [0.0, 20.0])
def test_a_line_of_any_width_covers_its_area(width_px: float, drop_px: float) -> None:
    cover = line_cover((90, 160), np.array([[30.0, 20.0], [30.0 + drop_px, 140.0]]), width_px)
    assert cover is not None
    assert cover.share.sum() == pytest.approx(np.hypot(120, drop_px) * width_px, rel=0.25 if width_px < 9 else 0.12)


def test_what_lies_outside_covers_nothing() -> None:
    outside = rectangle(-30, 10, 0, 8, 8)
    assert polygon_cover((20, 20), outside) is None
    assert line_cover((20, 20), outside, 1.0) is None
    assert not touches((20, 20), outside) and touches((20, 20), rectangle(0, 0, 0, 8, 8))


def test_beside_is_to_the_right_of_the_way_along() -> None:
    up = np.array([[9.0, 5.0], [6.0, 5.0], [1.0, 5.0]])
    np.testing.assert_allclose(beside(up, 2.0), np.add(up, (0.0, 2.0)))
    np.testing.assert_allclose(beside(up[::-1], 2.0), np.subtract(up[::-1], (0.0, 2.0)))
    np.testing.assert_allclose(beside(up, np.array([0.0, 1.0, -3.0]))[:, 1], [5.0, 6.0, 2.0])


def test_local_metres_invert_local_points() -> None:
    cover = polygon_cover((50, 50), rectangle(25, 25, 0, 50, 50))
    assert cover is not None
    along, right = local_metres(cover, 20.0, 12.0, 35.0, 0.5)
    row, col = local_point(20.0, 12.0, 35.0, 14.0, 6.0)
    assert along[int(row), int(col)] == pytest.approx(7.0, abs=0.4)
    assert right[int(row), int(col)] == pytest.approx(3.0, abs=0.4)
    np.testing.assert_allclose(local_points(20.0, 12.0, 35.0, np.array([[14.0, 6.0]]))[0], (row, col))


@pytest.mark.parametrize("scale_px", [1.0, 4.0, 15.0])
def test_smooth_noise_has_its_scale_and_unit_deviation(scale_px: float) -> None:
    noise = smooth_noise((300, 300), scale_px, np.random.default_rng(2))
    assert noise.std() == pytest.approx(1.0, abs=0.25)
    near = np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]
    assert near > 0.75 if scale_px > 3 else abs(near) < 0.05


def test_a_stripe_keeps_its_width_at_any_gsd() -> None:
    for gsd_m in (0.2, 0.6, 1.0):
        across_m = np.arange(-10, 10, gsd_m) + 0.5 * gsd_m
        assert stripe(across_m, 0.9, gsd_m).sum() * gsd_m == pytest.approx(0.9, abs=0.11)


def test_picks_follow_their_shares() -> None:
    rng = np.random.default_rng(0)
    counts = np.bincount([pick((0.2, 0.0, 0.6), rng) for _ in range(2000)], minlength=3)
    assert counts[1] == 0 and counts[2] / counts[0] == pytest.approx(3, rel=0.2)


def test_broken_noise_closes_around_the_circle() -> None:
    noise = broken_noise(np.array([-np.pi, np.pi]), np.random.default_rng(1), 5, 9)
    assert noise[0] == pytest.approx(noise[1])
