from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from cv_pipeline.segmentation import tiles as tiling
from cv_pipeline.segmentation.blend import Blender
from cv_pipeline.segmentation.tiles import RAMP_PX, Tile, tiles_of
from cv_pipeline.types import Channel, Float32Array, Grid


def grid(height: int, width: int) -> Grid:
    return Grid(height, width, Affine.identity(), None, 1.0)


def blended(grid: Grid, tiles: list[Tile], given: dict[Tile, Float32Array]) -> Float32Array:
    """The whole raster; each pixel must be given out exactly once."""
    whole = np.full((len(Channel), grid.height, grid.width), np.nan, np.float32)
    blender = Blender()
    for tile in tiles:
        core = tile.core
        part = whole[:, core.row : core.row + core.height, core.col : core.col + core.width]
        assert np.isnan(part).all()
        part[:] = blender.add(tile, given[tile].copy())
    return whole


@pytest.mark.parametrize("strip_px", [256, 512, 8192])
@pytest.mark.parametrize(("height", "width"), [(300, 410), (520, 1030), (257, 783), (800, 270), (20, 600)])
def test_parts_of_one_raster_give_it_back(
    height: int, width: int, strip_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiling, "STRIP_PX", strip_px)
    padded = [-(-side // 16) * 16 for side in (height, width)]
    truth = np.random.default_rng(0).normal(size=(len(Channel), *padded)).astype(np.float32)
    tiles = tiles_of(grid(height, width), 256, 96)
    given = {
        t: truth[:, t.seen.row : t.seen.row + t.seen.height, t.seen.col : t.seen.col + t.seen.width] for t in tiles
    }
    np.testing.assert_allclose(
        blended(grid(height, width), tiles, given), truth[:, :height, :width], rtol=1e-5, atol=1e-5
    )


def test_tiles_that_disagree_fade_into_each_other() -> None:
    tiles = tiles_of(grid(512, 512), 256, 96)
    given = {t: np.full((len(Channel), t.seen.height, t.seen.width), k, np.float32) for k, t in enumerate(tiles)}
    found = blended(grid(512, 512), tiles, given)[0]
    assert (found[:256, :256] == 0).all()
    assert (found[300:, 300:] == 3).all()
    across = found[100]
    assert (across[256 + RAMP_PX :] == 1).all()
    assert (np.diff(across[255 : 257 + RAMP_PX]) > 0).all()
    assert np.diff(across).max() < 2 / RAMP_PX
    assert found[256 + RAMP_PX // 2, 256 + RAMP_PX // 2] == pytest.approx(1.5, abs=0.15)
