from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.segmentation import blocks
from cv_pipeline.segmentation.blocks import BlockReader, blocks_in
from cv_pipeline.segmentation.normalise import shrunk
from cv_pipeline.segmentation.tile_input import input_reader, read_tile
from cv_pipeline.segmentation.tiles import tiles_of
from cv_pipeline.types import BoolArray, UInt8Array, Window
from tests.conftest import texture

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


class Counted(GridView):
    """A view that notes what is read from the file."""

    def __enter__(self) -> Counted:
        self.windows: list[Window] = []
        super().__enter__()
        return self

    def read(self, window: Window) -> tuple[UInt8Array, BoolArray]:
        self.windows.append(window)
        return super().read(window)


@pytest.mark.parametrize("window", [Window(0, 0, 300, 341), Window(63, 64, 1, 1), Window(50, 127, 130, 66)], ids=str)
def test_windows_are_those_of_the_view(
    make_tiff: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, window: Window
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_PX", 64)
    source = open_source(make_tiff(texture(300, 341), crs=None, nodata_kind="value"), gsd_m=0.5)
    with GridView(source, source.grid) as view:
        for found, wanted in zip(BlockReader(view, 2).read(window), view.read(window), strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_tiles_in_order_read_nothing_twice(make_tiff: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_PX", 64)
    source = open_source(make_tiff(texture(700, 900), crs=None), gsd_m=0.5)
    grid = working_grid(source.grid, 0.5)
    tiles = tiles_of(grid, 256, 128)
    with Counted(source, grid) as view:
        reader = input_reader(view, tiles)
        for tile in tiles:
            read_tile(tile, reader, None)
    assert len(set(view.windows)) == len(view.windows) == 11 * 15


@pytest.mark.parametrize(("height", "width"), [(300, 341), (130, 192), (67, 259)])
def test_past_the_end_the_image_is_mirrored(
    make_tiff: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, height: int, width: int
) -> None:
    """Also where only a pixel or two of the last block are inside the grid."""
    monkeypatch.setattr(blocks, "BLOCK_PX", 64)
    source = open_source(make_tiff(texture(height, width), crs=None, nodata_kind="value"), gsd_m=0.5)
    past = [(0, -side % 16) for side in (height, width)]
    with GridView(source, source.grid) as view:
        rgb, valid = view.read(Window(0, 0, height, width))
        reader = BlockReader(view, 4)
        whole = Window(0, 0, reader.height, reader.width)
        found = reader.read(whole)
        rgb, valid = np.pad(rgb, (*past, (0, 0)), mode="symmetric"), np.pad(valid, past, mode="symmetric")
        for got, wanted in zip(found, (rgb, valid), strict=True):
            np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(reader.read_small(whole), shrunk(rgb, valid))


def test_a_window_lies_in_no_more_blocks_than_are_held() -> None:
    assert blocks_in(512, 512) == 4
    assert blocks_in(514, 1) == 6
