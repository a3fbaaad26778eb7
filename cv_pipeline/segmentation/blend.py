"""Tiles become one raster: each is added to what its neighbours left in the seams, and what is complete is given out.

Only seams are kept: 1.3 kB for each pixel of a strip's width and, where the scene is wider than a strip, of its height.
"""

from __future__ import annotations

from cv_pipeline.segmentation.tiles import RAMP_PX, Tile, fade_in
from cv_pipeline.types import Float32Array


class Blender:
    """Blends tiles given in the order of :func:`~cv_pipeline.segmentation.tiles.tiles_of`."""

    def __init__(self) -> None:
        self._below: dict[int, Float32Array] = {}
        """By the tile's first column."""
        self._right: dict[int, Float32Array] = {}
        """By the tile's first row, as the neighbour may come a whole strip later."""

    def add(self, tile: Tile, maps: Float32Array) -> Float32Array:
        """Values (channels, h, w) of the tile's core, complete.

        Args:
            tile: The next tile.
            maps: (channels, h, w) of what it sees; changed in place.
        """
        core, reach, seen = tile
        top, left = reach.row - seen.row, reach.col - seen.col
        used = maps[:, top : top + reach.height, left : left + reach.width]
        rising = fade_in()
        if reach.row > 0:
            used[:, :RAMP_PX] *= rising[: reach.height, None]
        if reach.col > 0:
            used[:, :, :RAMP_PX] *= rising[: reach.width]
        # Over the seams at its end a tile falls as the next one rises: what it reaches past its core.
        used[:, core.height :] *= 1 - rising[: reach.height - core.height, None]
        used[:, :, core.width :] *= 1 - rising[: reach.width - core.width]
        if reach.col > 0:
            left_part = self._right.pop(core.row)
            used[:, :, : left_part.shape[2]] += left_part
        if reach.width > core.width:
            self._right[core.row] = used[:, :, core.width :].copy()
        inside = used[:, : core.height, : core.width]
        above = self._below.pop(core.col, None)
        if reach.row > 0 and above is not None:
            inside[:, : above.shape[1]] += above
        if reach.height > core.height:
            self._below[core.col] = used[:, core.height :, : core.width].copy()
        return inside
