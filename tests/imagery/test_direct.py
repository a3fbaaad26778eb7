"""Reading without a warp against GDAL's warp of the same file, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from cv_pipeline.imagery import direct
from cv_pipeline.imagery.direct import direct_reader
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.source import open_dataset, open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.imagery.warp import WarpReader
from cv_pipeline.types import BoolArray, Grid, ImageSource, Obscured, UInt8Array, Window
from tests.conftest import texture

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
RIM_PX = 3
Read = tuple[UInt8Array, BoolArray]


def moved(source: ImageSource, gsd_m: float, shift_px: tuple[float, float] = (0.0, 0.0)) -> Grid:
    grid = working_grid(source.grid, gsd_m)
    return replace(grid, transform=grid.transform @ Affine.translation(*shift_px))


def both(source: ImageSource, grid: Grid) -> tuple[Read, Read]:
    """The whole grid by the direct reader and by GDAL's warp."""
    with ExitStack() as stack:
        dataset = stack.enter_context(open_dataset(source.path))
        hidden = source.obscured
        reader = direct_reader(dataset, source, grid, hidden)
        assert reader is not None
        whole = Window(0, 0, grid.height, grid.width)
        return reader.read(whole), WarpReader(dataset, source, grid, hidden, stack).read(whole)


@pytest.mark.parametrize("gsd_m", [0.2, 0.37, 0.5, 0.51, 0.6, 1.0, 1.73])
@pytest.mark.parametrize("shift_px", [(0.0, 0.0), (2.3, -1.6), (-4.0, 3.0)], ids=str)
def test_agrees_with_gdals_warp_to_rounding(
    make_tiff: Callable[..., Path], gsd_m: float, shift_px: tuple[float, float]
) -> None:
    source = open_source(make_tiff(texture(150, 170), crs=None), gsd_m=0.5)
    (rgb, valid), (warped, shown) = both(source, moved(source, gsd_m, shift_px))
    np.testing.assert_array_equal(valid, shown)
    # At the image's rim GDAL falls back to linear interpolation.
    reach = int(np.ceil(RIM_PX * max(0.5 / gsd_m, 1)))
    inner = np.s_[reach:-reach, reach:-reach]
    left, top = (int(np.ceil(max(-shift, 0))) for shift in shift_px)
    right, bottom = (int(np.ceil(max(shift, 0))) for shift in shift_px)
    cut = np.s_[top : len(rgb) - bottom, left : rgb.shape[1] - right]
    apart = np.abs(rgb.astype(int) - warped)[cut]
    # How much coarser the pixels are GDAL estimates from samples, which moves its wide kernels a little.
    assert apart[inner].max() <= (1 if gsd_m < 1 else 6)
    assert apart.mean() < (0.1 if gsd_m < 1 else 1.5)
    assert apart.max() <= 40


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("kind", ["value", "mask", "alpha", "nan"])
@pytest.mark.parametrize("gsd_m", [0.5, 0.6])
def test_holes_of_every_kind_are_those_of_the_warp(
    make_tiff: Callable[..., Path], dtype: str, kind: str, gsd_m: float
) -> None:
    if (kind == "nan") != (dtype == "float32"):
        pytest.skip("not a combination that matters")
    hole = np.s_[40:70, 50:90]
    path = make_tiff(texture(150, 170), crs=None, dtype=dtype, nodata_kind=kind, hole=hole)
    source = open_source(path, gsd_m=0.5, bands=(1, 2, 3))
    (rgb, valid), (warped, shown) = both(source, moved(source, gsd_m, (0.4, 0.3)))
    np.testing.assert_array_equal(valid, shown)
    assert not valid.all()
    assert not rgb[~valid].any()
    far = np.ones(valid.shape, bool)  # from the hole and the rim
    far[:RIM_PX] = far[-RIM_PX:] = far[:, :RIM_PX] = far[:, -RIM_PX:] = False
    grown = int(40 * 0.5 / gsd_m) - 4, int(70 * 0.5 / gsd_m) + 4, int(50 * 0.5 / gsd_m) - 4, int(90 * 0.5 / gsd_m) + 4
    far[grown[0] : grown[1], grown[2] : grown[3]] = False
    apart = np.abs(rgb.astype(int) - warped)
    assert apart[far].max() <= 1
    # Beside a hole the mean over what is there is no farther off than GDAL's linear interpolation is.
    assert apart[valid & ~far].mean() < 3


def test_hidden_cells_are_those_of_the_warp(make_tiff: Callable[..., Path]) -> None:
    cells = np.zeros((10, 11), bool)
    cells[3:6, 4:8] = cells[0, 0] = True
    plain = open_source(make_tiff(texture(150, 170), crs=None), gsd_m=0.5)
    source = replace(plain, obscured=Obscured(cells, 16, 0.1, 0.0))
    for shift in ((0.0, 0.0), (2.3, 1.6)):
        (_, valid), (_, shown) = both(source, moved(source, 0.6, shift))
        assert 0.02 < (~valid).mean() < 0.3
        assert (valid != shown).mean() < 0.002  # GDAL rounds the half-way line


def test_a_pixel_does_not_depend_on_its_window(make_tiff: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(make_tiff(texture(300, 340), crs=None), gsd_m=0.5)
    grid = moved(source, 0.37, (0.21, 0.4))
    with GridView(source, grid) as view:
        rgb, valid = view.read(Window(0, 0, grid.height, grid.width))
        part, _ = view.read(Window(101, 203, 60, 70))
        monkeypatch.setattr(direct, "MAX_READ_PX", 3000)
        pieces, shown = view.read(Window(0, 0, grid.height, grid.width))
    np.testing.assert_array_equal(part, rgb[101:161, 203:273])
    np.testing.assert_array_equal(pieces, rgb)
    np.testing.assert_array_equal(shown, valid)


def test_turned_mirrored_and_other_crs_need_a_warp(make_tiff: Callable[..., Path]) -> None:
    source = open_source(make_tiff(texture(96, 128)))
    grid = source.grid
    turned = replace(grid, transform=grid.transform @ Affine.rotation(0.1))
    mirrored = replace(grid, transform=grid.transform @ Affine.translation(0, 96) @ Affine.scale(1, -1))
    elsewhere = replace(grid, crs=open_source(make_tiff(texture(96, 128), name="o.tif", crs="EPSG:32634")).grid.crs)
    with open_dataset(source.path) as dataset:
        assert direct_reader(dataset, source, grid, None) is not None
        for other in (turned, mirrored, elsewhere):
            assert direct_reader(dataset, source, other, None) is None
