"""Reading an image on a grid that is turned against it by a degree at most, as registered pairs are.

Two passes of sums along one axis (Catmull & Smith 1980, doi:10.1145/965105.807485): along each of the image's rows to
where the grid's columns cross it, then along each of the grid's columns. Rows and columns whose places
agree to 1/32 px are done together, so that a slight turn costs little more than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from affine import Affine

from cv_pipeline.frame import transformed
from cv_pipeline.imagery.straight import KERNEL_REACH, Axis, by_band, kernel_width, weights
from cv_pipeline.types import BoolArray, Float32Array, Grid, Window

MAX_LEAN = 0.02
"""Sine of the greatest turn: the kernel leans by as much, and beyond would no longer be that of a warp."""
_PHASES = 32
"""Places are rounded to this part of a pixel."""
_FAR = 2**40


@dataclass(frozen=True, slots=True)
class Lean:
    """How a grid lies on an image: ``matrix`` maps (col, row) of the grid to (col, row) of the image."""

    matrix: Affine

    def covers(self, part: Window) -> Window:
        """The image's pixels that a window of the grid is made of, also beside the image."""
        corners = [(part.col + i * part.width, part.row + j * part.height) for i in (0, 1) for j in (0, 1)]
        at = np.array([self.matrix @ corner for corner in corners])
        m = self.matrix
        reach = np.array([KERNEL_REACH * kernel_width(step) + 2 for step in (m.a, m.e)])
        # Along a row the first pass looks as far off the window as the second one's kernel leans.
        low, high = np.floor(at.min(axis=0) - reach).astype(int), np.ceil(at.max(axis=0) + reach).astype(int)
        (left, top), (right, bottom) = low.tolist(), high.tolist()
        return Window(top, left, bottom - top, right - left)

    def on_grid(self, image: npt.NDArray[Any], of: Window, part: Window) -> Float32Array:
        """An image (height, width[, bands]) of the pixels ``of`` (:meth:`covers`) on a window of the grid."""
        m = self.matrix
        rows = np.arange(of.row, of.row + of.height) + 0.5
        starts = m.c - m.b * m.f / m.e + m.b / m.e * rows
        columns = np.arange(part.col, part.col + part.width) + 0.5

        def of_band(plane: Float32Array) -> Float32Array:
            across = _shifted(plane, starts, m.a - m.b * m.d / m.e, of.col, part[1::2])
            down = _shifted(np.asarray(cv2.transpose(across)), m.f + m.d * columns, m.e, of.row, part[::2])
            return np.asarray(cv2.transpose(down))

        return by_band(of_band, image)

    def nearest(self, part: Window) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Rows and columns (height, width) of the image's pixels under the centres of a window's pixels."""
        cols = np.arange(part.col, part.col + part.width) + 0.5
        rows = (np.arange(part.row, part.row + part.height) + 0.5)[:, None]
        x, y = transformed(self.matrix, cols, rows)
        return np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)


def lean(image: Affine, grid: Grid) -> Lean | None:
    """How a grid lies on an image whose (col, row) ``image`` maps to map coordinates; None for too great a turn."""
    m = ~image @ grid.transform
    if not (m.a > 0 and m.e > 0 and max(abs(m.b) / m.a, abs(m.d) / m.e) <= MAX_LEAN):
        return None
    return Lean(m)


def resample_leaning(
    image: npt.NDArray[Any], known: BoolArray | None, of: Window, how: Lean, part: Window
) -> tuple[Float32Array, BoolArray]:
    """Values (height, width, bands) and validity of a window, as :func:`~cv_pipeline.imagery.straight.resample`.

    Args:
        image: (height, width, bands), the pixels ``of``; beside the image anything.
        known: (height, width), None for all.
        of: what :meth:`Lean.covers` gave.
        how: how the grid lies.
        part: the window of the grid.
    """
    if known is None or known.all():
        return how.on_grid(image, of, part), np.ones((part.height, part.width), bool)
    rows, cols = how.nearest(part)
    valid = np.asarray(known[rows - of.row, cols - of.col])
    mass = how.on_grid(known, of, part)
    values = how.on_grid(np.where(known[..., None], image, image.dtype.type(0)), of, part)
    return np.asarray(values / np.where(valid, mass, np.float32(1))[..., None]), valid


def _shifted(
    image: Float32Array, starts: npt.NDArray[np.floating[Any]], step: float, origin: int, wanted: tuple[int, ...]
) -> Float32Array:
    """Rows (n, length) of an image, which begin at pixel ``origin``, each from a start of its own.

    ``wanted`` is the first pixel and how many. As rows with one start follow each other they are done together.
    """
    first, count = wanted
    phases = np.rint(starts * _PHASES).astype(int)
    out = np.empty((len(image), count), np.float32)
    for low, high in _runs(phases):
        whole, phase = divmod(int(phases[low]), _PHASES)
        sums = _weights(step, phase, first, count)
        at = whole + sums.first - _FAR // 2 - origin
        made = sums.matrix @ cv2.transpose(image[low:high, at : at + sums.count]).reshape(sums.count, -1)
        out[low:high] = cv2.transpose(made).reshape(high - low, count)
    return out


@lru_cache(maxsize=256)
def _weights(step: float, phase: int, first: int, count: int) -> Any:
    """Weights of an endless image, counted from far to the left."""
    return weights(Axis(_FAR // 2 + phase / _PHASES, step, _FAR), first, count)


def _runs(values: npt.NDArray[np.int_]) -> Iterator[tuple[int, int]]:
    """Starts and ends of stretches of equal values."""
    ends = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    yield from pairwise(ends)
