"""From any sample type to 8 bits, by limits estimated once per image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.types import BoolArray, Float64Array, UInt8Array

_SAMPLE_PX = 64
_SAMPLES_PER_AXIS = 16
_PERCENTILES = (0.5, 99.5)


def sample(dataset: DatasetReader, bands: tuple[int, int, int]) -> tuple[Float64Array, BoolArray]:
    """Pixels spread evenly over an image, without reading all of it.

    Small images (up to 1024 px a side) are read whole. Of larger ones 16 by 16 windows of 64 px are
    read: a decimated read would decode every tile of a 50,000 px scene that has no overviews.

    Returns:
        Values (3, n) and validity (n,), by the file's nodata value, alpha or mask, and finite values.
    """
    values, masks = [], []
    for row, height in _starts(dataset.height):
        for col, width in _starts(dataset.width):
            window = RasterioWindow(col, row, width, height)
            values.append(dataset.read(bands, window=window).reshape(3, -1).astype(np.float64))
            masks.append(valid_mask(dataset, bands, window).reshape(-1))
    joined = np.concatenate(values, axis=1)
    return joined, np.concatenate(masks) & np.isfinite(joined).all(axis=0)


def _starts(size_px: int) -> list[tuple[int, int]]:
    """(start, length) of up to 16 windows that are spread over one axis and reach both its ends."""
    if size_px <= _SAMPLE_PX * _SAMPLES_PER_AXIS:
        return [(0, size_px)]
    starts = np.linspace(0, size_px - _SAMPLE_PX, _SAMPLES_PER_AXIS).astype(int)
    return [(int(start), _SAMPLE_PX) for start in starts]


def valid_mask(dataset: DatasetReader, bands: tuple[int, int, int], window: RasterioWindow) -> BoolArray:
    """Whether a pixel carries data in any of the bands: black in one colour is not nodata."""
    masks = dataset.read_masks(sorted(set(bands)), window=window)
    valid: BoolArray = (masks > 0).any(axis=0)
    return valid


def scale_limits(
    values: Float64Array, valid: BoolArray, dtype: str
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The values that become 0 and 255, per band.

    8-bit imagery is left alone. Otherwise the 0.5th and 99.5th percentiles of the valid pixels; a
    constant band gets limits one unit apart, so that it maps to 0 and not to NaN.

    Args:
        values: samples (3, n).
        valid: which of them count, (n,); at least one.
        dtype: the file's sample type.
    """
    if dtype == "uint8":
        return (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
    low, high = np.percentile(values[:, valid], _PERCENTILES, axis=1)
    high = np.where(high > low, high, low + 1.0)
    return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))


def to_uint8(
    values: npt.NDArray[np.generic], low: tuple[float, float, float], high: tuple[float, float, float]
) -> UInt8Array:
    """Scale (3, height, width) samples linearly between the limits, clipped to 0..255; NaN gives 0."""
    if values.dtype == np.uint8 and low == (0.0, 0.0, 0.0) and high == (255.0, 255.0, 255.0):
        return np.asarray(values, dtype=np.uint8)
    lows = np.asarray(low, dtype=np.float32)[:, None, None]
    highs = np.asarray(high, dtype=np.float32)[:, None, None]
    scaled = (values.astype(np.float32) - lows) * (255.0 / (highs - lows))
    finite = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
    clipped: UInt8Array = np.clip(np.rint(finite), 0, 255).astype(np.uint8)
    return clipped
