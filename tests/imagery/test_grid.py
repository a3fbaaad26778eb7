from __future__ import annotations

import pytest
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from cv_pipeline.imagery.grid import crop, overlap, overlap_share, pixel_matrix, working_grid
from cv_pipeline.imagery.ground import axis_gsd_m
from cv_pipeline.types import Grid, Window
from tests.conftest import UTM

GRID = Grid(96, 128, UTM, CRS.from_epsg(32633), 0.5)


def test_working_grid_covers_the_same_ground():
    grid = working_grid(Grid(96, 128, Affine(0.5, 0, 0, 0, -0.5, 0), None, 0.5), 0.3)
    assert (grid.height, grid.width) == (160, 214)
    assert grid.transform.almost_equals(Affine(0.3, 0, 0, 0, -0.3, 0))


def test_working_grid_is_square_on_the_ground():
    degrees = Affine(6e-6, 0, -94.49, 0, -6e-6, 37.07)
    grid = working_grid(Grid(1024, 1024, degrees, CRS.from_epsg(4326), 0.596), 0.5)
    col_m, row_m = axis_gsd_m(grid.transform, grid.crs, grid.height, grid.width)
    assert col_m == pytest.approx(0.5, rel=1e-4)
    assert row_m == pytest.approx(0.5, rel=1e-4)


def test_crop_and_pixel_matrix():
    part = crop(GRID, Window(10, 20, 30, 40))
    assert pixel_matrix(part, GRID) @ (0, 0) == pytest.approx((20, 10))


def test_overlap_of_planted_windows():
    moved = Grid(96, 128, UTM @ Affine.translation(100, 50), GRID.crs, 0.5)
    assert overlap(GRID, moved) == Window(50, 100, 46, 28)
    assert overlap_share(GRID, GRID) == 1.0
    apart = Grid(96, 128, UTM @ Affine.translation(128, 0), GRID.crs, 0.5)
    assert overlap(GRID, apart) is None
    assert overlap_share(GRID, apart) == 0.0


def test_overlap_across_crs():
    lon, lat = Transformer.from_crs(32633, 4326, always_xy=True).transform(500_010.0, 5_299_990.0)
    other = Grid(1000, 1000, Affine(6e-6, 0, lon, 0, -6e-6, lat), CRS.from_epsg(4326), 0.5)
    window = overlap(GRID, other)
    assert window is not None
    assert abs(window.row - 20) <= 1
    assert abs(window.col - 20) <= 1
    assert window.row + window.height == 96
