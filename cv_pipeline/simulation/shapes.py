"""Polygons, polylines, local axes and smooth noise: what everything built is drawn from.

Points are (row_px, col_px) counted from the canvas's upper-left corner, pixel centre = integer + 0.5;
azimuths are degrees clockwise from image up.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from cv_pipeline.types import Float32Array, Float64Array, UInt8Array


class Cover(NamedTuple):
    """A window of the canvas and the covered share 0..1 of each of its pixels, (h, w)."""

    rows: slice
    cols: slice
    share: Float32Array


_BINARY_PLACES = 4
"""Of a pixel of the sheet, in which OpenCV takes points."""


class _Sheet(NamedTuple):
    """A window of the canvas, drawn ``finer`` times finer so that edges are smooth."""

    rows: slice
    cols: slice
    finer: int
    mask: UInt8Array

    def fine(self, points: Float64Array) -> Float64Array:
        """Canvas points (n, 2) as OpenCV draws them on the sheet: whole sixteenths of its pixels, column first."""
        on_sheet = (points - (self.rows.start, self.cols.start)) * self.finer - 0.5
        rounded: Float64Array = np.round(on_sheet[:, ::-1] * 2**_BINARY_PLACES)
        return rounded

    def cover(self) -> Cover | None:
        """What was drawn, as shares of the canvas's pixels; None where nothing was."""
        if not self.mask.any():
            return None
        size = self.cols.stop - self.cols.start, self.rows.stop - self.rows.start
        share = cv2.resize(self.mask, size, interpolation=cv2.INTER_AREA)
        return Cover(self.rows, self.cols, share.astype(np.float32) / 255.0)


def _sheet_over(shape: tuple[int, int], points: Float64Array, reach_px: float) -> _Sheet | None:
    """An empty sheet over what lies within ``reach_px`` of points (n, 2); None outside the canvas."""
    low, high = np.floor(points.min(axis=0) - reach_px) - 1, np.ceil(points.max(axis=0) + reach_px) + 1
    top, left = (int(v) for v in np.maximum(low, 0))
    bottom, right = (int(v) for v in np.minimum(high, shape))
    if top >= bottom or left >= right:
        return None
    area_px = (bottom - top) * (right - left)
    finer = 8 if area_px < 900 else 4 if area_px < 10_000 else 2
    mask = np.zeros(((bottom - top) * finer, (right - left) * finer), np.uint8)
    return _Sheet(slice(top, bottom), slice(left, right), finer, mask)


def rectangle(row_px: float, col_px: float, azimuth_deg: float, length_px: float, width_px: float) -> Float64Array:
    """Corners (4, 2) of a rectangle whose long side points to ``azimuth_deg``: front right, front left, rear left..."""
    return local_points(
        row_px,
        col_px,
        azimuth_deg,
        np.array([[0.5, 0.5], [0.5, -0.5], [-0.5, -0.5], [-0.5, 0.5]]) * (length_px, width_px),
    )


def local_points(row_px: float, col_px: float, azimuth_deg: float, along_right_px: Float64Array) -> Float64Array:
    """Canvas points (n, 2) of (along, to the right) offsets in pixels from an origin that faces ``azimuth_deg``."""
    azimuth = math.radians(azimuth_deg)
    sine, cosine = math.sin(azimuth), math.cos(azimuth)
    points: Float64Array = along_right_px @ np.array([[-cosine, sine], [sine, cosine]]) + (row_px, col_px)
    return points


def local_point(
    row_px: float, col_px: float, azimuth_deg: float, along_px: float, right_px: float = 0.0
) -> tuple[float, float]:
    """One canvas point (row_px, col_px): see :func:`local_points`."""
    azimuth = math.radians(azimuth_deg)
    sine, cosine = math.sin(azimuth), math.cos(azimuth)
    return float(row_px - along_px * cosine + right_px * sine), float(col_px + along_px * sine + right_px * cosine)


def beside(curve: Float64Array, right_px: float | Float64Array) -> Float64Array:
    """A polyline (n, 2) moved to its right, by one distance or by one for each point (n,)."""
    ahead = np.gradient(curve, axis=0)
    right = np.column_stack([ahead[:, 1], -ahead[:, 0]]) / (np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9)
    moved: Float64Array = curve + right * np.reshape(right_px, (-1, 1))
    return moved


def touches(shape: tuple[int, int], points: npt.ArrayLike) -> bool:
    """Whether the bounding box of points (n, 2) overlaps the canvas."""
    corners = np.asarray(points)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool(low[0] < shape[0] and low[1] < shape[1] and high[0] > 0 and high[1] > 0)


def pick(shares: Sequence[float], rng: np.random.Generator) -> int:
    """A random index, each as often as its share of the sum."""
    edges = list(accumulate(shares))
    return min(bisect_right(edges, rng.random() * edges[-1]), len(edges) - 1)


def polygon_cover(shape: tuple[int, int], points: Float64Array | Sequence[tuple[float, float]]) -> Cover | None:
    """Anti-aliased cover of a filled polygon of (row_px, col_px) points (n, 2); None where it lies outside."""
    corners = np.asarray(points, np.float64)
    sheet = _sheet_over(shape, corners, 0.0)
    if sheet is None:
        return None
    cv2.fillPoly(sheet.mask, [sheet.fine(corners).astype(np.int32)], 255, shift=_BINARY_PLACES)
    return sheet.cover()


def line_cover(shape: tuple[int, int], points: Float64Array, width_px: float) -> Cover | None:
    """Anti-aliased cover of a polyline (n, 2) of any width, also below a pixel; None where it lies outside."""
    corners = np.asarray(points, np.float64)
    sheet = _sheet_over(shape, corners, width_px)
    if sheet is None:
        return None
    fine = sheet.fine(corners)
    wide = width_px * sheet.finer
    if wide < 2:
        cv2.polylines(sheet.mask, [fine.astype(np.int32)], False, 255, 1, cv2.LINE_8, _BINARY_PLACES)
    else:
        half = 8 * (wide - 1)  # OpenCV fills the outline too, half a fine pixel on each side
        for start, end in pairwise(fine):
            side = (end - start)[::-1] * (-half, half) / max(float(np.hypot(*(end - start))), 1e-9)
            quad = np.round([start + side, end + side, end - side, start - side]).astype(np.int32)
            cv2.fillConvexPoly(sheet.mask, quad, 255, cv2.LINE_8, _BINARY_PLACES)
        for joint in fine[1:-1].astype(np.int32):
            centre = int(joint[0]), int(joint[1])
            cv2.circle(sheet.mask, centre, int(half), 255, cv2.FILLED, cv2.LINE_8, _BINARY_PLACES)
    cover = sheet.cover()
    return None if cover is None else cover._replace(share=cover.share * np.float32(min(1.0, wide)))


def local_metres(
    cover: Cover, row_px: float, col_px: float, azimuth_deg: float, gsd_m: float
) -> tuple[Float32Array, Float32Array]:
    """Metres along ``azimuth_deg`` and to the right of it from a point, each (h, w) over the window."""
    azimuth = np.deg2rad(azimuth_deg)
    down = ((np.arange(cover.rows.start, cover.rows.stop) + 0.5 - row_px) * gsd_m).astype(np.float32)[:, None]
    right = ((np.arange(cover.cols.start, cover.cols.stop) + 0.5 - col_px) * gsd_m).astype(np.float32)[None, :]
    sine, cosine = np.float32(np.sin(azimuth)), np.float32(np.cos(azimuth))
    return right * sine - down * cosine, right * cosine + down * sine


def smooth_noise(shape: tuple[int, int], scale_px: float, rng: np.random.Generator) -> Float32Array:
    """Noise (height, width) of about unit standard deviation that changes over ``scale_px`` (white below 1)."""
    if scale_px <= 1.0:
        return rng.standard_normal(shape, dtype=np.float32)
    coarse = rng.standard_normal((int(shape[0] / scale_px) + 3, int(shape[1] / scale_px) + 3), dtype=np.float32)
    size = (int(coarse.shape[1] * scale_px) + 1, int(coarse.shape[0] * scale_px) + 1)
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    top, left = int(scale_px), int(scale_px)  # the outermost cells repeat
    noise: Float32Array = 1.35 * fine[top : top + shape[0], left : left + shape[1]]
    return noise


def stripe(distance_m: npt.NDArray[np.floating[Any]], width_m: float, gsd_m: float) -> Float32Array:
    """Cover 0..1 of a line of ``width_m`` at each pixel's distance from its middle, blurred by one pixel."""
    share = np.clip((width_m / 2 + gsd_m / 2 - np.abs(distance_m)) / gsd_m, 0, min(1.0, width_m / gsd_m))
    as_float32: Float32Array = share.astype(np.float32, copy=False)
    return as_float32


def broken_noise(azimuth_rad: Float64Array, rng: np.random.Generator, lowest: int, highest: int) -> Float64Array:
    """Noise over azimuth with straight stretches and corners, as slabs break; unit standard deviation."""
    count = int(rng.integers(lowest, highest + 1))
    at = np.sort(rng.uniform(-np.pi, np.pi, count))
    noise: Float64Array = np.interp(azimuth_rad, at, rng.standard_normal(count), period=2 * np.pi)
    return noise
