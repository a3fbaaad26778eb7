"""Reading an image on a grid whose rows and columns run along its own: by rows, then by columns.

The kernel is that of GDAL's cubic warp (Keys 1981, doi:10.1109/TASSP.1981.1163711, with a = -1/2), widened where pixels
get coarser, but a separable sum takes a tenth of a warp's time. A pixel's value depends on its place alone,
not on the window that it is read with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from affine import Affine
from scipy.sparse import csr_array

from cv_pipeline.types import BoolArray, Float32Array, Float64Array, Grid

MAX_TURN_PX = 0.01
"""How far a grid's rows and columns may run off the image's over the whole grid, in the image's pixels."""
_SAME_PX = 0.001
"""Places that agree to this are taken as the same: nothing is resampled."""
_COARSER = 1 / 0.95
"""From pixels this much coarser on the kernel is widened, as GDAL does; and widths near whole numbers are rounded."""
_ROUNDED = 0.05
KERNEL_REACH = 2
"""Of the cubic kernel, in pixels of the coarser of image and grid."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Along one axis: place ``start + step * k`` of the image is the start of pixel ``k`` of the grid.

    ``size`` is the image's length in pixels.
    """

    start: float
    step: float
    size: int

    def centres(self, first: int, count: int) -> Float64Array:
        """Where the centres of ``count`` pixels of the grid lie in the image, pixel starts counted from 0."""
        return np.asarray(self.start + self.step * (np.arange(first, first + count) + 0.5))

    def is_copy(self, first: int, count: int) -> bool:
        """Whether these pixels of the grid are pixels of the image."""
        ends = self.centres(first, count)[[0, -1]] - 0.5
        return bool((np.abs(ends - np.rint(ends)) <= _SAME_PX).all() and np.rint(ends[1] - ends[0]) == count - 1)


def axes(image: Affine, shape: tuple[int, ...], grid: Grid) -> tuple[Axis, Axis] | None:
    """The row and column axis of a grid on an image of ``shape`` (height, width); None where turned or mirrored.

    ``image`` maps the image's (col, row) to the grid's map coordinates.
    """
    m = ~image @ grid.transform
    turn_px = max(abs(m.b) * grid.height, abs(m.d) * grid.width)
    if not (m.a > 0 and m.e > 0 and turn_px <= MAX_TURN_PX):
        return None
    # Of what little turn there is, half to either end.
    return Axis(m.f + m.d * grid.width / 2, m.e, shape[0]), Axis(m.c + m.b * grid.height / 2, m.a, shape[1])


@dataclass(frozen=True, slots=True)
class Weights:
    """What some pixels of a grid are made of along one axis.

    ``matrix`` (grid pixels, image pixels from ``first`` to ``first + count``) sums to 1 by row; ``nearest`` (grid
    pixels,) is the image pixel that holds the centre, counted from ``first``, -1 beside the image.
    """

    first: int
    count: int
    matrix: csr_array
    nearest: npt.NDArray[np.intp]


def cubic(distance: Float64Array) -> Float64Array:
    """Keys' kernel with a = -1/2."""
    d = np.abs(distance)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.asarray(np.where(d <= 1, near, np.where(d < 2, far, 0.0)))


def weights(axis: Axis, first: int, count: int) -> Weights:
    """Weights of ``count`` pixels of a grid, from pixel ``first`` on."""
    centres = axis.centres(first, count)
    at = centres - 0.5  # pixel centres are whole numbers here
    width = kernel_width(axis.step)
    reach = int(np.ceil(KERNEL_REACH * width))
    taps = np.floor(at).astype(np.intp)[:, None] + np.arange(1 - reach, reach + 1)
    share = cubic((taps - at[:, None]) / width)
    share[(taps < 0) | (taps >= axis.size)] = 0.0
    taps = taps.clip(0, axis.size - 1)
    total = share.sum(axis=1, keepdims=True)
    share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    low, high = int(taps.min()), int(taps.max()) + 1
    starts = np.arange(count + 1) * taps.shape[1]
    content = share.astype(np.float32).ravel(), (taps - low).ravel(), starts
    nearest = np.floor(centres).astype(np.intp)
    nearest = np.where((nearest >= 0) & (nearest < axis.size), nearest - low, -1)
    return Weights(low, high - low, csr_array(content, shape=(count, high - low)), nearest)


def kernel_width(step: float) -> float:
    """How much the kernel is widened for pixels ``step`` times as large."""
    if step <= _COARSER:
        return 1.0
    return float(round(step)) if abs(step - round(step)) < _ROUNDED else step


def combine(image: npt.NDArray[Any], rows: Weights, cols: Weights) -> Float32Array:
    """An image (height, width[, bands]) on the grid, (grid rows, grid cols[, bands])."""

    def on_grid(plane: Float32Array) -> Float32Array:
        down = cv2.transpose(rows.matrix @ plane)
        return np.asarray(cv2.transpose(cols.matrix @ down))

    return by_band(on_grid, image)


def by_band(function: Callable[[Float32Array], Float32Array], image: npt.NDArray[Any]) -> Float32Array:
    """A function of an image (height, width) for each band of (height, width[, bands]).

    OpenCV transposes a band in a tenth of what three bands side by side take.
    """
    if image.ndim == 2:
        return function(np.ascontiguousarray(image, np.float32))
    bands = [function(np.ascontiguousarray(image[..., k], np.float32)) for k in range(image.shape[2])]
    return np.asarray(cv2.merge(bands), np.float32).reshape(*bands[0].shape, len(bands))


def resample(
    image: npt.NDArray[Any], known: BoolArray | None, rows: Weights, cols: Weights
) -> tuple[Float32Array, BoolArray]:
    """Values (grid rows, grid cols, bands) and validity (grid rows, grid cols).

    A pixel is valid where the image's pixel under its centre is; its value is the mean over the valid ones.

    Args:
        image: (height, width, bands) of any sample type, of the pixels that the weights name.
        known: (height, width), None for all.
        rows: weights of the grid's rows.
        cols: weights of the grid's columns.
    """
    inside = (rows.nearest >= 0)[:, None] & (cols.nearest >= 0)
    if known is None or known.all():
        return combine(image, rows, cols), inside
    inside &= known[rows.nearest[:, None], cols.nearest]
    mass = combine(known, rows, cols)
    # Multiplying would leave NaN where there was one.
    values = combine(np.where(known[..., None], image, image.dtype.type(0)), rows, cols)
    return np.asarray(values / np.where(inside, mass, np.float32(1))[..., None]), inside
