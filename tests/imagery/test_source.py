from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine

from cv_pipeline.errors import GsdError, ImageError
from cv_pipeline.imagery.source import open_source
from tests.conftest import texture

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # made by the fixtures


def refuse(path: Path, says: str, kind: type[ImageError] = ImageError, **options: object) -> None:
    with pytest.raises(kind, match=says) as caught:
        open_source(path, **options)  # type: ignore[arg-type]
    assert str(path) in str(caught.value)


def test_missing_folder_empty_and_text(tmp_path):
    refuse(tmp_path / "none.tif", "no such file")
    refuse(tmp_path, "folder")
    (tmp_path / "empty.tif").touch()
    refuse(tmp_path / "empty.tif", "empty")
    (tmp_path / "text.tif").write_text("not an image at all\n" * 50)
    refuse(tmp_path / "text.tif", "cannot be read as an image")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("share", [0.05, 0.6, 0.97])
def test_truncated(tmp_path, make_tiff, suffix, share):
    if suffix == ".tif":
        path = make_tiff(texture(300, 300), tiled=True, blockxsize=64, blockysize=64, compress="deflate")
    else:
        path = tmp_path / f"image{suffix}"
        cv2.imwrite(str(path), texture(300, 300).astype(np.uint8))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refuse(path, "truncated|cannot be", gsd_m=0.3 if suffix != ".tif" else None)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (20, 31)])
def test_too_small(make_tiff, height, width):
    refuse(make_tiff(np.ones((height, width, 3))), "at least 32 px")


def test_nothing_valid(make_tiff):
    everything = np.s_[:, :]
    refuse(make_tiff(nodata_kind="value", hole=everything), "every pixel is nodata")
    refuse(make_tiff(nodata_kind="nan", dtype="float32", hole=everything), "every pixel is nodata")


def test_valid_only_between_the_samples_is_found(make_tiff):
    pixels = np.zeros((2000, 2000, 3))
    pixels[80:110, 80:110] = 99
    assert open_source(make_tiff(pixels, nodata=0)).nodata == 0


@pytest.mark.parametrize(("count", "says"), [(2, "2 bands"), (5, "--bands R,G,B"), (12, "--bands R,G,B")])
def test_band_counts_that_say_nothing(make_tiff, count, says):
    path = make_tiff(texture(64, 64)[..., :1].repeat(count, axis=2), photometric="minisblack")
    refuse(path, says)
    refuse(path, "--before-bands", bands_option="--before-bands")
    assert open_source(path, bands=(1, 1, 1)).bands == (1, 1, 1)
    refuse(path, "does not exist", bands=(1, 1, count + 1))


@pytest.mark.parametrize(("count", "bands"), [(1, (1, 1, 1)), (3, (1, 2, 3)), (4, (3, 2, 1)), (8, (5, 3, 2))])
def test_usual_band_counts_are_taken_with_a_note(make_tiff, count, bands):
    path = make_tiff(texture(64, 64)[..., :1].repeat(count, axis=2), photometric="minisblack")
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [rasterio.enums.ColorInterp.undefined] * count
    source = open_source(path)
    assert source.bands == bands
    assert "read as" in source.notes[0]


def test_bands_by_name(make_tiff):
    path = make_tiff(texture(64, 64)[..., :1].repeat(5, axis=2), photometric="minisblack")
    with rasterio.open(path, "r+") as file:
        file.descriptions = ("NIR", "Blue", "green", "red", "red edge")
    source = open_source(path)
    assert (source.bands, source.notes) == ((4, 3, 2), ())


def test_rgba_needs_no_choice(make_tiff):
    assert open_source(make_tiff(nodata_kind="alpha")).bands == (1, 2, 3)


def test_complex_is_refused(make_tiff):
    refuse(make_tiff(dtype="complex64"), "complex")


def test_no_crs_needs_gsd(make_tiff):
    path = make_tiff(crs=None)
    refuse(path, "--gsd", kind=GsdError)
    grid = open_source(path, gsd_m=0.4).grid
    assert grid.crs is None
    assert grid.transform == Affine(0.4, 0, 0, 0, -0.4, 0)


@pytest.mark.parametrize(
    ("crs", "pixel", "lat_deg", "expected"),
    [
        ("EPSG:3857", 0.3, 48.0, 0.2007 * 1.0025),  # cos 48° and the ellipsoid
        ("EPSG:3857", 0.3, 0.32, 0.2990),
        ("EPSG:4326", 6e-6, 37.07, 0.5961),
        ("EPSG:2263", 1.0, 40.8, 0.3048006),  # US survey feet
    ],
)
def test_gsd_is_true_metres(make_tiff, crs, pixel, lat_deg, expected):
    from pyproj import Transformer

    lon = -74.0
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat_deg)
    path = make_tiff(crs=crs, transform=Affine(pixel, 0, x, 0, -pixel, y))
    gsd_m = open_source(path).grid.gsd_m
    assert gsd_m == pytest.approx(expected, rel=0.004)
    assert open_source(path, gsd_m=gsd_m * 1.05).grid.gsd_m == gsd_m
    refuse(path, "contradicts", kind=GsdError, gsd_m=gsd_m * 1.2)


def test_rotated_is_fine_and_skinny_is_not(make_tiff):
    turned = Affine.translation(5e5, 5.3e6) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
    assert open_source(make_tiff(transform=turned)).grid.gsd_m == pytest.approx(0.5, rel=1e-3)
    refuse(make_tiff(transform=Affine(0.5, 0, 5e5, 0, -5.0, 5.3e6)), "square", kind=GsdError)


def test_off_the_earth(make_tiff):
    refuse(make_tiff(crs="EPSG:32633", transform=Affine(0.5, 0, 1e30, 0, -0.5, 1e30)), "CRS", kind=GsdError)
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    refuse(make_tiff(crs=local), "CRS", kind=GsdError)


def test_percentiles_ignore_outliers_and_constants_are_guarded(make_tiff):
    pixels = texture(100, 100) * 10
    pixels[0, :3] = 60_000
    source = open_source(make_tiff(pixels, dtype="uint16"))
    assert max(source.scale_high) < 3000
    flat = open_source(make_tiff(np.full((64, 64, 3), 7.0), dtype="float32"))
    assert flat.scale_high[0] > flat.scale_low[0] == 7.0


def test_sha256(make_tiff):
    path = make_tiff()
    assert open_source(str(path)).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
