"""Cells, points and bilinear samples, against arithmetic of their own."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.patterns.sampling import cells, interpolate, points_around, window_of
from cv_pipeline.types import BoolArray, Float64Array, Window


def test_each_point_comes_once_and_with_its_neighbours() -> None:
    at = np.random.default_rng(0).uniform(-300, 300, (200, 2))
    parts = cells(at, 100.0)
    assert sorted(np.concatenate(parts)) == list(range(200))
    squares = [{tuple(square) for square in np.floor(at[part] / 100).astype(int)} for part in parts]
    assert all(len(square) == 1 for square in squares)
    assert len(set.union(*squares)) == len(parts)  # no square twice
    for part in parts:
        assert (np.diff(part) > 0).all()


def test_points_on_a_border_belong_to_one_cell() -> None:
    parts = cells(np.array([[0.0, 0.0], [-1e-9, 0.0], [10.0, 0.0], [9.999, 9.999]]), 10.0)
    assert sorted(map(sorted, (part.tolist() for part in parts))) == [[0, 3], [1], [2]]
    assert cells(np.zeros((0, 2)), 10.0) == []


def test_points_around_a_centre_follow_its_jacobian() -> None:
    """One grid is north up with 0.5 m pixels, the other turned by a quarter: its rows run to the east."""
    up = np.array([[0.0, -2.0], [2.0, 0.0]])
    turned = np.array([[2.0, 0.0], [0.0, 2.0]])
    offsets = np.array([[0.0, 0.0], [3.0, 1.0]])  # east, north
    found = points_around(np.array([[10.0, 20.0], [30.0, 40.0]]), np.stack([up, turned]), offsets)
    np.testing.assert_allclose(found, [[[10, 20], [8, 26]], [[30, 40], [36, 42]]])


def planes(window: Window) -> np.ndarray:
    """Colours that rise with the row, with the column, and not at all; at pixel centres."""
    rows, cols = np.mgrid[: window.height, : window.width] + 0.5
    return np.stack([rows + window.row, cols + window.col, np.full_like(rows, 7.0)], axis=-1).astype(np.float32)


@pytest.fixture
def where() -> Float64Array:
    """Points far from the grid's corner, as in a large scene, around two centres."""
    return np.random.default_rng(1).uniform((40_000.0, -30.0), (40_040.0, 25.0), (2, 50, 2))


def test_a_plane_is_sampled_exactly(where: Float64Array) -> None:
    """Pixel centres lie at halves; OpenCV's steps of a 32nd of a pixel are all that is lost."""
    window = window_of(where)
    values, seen = interpolate(planes(window), np.ones(window[2:], bool), window, where)
    assert seen.all()
    np.testing.assert_allclose(values[..., :2], where, atol=0.5 / 32 + 0.004)
    np.testing.assert_allclose(values[..., 2], 7.0, rtol=1e-6)


def test_the_window_holds_all_that_is_needed(where: Float64Array) -> None:
    """One pixel more or less around it changes nothing; without its margin something would be missing."""
    window = window_of(where)
    wide = Window(window.row - 5, window.col - 5, window.height + 10, window.width + 10)
    one, other = (interpolate(planes(w), np.ones(w[2:], bool), w, where) for w in (window, wide))
    np.testing.assert_allclose(one[0], other[0], atol=0.5 / 16)
    assert one[1].all()
    assert other[1].all()


def test_samples_of_one_invalid_pixel_are_not_seen() -> None:
    """A bilinear sample takes four pixels: all of those within one pixel of an invalid centre are lost, no others."""
    window = Window(0, 0, 12, 12)
    valid: BoolArray = np.ones((12, 12), bool)
    valid[5, 6] = False
    where = np.stack(np.meshgrid(np.arange(3, 9, 0.25), np.arange(3, 9, 0.25), indexing="ij"), axis=-1).reshape(
        1, -1, 2
    )
    _, seen = interpolate(planes(window), valid, window, where)
    off = np.abs(where[0] - (5.5, 6.5)).max(axis=1)
    np.testing.assert_array_equal(seen[0], off >= 1)


def test_integers_and_floats_are_taken_alike(where: Float64Array) -> None:
    window = window_of(where)
    image = np.random.default_rng(2).integers(0, 255, (*window[2:], 3)).astype(np.uint8)
    valid = np.random.default_rng(3).random(window[2:]) < 0.9
    one, other = (interpolate(image.astype(kind), valid, window, where) for kind in (np.uint8, np.float32))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    assert one[0].shape == (2, 50, 3)
    assert 0 < one[1].mean() < 1
