"""Reading an image on a grid that runs along its own rows and columns, or nearly: resampled once at most, no warp."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from affine import Affine
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.imagery.leaning import Lean, lean, resample_leaning
from cv_pipeline.imagery.radiometry import to_rgb, valid_mask
from cv_pipeline.imagery.straight import Axis, axes, resample, weights
from cv_pipeline.types import BoolArray, Grid, ImageSource, Obscured, UInt8Array, Window

MAX_READ_PX = 4_000_000
"""Of windows that need more pixels of the file than this the halves are read one after the other."""


class DirectReader:
    """Windows of a grid, straight from an open file (or one of its overviews)."""

    def __init__(
        self, dataset: DatasetReader, source: ImageSource, how: tuple[Axis, Axis] | Lean, hidden: Hidden | None
    ) -> None:
        self._dataset, self._source = dataset, source
        self._how, self._hidden = how, hidden
        steps = (how.matrix.e, how.matrix.a) if isinstance(how, Lean) else (how[0].step, how[1].step)
        self._file_px = steps[0] * steps[1]

    def read(self, part: Window) -> tuple[UInt8Array, BoolArray]:
        """Colours (height, width, 3) and validity (height, width) of a window inside the grid."""
        if part.height * part.width * self._file_px > MAX_READ_PX and max(part[2:]) > 1:
            return self._by_halves(part)
        values, valid = (
            self._leaning(part, self._how) if isinstance(self._how, Lean) else self._straight(part, *self._how)
        )
        if self._hidden is not None:
            valid &= ~self._hidden.at(part)
        rgb = to_rgb(values, self._source.scale_low, self._source.scale_high)
        if not valid.all():
            rgb[~valid] = 0
        return rgb, valid

    def _by_halves(self, part: Window) -> tuple[UInt8Array, BoolArray]:
        if part.height >= part.width:
            top = part.height // 2
            pieces = part._replace(height=top), part._replace(row=part.row + top, height=part.height - top)
        else:
            left = part.width // 2
            pieces = part._replace(width=left), part._replace(col=part.col + left, width=part.width - left)
        read = [self.read(piece) for piece in pieces]
        axis = 0 if part.height >= part.width else 1
        return np.concatenate([rgb for rgb, _ in read], axis), np.concatenate([valid for _, valid in read], axis)

    def _straight(self, part: Window, row_axis: Axis, col_axis: Axis) -> tuple[npt.NDArray[np.generic], BoolArray]:
        """Values (height, width, 3) in the file's own unit, finite, and validity."""
        rows = weights(row_axis, part.row, part.height)
        cols = weights(col_axis, part.col, part.width)
        if (rows.nearest < 0).all() or (cols.nearest < 0).all():
            return _nothing(part)
        image, known = self._pixels(Window(rows.first, cols.first, rows.count, cols.count))
        if row_axis.is_copy(part.row, part.height) and col_axis.is_copy(part.col, part.width):
            return _copied(image, known, rows.nearest, cols.nearest)
        return resample(image, known, rows, cols)

    def _leaning(self, part: Window, how: Lean) -> tuple[npt.NDArray[np.generic], BoolArray]:
        """The same where the grid is turned a little."""
        wanted = how.covers(part)
        top, left = max(wanted.row, 0), max(wanted.col, 0)
        bottom = min(wanted.row + wanted.height, self._dataset.height)
        right = min(wanted.col + wanted.width, self._dataset.width)
        if bottom <= top or right <= left:
            return _nothing(part)
        image, known = self._pixels(Window(top, left, bottom - top, right - left))
        around = [
            (top - wanted.row, wanted.row + wanted.height - bottom),
            (left - wanted.col, wanted.col + wanted.width - right),
        ]
        if np.any(around):
            known = np.pad(np.ones(image.shape[:2], bool) if known is None else known, around)
            image = np.pad(image, [*around, (0, 0)])
        return resample_leaning(image, known, wanted, how, part)

    def _pixels(self, window: Window) -> tuple[npt.NDArray[np.generic], BoolArray | None]:
        """The file's pixels (height, width, 3), and which of them show anything, None for all."""
        dataset, bands = self._dataset, self._source.bands
        where = RasterioWindow(window.col, window.row, window.width, window.height)
        different = sorted(set(bands))
        values = dataset.read(different, window=where)
        known = self._masked(where)
        if self._source.nodata is not None:  # black in one colour is not nodata
            shown = (values != self._source.nodata).any(axis=0)
            known = shown if known is None else known & shown
        if np.issubdtype(values.dtype, np.floating):
            finite = np.isfinite(values).all(axis=0)
            known = finite if known is None else known & finite
        image = np.stack([values[different.index(band)] for band in bands], axis=-1)
        return image, known

    def _masked(self, where: RasterioWindow) -> BoolArray | None:
        """What the file's alpha band or masks leave; None where it has none."""
        dataset, bands = self._dataset, self._source.bands
        if ColorInterp.alpha in dataset.colorinterp:
            alpha = dataset.read(dataset.colorinterp.index(ColorInterp.alpha) + 1, window=where)
            return np.asarray(alpha > 0)
        flags = [dataset.mask_flag_enums[band - 1] for band in bands]
        if all(MaskFlags.all_valid in flag or MaskFlags.nodata in flag for flag in flags):
            return None
        return valid_mask(dataset, bands, where)


class Hidden(NamedTuple):
    """Coarse cells of hidden ground, and where they lie: ``matrix`` maps the grid's (col, row) to cells' (col, row)."""

    cells: BoolArray
    matrix: Affine

    def at(self, part: Window) -> BoolArray:
        """Where a window (height, width) is hidden: bilinear between the centres of the cells, one half or more."""
        # Positions count from the corner of a pixel, OpenCV's from its centre.
        m = Affine.translation(-0.5, -0.5) @ self.matrix @ Affine.translation(part.col + 0.5, part.row + 0.5)
        ends = [m @ (col, row) for col in (0, part.width) for row in (0, part.height)]
        (left, top), (right, bottom) = np.floor(np.min(ends, axis=0)) - 1, np.ceil(np.max(ends, axis=0)) + 2
        rows, cols = (
            slice(int(np.clip(low, 0, size - 1)), int(np.clip(high, 1, size)))
            for low, high, size in zip((top, left), (bottom, right), self.cells.shape, strict=True)
        )
        near = self.cells[rows, cols]
        if not near.any():
            return np.zeros((part.height, part.width), dtype=bool)
        warp = np.array([[m.a, m.b, m.c - cols.start], [m.d, m.e, m.f - rows.start]])
        shares = cv2.warpAffine(
            near.astype(np.float32), warp, (part.width, part.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return np.asarray(shares >= 0.5)


def direct_reader(
    dataset: DatasetReader, source: ImageSource, grid: Grid, hidden: Obscured | None
) -> DirectReader | None:
    """A reader for a grid, None where it needs a warp: another CRS, or turned by more than a degree, or mirrored.

    Args:
        dataset: the image or an overview of it, open.
        source: what is known of the image.
        grid: the pixels wanted, by the registered georeference.
        hidden: ground to leave out.
    """
    own = source.grid
    if own.crs != grid.crs:
        return None
    # Of an overview the pixels are as much larger as there are fewer of them.
    image = own.transform @ Affine.scale(own.width / dataset.width, own.height / dataset.height)
    how = axes(image, (dataset.height, dataset.width), grid) or lean(image, grid)
    if how is None:
        return None
    cells = None
    if hidden is not None:
        cells = Hidden(hidden.cells, ~(own.transform @ Affine.scale(hidden.cell_px)) @ grid.transform)
    return DirectReader(dataset, source, how, cells)


def _nothing(part: Window) -> tuple[npt.NDArray[np.generic], BoolArray]:
    return np.zeros((part.height, part.width, 3), np.uint8), np.zeros((part.height, part.width), bool)


def _copied(
    image: npt.NDArray[np.generic], known: BoolArray | None, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.generic], BoolArray]:
    """The pixels at rows and columns that count on by one, -1 where they are beside the image."""
    inside = (rows >= 0)[:, None] & (cols >= 0)
    values = np.zeros((*inside.shape, 3), image.dtype)
    to = tuple(slice(int(at.argmax()), int(at.argmax() + at.sum())) for at in (rows >= 0, cols >= 0))
    of = tuple(slice(int(axis[part][0]), int(axis[part][-1]) + 1) for axis, part in zip((rows, cols), to, strict=True))
    values[to] = image[of]
    if known is not None:
        inside[to] &= known[of]
        values[~inside] = 0  # NaN among them
    return values, inside
