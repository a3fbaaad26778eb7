"""A view read block by block, each block once: what neighbouring tiles see in common is kept."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np

from cv_pipeline.imagery.view import GridView
from cv_pipeline.types import BoolArray, UInt8Array, Window

BLOCK_PX = 512


class BlockReader:
    """Windows of a view, put together from blocks whose places do not depend on the windows.

    So neither do the pixels, to the last bit, and what is asked for again soon is not read again: 1 MB is held for
    each of at most ``held`` blocks, the least recently used going first.
    """

    def __init__(self, view: GridView, held: int) -> None:
        self.grid = view.grid
        self._view = view
        self._block = lru_cache(held)(self._read_block)

    def read(self, window: Window) -> tuple[UInt8Array, BoolArray]:
        """Colours (height, width, 3) and validity (height, width) of a window inside the grid; errors of the view."""
        rgb = np.empty((window.height, window.width, 3), np.uint8)
        valid = np.empty((window.height, window.width), bool)
        rows = _pieces(window.row, window.height)
        for (down, of_rows, to_rows), (across, of_cols, to_cols) in product(rows, _pieces(window.col, window.width)):
            colours, shown = self._block(down, across)
            rgb[to_rows, to_cols] = colours[of_rows, of_cols]
            valid[to_rows, to_cols] = shown[of_rows, of_cols]
        return rgb, valid

    def _read_block(self, down: int, across: int) -> tuple[UInt8Array, BoolArray]:
        row, col = down * BLOCK_PX, across * BLOCK_PX
        height, width = min(BLOCK_PX, self.grid.height - row), min(BLOCK_PX, self.grid.width - col)
        return self._view.read(Window(row, col, height, width))


def _pieces(start: int, length: int) -> list[tuple[int, slice, slice]]:
    """The blocks along one axis that hold a window, which part of each, and where in the window it goes."""
    pieces = []
    for number in range(start // BLOCK_PX, (start + length - 1) // BLOCK_PX + 1):
        first = number * BLOCK_PX
        low, high = max(start, first), min(start + length, first + BLOCK_PX)
        pieces.append((number, slice(low - first, high - first), slice(low - start, high - start)))
    return pieces


def blocks_in(height: int, width: int) -> int:
    """The most blocks that a window of such a size can lie in."""
    return (-(-height // BLOCK_PX) + 1) * (-(-width // BLOCK_PX) + 1)
