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


@pytest.mark.parametrize("turn_deg", [0.006, -0.05, 0.4, -1.0])
@pytest.mark.parametrize("gsd_m", [0.37, 0.5, 0.6, 1.0])
def test_a_slight_turn_is_that_of_the_warp(make_tiff: Callable[..., Path], turn_deg: float, gsd_m: float) -> None:
    rows, cols = np.mgrid[:240, :260]
    rgb = texture(240, 260) // 2 + (60 + 50 * np.sin(rows / 3) * np.sin(cols / 4))[..., None].astype(np.uint8)
    hole = np.s_[100:120, 90:130]
    source = open_source(make_tiff(rgb, crs=None, nodata_kind="value", hole=hole), gsd_m=0.5)
    grid = moved(source, gsd_m, (0.3, 0.7))
    turn = Affine.rotation(turn_deg, pivot=(grid.width / 2, grid.height / 2)) @ Affine.scale(1.004)
    (found, valid), (warped, shown) = both(source, replace(grid, transform=grid.transform @ turn))
    assert (valid != shown).mean() < 0.002  # GDAL's places are good to 0.02 px
    deep = valid & shown
    for _ in range(int(np.ceil(6 * max(0.5 / gsd_m, 1)))):  # away from the hole and the rim
        deep[1:-1, 1:-1] &= deep[:-2, 1:-1] & deep[2:, 1:-1] & deep[1:-1, :-2] & deep[1:-1, 2:]
    deep[[0, -1]] = deep[:, [0, -1]] = False
    apart = np.abs(found.astype(int) - warped)[deep]
    assert len(apart) > 1000
    # Turned kernels lean a little; places are rounded to 1/32 px here and to 0.02 px there.
    assert apart.mean() < 1.0 + abs(turn_deg)
    assert apart.max() <= 10


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
        assert (valid != shown).mean() < 0.006  # places to 1/32 of a cell


@pytest.mark.parametrize("turn_deg", [0.0, 0.3])
def test_a_pixel_does_not_depend_on_its_window(
    make_tiff: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, turn_deg: float
) -> None:
    source = open_source(make_tiff(texture(300, 340), crs=None), gsd_m=0.5)
    grid = moved(source, 0.37, (0.21, 0.4))
    grid = replace(grid, transform=grid.transform @ Affine.rotation(turn_deg))
    with GridView(source, grid) as view:
        rgb, valid = view.read(Window(0, 0, grid.height, grid.width))
        part, _ = view.read(Window(101, 203, 60, 70))
        monkeypatch.setattr(direct, "MAX_READ_PX", 3000)
        pieces, shown = view.read(Window(0, 0, grid.height, grid.width))
    # Turned, the rim's mean over what is there is divided by a one that is rounded.
    atol = 0 if turn_deg == 0 else 1
    np.testing.assert_allclose(part.astype(int), rgb[101:161, 203:273], rtol=0, atol=atol)
    np.testing.assert_allclose(pieces.astype(int), rgb, rtol=0, atol=atol)
    assert (pieces != rgb).mean() < 1e-4
    np.testing.assert_array_equal(shown, valid)


def test_turned_mirrored_and_other_crs_need_a_warp(make_tiff: Callable[..., Path]) -> None:
    source = open_source(make_tiff(texture(96, 128)))
    grid = source.grid
    turned = replace(grid, transform=grid.transform @ Affine.rotation(2.0))
    mirrored = replace(grid, transform=grid.transform @ Affine.translation(0, 96) @ Affine.scale(1, -1))
    elsewhere = replace(grid, crs=open_source(make_tiff(texture(96, 128), name="o.tif", crs="EPSG:32634")).grid.crs)
    with open_dataset(source.path) as dataset:
        assert direct_reader(dataset, source, grid, None) is not None
        for other in (turned, mirrored, elsewhere):
            assert direct_reader(dataset, source, other, None) is None
