"""From any sample type to 8 bits, by limits estimated once per image."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow

from cv_pipeline.types import BoolArray, Float64Array, Obscured, UInt8Array, Window

Limits = tuple[tuple[float, float, float], tuple[float, float, float]]
"""The values that become 0 and 255, per band."""


class Sample(NamedTuple):
    """Pixels spread over an image: ``values`` (3, n) and ``valid`` (n,).

    ``masked_share`` of them are nodata, masked or not finite; ``speck_share`` lie in blocks of 16 by 16 px that are
    nodata by less than a quarter, which collars and holes hardly are, but images in which nodata is a real value.
    """

    values: Float64Array
    valid: BoolArray
    masked_share: float
    speck_share: float


_SAMPLE_PX = 64
_SAMPLES_PER_AXIS = 16
_BLOCK_PX = 16
_PERCENTILES = (0.5, 99.5)


def sample(
    dataset: DatasetReader,
    bands: tuple[int, int, int],
    within: Window | None = None,
    obscured: Obscured | None = None,
) -> Sample:
    """Pixels spread evenly over an image, or over the part ``within``, without reading all of it.

    Small images (up to 1024 px a side) are read whole. Of larger ones 16 by 16 windows of 64 px are
    read: a decimated read would decode every tile of a 50,000 px scene that has no overviews.

    Valid is what the file's nodata value, alpha or mask leaves, if it is finite. A colour that fills blocks of
    16 by 16 px and is the darkest or brightest of all (an undeclared collar, saturation) is not valid either,
    unless nothing else is; nor is what ``obscured`` hides.
    """
    part = within or Window(0, 0, dataset.height, dataset.width)
    values, masks, flat, specks = [], [], [], 0
    for row, height in _starts(part.height):
        for col, width in _starts(part.width):
            window = RasterioWindow(part.col + col, part.row + row, width, height)
            tile = dataset.read(bands, window=window).astype(np.float64)
            values.append(tile.reshape(3, -1))
            good = valid_mask(dataset, bands, window) & np.isfinite(tile).all(axis=0)
            shown = good if obscured is None else good & ~_hidden(obscured, window)
            masks.append(shown.reshape(-1))
            flat.append(_flat_colours(tile))
            empty = _blocks(~good[None]).sum(axis=(0, 2, 4))
            specks += int(empty[empty < _BLOCK_PX**2 / 4].sum())
    joined, valid = np.concatenate(values, axis=1), np.concatenate(masks)
    rest = valid & ~_blank(joined, valid, np.concatenate(flat))
    return Sample(joined, rest if rest.any() else valid, float(1 - valid.mean()), specks / len(valid))


def _hidden(obscured: Obscured, window: RasterioWindow) -> BoolArray:
    """Which pixels of a window lie in hidden cells."""
    rows = np.arange(window.row_off, window.row_off + window.height) // obscured.cell_px
    cols = np.arange(window.col_off, window.col_off + window.width) // obscured.cell_px
    return np.asarray(obscured.cells[np.ix_(rows, cols)])


def _starts(size_px: int) -> list[tuple[int, int]]:
    """(start, length) of up to 16 windows that are spread over one axis and reach both its ends."""
    if size_px <= _SAMPLE_PX * _SAMPLES_PER_AXIS:
        return [(0, size_px)]
    starts = np.linspace(0, size_px - _SAMPLE_PX, _SAMPLES_PER_AXIS).astype(int)
    return [(int(start), _SAMPLE_PX) for start in starts]


def _flat_colours(tile: Float64Array) -> Float64Array:
    """Colours (n, 3) of the blocks of a tile (3, height, width) in which all pixels are alike."""
    blocks = _blocks(tile)
    first = blocks[:, :, :1, :, :1]
    alike = (blocks == first).all(axis=(0, 2, 4))
    return np.asarray(first[:, :, 0, :, 0].transpose(1, 2, 0)[alike])


def _blocks(tile: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A tile (bands, height, width) as (bands, down, 16, across, 16); what is left over is dropped."""
    height, width = (side // _BLOCK_PX * _BLOCK_PX for side in tile.shape[1:])
    return tile[:, :height, :width].reshape(len(tile), height // _BLOCK_PX, _BLOCK_PX, width // _BLOCK_PX, _BLOCK_PX)


def _blank(values: Float64Array, valid: BoolArray, flat: Float64Array) -> BoolArray:
    """Which values (3, n) have a flat block's colour that is the darkest or the brightest in every band."""
    found = np.zeros(len(valid), dtype=bool)
    if not valid.any() or not len(flat):
        return found
    good = values[:, valid]
    for extreme in (good.min(axis=1), good.max(axis=1)):
        if (flat == extreme).all(axis=1).any():
            found |= (values == extreme[:, None]).all(axis=0)
    return found


def valid_mask(dataset: DatasetReader, bands: tuple[int, int, int], window: RasterioWindow) -> BoolArray:
    """Whether a pixel carries data in any of the bands: black in one colour is not nodata."""
    masks = dataset.read_masks(sorted(set(bands)), window=window)
    valid: BoolArray = (masks > 0).any(axis=0)
    return valid


def scale_limits(values: Float64Array, valid: BoolArray, dtype: str) -> Limits:
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
    return as_limits(low, high)


def as_limits(low: Float64Array, high: Float64Array) -> Limits:
    """Two arrays (3,) as limits."""
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


def to_rgb(
    values: npt.NDArray[np.generic], low: tuple[float, float, float], high: tuple[float, float, float]
) -> UInt8Array:
    """The same of finite samples (height, width, 3), as a result of its own; floats may be overwritten."""
    plain = low == (0.0, 0.0, 0.0) and high == (255.0, 255.0, 255.0)
    if plain and values.dtype == np.uint8:
        return np.array(values, dtype=np.uint8, order="C")
    floats = np.ascontiguousarray(values, dtype=np.float32)
    if not plain:
        gain = 255.0 / (np.array(high) - low)
        floats = np.asarray(cv2.transform(floats, np.column_stack([np.diag(gain), -gain * low])))
    np.clip(floats, 0, 255, out=floats)
    np.rint(floats, out=floats)
    return floats.astype(np.uint8)
