"""Huge scenes at no cost: a small pair repeated to any size in virtual rasters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from cv_pipeline.types import UInt8Array

_CRS = "EPSG:32636"
_CORNER_M = 500_000.0, 5_400_000.0
_BLOCK_PX = 256


def write_pair(before: UInt8Array, after: UInt8Array, gsd_m: float, side_px: int, folder: Path) -> tuple[Path, Path]:
    """Paths of a before and an after image of ``side_px`` a side, which repeat the given ones (height, width, 3).

    The given ones are written once, as tiled GeoTIFFs, with virtual rasters (VRT) over them.
    """
    early, late = (
        _write_repeated(image, gsd_m, side_px, folder / name) for image, name in ((before, "before"), (after, "after"))
    )
    return early, late


def _write_repeated(image: UInt8Array, gsd_m: float, side_px: int, path: Path) -> Path:
    transform = Affine(gsd_m, 0, _CORNER_M[0], 0, -gsd_m, _CORNER_M[1])
    height, width = image.shape[:2]
    profile: dict[str, Any] = {"driver": "GTiff", "height": height, "width": width, "count": 3, "dtype": "uint8"}
    profile |= {"crs": _CRS, "transform": transform, "tiled": True, "compress": "deflate"}
    tile = path.with_suffix(".tif")
    with rasterio.open(tile, "w", blockxsize=_BLOCK_PX, blockysize=_BLOCK_PX, **profile) as file:
        file.write(np.moveaxis(image, -1, 0))
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}">'
        + "".join(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{tile.name}</SourceFilename>'
            f"<SourceBand>{band}</SourceBand>"
            f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
            f'<DstRect xOff="{col}" yOff="{row}" xSize="{width}" ySize="{height}"/></SimpleSource>'
            for row in range(0, side_px, height)
            for col in range(0, side_px, width)
        )
        + "</VRTRasterBand>"
        for band in (1, 2, 3)
    )
    geo = f"{_CORNER_M[0]}, {gsd_m}, 0, {_CORNER_M[1]}, 0, {-gsd_m}"
    virtual = path.with_suffix(".vrt")
    virtual.write_text(
        f'<VRTDataset rasterXSize="{side_px}" rasterYSize="{side_px}"><SRS>{_CRS}</SRS>'
        f"<GeoTransform>{geo}</GeoTransform>{bands}</VRTDataset>",
        encoding="utf-8",
    )
    return virtual
