"""Files that go wrong in the field: each gives the right answer or an error that names the file and the way out."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC
from rasterio.shutil import copy

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError, ImageError, PairError
from cv_pipeline.imagery.grid import pixel_matrix, working_grid
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.types import Grid, ImageSource, UInt8Array, Window
from tests.conftest import UTM, texture

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # made by the fixtures

MARK = (40, 60)
"""Upper-left (row, col) of a bright square of 4 px on flat ground, in a file of 96 by 128 px."""


def marked(value: float = 250.0, ground: float = 50.0) -> np.ndarray:
    pixels = np.full((96, 128, 3), ground)
    pixels += np.arange(128)[None, :, None] % 2  # not constant
    pixels[MARK[0] : MARK[0] + 4, MARK[1] : MARK[1] + 4] = value
    return pixels


def read(source: ImageSource, grid: Grid | None = None) -> tuple[UInt8Array, np.ndarray]:
    grid = grid or source.grid
    with GridView(source, grid) as view:
        return view.read(Window(0, 0, grid.height, grid.width))


def mark_on(rgb: UInt8Array) -> tuple[float, float]:
    """(col, row) of the bright square's centre."""
    grey = rgb[..., 0].astype(float)
    weight = np.clip(grey - np.median(grey) - 20, 0, None)
    rows, cols = np.indices(weight.shape) + 0.5
    return (cols * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


def with_raw_tag(path: Path, out: Path, text: str) -> Path:
    """A VRT of a file, with a tag per band that rasterio itself would refuse to write."""
    copy(str(path), str(out), driver="VRT")
    out.write_text(out.read_text().replace("<ColorInterp>", f"{text}<ColorInterp>"))
    return out


# --- refused, with the way out -------------------------------------------------------------------------------------


def truncated(make, tmp_path):
    path = make(texture(300, 300), tiled=True, blockxsize=64, blockysize=64)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def text(make, tmp_path):
    path = tmp_path / "image.tif"
    path.write_text("row,col\n1,2\n" * 99)
    return path


def folder(make, tmp_path):
    (tmp_path / "image.tif").mkdir()
    return tmp_path / "image.tif"


def empty(make, tmp_path):
    (tmp_path / "image.tif").touch()
    return tmp_path / "image.tif"


def all_nodata(make, tmp_path):
    return make(nodata_kind="value", hole=np.s_[:, :])


def one_pixel(make, tmp_path):
    return make(np.ones((1, 1, 3)))


def all_nan(make, tmp_path):
    return make(np.full((64, 64, 3), np.nan), dtype="float32")


def all_infinite(make, tmp_path):
    return make(np.full((64, 64, 3), -np.inf), dtype="float32")


def palette(make, tmp_path):
    path = make(texture(96, 128)[..., :1])
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {value: (value, 0, 0, 255) for value in range(256)})
    return path


def complex_floats(make, tmp_path):
    return make(dtype="complex64")


def complex_integers(make, tmp_path):
    path = tmp_path / "cint16.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=3, height=64, width=64, dtype="complex_int16", crs="EPSG:32633", transform=UTM
    ):
        pass
    return path


def swapped_degrees(make, tmp_path):
    return make(crs="EPSG:4326", transform=Affine(6e-6, 0, 37.0, 0, -6e-6, -94.5))


def metres_called_degrees(make, tmp_path):
    return make(crs="EPSG:4326")


def degrees_called_metres(make, tmp_path):
    return make(transform=Affine(6e-6, 0, 14.0, 0, -6e-6, 48.0))


def rpc_only(make, tmp_path):
    path = make(crs=None)
    poly = [0.0] * 20
    with rasterio.open(path, "r+") as file:
        file.rpcs = RPC(
            height_off=100, height_scale=100, lat_off=48, lat_scale=0.1, long_off=14, long_scale=0.1, line_off=48,
            line_scale=48, samp_off=64, samp_scale=64, line_num_coeff=poly, line_den_coeff=[1.0, *poly[1:]],
            samp_num_coeff=poly, samp_den_coeff=[1.0, *poly[1:]],
        )  # fmt: skip
    return path


def two_gcps(make, tmp_path):
    path = make(crs=None)
    with rasterio.open(path, "r+") as file:
        file.gcps = ([GroundControlPoint(0, 0, 14, 48), GroundControlPoint(96, 128, 14.001, 47.999)], "EPSG:4326")
    return path


def skinny_pixels(make, tmp_path):
    return make(transform=Affine(0.5, 0, 5e5, 0, -5.0, 5.3e6))


def zero_world_file(make, tmp_path):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), texture(96, 128).astype(np.uint8))
    path.with_suffix(".pgw").write_text("0\n0\n0\n0\n500000\n5300000\n")
    return path


def world_file_without_crs(make, tmp_path):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), texture(96, 128).astype(np.uint8))
    path.with_suffix(".pgw").write_text("0.5\n0\n0\n-0.5\n500000\n5300000\n")
    return path


def crs_without_place(make, tmp_path):
    return make(transform=Affine.identity())


def unlike_nodata(make, tmp_path):
    path = with_raw_tag(make(dtype="int16"), tmp_path / "unlike.vrt", "<NoDataValue>5</NoDataValue>")
    path.write_text(path.read_text().replace("<NoDataValue>5<", "<NoDataValue>7<", 1))
    return path


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (truncated, "truncated"),
        (text, "cannot be read as an image"),
        (folder, "is a folder"),
        (empty, "empty"),
        (all_nodata, "every pixel is nodata"),
        (one_pixel, "only 1 by 1 px"),
        (all_nan, "every pixel is nodata, masked or not finite"),
        (all_infinite, "every pixel is nodata, masked or not finite"),
        (palette, "-expand rgb"),
        (complex_floats, "complex"),
        (complex_integers, "complex"),
        (swapped_degrees, "latitude -94.5.* does not exist.*swap"),
        (metres_called_degrees, "latitude 5.*does not exist.*-a_srs"),
        (degrees_called_metres, "do not belong together"),
        (rpc_only, "orthorectify it first"),
        (two_gcps, "only 2 ground control points"),
        (skinny_pixels, "far from square"),
        (zero_world_file, "--gsd"),
        (world_file_without_crs, "0.5 units per pixel.*-a_srs"),
        (crs_without_place, "no geotransform; pass --gsd"),
        (unlike_nodata, "different nodata values"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_is_refused_with_the_way_out(make_tiff, tmp_path, bad, says):
    path = bad(make_tiff, tmp_path)
    with pytest.raises(CvPipelineError, match=says) as caught:
        open_source(path)
    assert str(path) in str(caught.value)


# --- read rightly ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [("uint8", 1, 0), ("uint16", 8, 0), ("uint16", 200, 0), ("int16", 40, -2000), ("int8", 0.4, -60), ("uint32", 9, 0),
     ("int32", 9, -900), ("float32", 0.001, 0), ("float64", 1, 1e6)],
)  # fmt: skip
def test_sample_types(make_tiff, dtype, scale, offset):
    pixels = texture(96, 128) * scale + offset
    rgb, valid = read(open_source(make_tiff(pixels, dtype=dtype)))
    assert valid.all()
    assert np.corrcoef(rgb[..., 1].ravel(), pixels[..., 1].ravel())[0, 1] > 0.995


@pytest.mark.parametrize("value", ["-9999", "nan", "1e99", "256"])
def test_nodata_that_the_sample_type_cannot_hold_is_none(make_tiff, tmp_path, value):
    path = with_raw_tag(make_tiff(), tmp_path / "odd.vrt", f"<NoDataValue>{value}</NoDataValue>")
    assert read(open_source(path))[1].all()


def test_nodata_of_the_largest_float(make_tiff):
    pixels = texture(96, 128).astype(np.float32)
    lowest = float(np.finfo(np.float32).min)
    pixels[10:30, 20:50] = lowest
    source = open_source(make_tiff(pixels, dtype="float32", nodata=lowest))
    assert min(source.scale_low) > 0
    _, valid = read(source)
    assert not valid[10:30, 20:50].any()
    assert valid.sum() == 96 * 128 - 20 * 30


def test_nodata_zero_where_zero_is_data_is_told(make_tiff):
    pixels = texture(200, 300)
    pixels[np.random.default_rng(0).random((200, 300)) < 0.02] = 0
    notes = open_source(make_tiff(pixels, nodata=0)).notes
    assert any("-unsetnodata" in note for note in notes)
    assert not open_source(make_tiff(nodata_kind="value")).notes


def test_undeclared_collar_does_not_set_the_scale(make_tiff):
    pixels = texture(200, 300) * 8 + 500
    plain = open_source(make_tiff(pixels, dtype="uint16"))
    pixels[:, :100] = 0
    collar = open_source(make_tiff(pixels, dtype="uint16"))
    np.testing.assert_allclose(collar.scale_low, plain.scale_low, rtol=0.1)


def test_not_finite_pixels_are_holes(make_tiff):
    pixels = texture(96, 128)
    pixels[20:30, 20:30], pixels[60:64, 60:64], pixels[80:84, 80:84] = np.nan, np.inf, -np.inf
    source = open_source(make_tiff(pixels, dtype="float32"))
    assert 0 <= min(source.scale_low) < max(source.scale_high) <= 255
    rgb, valid = read(source)
    assert not valid[20:30, 20:30].any()
    assert not valid[60:64, 60:64].any()
    assert not valid[80:84, 80:84].any()
    assert valid.mean() > 0.97
    assert np.abs(rgb[valid].mean(axis=0) - 128).max() < 25


def test_constant_image_is_told(make_tiff):
    source = open_source(make_tiff(np.full((96, 128, 3), 77.0)))
    assert any("shows nothing" in note for note in source.notes)
    assert (read(source)[0] == 77).all()


def test_big_tiff(make_tiff):
    path = make_tiff(BIGTIFF="YES")
    assert path.read_bytes()[2] == 43
    assert read(open_source(path))[1].all()


@pytest.mark.parametrize("turn_deg", [-150, 30, 90])
def test_rotated_geotransform(make_tiff, turn_deg):
    turned = Affine.translation(5e5, 5.3e6) @ Affine.rotation(turn_deg) @ Affine.scale(0.5, -0.5)
    source = open_source(make_tiff(marked(), transform=turned))
    x, y = turned @ (MARK[1] + 2, MARK[0] + 2)
    north_up = Grid(200, 200, Affine(0.5, 0, x - 50, 0, -0.5, y + 50), source.grid.crs, 0.5)
    rgb, valid = read(source, north_up)
    rgb[~valid] = 50
    np.testing.assert_allclose(mark_on(rgb), (100, 100), atol=0.05)


def test_south_up_is_turned_upright(make_tiff):
    pixels = marked()
    plain = open_source(make_tiff(pixels, name="north.tif"))
    bottom = UTM @ Affine.translation(0, 96) @ Affine.scale(1, -1)
    flipped = open_source(make_tiff(pixels[::-1], name="south.tif", transform=bottom))
    assert flipped.grid.gsd_m == pytest.approx(plain.grid.gsd_m)
    grids = working_grid(plain.grid, 0.4), working_grid(flipped.grid, 0.4)
    assert grids[0].transform.almost_equals(grids[1].transform)
    np.testing.assert_allclose(
        *(read(s, g)[0].astype(int) for s, g in zip((plain, flipped), grids, strict=True)), atol=1
    )
    # its own pixels are as the file has them
    np.testing.assert_allclose(
        pixel_matrix(grids[1], flipped.grid) @ mark_on(read(flipped, grids[1])[0]), (62, 54), atol=0.05
    )


def test_gcps_rectify(make_tiff):
    path = make_tiff(marked(), crs=None)
    true = Affine.translation(5e5, 5.3e6) @ Affine.rotation(25) @ Affine.scale(0.5, -0.5)
    places = [(row, col) for row in (0, 48, 96) for col in (0, 64, 128)]
    points = [GroundControlPoint(row, col, *(true @ (col, row))) for row, col in places]
    with rasterio.open(path, "r+") as file:
        file.gcps = (points, "EPSG:32633")
    source = open_source(path)
    assert source.grid.crs is not None
    assert source.grid.gsd_m == pytest.approx(0.5, rel=0.02)
    assert any("ground control points" in note for note in source.notes)
    rgb, valid = read(source)
    assert 0.3 < valid.mean() < 0.8  # the corners of a turned image on an upright grid are empty
    rgb[~valid] = 50
    x, y = source.grid.transform @ mark_on(rgb)
    np.testing.assert_allclose((x, y), true @ (MARK[1] + 2, MARK[0] + 2), atol=0.05)


def test_pixel_is_point(make_tiff):
    """GDAL moves the tie point of such files by half a pixel, so that the transform is of pixel corners as always."""
    area = make_tiff(marked(), name="area.tif")
    point = make_tiff(marked(), name="point.tif")
    with rasterio.open(point, "r+") as file:
        file.update_tags(AREA_OR_POINT="Point")
    assert open_source(point).grid.transform == open_source(area).grid.transform


@pytest.mark.parametrize("rows_down", [True, False])
def test_world_file_and_crs(tmp_path, rows_down):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), marked().astype(np.uint8)[:: 1 if rows_down else -1])
    y, dy = (5_300_000 - 0.25, -0.5) if rows_down else (5_300_000 - 47.75, 0.5)
    path.with_suffix(".pgw").write_text(f"0.5\n0\n0\n{dy}\n500000.25\n{y}\n")
    path.with_suffix(".png.aux.xml").write_text("<PAMDataset><SRS>EPSG:32633</SRS></PAMDataset>")
    source = open_source(path)
    upright = working_grid(source.grid, source.grid.gsd_m)
    np.testing.assert_allclose(upright.transform @ mark_on(read(source, upright)[0]), UTM @ (62, 42), atol=0.05)
    assert source.parts == 2


def test_world_file_is_not_used_without_a_crs(tmp_path):
    path = world_file_without_crs(None, tmp_path)
    source = open_source(path, gsd_m=0.4)
    assert source.grid.transform == Affine(0.4, 0, 0, 0, -0.4, 0)
    assert any("position is not used" in note for note in source.notes)


def test_swapped_axes_of_a_pair_are_named(make_tiff):
    lon, lat = Transformer.from_crs(32633, 4326, always_xy=True).transform(500_010.0, 5_299_990.0)
    after = make_tiff(name="after.tif")
    swapped = make_tiff(name="before.tif", crs="EPSG:4326", transform=Affine(6e-6, 0, lat, 0, -6e-6, lon))
    with pytest.raises(PairError, match=r"before.tif had its axes swapped") as caught:
        open_pair(swapped, after, AssessConfig())
    assert str(swapped) in str(caught.value)


def test_file_that_goes_between_opening_and_reading(make_tiff, tmp_path):
    source = open_source(make_tiff())
    shutil.move(source.path, tmp_path / "elsewhere.tif")
    with pytest.raises(ImageError, match="moved"):
        read(source)


def test_one_large_file_with_several_images(tmp_path):
    path = tmp_path / "many.gpkg"
    for name in ("first", "second"):
        with rasterio.open(
            path, "w", driver="GPKG", count=3, height=64, width=64, dtype="uint8", crs="EPSG:32633", transform=UTM,
            RASTER_TABLE=name, APPEND_SUBDATASET="YES" if path.exists() else "NO",
        ) as file:  # fmt: skip
            file.write(np.moveaxis(texture(64, 64), -1, 0).astype(np.uint8))
    with pytest.raises(ImageError, match=r"several images .*first.*second"):
        open_source(path)
