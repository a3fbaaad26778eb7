"""The shift of footprints against an image, planted and recovered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer

from cv_pipeline.config import AssessConfig
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.structures import read_structures
from cv_pipeline.structures.offset import MIN_FOOTPRINTS, SEARCH_M, estimate_offset, moved
from cv_pipeline.structures.placement import offset_notes, offset_sd_m, place
from cv_pipeline.types import FootprintOffset, Structure, StructureKind
from tests.conftest import texture

KAMPALA = Path(__file__).parents[2] / "datasets" / "kampala_strikes"
SHIFTS = [(0.0, 0.0), (3.0, -2.0), (-5.5, 4.2), (7.3, 6.8)]


def shifted(structures, east_m, north_m):
    move = np.array([east_m, north_m])
    return tuple(replace(s, geometry_m=shapely.transform(s.geometry_m, lambda p: p + move)) for s in structures)


def town(path, *, crs="EPSG:32636", gsd_m=0.5, side=400, houses=30, contrast=45.0, seed=0):
    """An image of soft ground with houses, bright and dark, and the houses in local metres."""
    rng = np.random.default_rng(seed)
    lon_lat = (32.58, 0.33)
    if crs == "EPSG:4326":
        # Far north, where a degree of longitude is half one of latitude and pixels are not square in degrees.
        step = gsd_m / 111_320
        transform = Affine(2 * step, 0, 20.0, 0, -step, 60.0)
    else:
        west, north = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*lon_lat)
        transform = Affine(gsd_m, 0, west, 0, -gsd_m, north)
    image = texture(side, side, seed=seed) * 0.4 + 70
    corners = []
    for k in range(houses):
        row, col = 30 + 56 * (k // 6) + rng.integers(0, 18), 30 + 56 * (k % 6) + rng.integers(0, 18)
        height, width = rng.integers(16, 30, 2)
        image[row : row + height, col : col + width] += contrast * rng.choice((-1, 1))
        corners.append([(row, col), (row, col + width), (row + height, col + width), (row + height, col)])
    with rasterio.open(path, "w", "GTiff", side, side, 3, crs, transform, "uint8") as file:
        file.write(np.moveaxis(np.clip(image, 1, 254), -1, 0).astype(np.uint8))
    source = open_pair(None, path, AssessConfig()).after
    frame = local_frame(source.grid)
    shapes = [shapely.Polygon(frame.pixel_to_metres(*np.array(ring, float).T)) for ring in corners]
    return source, frame, tuple(Structure(f"H{k}", StructureKind.BUILDING, s) for k, s in enumerate(shapes))


@pytest.mark.parametrize("crs", ["EPSG:32636", "EPSG:4326"])
@pytest.mark.parametrize("shift", SHIFTS)
def test_a_planted_shift_is_recovered(tmp_path, shift, crs):
    source, frame, houses = town(tmp_path / "a.tif", crs=crs)
    found = estimate_offset(shifted(houses, *shift), source, frame)
    assert found.reliable, found.reason
    assert (found.dx_m, found.dy_m) == pytest.approx((-shift[0], -shift[1]), abs=0.15)
    assert found.support > 0.8 * found.tried >= 0.8 * MIN_FOOTPRINTS
    assert found.peak_ratio > 1.5


@pytest.mark.skipif(not KAMPALA.exists(), reason="needs the demo imagery")
@pytest.mark.parametrize("shift", SHIFTS)
def test_a_shift_planted_in_real_footprints_is_recovered_on_real_imagery(shift):
    pair = open_pair(KAMPALA / "before.tif", KAMPALA / "after.tif", AssessConfig())
    frame = local_frame(pair.after.grid)
    footprints = read_structures(KAMPALA / "structures.geojson", frame).structures
    found = estimate_offset(shifted(footprints, *shift), pair.after, frame)
    assert found.reliable
    # The footprints are drawn to about a metre, and the after image is misplaced by 0.15 m east and 0.1 m north.
    assert (found.dx_m + shift[0], found.dy_m + shift[1]) == pytest.approx((0.15, 0.1), abs=0.3)


@pytest.mark.skipif(not KAMPALA.exists(), reason="needs the demo imagery")
@pytest.mark.parametrize("shift", [(40.0, 25.0), (-30.0, 20.0), (25.0, -40.0), (60.0, 0.0), (0.0, 33.0)])
def test_footprints_of_another_place_are_not_believed(shift):
    pair = open_pair(None, KAMPALA / "after.tif", AssessConfig())
    frame = local_frame(pair.after.grid)
    footprints = read_structures(KAMPALA / "structures.geojson", frame).structures
    found = estimate_offset(shifted(footprints, *shift), pair.after, frame)
    assert not found.reliable
    assert "support" in found.reason


def test_houses_that_are_not_in_the_image_are_not_believed(tmp_path):
    source, frame, houses = town(tmp_path / "a.tif", contrast=0.0)
    assert not estimate_offset(houses, source, frame).reliable


def test_a_shift_beyond_the_search_is_not_believed(tmp_path):
    source, frame, houses = town(tmp_path / "a.tif")
    assert not estimate_offset(shifted(houses, SEARCH_M + 3, 0), source, frame).reliable


def test_too_few_and_too_coarse_say_so(tmp_path):
    source, frame, houses = town(tmp_path / "a.tif")
    few = estimate_offset(houses[: MIN_FOOTPRINTS - 1], source, frame)
    assert (few.dx_m, few.dy_m, few.reliable) == (0, 0, False)
    assert f"only {MIN_FOOTPRINTS - 1}" in few.reason
    assert estimate_offset((), source, frame).tried == 0
    coarse = replace(source, grid=replace(source.grid, gsd_m=5.0))
    assert "too coarse" in estimate_offset(houses, coarse, frame).reason


def test_nothing_moves_unless_asked_and_nothing_is_silent(tmp_path):
    source, frame, houses = town(tmp_path / "a.tif")
    astray = shifted(houses, 4.0, 0.0)
    told, offset = place(astray, source, frame, fix=False)
    assert told == astray
    assert not offset.applied
    (note,) = offset_notes(offset, 0.5, fix=False)
    assert "Nothing was moved" in note
    assert "--footprint-offset fix" in note
    assert offset_sd_m(offset) == pytest.approx(4 / 2**0.5, abs=0.2)
    fixed, offset = place(astray, source, frame, fix=True)
    assert offset.applied
    assert "were moved" in offset_notes(offset, 0.5, fix=True)[0]
    assert offset_sd_m(offset) == offset.sd_m < 0.3
    for a, b in zip(fixed, houses, strict=True):
        assert a.geometry_m.centroid.distance(b.geometry_m.centroid) < 0.15


def test_notes_where_there_is_little_to_say():
    small = FootprintOffset(0.2, 0.1, 0.1, 40, 42, 2.0, True, "40 of 42 footprints support it")
    lost = FootprintOffset(3, 4, 5, 4, 40, 1.1, False, "only 4 of 40 footprints support it")
    few = FootprintOffset(0, 0, 5.8, 0, 2, 1, False, "only 2 building footprints have imagery all around")
    assert offset_notes(None, 0.5, fix=True) == ()
    assert offset_notes(small, 0.5, fix=False) == ()
    assert "could not be told" in offset_notes(lost, 0.5, fix=False)[0]
    assert "not moved" in offset_notes(lost, 0.5, fix=True)[0]
    assert offset_notes(few, 0.5, fix=False) == ()
    assert "not moved" in offset_notes(few, 0.5, fix=True)[0]
    assert offset_sd_m(None) == offset_sd_m(lost) == 0


def test_centrelines_move_with_their_pavement():
    line = shapely.LineString([(0, 0), (90, 0)])
    strip = Structure("P", StructureKind.PAVEMENT, line.buffer(5, cap_style="flat"), None, line, 10.0)
    (found,) = moved([strip], FootprintOffset(2, -3, 0.1, 9, 9, 2, True, ""))
    assert shapely.get_coordinates(found.centreline_m).tolist() == [[2, -3], [92, -3]]
    assert found.geometry_m.bounds == (2, -8, 92, 2)
