"""A block of web map tiles as one georeferenced image in a metric CRS."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from affine import Affine

from cv_pipeline.errors import ImageError
from cv_pipeline.types import Float32Array, Grid, UInt8Array

TILE_PX = 256
WEB_MERCATOR = "EPSG:3857"
_HALF_WORLD_M = 6378137.0 * math.pi


class TileBlock(NamedTuple):
    """A rectangle of tiles in the Web Mercator scheme, first and last column and row inclusive."""

    zoom: int
    first_x: int
    last_x: int
    first_y: int
    last_y: int

    @property
    def transform(self) -> Affine:
        """From (col_px, row_px) of the block to Web Mercator (x, y)."""
        pixel = 2 * _HALF_WORLD_M / 2**self.zoom / TILE_PX
        left = -_HALF_WORLD_M + self.first_x * TILE_PX * pixel
        top = _HALF_WORLD_M - self.first_y * TILE_PX * pixel
        return Affine(pixel, 0, left, 0, -pixel, top)


def read_block(folder: Path, block: TileBlock) -> UInt8Array:
    """The tiles ``OAM-<x>-<y>-<zoom>.png`` of ``folder`` side by side: (height, width, 4) RGBA.

    Raises:
        ImageError: a tile is missing or cannot be decoded.
    """
    rows = [
        np.hstack(
            [_read_tile(folder / f"OAM-{x}-{y}-{block.zoom}.png") for x in range(block.first_x, block.last_x + 1)]
        )
        for y in range(block.first_y, block.last_y + 1)
    ]
    return np.vstack(rows)


def _read_tile(path: Path) -> UInt8Array:
    tile = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if tile is None or tile.shape[:2] != (TILE_PX, TILE_PX):
        raise ImageError(f"{path}: not a {TILE_PX} px image tile; give the folder that holds the whole block")
    if tile.shape[2] == 3:
        tile = np.dstack([tile, np.full(tile.shape[:2], 255, np.uint8)])
    return np.ascontiguousarray(tile[..., [2, 1, 0, 3]])


def covered_grid(block: TileBlock, crs: str, gsd_m: float) -> Grid:
    """The largest north-up grid in ``crs`` that lies wholly inside the block, on multiples of the GSD."""
    from rasterio.crs import CRS
    from rasterio.warp import transform

    t = block.transform
    width = (block.last_x - block.first_x + 1) * TILE_PX
    height = (block.last_y - block.first_y + 1) * TILE_PX
    corners = [(t.c + t.a * col, t.f + t.e * row) for col, row in ((0, 0), (width, 0), (0, height), (width, height))]
    xs, ys = transform(WEB_MERCATOR, crs, [c[0] for c in corners], [c[1] for c in corners])
    left, right = math.ceil(max(xs[0], xs[2]) / gsd_m), math.floor(min(xs[1], xs[3]) / gsd_m)
    bottom, top = math.ceil(max(ys[2], ys[3]) / gsd_m), math.floor(min(ys[0], ys[1]) / gsd_m)
    origin = Affine(gsd_m, 0, left * gsd_m, 0, -gsd_m, top * gsd_m)
    return Grid(top - bottom, right - left, origin, CRS.from_user_input(crs), gsd_m)


def warp_block(pixels: UInt8Array, block: TileBlock, grid: Grid) -> Float32Array:
    """RGBA ``pixels`` of ``block`` on ``grid`` as RGB (height, width, 3), 0..255, averaged by area.

    Transparent pixels carry no weight, so that pinholes close from their neighbours.
    """
    from rasterio.warp import Resampling, reproject

    weight = pixels[..., 3].astype(np.float32) / 255.0
    bands = np.stack([pixels[..., k].astype(np.float32) * weight for k in range(3)] + [weight])
    warped = np.zeros((4, grid.height, grid.width), np.float32)
    reproject(
        bands,
        warped,
        src_transform=block.transform,
        src_crs=WEB_MERCATOR,
        dst_transform=grid.transform,
        dst_crs=grid.crs,
        resampling=Resampling.average,
    )
    rgb = warped[:3] / np.maximum(warped[3], 1e-3)
    return np.ascontiguousarray(np.clip(rgb, 0, 255).transpose(1, 2, 0))
