"""Reading an image on a grid that runs along its own rows and columns: the file's pixels, resampled at most once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from affine import Affine
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.imagery.radiometry import to_rgb, valid_mask
from cv_pipeline.imagery.straight import Axis, axes, combine, resample, weights
from cv_pipeline.types import BoolArray, Grid, ImageSource, Obscured, UInt8Array, Window

MAX_READ_PX = 4_000_000
"""Of windows that need more pixels of the file than this the halves are read one after the other."""


class DirectReader:
    """Windows of a grid, straight from an open file (or one of its overviews)."""

    def __init__(
        self,
        dataset: DatasetReader,
        source: ImageSource,
        on_file: tuple[Axis, Axis],
        on_cells: tuple[Axis, Axis] | None,
    ) -> None:
        self._dataset, self._source = dataset, source
        self._rows, self._cols = on_file
        self._on_cells = on_cells
        self._cells = None if source.obscured is None else source.obscured.cells

    def read(self, part: Window) -> tuple[UInt8Array, BoolArray]:
        """Colours (height, width, 3) and validity (height, width) of a window inside the grid."""
        if part.height * self._rows.step * part.width * self._cols.step > MAX_READ_PX and max(part[2:]) > 1:
            return self._by_halves(part)
        values, valid = self._values(part)
        if self._on_cells is not None:
            valid &= ~self._is_hidden(part)
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

    def _values(self, part: Window) -> tuple[npt.NDArray[np.generic], BoolArray]:
        """Values (height, width, 3) in the file's own unit, finite, and validity."""
        rows = weights(self._rows, part.row, part.height)
        cols = weights(self._cols, part.col, part.width)
        if (rows.nearest < 0).all() or (cols.nearest < 0).all():
            return np.zeros((part.height, part.width, 3), np.uint8), np.zeros((part.height, part.width), bool)
        image, known = self._pixels(Window(rows.first, cols.first, rows.count, cols.count))
        if self._rows.is_copy(part.row, part.height) and self._cols.is_copy(part.col, part.width):
            return _copied(image, known, rows.nearest, cols.nearest)
        return resample(image, known, rows, cols)

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

    def _is_hidden(self, part: Window) -> BoolArray:
        assert self._on_cells is not None
        assert self._cells is not None
        rows = weights(self._on_cells[0], part.row, part.height, smooth=False)
        cols = weights(self._on_cells[1], part.col, part.width, smooth=False)
        cells = self._cells[rows.first : rows.first + rows.count, cols.first : cols.first + cols.count]
        if not cells.any():
            return np.zeros((part.height, part.width), dtype=bool)
        return np.asarray(combine(cells, rows, cols) >= 0.5)


def direct_reader(
    dataset: DatasetReader, source: ImageSource, grid: Grid, hidden: Obscured | None
) -> DirectReader | None:
    """A reader for a grid, None where it needs a warp: another CRS, or turned or mirrored against the file.

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
    found = axes(image, (dataset.height, dataset.width), grid)
    if found is None:
        return None
    if hidden is None:
        return DirectReader(dataset, source, found, None)
    cells = axes(own.transform @ Affine.scale(hidden.cell_px), hidden.cells.shape, grid)
    return DirectReader(dataset, source, found, cells)


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
