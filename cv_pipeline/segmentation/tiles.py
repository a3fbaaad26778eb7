"""How a grid is cut into tiles: the ground each answers for, what it sees around it, and how neighbours blend.

Results must not depend on where the cuts are. A tile therefore sees more than it answers for: ``overlap_px`` that it
shares with the next one. Of these the outer parts are context only, never used, and in the :data:`RAMP_PX` between
them one tile fades into the other. All tiles start on multiples of the network's stride, because its answer changes
when its input moves by less than that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.types import Float32Array, Grid, Window

STRIDE_PX = 16
"""The network halves its input four times, so tile sides are multiples of this."""
BLOCK_PX = 128
"""Cuts lie on multiples of this, the blocks of the raster file, so that none is compressed twice."""
RAMP_PX = 32
"""How wide the seam is in which neighbours blend; it starts at the cut."""
STRIP_PX = 4096
"""Tiles are worked through in strips so wide, so that what they read in common stays in GDAL's cache."""


class Tile(NamedTuple):
    """One run of the network.

    ``core`` is the ground it answers for; cores cover the grid once. ``reach`` is the core and the seams towards the
    next tiles, inside the grid: all that is used. ``seen`` is what the network gets: starts and sides are multiples of
    :data:`STRIDE_PX`, so that it may end past the grid by less than that.
    """

    core: Window
    reach: Window
    seen: Window


def cuts(length_px: int, tile_px: int) -> list[tuple[int, int]]:
    """Starts and ends of the cores along one axis, about equal and at most ``tile_px`` long."""
    count = -(-length_px // tile_px)
    step = -(-length_px // count // BLOCK_PX) * BLOCK_PX
    return [(start, min(start + step, length_px)) for start in range(0, length_px, step)]


def tiles_of(grid: Grid, tile_px: int, overlap_px: int) -> list[Tile]:
    """Tiles that cover the grid: in strips of :data:`STRIP_PX`, each row by row from left to right.

    Args:
        grid: What to cover; a grid smaller than a tile gets one tile.
        tile_px: Greatest side of a core, a multiple of :data:`BLOCK_PX`.
        overlap_px: How much neighbours see in common, a multiple of 32, at least :data:`RAMP_PX`.
    """
    margin = (overlap_px - RAMP_PX) // 2
    ends = [-(-side // STRIDE_PX) * STRIDE_PX for side in (grid.height, grid.width)]

    def seen(start: int, stop: int, end: int) -> tuple[int, int]:
        first = max(start - margin, 0)
        return first, min(stop + RAMP_PX + margin, end) - first

    def tile(top: int, bottom: int, left: int, right: int) -> Tile:
        row, height = seen(top, bottom, ends[0])
        col, width = seen(left, right, ends[1])
        reach_h, reach_w = min(bottom + RAMP_PX, grid.height) - top, min(right + RAMP_PX, grid.width) - left
        return Tile(
            Window(top, left, bottom - top, right - left),
            Window(top, left, reach_h, reach_w),
            Window(row, col, height, width),
        )

    columns = cuts(grid.width, tile_px)
    per_strip = max(STRIP_PX // tile_px, 1)
    strips = [columns[k : k + per_strip] for k in range(0, len(columns), per_strip)]
    return [tile(*rows, *cols) for strip in strips for rows in cuts(grid.height, tile_px) for cols in strip]


def fade_in() -> Float32Array:
    """Weights of a tile, (RAMP_PX,), over the seam at its start: smooth, 0 to 1; at its end they are 1 minus these."""
    at = (np.arange(RAMP_PX) + 0.5) / RAMP_PX
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * at), np.float32)
