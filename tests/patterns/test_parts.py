"""The parts alone: peak fitting, suppression, sharing of ground, ray runs, direction of known shapes."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.patterns import rays, shape
from cv_pipeline.patterns.peaks import find_peaks, suppress
from cv_pipeline.types import PatternKind


@pytest.mark.parametrize("sd_px", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.31, -0.42), (-0.05, 0.48)])
def test_peak_of_a_gaussian_is_exact(sd_px: float, shift: tuple[float, float]) -> None:
    rows, cols = np.indices((31, 33)) + 0.5
    at = (15.5 + shift[0], 16.5 + shift[1])
    heat = (0.8 * np.exp(-((rows - at[0]) ** 2 + (cols - at[1]) ** 2) / (2 * sd_px**2))).astype(np.float32)
    peaks = find_peaks(heat, np.ones_like(heat, dtype=bool), 0.3)
    assert (peaks.row_px[0], peaks.col_px[0]) == pytest.approx(at, abs=1e-3)
    assert peaks.width_px[0] == pytest.approx(sd_px, rel=1e-3)
    assert len(peaks.score) == 1


def test_plateau_and_invalid() -> None:
    heat = np.zeros((9, 9), dtype=np.float32)
    heat[4, 4:6] = 1.0
    valid = np.ones_like(heat, dtype=bool)
    peaks = find_peaks(heat, valid, 0.3)
    assert len(peaks.score) == 2
    points = np.column_stack([peaks.row_px, peaks.col_px])
    assert suppress(points, peaks.score, np.zeros(2)).tolist() == [0]
    valid[4, 4:6] = False
    assert len(find_peaks(heat, valid, 0.3).score) == 0


def test_suppression_grows_with_the_stronger_crater() -> None:
    points = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 9.0]])
    score = np.array([0.9, 0.8, 0.7])
    assert suppress(points, score, np.array([4.5, 10.0, 1.0])).tolist() == [0, 1, 2]
    assert suppress(points, score, np.array([7.0, 1.0, 1.0])).tolist() == [0, 2]
    assert suppress(np.zeros((0, 2)), np.zeros(0), np.zeros(0)).tolist() == []


def test_ground_is_shared_by_crater_radius() -> None:
    bounds = rays.neighbour_bounds(np.array([[0.0, 0.0], [30.0, 0.0]]), np.array([4.0, 2.0]))
    east, west = rays.SECTORS // 4, 3 * rays.SECTORS // 4
    assert bounds[0, east] == pytest.approx(20)
    assert bounds[1, west] == pytest.approx(10)
    assert bounds[0, west] == rays.MAX_EXTENT_M


def test_a_gap_is_passed_over_and_a_longer_one_ends_the_ray() -> None:
    strip = np.zeros((81, 81), dtype=np.float32)
    strip[:, 40:50] = 1.0
    strip[:, 53:60] = 1.0
    flat = np.array([[[0.0, -1.0], [1.0, 0.0]]])  # one pixel per metre, north up
    sites = rays.Sites(np.array([[40.5, 42.5]]), flat, np.full((1, rays.SECTORS), 80.0))
    east = rays.SECTORS // 4
    valid = np.ones_like(strip, dtype=bool)
    for gap_m, edge_m in ((1.0, 7.5), (3.0, 17.5)):
        found = rays.ray_extents(strip, valid, sites, step_m=1.0, gap_m=gap_m)
        assert found.extent_m[0, east] == pytest.approx(edge_m, abs=0.01)
        assert not found.censored[0, east]


def test_kinds_of_known_shapes() -> None:
    disc = np.full(rays.SECTORS, 10.0)
    half = np.where(np.cos(rays.AZIMUTHS_RAD) > 0, 10.0, 0.0)
    star = np.where(np.arange(rays.SECTORS) % 12 < 6, 15.0, 5.0)
    assert shape.kind(disc, directional=False, ring=False) is PatternKind.CIRCLE
    assert shape.kind(disc, directional=False, ring=True) is PatternKind.RING
    assert shape.kind(disc, directional=True, ring=False) is PatternKind.CONE
    assert shape.kind(half, directional=False, ring=True) is PatternKind.IRREGULAR
    assert shape.kind(star, directional=False, ring=False) is PatternKind.IRREGULAR


def test_a_ring_is_hollow() -> None:
    reach = np.arange(0.3, 20, 0.6)
    crest = np.exp(-(((reach - 9) / 1.5) ** 2))
    assert shape.is_ring(crest, reach, 2.5, 11.0)
    assert not shape.is_ring(np.exp(-((reach / 7) ** 2)), reach, 2.5, 11.0)
    assert not shape.is_ring(0.1 * crest, reach, 2.5, 11.0)
    assert not shape.is_ring(crest, reach, 6.5, 11.0)
