"""The ground on which a run could have found impacts: the after image without nodata and masks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.features import shapes

from cv_pipeline.frame import LocalFrame, local_frame, transformed, transformer
from cv_pipeline.types import Grid, Segmentation

if TYPE_CHECKING:
    from pyproj import CRS

MAX_SIDE = 1024
"""Cells of the mask along the longer side: a few metres on a scene of kilometres, and a simple outline."""


def assessed_region(segmentation: Segmentation, frame: LocalFrame) -> shapely.Geometry:
    """Polygons of the ground with imagery, in local metres; empty where there is none.

    Read from the segmentation's validity, thinned to at most 1024 cells a side by taking the nearest
    pixel, so gaps narrower than a cell are kept or lost by chance.
    """
    grid = segmentation.grid
    step = max(1.0, max(grid.height, grid.width) / MAX_SIDE)
    height, width = max(1, round(grid.height / step)), max(1, round(grid.width / step))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(segmentation.path) as file:
            valid = file.read(1, out_shape=(height, width), resampling=Resampling.nearest) > 0
    transform = grid.transform @ Affine.scale(grid.width / width, grid.height / height)
    found = [
        shapely.geometry.shape(outline) for outline, _ in shapes(valid.astype(np.uint8), valid, transform=transform)
    ]
    region = shapely.union_all(found) if found else shapely.Polygon()
    return _to_local(shapely.segmentize(region, _longest(region)), grid, frame)


def _longest(region: shapely.Geometry) -> float:
    """Greatest length of an edge in map units, so that long edges bend with the projection."""
    left, bottom, right, top = region.bounds if not region.is_empty else (0.0, 0.0, 1.0, 1.0)
    return float(max(right - left, top - bottom) / 8)


def _to_local(region: shapely.Geometry, grid: Grid, frame: LocalFrame) -> shapely.Geometry:
    """Map coordinates of the grid as local metres of the frame."""
    working = local_frame(grid)
    crs: CRS | None = frame.crs

    def convert(map_xy: np.ndarray) -> np.ndarray:
        cols, rows = transformed(~grid.transform, map_xy[:, 0], map_xy[:, 1])
        metres = working.pixel_to_metres(rows, cols)
        if crs is None or working.crs is None:
            return metres
        return np.column_stack(transformer(working.crs, crs).transform(*metres.T))

    return shapely.make_valid(shapely.transform(region, convert))
