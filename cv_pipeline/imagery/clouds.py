"""Ground that an image does not show although it has pixels there: clouds, saturated and blank areas.

A plain, conservative rule, meant to miss cloud rather than to mask ground. A cloud is an area of half a hectare or
more that is bright against the scene's ground, colourless, smooth, and has *soft* edges beyond which the ground
begins: roofs, concrete and snowy fields are bright and smooth too, but end within a pixel or two; a bright slope has no
end. All is measured as a share of the contrast, so that exposure does not matter, and the ground's level is that of the
scene's darker part, so that it does not matter either how much of the scene is cloud. A cloud's fringe thins out over
tens of metres and looks like changed ground, so one cell around a cloud is masked with it. Thin cloud and haze through
which the ground shows are not masked, nor are cloud shadows. An image that is overcast throughout has no ground to
compare with: it is not masked, but told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from rasterio import Env
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow
from scipy import ndimage

from cv_pipeline.defaults import WIDE_CACHE_BYTES
from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.radiometry import sample
from cv_pipeline.imagery.source import open_dataset
from cv_pipeline.types import BoolArray, Float32Array, ImageSource, Obscured

PIXEL_M = 2.0
"""Looked at in pixels of about this size; the thresholds of texture and edge hold for it."""
CELL_PX = 8
MIN_CELLS = 20
"""At 16 m a cell, half a hectare: smaller clouds are rare and smaller bright roofs are not."""
MAX_CELLS_A_SIDE = 2048

MIN_CONTRAST = 0.4
"""Between a cloud and the ground's level, as a share of the cloud's own light; a patch of haze has less."""
MIN_RANGE_DN = 50.0
"""Between the ground's level and the brightest: a scene with less in it shows no cloud that could be told."""
MAX_CHROMA = 0.12
CHROMA_SPREAD = 0.02
"""Above an image's own tint. A cloud over most of an image is that tint, so that half of it would be above."""
MAX_TEXTURE_DN = 1.6
"""Of a cell; of an area ``MAX_TEXTURE`` of its contrast, which snow and ground seen through thin cloud exceed."""
MAX_TEXTURE = 0.01
EDGE_CELLS = 4
MIN_STEP = 0.75
"""Of the contrast: what half of an area's edge must fall by within ``EDGE_CELLS``.

Slopes of hills do not, nor does a field beside another."""
MAX_EDGE_PER_PX = 0.22
"""Steepest that nine tenths of a cloud's edge may be, as a share of that fall per pixel of 2 m; a roof's is a half.

All that one bright field's border adds to a cloud's is enough to leave both unmasked."""

BRIGHT_DN = 170.0
DOUBTFUL_SHARE = 0.3

_EIGHT = np.ones((3, 3), dtype=np.uint8)
_CHUNK_CELLS = 96


class _Cells(NamedTuple):
    """What is known of each coarse cell, all (rows, cols): 8-bit levels, sums over the pixels of edges."""

    valid_share: Float32Array
    luminance: Float32Array
    chroma: Float32Array
    texture: Float32Array
    edge_sum: Float32Array
    edge_count: Float32Array
    blank: BoolArray


class _Levels(NamedTuple):
    """8-bit luminances of a scene: no light at all (at most 0), the ground, and the least that a cloud has."""

    dark: float
    ground: float
    threshold: float


def find_obscured(source: ImageSource) -> Obscured:
    """Look for clouds, saturated and blank areas, through overviews where the file has them.

    Memory is that of the coarse cells (16 m, at most 2048 a side) and of one chunk of the image.

    Raises:
        ImageError: the file is damaged.
    """
    factor = max(1, round(PIXEL_M / source.grid.gsd_m))
    longest = max(source.grid.height, source.grid.width)
    factor = max(factor, math.ceil(longest / (CELL_PX * MAX_CELLS_A_SIDE)))
    try:
        with Env(GDAL_CACHEMAX=WIDE_CACHE_BYTES), open_dataset(source.path) as dataset:
            levels = _levels(dataset, source)
            cells = _measure(dataset, source, factor, levels.threshold)
    except RasterioError as error:
        raise ImageError(f"{source.path}: the file is damaged ({error}); fetch it again") from error
    return judge(cells, levels, CELL_PX * factor, source.path.name)


def judge(cells: _Cells, levels: _Levels, cell_px: int, name: str) -> Obscured:
    """Which cells are hidden, from what was measured of them."""
    seen = cells.valid_share >= 0.5
    blank = _large(cells.blank & seen)
    # An image may have a tint of its own; clouds then have it too, but no more of it than the ground.
    tint = float(np.median(cells.chroma[seen])) if seen.any() else 0.0
    smooth = seen & ~blank & (cells.chroma <= max(MAX_CHROMA, tint + CHROMA_SPREAD)) & (cells.texture <= MAX_TEXTURE_DN)
    cloud = _clouds(cells, smooth & (cells.luminance >= levels.threshold), levels)
    cloud = ndimage.binary_dilation(cloud, _EIGHT) & seen & ~blank
    total = max(float(cells.valid_share.sum()), 1e-9)
    doubtful = float(cells.valid_share[smooth & (cells.luminance >= BRIGHT_DN) & ~cloud].sum()) / total
    note = ""
    if doubtful >= DOUBTFUL_SHARE:
        note = (
            f"{doubtful:.0%} of {name} is bright, colourless and smooth. It could not be told from snow, sand or "
            "concrete and was not masked; if it is cloud, find another image."
        )
    return Obscured(
        cells=cloud | blank,
        cell_px=cell_px,
        cloud_share=float(cells.valid_share[cloud & ~blank].sum()) / total,
        blank_share=float(cells.valid_share[blank].sum()) / total,
        note=note,
    )


def _clouds(cells: _Cells, core: BoolArray, levels: _Levels) -> BoolArray:
    """The large soft-edged areas among the core cells, with what is half as bright around them."""
    found = np.zeros(core.shape, dtype=bool)
    seen = np.where(cells.valid_share >= 0.5, cells.luminance, np.inf)
    lowest = ndimage.minimum_filter(seen, 2 * EDGE_CELLS + 1, mode="nearest")
    labels, _ = ndimage.label(core, _EIGHT)
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        around = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in where)
        area = labels[around] == number
        if area.sum() < MIN_CELLS:
            continue
        level = float(cells.luminance[around][area].mean())
        contrast = level - levels.ground
        rim = ndimage.binary_dilation(area, _EIGHT)
        edge = rim & (cells.edge_count[around] > 0)
        if contrast < MIN_CONTRAST * (level - levels.dark) or not edge.any():
            continue
        step = level - lowest[around][edge]
        steepness = cells.edge_sum[around][edge] / cells.edge_count[around][edge]
        ends_on_ground = np.median(step) >= MIN_STEP * contrast
        is_soft = np.percentile(steepness / np.maximum(step, 1), 90) <= MAX_EDGE_PER_PX
        hides_ground = np.median(cells.texture[around][area]) <= MAX_TEXTURE * contrast
        if ends_on_ground and is_soft and hides_ground:
            found[around] |= rim & (cells.luminance[around] >= levels.ground + contrast / 2)
    return found


def _large(mask: BoolArray) -> BoolArray:
    labels, number = ndimage.label(mask, _EIGHT)
    sizes = np.bincount(labels.ravel(), minlength=number + 1)
    sizes[0] = 0
    return np.asarray((sizes >= MIN_CELLS)[labels])


def _levels(dataset: DatasetReader, source: ImageSource) -> _Levels:
    """The ground is the darker quarter of all that is nearer to the darkest than to the brightest.

    A cloud is the brightest of a scene, so none of it is in there, even where it hides nearly all; of a scene without
    one most is in there.
    """
    pixels = sample(dataset, source.bands)
    luminance = _to_8_bit(pixels.values[:, pixels.valid], source).mean(axis=0)
    darkest, brightest = np.percentile(luminance, (2, 99.8))
    ground = np.percentile(luminance[luminance <= (darkest + brightest) / 2], 25)
    low, high = np.asarray(source.scale_low), np.asarray(source.scale_high)
    return _Levels(
        dark=float(min(np.mean(-255 * low / (high - low)), 0.0)),
        ground=float(ground),
        threshold=float(ground + 0.6 * max(brightest - ground, MIN_RANGE_DN)),
    )


def _to_8_bit(values: np.ndarray, source: ImageSource) -> Float32Array:
    """Samples (3, ...) on the scale 0..255, not rounded, clipped."""
    shape = (3,) + (1,) * (values.ndim - 1)
    low = np.asarray(source.scale_low, np.float32).reshape(shape)
    high = np.asarray(source.scale_high, np.float32).reshape(shape)
    scaled = np.nan_to_num((values.astype(np.float32) - low) * (np.float32(255) / (high - low)))
    return np.asarray(np.clip(scaled, 0, 255), np.float32)


def _measure(dataset: DatasetReader, source: ImageSource, factor: int, threshold: float) -> _Cells:
    side = CELL_PX * factor
    shape = (-(-source.grid.height // side), -(-source.grid.width // side))
    empty = [np.zeros(shape, np.float32) for _ in range(6)]
    maps = _Cells(empty[0], empty[1], empty[2], empty[3], empty[4], empty[5], np.zeros(shape, bool))
    for window in _chunks(source.grid.height, source.grid.width, side * _CHUNK_CELLS):
        part = _measure_chunk(dataset, source, window, factor, threshold)
        rows, cols = part.blank.shape
        row, col = window.row_off // side, window.col_off // side
        for whole, piece in zip(maps, part, strict=True):
            whole[row : row + rows, col : col + cols] = piece
    return maps


def _chunks(height: int, width: int, side: int) -> Iterator[RasterioWindow]:
    for row in range(0, height, side):
        for col in range(0, width, side):
            yield RasterioWindow(col, row, min(side, width - col), min(side, height - row))


def _measure_chunk(
    dataset: DatasetReader, source: ImageSource, window: RasterioWindow, factor: int, threshold: float
) -> _Cells:
    shape = (-(-window.height // factor), -(-window.width // factor))
    values = dataset.read(source.bands, window=window, out_shape=(3, *shape), resampling=Resampling.average)
    masks = dataset.read_masks(sorted(set(source.bands)), window=window, out_shape=(len(set(source.bands)), *shape))
    valid = (masks > 0).any(axis=0) & np.isfinite(values).all(axis=0)
    rows, cols = (-(-side // CELL_PX) for side in shape)
    pad = (rows * CELL_PX - shape[0], cols * CELL_PX - shape[1])
    rgb = np.pad(_to_8_bit(values, source), ((0, 0), (0, pad[0]), (0, pad[1])), mode="edge")
    valid = np.pad(valid, ((0, pad[0]), (0, pad[1])))

    def total(image: np.ndarray) -> Float32Array:
        return np.asarray(image.reshape(rows, CELL_PX, cols, CELL_PX).sum(axis=(1, 3), dtype=np.float32))

    luminance = rgb.mean(axis=0)
    inner = cv2.erode(valid.astype(np.uint8), _EIGHT) > 0  # away from the edge of the imagery
    fine = np.abs(luminance - cv2.GaussianBlur(luminance, (0, 0), 1.5))
    slope = np.hypot(*(cv2.Sobel(luminance, cv2.CV_32F, i, 1 - i, ksize=3, scale=1 / 8) for i in (1, 0)))
    bright = (luminance > threshold).astype(np.uint8)
    edge = (cv2.dilate(bright, _EIGHT) != cv2.erode(bright, _EIGHT)) & inner
    count, within = total(valid), np.maximum(total(inner), 1)
    mean = (np.stack([total(band * valid) for band in rgb]) / np.maximum(count, 1)).astype(np.float32)
    extreme = ((rgb <= 0).all(axis=0) | (rgb >= 255).all(axis=0)) & valid
    return _Cells(
        (count / CELL_PX**2).astype(np.float32),
        mean.mean(axis=0),
        np.ptp(mean, axis=0) / np.maximum(mean.max(axis=0), 1),
        (total(fine * inner) / within).astype(np.float32),
        total(slope * edge),
        total(edge),
        (total(extreme) == count) & (count > 0),
    )
