"""From an aligned pair to probability rasters, tile by tile, in memory that does not grow with height.

One thread reads and normalises the next tiles while the network runs, another blends and writes the last ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from affine import Affine
from rasterio import Env

from cv_pipeline.defaults import GDAL_CACHE_BYTES, OVERLAP_PX, TILE_PX
from cv_pipeline.errors import GsdError
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.register import before_view
from cv_pipeline.segmentation.ahead import Behind, ahead
from cv_pipeline.segmentation.blend import Blender
from cv_pipeline.segmentation.raster import SegmentationWriter
from cv_pipeline.segmentation.tile_input import TileInput, input_reader, read_tile
from cv_pipeline.segmentation.tiles import Tile, cuts, tiles_of
from cv_pipeline.types import (
    AlignedPair,
    BoolArray,
    Channel,
    Float32Array,
    Grid,
    ImageSource,
    ModelInfo,
    Segmentation,
)

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend

Progress = Callable[[int, int], None]
"""Told (done, total) as work goes on."""

BATCH_PX = 600_000
"""Tiles go through the network together up to so many pixels (at least one), which bounds its memory."""
AHEAD = 1
"""Batches that wait for the network, and tiles that wait to be written; more would only cost memory."""
GSD_SLACK = 1.001
"""A projected pixel is not quite its nominal size, in UTM by 4 parts in 10,000: 1.2 m is to pass as 1.2 m."""


def check_gsd(source: ImageSource, model: ModelInfo) -> None:
    """Refuse imagery that the model cannot judge.

    Raises:
        GsdError: the image is finer or coarser than the model was trained for.
    """
    gsd_m = source.grid.gsd_m
    if not model.min_gsd_m / GSD_SLACK <= gsd_m <= model.max_gsd_m * GSD_SLACK:
        raise GsdError(
            f"{source.path}: {gsd_m:.3g} m per pixel is outside the range of model '{model.name}' "
            f"({model.min_gsd_m:g} to {model.max_gsd_m:g} m); resample the image or check --gsd"
        )


def segment(
    aligned: AlignedPair,
    backend: Backend,
    model: ModelInfo,
    path: Path,
    *,
    tile_px: int = TILE_PX,
    overlap_px: int = OVERLAP_PX,
    use_before: bool = True,
    screen: bool = False,
    rows: range | None = None,
    progress: Progress | None = None,
) -> Segmentation:
    """Run the network over the working grid and write the maps to ``path``.

    Args:
        aligned: The pair; without a before image, or with ``use_before`` False, the after image alone is used.
        backend: What runs the network.
        model: Its description, recorded with the result.
        path: GeoTIFF to write.
        tile_px: Greatest side of the ground that one run of the network answers for, a multiple of 128. Larger is
            faster and takes more memory; the result stays the same.
        overlap_px: How much more each run sees, a multiple of 32. The default moves scores by up to 0.05 at seams and
            centres by 0.04 px from what one run over the whole grid would give.
        use_before: False where the registration cannot be trusted.
        screen: True leaves out tiles in which :func:`~cv_pipeline.segmentation.screen.worth_a_look` finds nothing.
        rows: The rows of tiles to answer for (:func:`tile_rows`), so that parts of a scene can be done apart; the file
            and the result are then of these rows alone, pixel for pixel those of the whole. None: all.
        progress: Told (tiles done, tiles in all).

    Raises:
        ImageError: a file is damaged.
        OutputError: ``path`` cannot be written.
    """
    grid = aligned.working_grid
    paired = use_before and aligned.pair.before is not None
    starts = tile_rows(grid, tile_px)
    rows = rows or range(len(starts))
    # The row above is run too, for what it leaves in the seam; only its own ground is not written.
    wanted = set(starts[max(rows.start - 1, 0) : rows.stop])
    tiles = [tile for tile in tiles_of(grid, tile_px, overlap_px) if tile.core.row in wanted]
    part, top = _rows_of(grid, starts, rows)
    done = valid_px = 0
    blender = Blender()
    with ExitStack() as stack:
        stack.enter_context(Env(GDAL_CACHEMAX=GDAL_CACHE_BYTES))
        stack.enter_context(_single_threaded_opencv())
        late = input_reader(stack.enter_context(GridView(aligned.pair.after, grid)), tiles)
        early = input_reader(stack.enter_context(before_view(aligned)), tiles) if paired else None
        writer = stack.enter_context(SegmentationWriter.create(path, part))

        def read(batch: Sequence[Tile]) -> list[TileInput]:
            return [read_tile(tile, late, early, screen=screen) for tile in batch]

        def write(found: tuple[Tile, BoolArray, Float32Array]) -> None:
            tile, valid, maps = found
            values = blender.add(tile, maps)
            if tile.core.row >= top and valid.any():
                writer.write_maps(tile.core._replace(row=tile.core.row - top), values, valid)

        results = stack.enter_context(Behind(write, AHEAD))
        for batch in stack.enter_context(closing(ahead(read, _batches(tiles), AHEAD))):
            for given, maps in zip(batch, _predict(batch, backend), strict=True):
                results.put((given.tile, given.valid, maps))  # not its images, which would wait with it
                valid_px += int(given.valid.sum()) if given.tile.core.row >= top else 0
            done += len(batch)
            if progress is not None:
                progress(done, len(tiles))
    return Segmentation(path, part, model, paired, valid_px / (part.height * part.width))


def tile_rows(grid: Grid, tile_px: int) -> list[int]:
    """The first pixel rows of the tiles' cores, from the top."""
    return [start for start, _ in cuts(grid.height, tile_px)]


def _rows_of(grid: Grid, starts: Sequence[int], rows: range) -> tuple[Grid, int]:
    """The part of the grid that some rows of tiles answer for, and the row of pixels with which it starts."""
    top = starts[rows.start]
    bottom = starts[rows.stop] if rows.stop < len(starts) else grid.height
    return replace(grid, height=bottom - top, transform=grid.transform @ Affine.translation(0, top)), top


def _batches(tiles: Sequence[Tile]) -> Iterator[list[Tile]]:
    """Runs of tiles of one row and shape that go through the network together.

    Never of two rows, so that a part of the rows is run just as in the whole: the last bits depend on the batch.
    """
    for (_, height, width), alike in groupby(tiles, lambda tile: (tile.core.row, tile.seen.height, tile.seen.width)):
        size = max(BATCH_PX // (height * width), 1)
        while batch := list(islice(alike, size)):
            yield batch


def _predict(batch: Sequence[TileInput], backend: Backend) -> list[Float32Array]:
    """Maps (channels, h, w) of each tile; zeros where there was no need to look."""
    window = batch[0].tile.seen
    maps = [np.zeros((len(Channel), window.height, window.width), np.float32) for _ in batch]
    shown = [number for number, given in enumerate(batch) if given.after is not None]
    if shown:
        after = _stack([given.after for given in batch if given.after is not None])
        early = [given.before for given in batch if given.before is not None]
        has_before = np.array([batch[number].has_before for number in shown])
        found = backend(after, _stack(early), has_before) if early else backend(after, None, None)
        for number, tile_maps in zip(shown, found, strict=True):
            maps[number] = tile_maps
    return maps


def _stack(tiles: Sequence[Float32Array]) -> Float32Array:
    return tiles[0][None] if len(tiles) == 1 else np.stack(tiles)


@contextmanager
def _single_threaded_opencv() -> Iterator[None]:
    """OpenCV's own threads would compete with the network's for the same cores."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
