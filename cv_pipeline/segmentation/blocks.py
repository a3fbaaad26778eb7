"""A view read block by block, each block once: what neighbouring tiles see in common is kept."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from cv_pipeline.imagery.view import GridView
from cv_pipeline.segmentation.normalise import SHRINK, shrunk
from cv_pipeline.segmentation.tiles import STRIDE_PX
from cv_pipeline.types import BoolArray, Float32Array, UInt8Array, Window

BLOCK_PX = 512
"""A multiple of the network's stride."""


class Block(NamedTuple):
    """Colours (h, w, 3), validity (h, w) and :func:`~cv_pipeline.segmentation.normalise.shrunk` of both."""

    rgb: UInt8Array
    valid: BoolArray
    small: Float32Array


class BlockReader:
    """Windows of a view, put together from blocks whose places do not depend on the windows.

    So neither do the pixels, to the last bit, and what is asked for again soon is not read again: 1.3 MB is held for
    each of at most ``held`` blocks, the least recently used going first.

    Windows may reach past the grid's end to the next whole stride of the network; the image is mirrored there, as black
    would look like an edge.
    """

    def __init__(self, view: GridView, held: int) -> None:
        self.grid = view.grid
        self.height, self.width = (-(-side // STRIDE_PX) * STRIDE_PX for side in (view.grid.height, view.grid.width))
        self._view = view
        self._block = lru_cache(held)(self._read_block)

    def read(self, window: Window) -> tuple[UInt8Array, BoolArray]:
        """Colours (height, width, 3) and validity (height, width) of a window; errors of the view."""
        rgb = np.empty((window.height, window.width, 3), np.uint8)
        valid = np.empty((window.height, window.width), bool)
        rows = _pieces(window.row, window.height)
        for (down, of_rows, to_rows), (across, of_cols, to_cols) in product(rows, _pieces(window.col, window.width)):
            block = self._block(down, across)
            rgb[to_rows, to_cols] = block.rgb[of_rows, of_cols]
            valid[to_rows, to_cols] = block.valid[of_rows, of_cols]
        return rgb, valid

    def read_small(self, window: Window) -> Float32Array:
        """What :func:`~cv_pipeline.segmentation.normalise.shrunk` gives of a window that starts and ends on cells."""
        row, col, height, width = (side // SHRINK for side in window)
        found = np.empty((height, width, 5), np.float32)
        rows = _pieces(row, height, BLOCK_PX // SHRINK)
        for (down, of_rows, to_rows), (across, of_cols, to_cols) in product(
            rows, _pieces(col, width, BLOCK_PX // SHRINK)
        ):
            found[to_rows, to_cols] = self._block(down, across).small[of_rows, of_cols]
        return found

    def _read_block(self, down: int, across: int) -> Block:
        row, col = down * BLOCK_PX, across * BLOCK_PX
        height, width = min(BLOCK_PX, self.height - row), min(BLOCK_PX, self.width - col)
        # Where little of a block is inside the grid it mirrors what lies before it.
        top, left = (
            start - STRIDE_PX if start + STRIDE_PX > side and start else start
            for start, side in ((row, self.grid.height), (col, self.grid.width))
        )
        inside = Window(top, left, min(row + height, self.grid.height) - top, min(col + width, self.grid.width) - left)
        rgb, valid = self._view.read(inside)
        past = (0, row + height - top - inside.height), (0, col + width - left - inside.width)
        if any(end for _, end in past):
            rgb, valid = np.pad(rgb, (*past, (0, 0)), mode="symmetric"), np.pad(valid, past, mode="symmetric")
        rgb, valid = rgb[row - top :, col - left :], valid[row - top :, col - left :]
        return Block(rgb, valid, shrunk(rgb, valid))


def _pieces(start: int, length: int, block: int | None = None) -> list[tuple[int, slice, slice]]:
    """The blocks along one axis that hold a window, which part of each, and where in the window it goes."""
    block = block or BLOCK_PX
    pieces = []
    for number in range(start // block, (start + length - 1) // block + 1):
        first = number * block
        low, high = max(start, first), min(start + length, first + block)
        pieces.append((number, slice(low - first, high - first), slice(low - start, high - start)))
    return pieces


def blocks_in(height: int, width: int) -> int:
    """The most blocks that a window of such a size can lie in."""
    return (-(-height // BLOCK_PX) + 1) * (-(-width // BLOCK_PX) + 1)
