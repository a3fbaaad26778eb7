"""Reading any image on any grid, one window at a time."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.radiometry import to_uint8
from cv_pipeline.imagery.source import open_dataset
from cv_pipeline.types import BoolArray, Float64Array, Grid, ImageSource, Obscured, UInt8Array, Window

METRES = CRS.from_epsg(32631)
"""Stands in on both sides where there is no CRS: any metric CRS does, as nothing is reprojected."""

_HALF_HIDDEN = 128

TOLERANCE_PX = 0.02
"""Error allowed to GDAL's approximate transformer; its default, 0.125 px, is too much for us."""


class GridView:
    """An image as seen on a grid; a context manager, held by one thread at a time.

    Downsampling averages over the whole pixel (GDAL widens its cubic kernel), upsampling is cubic.
    Only the window asked for is in memory, beside GDAL's block cache.
    """

    def __init__(
        self, source: ImageSource, grid: Grid, matrix: Float64Array | None = None, *, show_obscured: bool = False
    ) -> None:
        """Describe the view; files are opened on entering.

        Args:
            source: the image.
            grid: the pixels to give. It and the source both have a CRS or neither has.
            matrix: (2, 3), maps (col, row, 1) of the uncorrected view to the corrected one, in pixels
                of ``grid``; None for the georeference as it is.
            show_obscured: True for pictures: ground under clouds counts as valid.
        """
        self.source = source
        self.grid = grid
        self._transform = grid.transform
        if matrix is not None:
            self._transform = grid.transform @ ~Affine(*np.asarray(matrix, dtype=float).ravel())
        self._stack = ExitStack()
        self._vrt: WarpedVRT | None = None
        self._alpha_band = 0
        hidden = source.obscured
        self._cells = None if hidden is None or show_obscured or not hidden.cells.any() else hidden
        self._hidden: WarpedVRT | None = None

    def __enter__(self) -> Self:
        """Open the file; ImageError where it has gone since it was checked."""
        try:
            with open_dataset(self.source.path) as plain:
                level = self._overview_level(plain)
            dataset = self._stack.enter_context(open_dataset(self.source.path, level))
            self._vrt = self._stack.enter_context(self._warp(dataset))
            if self._cells is not None:
                self._hidden = self._warp_cells(self._cells)
        except RasterioError as error:
            self._stack.close()
            raise ImageError(f"{self.source.path}: cannot be read any more ({error}); was it moved?") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._stack.close()
        self._vrt = self._hidden = None

    def read(self, window: Window) -> tuple[UInt8Array, BoolArray]:
        """Colours (height, width, 3) and validity (height, width) of a window.

        Parts outside the grid or the image, nodata, masked, NaN and infinite pixels and, unless ``show_obscured``,
        what :func:`~cv_pipeline.imagery.clouds.find_obscured` found hidden are invalid and 0.

        Raises:
            ImageError: the file is damaged there.
        """
        if self._vrt is None:
            raise ValueError("enter the view before reading from it")
        rgb = np.zeros((window.height, window.width, 3), dtype=np.uint8)
        valid = np.zeros((window.height, window.width), dtype=bool)
        top, left = max(window.row, 0), max(window.col, 0)
        bottom = min(window.row + window.height, self.grid.height)
        right = min(window.col + window.width, self.grid.width)
        if bottom <= top or right <= left:
            return rgb, valid
        inside = np.s_[top - window.row : bottom - window.row, left - window.col : right - window.col]
        rgb[inside], valid[inside] = self._read_inside(self._vrt, RasterioWindow(left, top, right - left, bottom - top))
        return rgb, valid

    def _read_inside(self, vrt: WarpedVRT, window: RasterioWindow) -> tuple[UInt8Array, BoolArray]:
        source = self.source
        try:
            values = vrt.read([*source.bands, self._alpha_band], window=window)
        except RasterioError as error:
            raise ImageError(f"{source.path}: the file is damaged ({error}); fetch it again") from error
        colours = values[:3]
        valid = (values[3] > 0) & np.isfinite(colours).all(axis=0)
        if self._hidden is not None:
            valid &= self._hidden.read(1, window=window) < _HALF_HIDDEN
        rgb = np.moveaxis(to_uint8(colours, source.scale_low, source.scale_high), 0, -1)
        return np.where(valid[..., None], rgb, np.uint8(0)), valid

    def _warp(self, dataset: DatasetReader) -> WarpedVRT:
        """GDAL's lazy warp of the file onto the grid, with an alpha band for validity."""
        has_alpha = ColorInterp.alpha in dataset.colorinterp
        self._alpha_band = dataset.colorinterp.index(ColorInterp.alpha) + 1 if has_alpha else dataset.count + 1
        own = self.source.grid
        # Of an overview the pixels are as much larger as there are fewer of them.
        larger = own.width / dataset.width, own.height / dataset.height
        return WarpedVRT(
            dataset,
            src_crs=own.crs or METRES,
            src_transform=own.transform @ Affine.scale(*larger) if own.crs is None else None,
            resampling=Resampling.cubic,
            src_nodata=self.source.nodata if has_alpha else self._nodata(),
            add_alpha=not has_alpha,
            UNIFIED_SRC_NODATA="YES",  # black in one colour is not nodata
            **self._onto_grid(),
        )

    def _onto_grid(self) -> dict[str, Any]:
        return {
            "crs": self.grid.crs or METRES,
            "transform": self._transform,
            "width": self.grid.width,
            "height": self.grid.height,
            "tolerance": TOLERANCE_PX,
        }

    def _nodata(self) -> float | None:
        if self.source.nodata is None and self.source.dtype.startswith("float"):
            return float("nan")  # else NaN would pass as a colour and spoil its neighbours
        return self.source.nodata

    def _warp_cells(self, hidden: Obscured) -> WarpedVRT:
        """The coarse cells of hidden ground on the grid: 0 clear to 255 hidden."""
        rows, cols = hidden.cells.shape
        own = self.source.grid
        place = {"crs": own.crs or METRES, "transform": own.transform @ Affine.scale(hidden.cell_px)}
        memory = self._stack.enter_context(MemoryFile())
        with memory.open(driver="GTiff", count=1, height=rows, width=cols, dtype="uint8", **place) as file:
            file.write(hidden.cells.astype(np.uint8) * np.uint8(255), 1)
        cells = self._stack.enter_context(memory.open())
        return self._stack.enter_context(WarpedVRT(cells, resampling=Resampling.bilinear, **self._onto_grid()))

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
