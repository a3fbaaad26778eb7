from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from cv_pipeline.imagery.grid import pixel_matrix, working_grid
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView, overview
from cv_pipeline.types import Grid, Window
from tests.conftest import UTM, texture

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # made by the fixtures


def whole(grid: Grid) -> Window:
    return Window(0, 0, grid.height, grid.width)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("kind", ["none", "value", "mask", "alpha", "nan"])
@pytest.mark.parametrize("crs", ["EPSG:32633", None])
def test_own_grid_gives_own_pixels_and_holes(make_tiff, dtype, kind, crs):
    if (kind == "nan" and dtype != "float32") or (kind == "alpha" and not dtype.startswith("uint")):
        pytest.skip("not a combination that exists")
    pixels = texture(96, 128)
    source = open_source(
        make_tiff(pixels, crs=crs, dtype=dtype, nodata_kind=kind), gsd_m=0.5 if crs is None else None, bands=(1, 2, 3)
    )
    with GridView(source, source.grid) as view:
        rgb, valid = view.read(whole(source.grid))
    expected = np.ones((96, 128), dtype=bool)
    if kind != "none":
        expected[10:30, 20:50] = False
    np.testing.assert_array_equal(valid, expected)
    assert not rgb[~valid].any()
    low, high = np.array(source.scale_low), np.array(source.scale_high)
    stored = pixels.astype(dtype).astype(float)
    planted = np.clip((stored - low) * 255 / (high - low), 0, 255)
    assert np.abs(rgb.astype(float) - planted)[expected].max() <= 1.0


def test_one_black_colour_is_not_nodata(make_tiff):
    pixels = texture(96, 128)
    pixels[40:50, 40:50, 0] = 0
    source = open_source(make_tiff(pixels, nodata_kind="value"))
    with GridView(source, source.grid) as view:
        assert view.read(Window(40, 40, 10, 10))[1].all()


def test_infinite_pixels_are_invalid(make_tiff):
    pixels = texture(96, 128)
    pixels[40, 40] = np.inf
    source = open_source(make_tiff(pixels, dtype="float32"))
    with GridView(source, source.grid) as view:
        assert not view.read(Window(40, 40, 1, 1))[1].any()


def test_window_past_the_edge_is_padded_as_invalid(make_tiff):
    source = open_source(make_tiff())
    with GridView(source, source.grid) as view:
        rgb, valid = view.read(Window(-8, 120, 20, 20))
        far, far_valid = view.read(Window(500, 500, 4, 4))
    assert rgb.shape == (20, 20, 3)
    assert valid[8:, :8].all()
    assert valid.sum() == 12 * 8
    assert not far.any()
    assert not far_valid.any()


def test_downsampling_averages(make_tiff):
    checker = (np.indices((128, 128)).sum(axis=0) % 2 * 200.0)[..., None].repeat(3, axis=2)
    source = open_source(make_tiff(checker))
    with GridView(source, working_grid(source.grid, 4.0)) as view:
        rgb, _ = view.read(Window(2, 2, 12, 12))
    assert np.abs(rgb.astype(int) - 100).max() <= 6


def test_matrix_moves_content_to_the_corrected_place(make_tiff):
    pixels = np.full((96, 128, 3), 50.0)
    pixels[40:43, 60:63] = 250
    source = open_source(make_tiff(pixels))
    turn = Affine.translation(5.5, -3.0) @ Affine.rotation(3, pivot=(64, 48))
    matrix = np.array([[turn.a, turn.b, turn.c], [turn.d, turn.e, turn.f]])
    with GridView(source, source.grid, matrix) as view:
        rgb, _ = view.read(whole(source.grid))
    weight = np.clip(rgb[..., 0].astype(float) - 60, 0, None)
    rows, cols = np.indices(weight.shape) + 0.5
    found = (cols * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()
    np.testing.assert_allclose(found, turn @ (61.5, 41.5), atol=0.1)


def test_windows_agree_with_the_whole(make_tiff):
    source = open_source(make_tiff(texture(300, 700), tiled=True, blockxsize=64, blockysize=64))
    grid = working_grid(source.grid, 0.37)
    with GridView(source, grid) as view:
        rgb, _ = view.read(whole(grid))
        part, _ = view.read(Window(101, 203, 60, 70))
    assert np.abs(part.astype(int) - rgb[101:161, 203:273]).max() <= 1


def test_other_crs_and_rotation_land_on_the_same_ground(make_tiff):
    import rasterio
    from rasterio.warp import calculate_default_transform

    pixels = np.full((96, 128, 3), 50.0)
    pixels[40:44, 60:64] = 250
    source = open_source(make_tiff(pixels))
    with rasterio.open(source.path) as file:
        transform, width, height = calculate_default_transform(
            file.crs, "EPSG:4326", file.width, file.height, *file.bounds
        )
    grid = Grid(height, width, transform, rasterio.crs.CRS.from_epsg(4326), 0.5)
    with GridView(source, grid) as view:
        rgb, _ = view.read(whole(grid))
    weight = np.clip(rgb[..., 0].astype(float) - 60, 0, None)
    rows, cols = np.indices(weight.shape) + 0.5
    at = transform @ ((cols * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum())
    from pyproj import Transformer

    x, y = Transformer.from_crs(4326, 32633, always_xy=True).transform(*at)
    np.testing.assert_allclose((x, y), UTM @ (62.0, 42.0), atol=0.06)


def test_overviews_do_not_move_the_image(make_tiff):
    import rasterio

    path = make_tiff(texture(512, 640), crs=None)
    source = open_source(path, gsd_m=0.5)
    plain, _, grid = overview(source, 40)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], rasterio.enums.Resampling.average)
    fast, valid, same = overview(source, 40)
    assert same == grid
    assert max(fast.shape) == 40
    assert valid.all()
    assert np.abs(fast.astype(int) - plain).mean() < 3
    assert pixel_matrix(grid, source.grid).a == pytest.approx(16)
