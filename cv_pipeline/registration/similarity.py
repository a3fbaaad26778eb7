"""The robust fit of shift, rotation and scale to point matches."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.types import BoolArray, Float64Array

MAX_MISFIT_PX = 1.5
"""A match farther from the fit than this is wrong, or on ground that moved."""
_MIN_CAP_PX = 0.35
_ROUNDS = 8
_F_LIMIT = 5.0
"""About the 1 % point of F(2, many)."""


class Fit(NamedTuple):
    """A ``matrix`` (2, 3), the distance ``residual_px`` (n,) that it leaves at each match, and which were used."""

    matrix: Float64Array
    residual_px: Float64Array
    used: BoolArray


def fit_similarity(source: Float64Array, target: Float64Array) -> Fit | None:
    """The similarity that takes most sources to their targets.

    RANSAC (Fischler & Bolles 1981, doi:10.1145/358669.358692) finds the consensus; least squares on it,
    with the cap tightened to three robust standard deviations, gives the result.

    Args:
        source: (n, 2) as (col, row), px.
        target: (n, 2) the same.

    Returns:
        None for fewer than two matches or no consensus.
    """
    if len(source) < 2:
        return None
    first, _ = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=MAX_MISFIT_PX, maxIters=5000, confidence=0.999
    )
    if first is None:
        return None
    matrix = np.asarray(first, dtype=np.float64)
    used = np.zeros(len(source), dtype=bool)
    for _ in range(_ROUNDS):
        now = residuals(matrix, source, target) <= _cap_px(residuals(matrix, source, target))
        if now.sum() < 2 or (now == used).all():
            break
        used = now
        matrix = least_squares(source[used], target[used])
    matrix = _simplest(matrix, source[used], target[used])
    return Fit(matrix, residuals(matrix, source, target), used)


def apply(matrix: Float64Array, points: Float64Array) -> Float64Array:
    """Points (n, 2) as (col, row) mapped by a (2, 3) matrix."""
    mapped: Float64Array = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped


def invert(matrix: Float64Array) -> Float64Array:
    """The (2, 3) matrix that undoes a (2, 3) matrix."""
    inverse: Float64Array = np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]
    return inverse


def residuals(matrix: Float64Array, source: Float64Array, target: Float64Array) -> Float64Array:
    """Distance in px (n,) between mapped sources and targets."""
    return np.asarray(np.linalg.norm(apply(matrix, source) - target, axis=1))


def rotation_deg(matrix: Float64Array) -> float:
    """Rotation in degrees, clockwise as seen in the image (rows run down)."""
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))


def scale(matrix: Float64Array) -> float:
    """Magnification, 1 for none."""
    return math.hypot(matrix[0, 0], matrix[1, 0])


def _cap_px(residual_px: Float64Array) -> float:
    """Three robust standard deviations of the inliers (median of a Rayleigh law is 1.177 sigma)."""
    inliers = residual_px[residual_px <= MAX_MISFIT_PX]
    if not len(inliers):
        return MAX_MISFIT_PX
    return float(np.clip(3 * np.median(inliers) / 1.177, _MIN_CAP_PX, MAX_MISFIT_PX))


def _simplest(matrix: Float64Array, source: Float64Array, target: Float64Array) -> Float64Array:
    """The similarity, or the mean shift where turning and scaling explain no more than noise would (F test).

    A few clustered matches would otherwise tilt the far end of the scene by pixels.
    """
    shift = np.column_stack([np.eye(2), (target - source).mean(axis=0)])
    free = 2 * len(source) - 4
    left = float((residuals(matrix, source, target) ** 2).sum())
    left_by_shift = float((residuals(shift, source, target) ** 2).sum())
    if free <= 0 or (left_by_shift - left) / 2 <= _F_LIMIT * max(left, 1e-12) / free:
        return shift
    return matrix


def least_squares(source: Float64Array, target: Float64Array) -> Float64Array:
    """Least squares for x' = a x - b y + c, y' = b x + a y + d, about the centroids for good conditioning."""
    mean_source, mean_target = source.mean(axis=0), target.mean(axis=0)
    s, t = source - mean_source, target - mean_target
    spread = max(float((s * s).sum()), 1e-12)
    a = float((s * t).sum()) / spread
    b = float((s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum()) / spread
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, mean_target - linear @ mean_source])
