"""Overlapping tiles that cover a grid, and their blending weights."""

from __future__ import annotations

import numpy as np

from cv_pipeline.types import Float32Array, Grid, Window

STRIDE_PX = 16
"""The network halves its input four times, so tile sides are multiples of this."""


def _starts(length_px: int, tile_px: int, overlap_px: int) -> list[int]:
    """First pixels of the tiles along one axis; the last tile ends at the edge rather than past it."""
    if length_px <= tile_px:
        return [0]
    count = int(np.ceil((length_px - overlap_px) / (tile_px - overlap_px)))
    return [min(index * (tile_px - overlap_px), length_px - tile_px) for index in range(count)]


def tile_rows(grid: Grid, tile_px: int, overlap_px: int) -> list[list[Window]]:
    """Windows of ``tile_px`` that cover the grid, row by row, neighbours sharing at least ``overlap_px``.

    A grid smaller than a tile gets one window of its own size, rounded up to the network's stride.
    """
    height = min(tile_px, -(-grid.height // STRIDE_PX) * STRIDE_PX)
    width = min(tile_px, -(-grid.width // STRIDE_PX) * STRIDE_PX)
    return [
        [Window(row, col, height, width) for col in _starts(grid.width, tile_px, overlap_px)]
        for row in _starts(grid.height, tile_px, overlap_px)
    ]


def blend_weights(height: int, width: int, overlap_px: int) -> Float32Array:
    """Weights (height, width) that fall linearly to nearly nothing over half the overlap at each edge.

    Pixels near a tile's edge were predicted with less context; there the neighbouring tile decides.
    """

    def ramp(length: int) -> Float32Array:
        distance = np.minimum(np.arange(length) + 0.5, length - np.arange(length) - 0.5)
        weights: Float32Array = np.clip(distance / max(overlap_px / 2, 1), 1e-3, 1.0).astype(np.float32)
        return weights

    return np.outer(ramp(height), ramp(width)).astype(np.float32)
