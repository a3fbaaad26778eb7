"""Reading an image on any grid by GDAL's lazy warp: other CRSs, turned and mirrored grids."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import DatasetReader, MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.imagery.radiometry import to_uint8
from cv_pipeline.types import BoolArray, Grid, ImageSource, Obscured, UInt8Array, Window

METRES = CRS.from_epsg(32631)
"""Stands in on both sides where there is no CRS: any metric CRS does, as nothing is reprojected."""

TOLERANCE_PX = 0.02
"""Error allowed to GDAL's approximate transformer; its default, 0.125 px, is too much for us."""

_HALF_HIDDEN = 128


class WarpReader:
    """Windows of a grid by a WarpedVRT; what it opens is closed with the stack that it is given."""

    def __init__(
        self, dataset: DatasetReader, source: ImageSource, grid: Grid, hidden: Obscured | None, stack: ExitStack
    ) -> None:
        self._source, self._grid, self._stack = source, grid, stack
        self._alpha_band = 0
        self._vrt = stack.enter_context(self._warp(dataset))
        self._hidden = None if hidden is None else self._warp_cells(hidden)

    def read(self, part: Window) -> tuple[UInt8Array, BoolArray]:
        """Colours (height, width, 3) and validity (height, width) of a window inside the grid."""
        source, window = self._source, RasterioWindow(part.col, part.row, part.width, part.height)
        values = self._vrt.read([*source.bands, self._alpha_band], window=window)
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
        own = self._source.grid
        # Of an overview the pixels are as much larger as there are fewer of them.
        larger = own.width / dataset.width, own.height / dataset.height
        return WarpedVRT(
            dataset,
            src_crs=own.crs or METRES,
            src_transform=own.transform @ Affine.scale(*larger) if own.crs is None else None,
            resampling=Resampling.cubic,
            src_nodata=self._source.nodata if has_alpha else self._nodata(),
            add_alpha=not has_alpha,
            UNIFIED_SRC_NODATA="YES",  # black in one colour is not nodata
            **self._onto_grid(),
        )

    def _onto_grid(self) -> dict[str, Any]:
        return {
            "crs": self._grid.crs or METRES,
            "transform": self._grid.transform,
            "width": self._grid.width,
            "height": self._grid.height,
            "tolerance": TOLERANCE_PX,
        }

    def _nodata(self) -> float | None:
        if self._source.nodata is None and self._source.dtype.startswith("float"):
            return float("nan")  # else NaN would pass as a colour and spoil its neighbours
        return self._source.nodata

    def _warp_cells(self, hidden: Obscured) -> WarpedVRT:
        """The coarse cells of hidden ground on the grid: 0 clear to 255 hidden."""
        rows, cols = hidden.cells.shape
        own = self._source.grid
        place = {"crs": own.crs or METRES, "transform": own.transform @ Affine.scale(hidden.cell_px)}
        memory = self._stack.enter_context(MemoryFile())
        with memory.open(driver="GTiff", count=1, height=rows, width=cols, dtype="uint8", **place) as file:
            file.write(hidden.cells.astype(np.uint8) * np.uint8(255), 1)
        cells = self._stack.enter_context(memory.open())
        return self._stack.enter_context(WarpedVRT(cells, resampling=Resampling.bilinear, **self._onto_grid()))
