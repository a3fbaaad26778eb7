"""Reading any image on any grid, one window at a time."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.direct import DirectReader, direct_reader
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.source import OpenImage
from cv_pipeline.imagery.warp import WarpReader
from cv_pipeline.types import BoolArray, Float64Array, Grid, ImageSource, UInt8Array, Window


class GridView:
    """An image as seen on a grid; a context manager, held by one thread at a time.

    Downsampling averages over the whole pixel (the cubic kernel is widened), upsampling is cubic.
    Only the window asked for is in memory, beside GDAL's block cache. GDAL warps only where it has to: where the grid's
    rows and columns run along the file's own, :class:`~cv_pipeline.imagery.direct.DirectReader` reads it.
    """

    def __init__(
        self,
        source: ImageSource,
        grid: Grid,
        matrix: Float64Array | None = None,
        *,
        show_obscured: bool = False,
        opened: OpenImage | None = None,
    ) -> None:
        """Describe the view; files are opened on entering.

        Args:
            source: the image.
            grid: the pixels to give. It and the source both have a CRS or neither has.
            matrix: (2, 3), maps (col, row, 1) of the uncorrected view to the corrected one, in pixels
                of ``grid``; None for the georeference as it is.
            show_obscured: True for pictures: ground under clouds counts as valid.
            opened: the image's file, where it is open already; None: the view opens and closes it.
        """
        self.source = source
        self.grid = grid
        self._transform = grid.transform
        if matrix is not None:
            self._transform = grid.transform @ ~Affine(*np.asarray(matrix, dtype=float).ravel())
        self._stack = ExitStack()
        self._opened = opened
        self._reader: DirectReader | WarpReader | None = None
        hidden = source.obscured
        self._cells = None if hidden is None or show_obscured or not hidden.cells.any() else hidden

    def __enter__(self) -> Self:
        """Open the file; ImageError where it has gone since it was checked."""
        try:
            file = self._opened or self._stack.enter_context(OpenImage(self.source.path))
            dataset = file.level(self._overview_level(file.level(None)))
            grid = replace(self.grid, transform=self._transform)
            self._reader = direct_reader(dataset, self.source, grid, self._cells) or WarpReader(
                dataset, self.source, grid, self._cells, self._stack
            )
        except RasterioError as error:
            self._stack.close()
            raise ImageError(f"{self.source.path}: cannot be read any more ({error}); was it moved?") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._stack.close()
        self._reader = None

    def read(self, window: Window) -> tuple[UInt8Array, BoolArray]:
        """Colours (height, width, 3) and validity (height, width) of a window.

        Parts outside the grid or the image, nodata, masked, NaN and infinite pixels and, unless ``show_obscured``,
        what :func:`~cv_pipeline.imagery.clouds.find_obscured` found hidden are invalid and 0.

        Raises:
            ImageError: the file is damaged there.
        """
        if self._reader is None:
            raise ValueError("enter the view before reading from it")
        rgb = np.zeros((window.height, window.width, 3), dtype=np.uint8)
        valid = np.zeros((window.height, window.width), dtype=bool)
        top, left = max(window.row, 0), max(window.col, 0)
        bottom = min(window.row + window.height, self.grid.height)
        right = min(window.col + window.width, self.grid.width)
        if bottom <= top or right <= left:
            return rgb, valid
        inside = np.s_[top - window.row : bottom - window.row, left - window.col : right - window.col]
        part = Window(top, left, bottom - top, right - left)
        try:
            found = self._reader.read(part)
        except RasterioError as error:
            raise ImageError(f"{self.source.path}: the file is damaged ({error}); fetch it again") from error
        if part == window:
            return found
        rgb[inside], valid[inside] = found
        return rgb, valid

    def _overview_level(self, dataset: DatasetReader) -> int | None:
        """The coarsest overview that is still at least twice as fine as the grid, if the file has one."""
        wanted = self.grid.gsd_m / self.source.grid.gsd_m / 2
        factors = enumerate(dataset.overviews(self.source.bands[0]))
        return max(((factor, level) for level, factor in factors if factor <= wanted), default=(1, None))[1]


def overview(source: ImageSource, max_side_px: int) -> tuple[UInt8Array, BoolArray, Grid]:
    """A whole image, small enough for a report.

    Returns:
        Colours (height, width, 3), validity (height, width) and their grid, whose longer side is at most
        ``max_side_px``; images smaller than that come as they are, but square on the ground.
    """
    native = working_grid(source.grid, source.grid.gsd_m)
    factor = max(1.0, max(native.height, native.width) / max_side_px)
    grid = working_grid(source.grid, source.grid.gsd_m * factor)
    with GridView(source, grid) as view:
        rgb, valid = view.read(Window(0, 0, grid.height, grid.width))
    return rgb, valid, grid
