"""Registration beside what others use, on pairs whose true transform is known.

The rivals are called as their documentation shows, with default settings: skimage's ``phase_cross_correlation``,
OpenCV's ``phaseCorrelate`` and ``findTransformECC``. The first two know shifts alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from skimage.registration import phase_cross_correlation

from cv_pipeline.registration.coarse import IDENTITY
from cv_pipeline.registration.register import register_arrays
from cv_pipeline.registration.similarity import apply
from cv_pipeline.types import Float32Array, Float64Array, Gate, UInt8Array

Estimator = Callable[[UInt8Array, UInt8Array], Float64Array | None]
"""Of (before, after), both (height, width, 3): the matrix (2, 3) from before to after, or None for a refusal.

Pixel centres are at integer + 0.5, as in :mod:`cv_pipeline.types`.
"""

FAR_PX = 2.0
"""An error above this makes two dates look like change."""


class Spread(NamedTuple):
    """How an estimator did: of ``pairs``, how many it answered, and the errors of those answers in pixels.

    Errors are None where it answered none. ``far`` counts answers off by more than :data:`FAR_PX`.
    """

    pairs: int
    answered: int
    median_px: float | None
    p95_px: float | None
    worst_px: float | None
    far: int


def ours(before: UInt8Array, after: UInt8Array) -> Float64Array | None:
    """Our registration; None where its gate fails the pair."""
    found = register_arrays(before, after)
    return None if found.gate is Gate.FAIL else found.matrix


def _skimage(before: UInt8Array, after: UInt8Array) -> Float64Array | None:
    shift, _, _ = phase_cross_correlation(_grey(after), _grey(before))  # type: ignore[no-untyped-call]
    return _shifted(shift[1], shift[0])


def _phase_correlate(before: UInt8Array, after: UInt8Array) -> Float64Array | None:
    (right, down), _ = cv2.phaseCorrelate(_grey(before), _grey(after))
    return _shifted(right, down)


def _ecc(before: UInt8Array, after: UInt8Array) -> Float64Array | None:
    start = np.eye(2, 3, dtype=np.float32)
    try:
        _, to_before = cv2.findTransformECC(_grey(after), _grey(before), start, cv2.MOTION_AFFINE)
    except cv2.error:  # it did not converge
        return None
    matrix = np.asarray(cv2.invertAffineTransform(to_before.astype(np.float64)), np.float64)
    matrix[:, 2] += 0.5 - matrix[:, :2] @ (0.5, 0.5)  # OpenCV's pixel centres are at integers
    return matrix


ESTIMATORS: dict[str, Estimator] = {
    "ours": ours,
    "skimage.registration.phase_cross_correlation": _skimage,
    "cv2.phaseCorrelate": _phase_correlate,
    "cv2.findTransformECC": _ecc,
}


def _grey(rgb: UInt8Array) -> Float32Array:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)


def _shifted(right_px: float, down_px: float) -> Float64Array:
    matrix = IDENTITY.copy()
    matrix[:, 2] = right_px, down_px
    return matrix


def error_px(found: Float64Array, truth: Float64Array, shape: tuple[int, int]) -> float:
    """Root mean square distance between where two matrices (2, 3) put the before image, (height, width) = ``shape``."""
    rows, cols = (np.linspace(0, side, 9) for side in shape)
    points = np.stack(np.meshgrid(cols, rows), axis=-1).reshape(-1, 2)
    off = apply(found, points) - apply(truth, points)
    return float(np.sqrt((off**2).sum(axis=1).mean()))


def spread(errors_px: list[float | None]) -> Spread:
    """Summary of errors by pair; None for a refusal."""
    answers = np.array([error for error in errors_px if error is not None])
    if not len(answers):
        return Spread(len(errors_px), 0, None, None, None, 0)
    median, p95 = np.quantile(answers, [0.5, 0.95])
    return Spread(
        len(errors_px), len(answers), float(median), float(p95), float(answers.max()), int((answers > FAR_PX).sum())
    )
