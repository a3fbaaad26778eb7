from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from cv_pipeline.segmentation.tiles import STRIDE_PX, blend_weights, tile_rows
from cv_pipeline.types import Grid


def grid(height: int, width: int) -> Grid:
    return Grid(height, width, Affine.identity(), None, 1.0)


SIZES = [(512, 512), (513, 512), (1000, 700), (1321, 2049), (100, 900), (33, 47), (16, 16), (1, 1)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("tile_px", "overlap_px"), [(512, 96), (256, 32), (128, 100)])
def test_tiles_cover_the_grid_with_the_overlap(height: int, width: int, tile_px: int, overlap_px: int) -> None:
    rows = tile_rows(grid(height, width), tile_px, overlap_px)
    covered = np.zeros((height, width), bool)
    for window in (window for row in rows for window in row):
        covered[window.row : window.row + window.height, window.col : window.col + window.width] = True
    assert covered.all()
    for starts, length in (([row[0].row for row in rows], height), ([w.col for w in rows[0]], width)):
        assert starts[0] == 0
        assert (np.diff(starts) <= tile_px - overlap_px).all()
        assert (np.diff(starts) > 0).all()
        if length >= tile_px:
            assert starts[-1] + tile_px == length
        else:
            assert starts == [0]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tiles_are_alike_and_fit_the_network(height: int, width: int) -> None:
    windows = [window for row in tile_rows(grid(height, width), 256, 32) for window in row]
    assert len({(w.height, w.width) for w in windows}) == 1
    tile = windows[0]
    assert tile.height % STRIDE_PX == 0
    assert tile.width % STRIDE_PX == 0
    assert tile.height == 256 if height >= 256 else 0 <= tile.height - height < STRIDE_PX


@pytest.mark.parametrize(("height", "width", "overlap_px"), [(64, 64, 32), (128, 256, 96), (16, 512, 96), (64, 64, 0)])
def test_blend_weights_are_positive_and_highest_inside(height: int, width: int, overlap_px: int) -> None:
    weights = blend_weights(height, width, overlap_px)
    assert weights.shape == (height, width)
    assert weights.dtype == np.float32
    assert (weights > 0).all()
    assert weights.max() == weights[height // 2, width // 2] <= 1
    np.testing.assert_array_equal(weights, weights[::-1, ::-1])
    assert (np.diff(weights[height // 2, : width // 2]) >= 0).all()


def test_two_overlapping_ramps_leave_no_seam() -> None:
    weights = blend_weights(64, 64, 32)[32]
    sums = weights[-32:] + weights[:32]
    assert sums.min() > 0.9
