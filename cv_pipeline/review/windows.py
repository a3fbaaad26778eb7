"""Windows of ground without a find, in a random order, in which a person looks for what was missed.

The scene is cut into windows of about :data:`SIDE_M` on the segmentation's grid. Those with imagery on most of their
ground and without any of the run's impacts are the population; its order is shuffled by a seed that the record keeps,
so the first ``n`` of them are a random sample without replacement whatever ``n`` comes to.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning

from cv_pipeline.imagery.grid import pixel_matrix
from cv_pipeline.types import Float64Array, Grid, Impact, Segmentation

SIDE_M = 40.0
"""A person sees a crater of two metres in a picture of this much ground, and a scene has many of them."""
MIN_VALID_SHARE = 0.75
_SAMPLES = 8
"""Validity is looked at in so many places along a window's side."""


@dataclass(frozen=True, slots=True)
class SampledWindow:
    """One window: which cell of the plan's rows and columns it is, and its centre in after-image pixels."""

    window_id: str
    row: int
    col: int
    centre_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """All windows of the population in the order in which they are to be looked at.

    ``height`` and ``width`` are a window's, in working pixels. ``finds_per_window`` is how many impacts a window with
    a find holds on average; 1 without any.
    """

    windows: tuple[SampledWindow, ...]
    height: float
    width: float
    finds_per_window: float
    after: Grid
    working: Grid

    def counts(self, points_px: Sequence[tuple[float, float]], seen: frozenset[str]) -> tuple[list[int], int]:
        """How many points, (row, col) in after-image pixels, each window that was looked at holds.

        Returns:
            The counts of the windows in ``seen``, in the plan's order, and the number of points that lie in no window
            of the population: beside a find, or on ground that has little imagery.
        """
        names = {(w.row, w.col): w.window_id for w in self.windows}
        hits = dict.fromkeys((w.window_id for w in self.windows if w.window_id in seen), 0)
        cells = _cells(points_px, self.after, self.working, self.height, self.width)
        for cell in cells:
            if names.get(cell) in hits:
                hits[names[cell]] += 1
        return list(hits.values()), sum(cell not in names for cell in cells)

    def outline_px(self, window: SampledWindow) -> Float64Array:
        """The corners (4, 2) of a window as (row, col) in after-image pixels."""
        to_after = pixel_matrix(self.working, self.after)
        corners = [(0, 0), (0, 1), (1, 1), (1, 0)]
        placed = [
            to_after @ ((window.col + right) * self.width, (window.row + down) * self.height) for down, right in corners
        ]
        return np.array([(row, col) for col, row in placed])


def plan_windows(segmentation: Segmentation, after: Grid, impacts: Sequence[Impact], seed: int) -> WindowPlan:
    """The windows of a scene without a find, shuffled by ``seed``; there may be none.

    Args:
        segmentation: for the grid and the ground with imagery.
        after: the after image's grid, in whose pixels impacts are.
        impacts: all of the run, whatever a person makes of them later.
        seed: of the order.
    """
    grid = segmentation.grid
    side = SIDE_M / grid.gsd_m
    rows, cols = max(1, round(grid.height / side)), max(1, round(grid.width / side))
    height, width = grid.height / rows, grid.width / cols
    free = _valid_share(segmentation, rows, cols) >= MIN_VALID_SHARE
    held = set(_cells([(i.row_px, i.col_px) for i in impacts], after, grid, height, width))
    for row, col in held:
        if 0 <= row < rows and 0 <= col < cols:
            free[row, col] = False
    cells = np.argwhere(free)[np.random.default_rng(seed).permutation(int(free.sum()))].tolist()
    to_after = pixel_matrix(grid, after)
    windows = []
    for number, (row, col) in enumerate(cells, start=1):
        x, y = to_after @ ((col + 0.5) * width, (row + 0.5) * height)
        windows.append(SampledWindow(f"W{number:04d}", row, col, (float(y), float(x))))
    return WindowPlan(tuple(windows), height, width, len(impacts) / len(held) if held else 1.0, after, grid)


def _valid_share(segmentation: Segmentation, rows: int, cols: int) -> Float64Array:
    """Share of each of (rows, cols) windows that shows the ground, by its nearest pixels at 8 by 8 places."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(segmentation.path) as file:
            valid = file.read(1, out_shape=(rows * _SAMPLES, cols * _SAMPLES), resampling=Resampling.nearest) > 0
    return np.asarray(valid.reshape(rows, _SAMPLES, cols, _SAMPLES).mean(axis=(1, 3)))


def _cells(
    points_px: Sequence[tuple[float, float]], after: Grid, working: Grid, height: float, width: float
) -> list[tuple[int, int]]:
    """Row and column of the window in which each point (row, col) of the after image lies."""
    matrix = pixel_matrix(after, working)
    placed = [matrix @ (col, row) for row, col in points_px]
    return [(int(y // height), int(x // width)) for x, y in placed]
