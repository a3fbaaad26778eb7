"""Local matches: two estimators of the shift in each of a grid of windows, kept where they agree."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from skimage.registration import phase_cross_correlation

from cv_pipeline.types import Float32Array, Float64Array

MAX_WINDOWS = 400
_MIN_SIDE_PX, _MAX_SIDE_PX = 32, 128
_REACH = 0.3
"""Share of a window's side beyond which too little of the two windows is common."""
_MIN_FILLED = 0.7
_UPSAMPLE = 50


class Matches(NamedTuple):
    """Matched places, each (n, 2) as (col, row): ``source`` in the before, ``target`` in the after image.

    ``tried`` counts the windows that had imagery in both images.
    """

    source: Float64Array
    target: Float64Array
    tried: int


def match_windows(before: Float32Array, after: Float32Array, side_px: int, agree_px: float) -> Matches:
    """Shifts of local structure from before to after, over a grid of half-overlapping windows.

    Args:
        before: local structure (height, width), 0 where invalid.
        after: the same, on the same grid.
        side_px: side of a window; larger ones match more surely, but measure less finely.
        agree_px: the most by which the two estimators may differ.

    Returns:
        The windows where both estimators agree; no rows where there is none.
    """
    side = side_px
    taper = np.asarray(cv2.createHanningWindow((side, side), cv2.CV_32F), dtype=np.float32)
    source, target, tried = [], [], 0
    for row in _starts(after.shape[0], side, after.size):
        for col in _starts(after.shape[1], side, after.size):
            part = np.s_[row : row + side, col : col + side]
            if min(_filled(before[part]), _filled(after[part])) < _MIN_FILLED:
                continue
            tried += 1
            shift = _shift(before[part], after[part], taper, agree_px)
            if shift is None:
                continue
            centre = np.array([col + side / 2, row + side / 2])
            source.append(centre - shift / 2)  # the middle of what the two windows share
            target.append(centre + shift / 2)
    return Matches(np.reshape(source, (-1, 2)), np.reshape(target, (-1, 2)), tried)


def window_side_px(shape: tuple[int, ...]) -> int:
    """A fifth of the image's shorter side in whole 16 px, between 32 and 128 px."""
    return int(np.clip(min(shape) // 5 // 16 * 16, _MIN_SIDE_PX, _MAX_SIDE_PX))


def _starts(size_px: int, side_px: int, area_px: int) -> list[int]:
    """Window starts along one axis: half a window apart, or farther to keep to MAX_WINDOWS."""
    stride = max(side_px / 2, (area_px / MAX_WINDOWS) ** 0.5)
    count = max(1, int((size_px - side_px) / stride) + 1)
    return [int(start) for start in np.linspace(0, max(0, size_px - side_px), count)]


def _filled(part: Float32Array) -> float:
    return float(np.count_nonzero(part)) / part.size


def _shift(before: Float32Array, after: Float32Array, taper: Float32Array, agree_px: float) -> Float64Array | None:
    """Shift (col, row) in px from before to after, None where the two estimators disagree.

    Amplitude-weighted correlation on a 1/50 px grid (Guizar-Sicairos et al. 2008,
    doi:10.1364/OL.33.000156) measures; phase-only correlation with a centroid (Kuglin & Hines 1975;
    Foroosh et al. 2002, doi:10.1109/83.988953) is the witness: on soft or repetitive ground the
    first is pulled by the taper, the second by noise, hardly both to one place.
    """
    first, second = (before - before.mean()) * taper, (after - after.mean()) * taper
    shift_rc, _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
        second, first, upsample_factor=_UPSAMPLE, normalization=None
    )
    shift = np.array([shift_rc[1], shift_rc[0]], dtype=np.float64)
    (dx, dy), _ = cv2.phaseCorrelate(first, second)
    if np.hypot(dx - shift[0], dy - shift[1]) > agree_px or np.abs(shift).max() > _REACH * len(taper):
        return None
    return shift
