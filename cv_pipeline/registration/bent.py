"""The before image as the after image shows the ground: moved by the similarity, and bent where relief asks for it."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from affine import Affine
from scipy.ndimage import map_coordinates

from cv_pipeline.imagery.grid import crop, pixel_matrix
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.local import Bend
from cv_pipeline.types import (
    BoolArray,
    Float64Array,
    Grid,
    ImageSource,
    LocalShift,
    Registration,
    UInt8Array,
    Window,
)

_NODES = 33
_KERNEL_PX = 3
_SEEN = 250


def registered_view(
    before: ImageSource, registration: Registration, after: Grid, grid: Grid, *, show_obscured: bool = False
) -> GridView:
    """The before image, registered, on a grid in the after image's CRS.

    Args:
        before: the image.
        registration: how it lies on the after image.
        after: the after image's own grid, in whose pixels the registration is stated.
        grid: the pixels to give.
        show_obscured: True for pictures: ground under clouds counts as valid.
    """
    to_after = pixel_matrix(grid, after)
    matrix = conjugate(registration.matrix, ~to_after)
    if registration.local is None:
        return GridView(before, grid, matrix, show_obscured=show_obscured)
    return _BentView(before, grid, matrix, registration.local, to_after, show_obscured)


def conjugate(matrix: Float64Array, change: Affine) -> Float64Array:
    """A (2, 3) matrix of one grid's pixels in those of another, ``change`` mapping the first to the second."""
    moved = change @ Affine(*np.asarray(matrix, dtype=float).ravel()) @ ~change
    return np.array([[moved.a, moved.b, moved.c], [moved.d, moved.e, moved.f]])


def local_shift(bend: Bend, to_after: Affine) -> LocalShift:
    """A bend found on a registration grid, on a lattice over its ties in after-image pixels."""
    low, high = bend.ties.min(axis=0), bend.ties.max(axis=0)
    cols, rows = (np.linspace(low[k], high[k], _NODES) for k in (0, 1))
    found = bend.at(np.stack(np.meshgrid(cols, rows), axis=-1).reshape(-1, 2))
    linear = np.array([[to_after.a, to_after.b], [to_after.d, to_after.e]])
    matrix = np.array([*linear[0], to_after.c, *linear[1], to_after.f]).reshape(2, 3)
    step = (high - low) / (_NODES - 1)
    # Lattice (col, row) to after-image pixels; a registration grid may be turned or mirrored against the image.
    lattice = np.column_stack([linear * step, matrix[:, :2] @ low + matrix[:, 2]])
    return LocalShift(lattice, (found @ linear.T).reshape(_NODES, _NODES, 2))


def shift_at(local: LocalShift, points: Float64Array) -> Float64Array:
    """The correction (n, 2) as (col, row) at after-image pixels (n, 2); beyond the lattice that at its border."""
    node = (points - local.lattice[:, 2]) @ np.linalg.inv(local.lattice[:, :2]).T
    at = node[:, ::-1].T
    return np.column_stack([map_coordinates(local.shift_px[..., k], at, order=1, mode="nearest") for k in (0, 1)])


class _BentView(GridView):
    """A view whose windows are resampled once more by a smooth shift of some pixels at most."""

    def __init__(
        self,
        source: ImageSource,
        grid: Grid,
        matrix: Float64Array,
        local: LocalShift,
        to_after: Affine,
        show_obscured: bool,
    ) -> None:
        reach = np.abs(local.shift_px).max() / max(math.sqrt(abs(to_after.determinant)), 1e-9)
        self._pad = math.ceil(reach) + _KERNEL_PX
        self._local, self._to_after = local, to_after
        self._wanted = grid
        # The straight view reaches past the grid, else its rim would have nothing to come from.
        wide = Window(-self._pad, -self._pad, grid.height + 2 * self._pad, grid.width + 2 * self._pad)
        shifted = Affine.translation(self._pad, self._pad)
        super().__init__(source, crop(grid, wide), conjugate(matrix, shifted), show_obscured=show_obscured)

    def read(self, window: Window) -> tuple[UInt8Array, BoolArray]:
        """As :meth:`GridView.read`."""
        pad = self._pad
        rgb, valid = super().read(Window(window.row, window.col, window.height + 2 * pad, window.width + 2 * pad))
        a = self._to_after
        linear = np.array([[a.a, a.b], [a.d, a.e]])
        place = pixel_centres(window)
        shift = shift_at(self._local, place @ linear.T + (a.c, a.f)) @ np.linalg.inv(linear).T
        bands, seen = bend_pixels(np.moveaxis(rgb, -1, 0), valid, shift, pad)
        inside = ((place > 0) & (place < (self._wanted.width, self._wanted.height))).all(axis=1)
        seen &= inside.reshape(seen.shape)
        return np.where(seen[..., None], np.moveaxis(bands, 0, -1), np.uint8(0)), seen


def pixel_centres(window: Window) -> Float64Array:
    """The centres (height * width, 2) as (col, row) of a window's pixels, row by row."""
    rows, cols = np.mgrid[: window.height, : window.width].astype(np.float64) + 0.5
    return np.column_stack([cols.ravel() + window.col, rows.ravel() + window.row])


def bend_pixels(
    values: npt.NDArray[Any], seen: BoolArray, shift: Float64Array, pad: int
) -> tuple[npt.NDArray[Any], BoolArray]:
    """The inner part of a padded block, each pixel taken from ``shift`` px before it; cubic.

    Args:
        values: (bands, height + 2 pad, width + 2 pad) of any sample type.
        seen: the same shape without bands; ground that is missing does not mix into its neighbours.
        shift: (height * width, 2) as (col, row), less than ``pad - 2`` long.
        pad: pixels around the inner part.

    Returns:
        Values (bands, height, width) of the same sample type, and where all of it was seen.
    """
    height, width = (side - 2 * pad for side in seen.shape)
    at = pixel_centres(Window(0, 0, height, width)) - shift + pad - 0.5
    col_map, row_map = (at[:, k].reshape(height, width).astype(np.float32) for k in (0, 1))
    # The cubic kernel reaches one pixel farther than the linear one that asks what was seen.
    whole = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) * np.uint8(255)
    sure = cv2.remap(whole, col_map, row_map, cv2.INTER_LINEAR) > _SEEN
    bent = np.empty((len(values), height, width), values.dtype)
    limits = np.iinfo(values.dtype) if np.issubdtype(values.dtype, np.integer) else None
    for band, out in zip(values, bent, strict=True):
        found = cv2.remap(band.astype(np.float64), col_map, row_map, cv2.INTER_CUBIC)
        out[:] = found if limits is None else np.clip(np.rint(found), limits.min, limits.max)
    return bent, sure
