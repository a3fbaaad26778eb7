from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import rasterio
from affine import Affine
from scipy.ndimage import distance_transform_edt

from cv_pipeline.config import AssessConfig
from cv_pipeline.imagery.clouds import find_obscured
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.masked import masked_shares, pair_notes
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.weather import Weather, apply_weather, smooth_field
from cv_pipeline.types import BoolArray, Grid, ImageSource, Window
from tests.conftest import texture

SIDE, GSD_M = 640, 1.0
PLACE = Affine(GSD_M, 0, 500_000, 0, -GSD_M, 5_300_000)
NEAR_PX = 65
"""Within two cells of a cloud: the one it ends in, and its fringe."""


def ground(seed: int = 0) -> np.ndarray:
    """Brownish ground with texture at all scales, 640 m a side."""
    return (texture(SIDE, SIDE, seed) * 0.4 + (60, 50, 35)).astype(np.float32)


def clouded(seed: int, alpha: float = 0.95, cover: float = 0.3) -> tuple[np.ndarray, BoolArray]:
    image = ground(seed)
    weather = Weather(0.0, 0.0, cover, alpha, 800.0, (), seed)
    hidden = apply_weather(image, weather, Sun(elevation_deg=50.0, azimuth_deg=150.0), GSD_M)
    return image + np.random.default_rng(seed).normal(0, 1.0, image.shape), hidden


def invalid(source: ImageSource, grid: Grid | None = None) -> BoolArray:
    grid = grid or source.grid
    with GridView(replace(source, obscured=find_obscured(source)), grid) as view:
        return ~view.read(Window(0, 0, grid.height, grid.width))[1]


def grown(mask: BoolArray) -> BoolArray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((NEAR_PX, NEAR_PX), np.uint8)) > 0


@pytest.mark.parametrize(("dtype", "gain"), [("uint8", 1.0), ("uint16", 9.0)])
def test_thick_cloud_is_found_and_little_else(make_tiff, dtype, gain):
    hits, truth, right, found = 0, 0, 0, 0
    for seed in (3, 4, 5):
        image, hidden = clouded(seed)
        mask = invalid(open_source(make_tiff(image * gain, name=f"{seed}.tif", transform=PLACE, dtype=dtype)))
        hits, truth = hits + (mask & hidden).sum(), truth + hidden.sum()
        right, found = right + (mask & grown(hidden)).sum(), found + mask.sum()
    assert truth > 0.1 * 3 * SIDE**2
    assert hits / truth > 0.7
    assert right / found > 0.98


@pytest.mark.parametrize("cover", [0.5, 0.7, 0.9])
@pytest.mark.parametrize(("dtype", "gain"), [("uint8", 1.0), ("uint8", 0.45), ("uint16", 9.0)])
def test_cloud_is_found_however_much_of_the_scene_it_hides_and_however_dark_it_is(make_tiff, cover, dtype, gain):
    image, hidden = clouded(3, cover=cover)
    mask = invalid(open_source(make_tiff(image * gain, transform=PLACE, dtype=dtype)))
    assert abs(hidden.mean() - cover) < 0.25
    assert mask[hidden].mean() > 0.75
    assert mask[~grown(hidden)].mean() < 0.05


def test_the_fringe_of_a_cloud_is_masked_and_no_more(make_tiff):
    image, hidden = clouded(3)
    mask = invalid(open_source(make_tiff(image, transform=PLACE)))
    away_px = distance_transform_edt(~hidden)
    beside, far = (away_px > 0) & (away_px <= 16), away_px > 46
    assert mask[beside].mean() > 0.35  # a sixth without the fringe
    assert not mask[far].any()


def roof(image: np.ndarray) -> None:
    image[200:420, 150:450] = 240


def snowy_field(image: np.ndarray) -> None:
    image[:, 300:] = 225 + 0.03 * (image[:, 300:] - 128)


def haze(image: np.ndarray) -> None:
    image += 0.4 * (np.array((148.0, 158.0, 172.0), np.float32) - image)


def thin_cloud(image: np.ndarray) -> None:
    apply_weather(image, Weather(0.0, 0.0, 0.4, 0.35, 800.0, (), 3), Sun(elevation_deg=50.0, azimuth_deg=150.0), GSD_M)


def nothing(image: np.ndarray) -> None:
    """Clear ground."""


def snow_but_for_woods(image: np.ndarray) -> None:
    image[:] = 225 + 0.03 * (image - 128)
    image[100:260, 350:600] = ground()[100:260, 350:600] * 0.5


def snowy_hills(image: np.ndarray) -> None:
    slope = np.clip(0.5 - smooth_field((SIDE, SIDE), GSD_M, 7, wavelength_m=300, octaves=2) / 3, 0, 1)
    image[:] = 225 * (1 - 0.6 * slope[..., None]) + 0.02 * (image - 128)


def dunes(image: np.ndarray) -> None:
    slope = np.clip(0.5 - smooth_field((SIDE, SIDE), GSD_M, 7, wavelength_m=160, octaves=2) / 3, 0, 1)
    image[:] = 215 * np.array((1, 0.85, 0.65)) * (1 - 0.3 * slope[..., None]) + 0.02 * (image - 128)


def concrete(image: np.ndarray) -> None:
    image[:] = 200 + 0.02 * (image - 128)
    image[::80] = image[:, ::80] = 120  # joints


def white_field_beside_a_bright_one(image: np.ndarray) -> None:
    image[:, 200:] = 190 + 0.03 * (image[:, 200:] - 128)
    image[200:500, 300:550] = 250


BRIGHT = [roof, snowy_field, snow_but_for_woods, snowy_hills, dunes, concrete, white_field_beside_a_bright_one]


@pytest.mark.parametrize(("dtype", "gain"), [("uint8", 1.0), ("uint16", 9.0)])
@pytest.mark.parametrize("what", [nothing, haze, thin_cloud, *BRIGHT], ids=lambda f: f.__name__)
def test_bright_ground_is_not_cloud(make_tiff, what, dtype, gain):
    image = ground()
    what(image)
    image += np.random.default_rng(0).normal(0, 0.5, image.shape)
    obscured = find_obscured(open_source(make_tiff(image * gain, transform=PLACE, dtype=dtype)))
    assert (obscured.cloud_share, obscured.blank_share) == (0, 0)
    assert not obscured.cells.any()


def test_overcast_is_told_and_not_masked(make_tiff):
    image = np.full((SIDE, SIDE, 3), 225.0) + 3 * np.sin(np.arange(SIDE) / 60)[:, None, None]
    obscured = find_obscured(open_source(make_tiff(image, transform=PLACE)))
    assert not obscured.cells.any()
    assert "could not be told from snow" in obscured.note


@pytest.mark.parametrize(("dtype", "level"), [("uint8", 0), ("uint8", 255), ("uint16", 0), ("uint16", 65535)])
def test_blank_areas_without_a_nodata_value(make_tiff, dtype, level):
    image = ground() * (1 if dtype == "uint8" else 20)
    image[:, :160] = level
    image[400:410, 400:410] = level  # too small to matter
    source = open_source(make_tiff(image, transform=PLACE, dtype=dtype))
    obscured = find_obscured(source)
    assert obscured.blank_share == pytest.approx(0.25, abs=0.01)
    assert obscured.cloud_share == 0
    mask = invalid(source)
    assert mask[:, :152].all()
    assert not mask[:, 168:].any()


def test_nodata_is_neither_cloud_nor_an_edge_of_one(make_tiff):
    image, hidden = clouded(4)
    with_hole = make_tiff(image, name="hole.tif", transform=PLACE, nodata_kind="value", hole=np.s_[:, 320:])
    source = open_source(with_hole)
    obscured = find_obscured(source)
    found = np.kron(obscured.cells, np.ones((obscured.cell_px,) * 2, bool))
    assert (found & hidden)[:, :320].sum() > 0.6 * hidden[:, :320].sum()
    assert not found[:, 336:].any()
    assert source.nodata_share == pytest.approx(0.5, abs=0.01)


def test_mask_lies_where_the_cloud_is_on_any_grid(make_tiff):
    image, hidden = clouded(5)
    turned = Affine.translation(5e5, 5.3e6) @ Affine.rotation(20) @ Affine.scale(GSD_M, -GSD_M)
    source = open_source(make_tiff(image, transform=turned))
    place = Affine.translation(5e5 - 50, 5.3e6 + 300) @ Affine.scale(2.0, -2.0)
    mask = invalid(source, Grid(500, 500, place, source.grid.crs, 2.0))
    rows, cols = np.nonzero(hidden & ~(grown(~hidden)))  # well inside a cloud
    assert len(rows) > 1000
    on_grid = ~place @ turned
    at = on_grid @ (cols + 0.5, rows + 0.5)
    inside = mask[at[1].astype(int), at[0].astype(int)]
    assert inside.mean() > 0.95


def test_overviews_give_the_same_cells(make_tiff):
    image, _ = clouded(5)
    path = make_tiff(np.kron(image, np.ones((4, 4, 1))), transform=PLACE @ Affine.scale(0.25), tiled=True)
    plain = find_obscured(open_source(path))
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    fast = find_obscured(open_source(path))
    assert plain.cloud_share > 0.1
    assert (plain.cells != fast.cells).mean() < 0.01


def test_pair_says_what_is_masked_and_why(make_tiff):
    image, hidden = clouded(5)
    before = make_tiff(image, name="before.tif", transform=PLACE @ Affine.translation(64, 0))
    after = make_tiff(ground(), name="after.tif", transform=PLACE)
    pair = open_pair(before, after, AssessConfig())
    assert masked_shares(pair.after) == (0, 0, 0)
    assert 0.9 < masked_shares(pair.before).cloud / hidden.mean() < 1.5
    notes = pair_notes(pair)
    assert any("before image" in note and "cloud with its fringes was masked" in note for note in notes)
    assert any("90.0% of the after image" in note for note in notes)
    with GridView(pair.before, working_grid(pair.after.grid, 1.0), show_obscured=True) as view:
        assert view.read(Window(0, 64, 640, 576))[1].all()
