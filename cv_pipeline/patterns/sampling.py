"""Values of images and maps at points around centres, cell by cell, so that the scene's size does not matter."""

from __future__ import annotations

import math

import cv2
import numpy as np

from cv_pipeline.types import BoolArray, Float32Array, Float64Array, Window

_MARGIN_PX = 2  # what an interpolation looks at beyond the outermost points


def cells(at_px: Float64Array, side_px: float) -> list[np.ndarray]:
    """Indices of the points (n, 2) in each square cell that holds any, in their order; no points give no cells."""
    if not len(at_px):
        return []
    cell = np.floor(at_px / side_px).astype(np.int64)
    _, number = np.unique(cell, axis=0, return_inverse=True)
    order = np.argsort(number.ravel(), kind="stable")
    return np.split(order, np.cumsum(np.bincount(number.ravel()))[:-1])


def points_around(at_px: Float64Array, per_unit: Float64Array, offsets: Float64Array) -> Float64Array:
    """(n, s, 2) where points at ``offsets`` (s, 2), east and north, lie around centres (n, 2), as (row, col).

    ``per_unit`` (n, 2, 2) are Jacobians: ``per_unit @ (east, north) = (drow, dcol)``.
    """
    where: Float64Array = at_px[:, None, :] + offsets @ per_unit.transpose(0, 2, 1)
    return where


def window_of(where_px: Float64Array) -> Window:
    """The window that interpolation at points (n, s, 2) needs; n and s are at least 1."""
    # One axis at a time: over both, NumPy goes through the pairs one by one, ten times as slow.
    (top, bottom), (left, right) = ((float(p.min()), float(p.max())) for p in (where_px[..., 0], where_px[..., 1]))
    row, col = math.floor(top) - _MARGIN_PX, math.floor(left) - _MARGIN_PX
    return Window(row, col, math.ceil(bottom) + _MARGIN_PX - row, math.ceil(right) + _MARGIN_PX - col)


def interpolate(
    values: np.ndarray, valid: BoolArray, window: Window, where_px: Float64Array
) -> tuple[Float32Array, BoolArray]:
    """Bilinear samples (n, s, 3) of a window (h, w, 3) at points (n, s, 2), and whether all of each is valid (n, s).

    Points are (row, col) of the grid, counted from the corner of its first pixel, and lie within :func:`window_of`.
    """
    image = np.dstack([values, valid.astype(np.uint8) * np.uint8(255)]).astype(np.float32)
    # remap counts from pixel centres, and takes at most 32767 rows or columns: one row per centre stays far below.
    local = (where_px - np.array([window.row, window.col]) - 0.5).astype(np.float32)
    found = cv2.remap(
        image, np.ascontiguousarray(local[..., 1]), np.ascontiguousarray(local[..., 0]),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0),
    )  # fmt: skip
    return np.ascontiguousarray(found[..., :3]), found[..., 3] > 254.0
