"""Grids: the same ground at another pixel size, a part of it, and how much two of them share."""

from __future__ import annotations

import math

import numpy as np
from affine import Affine

from cv_pipeline.frame import transformed, transformer
from cv_pipeline.imagery.ground import axis_gsd_m
from cv_pipeline.types import Float64Array, Grid, Window

_EDGE_POINTS = 21


def working_grid(grid: Grid, gsd_m: float) -> Grid:
    """The same ground in the same CRS at another ground sample distance.

    Pixels come out square *on the ground*: each axis is scaled by its own factor, since the degrees
    of a geographic CRS are not square and a crater must look round to the model. Convert between
    grids by their transforms (:func:`pixel_matrix`), never by the ratio of their GSDs. Sizes are
    rounded up, so that the last row and column may reach past the original by less than a pixel. The rows
    of a mirrored image (one stored from the south up) are turned round, as shadows would fall on the wrong side.
    """
    col_m, row_m = _axes_m(grid)
    scale_col, scale_row = gsd_m / col_m, gsd_m / row_m
    upright = grid.transform
    if upright.determinant > 0:
        upright = upright @ Affine.translation(0, grid.height) @ Affine.scale(1, -1)
    return Grid(
        # a hair less than the ratio, lest rounding adds a row of nothing
        height=max(1, math.ceil(grid.height / scale_row - 1e-6)),
        width=max(1, math.ceil(grid.width / scale_col - 1e-6)),
        transform=upright @ Affine.scale(scale_col, scale_row),
        crs=grid.crs,
        gsd_m=gsd_m,
    )


def crop(grid: Grid, window: Window) -> Grid:
    """The part of a grid inside a window."""
    moved = grid.transform @ Affine.translation(window.col, window.row)
    return Grid(window.height, window.width, moved, grid.crs, grid.gsd_m)


def pixel_matrix(source: Grid, target: Grid) -> Affine:
    """The affine that maps (col, row) of ``source`` to (col, row) of ``target``; both in one CRS."""
    mapped: Affine = ~target.transform @ source.transform
    return mapped


def overlap(first: Grid, second: Grid) -> Window | None:
    """The window of ``first``'s pixels that may hold imagery of ``second``; None where they are apart.

    The bounding box of the second's edge, so that rotated or reprojected images share somewhat less.
    Two grids without a CRS share their upper-left corner. Both must have a CRS or neither.
    """
    pixels = _edge_pixels(first, second)
    if not len(pixels):
        return None
    low = np.maximum(np.floor(pixels.min(axis=0) + 1e-6), 0)
    high = np.minimum(np.ceil(pixels.max(axis=0) - 1e-6), (first.width, first.height))
    if (high <= low).any():
        return None
    (col, row), (col_end, row_end) = low.astype(int), high.astype(int)
    return Window(int(row), int(col), int(row_end - row), int(col_end - col))


def overlap_share(first: Grid, second: Grid) -> float:
    """Share of ``first`` inside :func:`overlap`'s window, 0 to 1."""
    window = overlap(first, second)
    return 0.0 if window is None else window.height * window.width / (first.height * first.width)


def _edge_pixels(first: Grid, second: Grid) -> Float64Array:
    """The second's edge, densely, as (n, 2) (col, row) of the first; points off the CRS's area dropped."""
    steps = np.linspace(0.0, 1.0, _EDGE_POINTS)
    zero, one = np.zeros_like(steps), np.ones_like(steps)
    cols = np.concatenate([steps, steps, zero, one]) * second.width
    rows = np.concatenate([zero, one, steps, steps]) * second.height
    x, y = transformed(second.transform, cols, rows)
    if second.crs is not None and first.crs is not None and first.crs != second.crs:
        x, y = transformer(second.crs, first.crs).transform(x, y)
    finite = np.isfinite(x) & np.isfinite(y)
    return np.column_stack(transformed(~first.transform, x, y))[finite]


def _axes_m(grid: Grid) -> tuple[float, float]:
    if grid.crs is None:
        return grid.gsd_m, grid.gsd_m
    return axis_gsd_m(grid.transform, grid.crs, grid.height, grid.width)
