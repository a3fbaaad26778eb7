"""What the network gets of one tile, as if the whole grid had been read and normalised at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cv_pipeline.imagery.view import GridView
from cv_pipeline.segmentation.blocks import BlockReader, blocks_in
from cv_pipeline.segmentation.normalise import SPREAD_SIGMA_M, normalise_part
from cv_pipeline.segmentation.screen import worth_a_look
from cv_pipeline.segmentation.tiles import STRIDE_PX, STRIP_PX, Tile
from cv_pipeline.types import BoolArray, Float32Array, Window

_REACH_SIGMAS = 3
"""How far the local statistics are taken to reach; beyond, they change the input by less than 0.003 SD."""


@dataclass(frozen=True, slots=True)
class TileInput:
    """What one tile shows; see :func:`read_tile` for what is None.

    ``valid`` (h, w) is of the tile's core.
    """

    tile: Tile
    valid: BoolArray
    after: Float32Array | None
    before: Float32Array | None
    has_before: bool


def input_reader(view: GridView, tiles: Sequence[Tile]) -> BlockReader:
    """A reader of a view for tiles in their order, which reads nothing twice along the rows of a strip."""
    margin = _margin_px(view.grid.gsd_m)
    height = max(tile.seen.height for tile in tiles) + 2 * margin
    width = STRIP_PX + max(tile.seen.width - tile.core.width for tile in tiles) + 2 * margin
    return BlockReader(view, blocks_in(height, min(width, view.grid.width)))


def read_tile(tile: Tile, late: BlockReader, early: BlockReader | None, *, screen: bool = False) -> TileInput:
    """Read and normalise one tile; ``early`` None: the after image alone.

    Both images are None where the network need not look: nothing to use is valid, or, with ``screen``, nothing there
    could be a crater. ``before`` is None without an earlier image, too.

    Raises:
        ImageError: a file is damaged there.
    """
    after, valid = _read_normalised(tile.seen, late)
    core = _part(valid, tile.core, tile.seen)
    if not _part(valid, tile.reach, tile.seen).any():
        return TileInput(tile, core, None, None, False)
    before, early_valid = None, np.zeros(0, bool)
    if early is not None:
        before, early_valid = _read_normalised(tile.seen, early)
    if screen and not worth_a_look(after, before, late.grid.gsd_m):
        return TileInput(tile, core, None, None, False)
    return TileInput(tile, core, after, before, bool(early_valid.any()))


def _read_normalised(window: Window, reader: BlockReader) -> tuple[Float32Array, BoolArray]:
    """Network input (4, h, w) and validity (h, w) of a window, both as if the whole grid had been read at once.

    The local statistics reach so far that they are worked out with a margin.
    """
    rgb, valid = reader.read(window)
    if not valid.any():
        return np.zeros((4, window.height, window.width), np.float32), valid
    margin = _margin_px(reader.grid.gsd_m)
    top, left = max(window.row - margin, 0), max(window.col - margin, 0)
    bottom = min(window.row + window.height + margin, reader.height)
    right = min(window.col + window.width + margin, reader.width)
    small = reader.read_small(Window(top, left, bottom - top, right - left))
    part = window._replace(row=window.row - top, col=window.col - left)
    return normalise_part(rgb, valid, reader.grid.gsd_m, small, part), valid


def _margin_px(gsd_m: float) -> int:
    """How far the local statistics reach, in whole strides."""
    return -(-int(np.ceil(_REACH_SIGMAS * SPREAD_SIGMA_M / gsd_m)) // STRIDE_PX) * STRIDE_PX


def _part(array: BoolArray, part: Window, of: Window) -> BoolArray:
    row, col = part.row - of.row, part.col - of.col
    return array[row : row + part.height, col : col + part.width]
