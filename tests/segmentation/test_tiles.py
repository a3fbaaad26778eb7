from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from cv_pipeline.segmentation.tiles import BLOCK_PX, RAMP_PX, STRIDE_PX, Tile, fade_in, tiles_of
from cv_pipeline.types import Grid, Window


def grid(height: int, width: int) -> Grid:
    return Grid(height, width, Affine.identity(), None, 1.0)


def ends(window: Window) -> tuple[int, int]:
    return window.row + window.height, window.col + window.width


def counts(tiles: list[Tile], part: str, height: int, width: int) -> np.ndarray:
    covered = np.zeros((height, width), int)
    for tile in tiles:
        window = getattr(tile, part)
        covered[window.row : window.row + window.height, window.col : window.col + window.width] += 1
    return covered


SIZES = [(512, 512), (513, 512), (1000, 700), (1321, 2049), (100, 900), (33, 47), (16, 16), (1, 1)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("tile_px", "overlap_px"), [(512, 96), (256, 32), (256, 192)])
def test_cores_cover_the_grid_once_and_lie_on_the_files_blocks(
    height: int, width: int, tile_px: int, overlap_px: int
) -> None:
    tiles = tiles_of(grid(height, width), tile_px, overlap_px)
    assert (counts(tiles, "core", height, width) == 1).all()
    for core, reach, _ in tiles:
        assert core.row % BLOCK_PX == core.col % BLOCK_PX == 0
        assert max(core.height, core.width) <= tile_px
        assert reach[:2] == core[:2]
        assert ends(reach) == (min(ends(core)[0] + RAMP_PX, height), min(ends(core)[1] + RAMP_PX, width))


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("overlap_px", [32, 96, 192])
def test_tiles_fit_the_network_and_see_the_context_that_is_there(height: int, width: int, overlap_px: int) -> None:
    margin = (overlap_px - RAMP_PX) // 2
    for _, reach, seen in tiles_of(grid(height, width), 256, overlap_px):
        assert all(value % STRIDE_PX == 0 for value in seen)
        for axis, length in enumerate((height, width)):
            assert seen[axis] == max(reach[axis] - margin, 0)
            assert ends(seen)[axis] >= min(ends(reach)[axis] + margin, length)
            assert ends(seen)[axis] < length + STRIDE_PX


def test_neighbours_share_the_overlap() -> None:
    left, right = tiles_of(grid(256, 1024), 512, 192)
    assert ends(left.seen)[1] - right.seen.col == 192


def test_wide_grids_are_worked_through_in_strips() -> None:
    tiles = tiles_of(grid(2048, 20_000), 1024, 192)
    assert [tile.core.row for tile in tiles[:9]] == [0] * 4 + [1024] * 4 + [0]
    assert tiles[8].core.col == 4096


def test_a_seam_is_shared_smoothly() -> None:
    rising = fade_in()
    assert rising.shape == (RAMP_PX,)
    assert 0 < rising[0] < 0.01
    assert 0.99 < rising[-1] < 1
    np.testing.assert_allclose(rising + rising[::-1], 1, atol=1e-6)
    assert np.abs(np.diff(rising, 2)).max() < 0.01
