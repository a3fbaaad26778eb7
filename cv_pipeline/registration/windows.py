"""Local matches: two estimators of the shift in each of a grid of windows, kept where they agree."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from scipy import fft

from cv_pipeline.imagery.grid import crop
from cv_pipeline.registration.reader import Reader
from cv_pipeline.registration.similarity import apply, invert
from cv_pipeline.registration.structure import REACH_PX, Structure, structure
from cv_pipeline.types import Float32Array, Float64Array, Grid, Window

MAX_WINDOWS = 400
_MIN_SIDE_PX, _MAX_SIDE_PX = 32, 128
_BLOCK_PX = 640
"""Windows are read together in blocks of about this side."""
_APART = 2.0
"""At this many times their own extent apart they are read one by one: of a block most would be read for nothing."""
_REACH = 0.3
"""Share of a window's side beyond which too little of the two windows is common."""
_MIN_FILLED = 0.7
_AGREE_PX = 1.0
_RIVAL = 0.85
"""A second peak this high is another answer. Of planted orchards nine tenths are above 0.92, of other ground below 0.8
(``scripts/check_registration.py hard --places tuned --seed 1000``)."""
_PEAK_PX = 2
_PEAK = np.ones((2 * _PEAK_PX + 1, 2 * _PEAK_PX + 1), np.uint8)


class Matches(NamedTuple):
    """Matched places, each (n, 2) as (col, row): ``source`` in the before image as given, ``target`` in the after.

    ``tried`` counts the windows that had imagery in both images, ``side_px`` is their side. ``repeating`` counts
    those where both estimators agreed but the ground repeats itself, so that another shift would do as well.
    """

    source: Float64Array
    target: Float64Array
    tried: int
    side_px: int
    repeating: int = 0


def match_windows(
    before: Reader,
    after: Reader,
    grid: Grid,
    matrix: Float64Array,
    side_px: int | None = None,
    most: int = MAX_WINDOWS,
    held: dict[Window, Structure] | None = None,
) -> Matches:
    """Shifts from before to after over windows spread evenly over a grid, never reading more than a block of them.

    Args:
        before: gives the before image, moved by a matrix.
        after: gives the after image.
        grid: the common ground, at the pixel size at which to compare.
        matrix: (2, 3), where the before image is thought to lie, in pixels of ``grid``.
        side_px: side of a window; larger ones match more surely but less finely. Default: :func:`window_side_px`.
        most: the most windows to try.
        held: blocks of the after image that an earlier call with the same grid, side and ``most`` has read; filled for
            the next one, with 160 MB at most.

    Returns:
        The windows where both estimators agree, in pixels of ``grid``; no rows where there is none.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    side = side_px or window_side_px((grid.height, grid.width))
    taper = np.asarray(cv2.createHanningWindow((side, side), cv2.CV_32F), dtype=np.float32)
    stride = max(side / 2, (grid.height * grid.width / most) ** 0.5)
    places, shifts, tried, repeating = [], [], 0, 0
    for block, starts in _blocks(grid, side, stride):
        part = crop(grid, block)
        late = None if held is None else held.get(block)
        late = late or structure(*after(part, _still()))
        if held is not None:
            held[block] = late
        if not late.valid.any():
            continue
        early = structure(*before(part, _recentred(matrix, block)))
        for row, col in starts:
            window = np.s_[row : row + side, col : col + side]
            if min(early.valid[window].mean(), late.valid[window].mean()) < _MIN_FILLED:
                continue
            tried += 1
            found = _shift(early, late, window, taper)
            if found is None:
                continue
            shift, repeats = found
            if repeats:
                repeating += 1
            else:
                places.append((block.col + col + side / 2, block.row + row + side / 2))
                shifts.append(shift)
    centre, half = np.reshape(places, (-1, 2)), np.reshape(shifts, (-1, 2)) / 2
    # The middle of what the two windows share, seen from either.
    return Matches(apply(invert(matrix), centre - half), centre + half, tried, side, repeating)


def window_side_px(shape: tuple[int, ...]) -> int:
    """A fifth of the image's shorter side in whole 16 px, between 32 and 128 px."""
    return int(np.clip(min(shape) // 5 // 16 * 16, _MIN_SIDE_PX, _MAX_SIDE_PX))


def _blocks(grid: Grid, side_px: int, stride: float) -> Iterator[tuple[Window, list[tuple[int, int]]]]:
    """Blocks to read, with what structure depends on around them, and the windows' starts (row, col) inside each."""
    extent = side_px + 2 * REACH_PX
    per_block = 1 if stride > _APART * extent else max(1, int((_BLOCK_PX - side_px) / stride) + 1)
    rows, cols = (_starts(size, side_px, stride) for size in (grid.height, grid.width))
    for first_row in range(0, len(rows), per_block):
        for first_col in range(0, len(cols), per_block):
            some_rows, some_cols = rows[first_row : first_row + per_block], cols[first_col : first_col + per_block]
            top, left = some_rows[0] - REACH_PX, some_cols[0] - REACH_PX
            height = some_rows[-1] - some_rows[0] + side_px + 2 * REACH_PX
            width = some_cols[-1] - some_cols[0] + side_px + 2 * REACH_PX
            starts = [(row - top, col - left) for row in some_rows for col in some_cols]
            yield Window(top, left, height, width), starts


def _starts(size_px: int, side_px: int, stride: float) -> list[int]:
    """Window starts along one axis, evenly from one end to the other."""
    count = max(1, int((size_px - side_px) / stride) + 1)
    return [int(start) for start in np.linspace(0, max(0, size_px - side_px), count)]


def _still() -> Float64Array:
    return np.eye(3)[:2]


def _recentred(matrix: Float64Array, block: Window) -> Float64Array:
    """A matrix of a grid's pixels in those of a block of it."""
    origin = np.array([block.col, block.row], dtype=np.float64)
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ origin - origin])


class _Peak(NamedTuple):
    """Where a correlation (height, width) is highest, (col, row) in px from no shift."""

    shift: Float64Array
    correlation: np.ndarray


def _shift(
    before: Structure, after: Structure, window: tuple[slice, slice], taper: Float32Array
) -> tuple[Float64Array, bool] | None:
    """Shift (col, row) in px from before to after, and whether another would do as well; None where estimators differ.

    The correlation of grey detail measures. The correlation of edges, whichever side is the brighter, is the witness:
    light and season move the one, shadows and noise the other, hardly both to one place. On the Joplin pairs (0.6 m)
    they agree in twice as many windows as correlation and phase-only correlation of the same grey detail do.
    Rows of like things deceive both alike, and all windows together; so both must have one peak alone.
    """
    shift = _peak(_tapered(before.detail[window], taper), _tapered(after.detail[window], taper))
    if np.abs(shift.shift).max() > _REACH * len(taper):
        return None
    witness = _peak(_tapered(before.edges[window], taper), _tapered(after.edges[window], taper))
    if np.hypot(*(witness.shift - shift.shift)) > _AGREE_PX:
        return None
    return shift.shift, _repeats(shift) and _repeats(witness)


def _tapered(part: np.ndarray, taper: Float32Array) -> np.ndarray:
    return np.asarray((part - part.mean()) * taper)


def _peak(before: np.ndarray, after: np.ndarray) -> _Peak:
    """Shift (col, row) at the peak of the correlation of two fields, by parabolas through its neighbours.

    The detail that is compared is pixels wide, and so is the peak: the parabola is true to some hundredths of a pixel.
    """
    if np.iscomplexobj(before):
        correlation = fft.ifft2(fft.fft2(after) * np.conj(fft.fft2(before))).real
    else:
        correlation = fft.irfft2(fft.rfft2(after) * np.conj(fft.rfft2(before)), before.shape)
    row, col = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    height, width = correlation.shape
    rows = correlation[[row - 1, row, (row + 1) % height], col]
    cols = correlation[row, [col - 1, col, (col + 1) % width]]
    found = np.array([col + _vertex(cols), row + _vertex(rows)])
    return _Peak(np.where(found > np.array([width, height]) / 2, found - (width, height), found), correlation)


def _repeats(peak: _Peak) -> bool:
    """Whether there is a second peak within reach nearly as high, had no taper lowered it."""
    side = len(peak.correlation)
    reach = int(_REACH * side)
    lags = np.arange(-reach, reach + 1)
    fair = (peak.correlation[np.ix_(lags, lags)] * _fairness(side)).astype(np.float32)
    col, row = np.clip(np.rint(peak.shift).astype(int) + reach, 0, 2 * reach)
    best = fair[row, col]
    peaks = np.where(fair >= cv2.dilate(fair, _PEAK), fair, np.float32(0))
    peaks[max(row - _PEAK_PX, 0) : row + _PEAK_PX + 1, max(col - _PEAK_PX, 0) : col + _PEAK_PX + 1] = 0
    return bool(peaks.max() > _RIVAL * best)


@lru_cache(maxsize=4)
def _fairness(side_px: int) -> Float32Array:
    """What the correlation of tapered windows is short of at each lag within reach."""
    taper = cv2.createHanningWindow((side_px, side_px), cv2.CV_32F)
    overlap = fft.irfft2(np.abs(fft.rfft2(taper)) ** 2, taper.shape)
    lags = np.arange(-int(_REACH * side_px), int(_REACH * side_px) + 1)
    return np.asarray(overlap[0, 0] / overlap[np.ix_(lags, lags)], np.float32)


def _vertex(values: np.ndarray) -> float:
    """Where the parabola through three values a pixel apart peaks, from the middle one."""
    bend = values[0] - 2 * values[1] + values[2]
    return float(0.5 * (values[0] - values[2]) / bend) if bend < 0 else 0.0
