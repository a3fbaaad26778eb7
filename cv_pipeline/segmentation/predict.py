"""From an aligned pair to probability rasters, tile by tile, in memory that does not grow with height."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cv_pipeline.errors import GsdError
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.register import before_view
from cv_pipeline.segmentation.backend import Backend
from cv_pipeline.segmentation.channels import RADII_M
from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.segmentation.raster import TILE_PX, SegmentationWriter
from cv_pipeline.segmentation.tiles import blend_weights, tile_rows
from cv_pipeline.types import (
    AlignedPair,
    BoolArray,
    Channel,
    Float32Array,
    ImageSource,
    ModelInfo,
    Segmentation,
    UInt8Array,
    Window,
)

Progress = Callable[[int, int], None]
"""Told (done, total) as work goes on."""

BATCH_TILES = 4


def check_gsd(source: ImageSource, model: ModelInfo) -> None:
    """Refuse imagery that the model cannot judge.

    Raises:
        GsdError: the image is finer or coarser than the model was trained for.
    """
    gsd_m = source.grid.gsd_m
    if not model.min_gsd_m <= gsd_m <= model.max_gsd_m:
        raise GsdError(
            f"{source.path}: {gsd_m:.3g} m per pixel is outside the range of model '{model.name}' "
            f"({model.min_gsd_m:g} to {model.max_gsd_m:g} m); resample the image or check --gsd"
        )


class _Band:
    """Blended maps of the rows that unfinished tiles still touch, over the full width of the grid."""

    def __init__(self, width: int) -> None:
        self.top = 0
        self._width = width
        self._sum = np.zeros((len(Channel), 0, width), np.float32)
        self._weight = np.zeros((0, width), np.float32)
        self._valid = np.zeros((0, width), bool)

    def add(self, window: Window, maps: Float32Array, valid: BoolArray, weights: Float32Array) -> None:
        """Add a tile's maps (channels, h, w), already cut to the grid."""
        height, width = valid.shape
        missing = window.row + height - self.top - len(self._weight)
        if missing > 0:
            self._sum = np.pad(self._sum, ((0, 0), (0, missing), (0, 0)))
            self._weight = np.pad(self._weight, ((0, missing), (0, 0)))
            self._valid = np.pad(self._valid, ((0, missing), (0, 0)))
        rows = slice(window.row - self.top, window.row - self.top + height)
        cols = slice(window.col, window.col + width)
        self._sum[:, rows, cols] += maps * weights
        self._weight[rows, cols] += weights
        self._valid[rows, cols] |= valid

    def flush(self, until_row: int, writer: SegmentationWriter) -> int:
        """Write and forget the rows above ``until_row``; returns how many of their pixels are valid."""
        height = until_row - self.top
        if height <= 0:
            return 0
        mean = self._sum[:, :height] / np.maximum(self._weight[:height], 1e-9)
        values = dict(zip(Channel, mean, strict=True))
        for channel in RADII_M:
            values[channel] = np.exp(values[channel])
        valid = self._valid[:height]
        writer.write(Window(self.top, 0, height, self._width), values, valid)
        self.top = until_row
        self._sum, self._weight, self._valid = self._sum[:, height:], self._weight[height:], self._valid[height:]
        return int(valid.sum())


def _pad_to(rgb: UInt8Array, valid: BoolArray, window: Window) -> tuple[UInt8Array, BoolArray]:
    """Mirror a tile that a small grid could not fill, as black would look like an edge."""
    rows, cols = window.height - valid.shape[0], window.width - valid.shape[1]
    if rows == 0 and cols == 0:
        return rgb, valid
    return (
        np.pad(rgb, ((0, rows), (0, cols), (0, 0)), mode="symmetric"),
        np.pad(valid, ((0, rows), (0, cols)), mode="symmetric"),
    )


def _clip(window: Window, height: int, width: int) -> Window:
    return Window(
        window.row, window.col, min(window.height, height - window.row), min(window.width, width - window.col)
    )


def segment(
    aligned: AlignedPair,
    backend: Backend,
    model: ModelInfo,
    path: Path,
    *,
    tile_px: int = 512,
    overlap_px: int = 96,
    use_before: bool = True,
    progress: Progress | None = None,
) -> Segmentation:
    """Run the network over the working grid and write the maps to ``path``.

    Args:
        aligned: The pair; without a before image, or with ``use_before`` False, the after image alone is used.
        backend: What runs the network.
        model: Its description, recorded with the result.
        path: GeoTIFF to write.
        tile_px: Tile side, a multiple of 16.
        overlap_px: How much neighbouring tiles share; less than ``tile_px``.
        use_before: False where the registration cannot be trusted.
        progress: Told (tiles done, tiles in all).

    Raises:
        ImageError: a file is damaged.
        OutputError: ``path`` cannot be written.
    """
    grid = aligned.working_grid
    paired = use_before and aligned.pair.before is not None
    rows = tile_rows(grid, tile_px, overlap_px)
    total, done, valid_px = sum(len(row) for row in rows), 0, 0
    band = _Band(grid.width)
    with ExitStack() as stack:
        after_view = stack.enter_context(GridView(aligned.pair.after, grid))
        early_view = stack.enter_context(before_view(aligned)) if paired else None
        writer = stack.enter_context(SegmentationWriter.create(path, grid))
        for index, row in enumerate(rows):
            for start in range(0, len(row), BATCH_TILES):
                batch = row[start : start + BATCH_TILES]
                _segment_batch(batch, after_view, early_view, backend, band, overlap_px)
                done += len(batch)
                if progress is not None:
                    progress(done, total)
            last = index == len(rows) - 1
            # Whole file blocks only, so that none is compressed twice.
            until = grid.height if last else rows[index + 1][0].row // TILE_PX * TILE_PX
            valid_px += band.flush(until, writer)
    return Segmentation(path, grid, model, paired, valid_px / (grid.height * grid.width))


def _segment_batch(
    windows: Sequence[Window],
    after_view: GridView,
    early_view: GridView | None,
    backend: Backend,
    band: _Band,
    overlap_px: int,
) -> None:
    grid = after_view.grid
    after, before, valids, has_before = [], [], [], []
    for window in windows:
        inside = _clip(window, grid.height, grid.width)
        rgb, valid = after_view.read(inside)
        after.append(normalise(*_pad_to(rgb, valid, window), grid.gsd_m))
        valids.append(valid)
        if early_view is not None:
            early_rgb, early_valid = early_view.read(inside)
            before.append(normalise(*_pad_to(early_rgb, early_valid, window), grid.gsd_m))
            has_before.append(bool(early_valid.any()))
    if not any(valid.any() for valid in valids):
        maps = np.zeros((len(windows), len(Channel), windows[0].height, windows[0].width), np.float32)
    else:
        paired = early_view is not None
        early = np.stack(before) if paired else None
        maps = backend(np.stack(after), early, np.array(has_before) if paired else None)
    for window, tile, valid in zip(windows, maps, valids, strict=True):
        height, width = valid.shape
        weights = blend_weights(window.height, window.width, overlap_px)[:height, :width]
        band.add(window, tile[:, :height, :width], valid, weights)
