"""Where registration gets its pixels: any grid, with the image moved by a matrix, from a file or an array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.grid import crop
from cv_pipeline.imagery.radiometry import to_uint8
from cv_pipeline.imagery.source import OpenImage, open_dataset
from cv_pipeline.imagery.straight import axes
from cv_pipeline.imagery.view import GridView
from cv_pipeline.types import BoolArray, Float64Array, Grid, ImageSource, UInt8Array, Window

Reader = Callable[[Grid, Float64Array], tuple[UInt8Array, BoolArray]]
"""Colours (height, width, 3) and validity (height, width) of a grid, read whole: give it small grids.

The matrix (2, 3) moves the image from where its georeference puts it to where it is wanted, in pixels of the grid.
"""

_DIRECT = 8.0
"""Up to pixels this much coarser a warp reads the file itself; a wider kernel would need too much of it at once."""
_COARSER = 1.05
"""Pixels that are not coarser by more than this are read as they are in the file."""
_KERNEL_PX = 3


@contextmanager
def file_reader(source: ImageSource) -> Iterator[Reader]:
    """Read from an image file, which is held open meanwhile; ImageError where it is damaged or has gone."""
    try:
        opened = OpenImage(source.path)
        with opened:
            yield partial(_read, opened, source)
    except RasterioError as error:
        raise ImageError(f"{source.path}: cannot be read any more ({error}); was it moved?") from error


def _read(opened: OpenImage, source: ImageSource, grid: Grid, matrix: Float64Array) -> tuple[UInt8Array, BoolArray]:
    if grid.gsd_m > _DIRECT * source.grid.gsd_m:
        with _small_copy(source, grid.gsd_m / 2) as copy, OpenImage(copy.path) as file:
            return _viewed(file, copy, grid, matrix)
    return _viewed(opened, source, grid, matrix)


def array_reader(rgb: UInt8Array, valid: BoolArray, home: Grid) -> Reader:
    """Read from an image in memory, (height, width, 3), that lies on the grid ``home``; grids in the same CRS."""

    def read(grid: Grid, matrix: Float64Array) -> tuple[UInt8Array, BoolArray]:
        height, width = valid.shape
        # OpenCV's kernel does not widen where pixels get coarser: average first.
        factor = max(1.0, grid.gsd_m / home.gsd_m)
        size = max(1, round(width / factor)), max(1, round(height / factor))
        image = rgb if factor == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        known = valid.astype(np.uint8) * np.uint8(255)
        known = known if factor == 1 else np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.uint8)
        to_home = Affine.scale(width / size[0], height / size[1])
        moved = Affine(*np.asarray(matrix, dtype=float).ravel()) @ ~grid.transform @ home.transform @ to_home
        # Positions count from the corner of a pixel, OpenCV's from its centre.
        centred = Affine.translation(-0.5, -0.5) @ moved @ Affine.translation(0.5, 0.5)
        warp = np.array([[centred.a, centred.b, centred.c], [centred.d, centred.e, centred.f]])
        seen = cv2.warpAffine(known, warp, (grid.width, grid.height), flags=cv2.INTER_LINEAR) > 250
        colours = cv2.warpAffine(image, warp, (grid.width, grid.height), flags=cv2.INTER_CUBIC)
        return np.where(seen[..., None], colours, np.uint8(0)), seen

    return read


def plain_grid(shape: tuple[int, ...], gsd_m: float) -> Grid:
    """The grid of an image (height, width, ...) without a CRS: metres from its upper-left corner, y up."""
    return Grid(shape[0], shape[1], Affine(gsd_m, 0, 0, 0, -gsd_m, 0), None, gsd_m)


def coarser(grid: Grid, factor: float) -> Grid:
    """The same ground in pixels ``factor`` times as large, from the same upper-left corner."""
    height, width = (max(1, round(side / factor)) for side in (grid.height, grid.width))
    return Grid(height, width, grid.transform @ Affine.scale(factor), grid.crs, grid.gsd_m * factor)


def _viewed(opened: OpenImage, source: ImageSource, grid: Grid, matrix: Float64Array) -> tuple[UInt8Array, BoolArray]:
    """The image on a grid. What is turned against it is read straight and turned in memory.

    To the hundredth of a pixel that is where a view puts it, in a fifth of the time; pixels need not be a warp's own.
    """
    moved = replace(grid, transform=grid.transform @ ~Affine(*np.asarray(matrix, dtype=float).ravel()))
    own = source.grid
    if own.crs == grid.crs and axes(own.transform, (own.height, own.width), moved) is None:
        home = _around(own, moved)
        with GridView(source, home, opened=opened) as view:
            return array_reader(*view.read(Window(0, 0, home.height, home.width)), home)(grid, matrix)
    with GridView(source, grid, matrix, opened=opened) as view:
        return view.read(Window(0, 0, grid.height, grid.width))


def _around(own: Grid, moved: Grid) -> Grid:
    """The part of an image's grid that a turned grid lies in, in pixels about as large as the turned grid's."""
    ratio = moved.gsd_m / own.gsd_m
    home = coarser(own, ratio) if ratio > _COARSER else own
    to_home = ~home.transform @ moved.transform
    corners = np.array([to_home @ (col, row) for col in (0, moved.width) for row in (0, moved.height)])
    low, high = np.floor(corners.min(axis=0)).astype(int) - _KERNEL_PX, np.ceil(corners.max(axis=0)).astype(int)
    cols, rows = (high - low + _KERNEL_PX).tolist()
    return crop(home, Window(int(low[1]), int(low[0]), rows, cols))


@contextmanager
def _small_copy(source: ImageSource, gsd_m: float) -> Iterator[ImageSource]:
    """The image averaged to ``gsd_m`` and held in memory, as an image of its own.

    The file (or an overview of it) is read once, in GDAL's own blocks; memory is that of the copy.
    """
    grid, factor = source.grid, gsd_m / source.grid.gsd_m
    height, width = (max(1, round(side / factor)) for side in (grid.height, grid.width))
    try:
        with open_dataset(source.path) as dataset:
            shape = (3, height, width)
            values = dataset.read(source.bands, out_shape=shape, resampling=Resampling.average)
            known = dataset.read_masks(source.bands, out_shape=shape).any(axis=0)
    except RasterioError as error:
        raise ImageError(f"{source.path}: the file is damaged ({error}); fetch it again") from error
    known &= np.isfinite(values).all(axis=0)
    rgb = to_uint8(values, source.scale_low, source.scale_high)
    transform = grid.transform @ Affine.scale(grid.width / width, grid.height / height)
    layout = {"driver": "GTiff", "count": 4, "dtype": "uint8", "height": height, "width": width}
    with MemoryFile() as memory:
        with memory.open(**layout, crs=grid.crs, transform=transform) as file:
            file.write(np.concatenate([rgb, known[None] * np.uint8(255)]))
            file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
        yield replace(
            source,
            path=memory.name,
            grid=Grid(height, width, transform, grid.crs, gsd_m),
            bands=(1, 2, 3),
            dtype="uint8",
            nodata=None,
            scale_low=(0.0, 0.0, 0.0),
            scale_high=(255.0, 255.0, 255.0),
            obscured=None,
        )
