"""Fixture factories: small rasters over CRS, sample type and kind of nodata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

NODATA_VALUE = {"uint8": 0, "uint16": 0, "int16": -9999, "float32": -9999.0}
UTM = Affine(0.5, 0, 500_000, 0, -0.5, 5_300_000)

cv2.setNumThreads(0)  # a loader that forks while OpenCV's threads are up may hang


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Soft random texture (height, width, 3) as float in 1..254, with detail at all scales."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), dtype=np.float32)
    for step in (2, 4, 8, 16, 32):
        coarse = rng.normal(size=(-(-height // step) + 2, -(-width // step) + 2, 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * step**0.5
    return np.clip(128 + total * 20, 1, 254)


@pytest.fixture
def make_tiff(tmp_path: Path) -> Callable[..., Path]:
    """A factory ``make_tiff(pixels, crs=..., transform=..., nodata_kind=..., ...) -> path``.

    ``pixels`` (height, width, bands). ``nodata_kind`` one of none, value, alpha, mask, nan marks
    ``hole`` (row, col slices) as empty.
    """

    def make(
        pixels: np.ndarray | None = None,
        *,
        name: str = "image.tif",
        crs: str | None = "EPSG:32633",
        transform: Affine = UTM,
        dtype: str = "uint8",
        nodata_kind: str = "none",
        hole: tuple[slice, slice] = np.s_[10:30, 20:50],
        **options: Any,
    ) -> Path:
        pixels = texture(96, 128) if pixels is None else pixels
        data = np.moveaxis(pixels, -1, 0).astype(dtype)
        if nodata_kind == "value":
            data[:, *hole] = NODATA_VALUE[dtype]
            options["nodata"] = NODATA_VALUE[dtype]
        if nodata_kind == "nan":
            data[:, *hole] = np.nan
        count = len(data) + (nodata_kind == "alpha")
        profile = {"driver": "GTiff", "count": count, "height": data.shape[1], "width": data.shape[2], "dtype": dtype}
        if crs is not None:
            profile |= {"crs": crs, "transform": transform}
        present = np.ones(data.shape[1:], dtype=np.uint8)
        present[hole] = 0
        path = tmp_path / name
        with rasterio.open(path, "w", **profile, **options) as file:
            file.write(data, list(range(1, len(data) + 1)))
            if nodata_kind == "alpha":
                opaque = 255 if dtype == "uint8" else 65535
                file.write((present * np.float64(opaque)).astype(dtype), count)
                file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
            if nodata_kind == "mask":
                file.write_mask(present * 255)
        return path

    return make
