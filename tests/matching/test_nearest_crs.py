"""Nearest structures through a file in any CRS, against a search of every pair in plain numpy."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from cv_pipeline.frame import local_frame
from cv_pipeline.matching.nearest import index_structures, nearest
from cv_pipeline.structures import read_structures
from cv_pipeline.types import Grid
from tests.matching.brute import brute_force, edge_distances
from tests.matching.test_nearest import random_geometries

SPACING_M = 16.0
"""Side of the square that a shape has on average: so little that many overlap, and ties are common."""


class Place(NamedTuple):
    crs: str
    lon: float
    lat: float


PLACES = {
    "geographic": Place("EPSG:4326", 44.0, 33.0),
    "utm-north": Place("EPSG:32638", 44.0, 33.0),
    "utm-south": Place("EPSG:32736", 37.0, -20.0),
    "utm-border": Place("EPSG:32636", 36.0, 50.0),
    "web-mercator": Place("EPSG:3857", 16.0, 62.0),
    "antimeridian": Place("EPSG:4326", 180.0, -17.0),
    "antimeridian-mercator": Place("EPSG:3832", 180.0, 52.0),
    "polar": Place("EPSG:3031", 77.0, -86.0),
    "feet": Place("EPSG:2263", -74.0, 40.7),
}


def check(place: Place, count: int, path) -> None:
    """Random impacts and shapes at a place, written in its CRS, read back and matched."""
    rng = np.random.default_rng(count)
    side_m = SPACING_M * np.sqrt(count)
    planted = [
        shapely.transform(shape, lambda points: points - side_m / 2)
        for shape in [*random_geometries(rng, count - 2, side_m), *degenerate(side_m)]
    ]
    points = np.round(rng.uniform(-0.6 * side_m, 0.6 * side_m, (count, 2)) * 2) / 2
    grid = Grid(2, 2, Affine(1e-6, 0, place.lon - 1e-6, 0, -1e-6, place.lat + 1e-6), CRS.from_epsg(4326), 0.1)
    frame = local_frame(grid)
    to_file = Transformer.from_crs(frame.crs, place.crs, always_xy=True)
    written = shapely.transform(
        np.array(planted, dtype=object), lambda points: np.column_stack(to_file.transform(*points.T))
    )
    gpd.GeoDataFrame(geometry=list(written), crs=place.crs).to_file(path)
    structures = read_structures(path, frame, extent_m=(-side_m, -side_m, side_m, side_m)).structures
    assert len(structures) == count
    found = nearest(points, index_structures(structures))
    read = [structure.geometry_m for structure in structures]
    # What was matched is what is nearest among the shapes as read, to the rounding of double precision ...
    as_read = brute_force(points, read)
    assert found.first_edge_m == pytest.approx(as_read.first_m, abs=1e-7)
    assert found.second_edge_m == pytest.approx(as_read.second_m, abs=1e-7)
    assert found.by_centre_m == pytest.approx(as_read.centre_m, abs=1e-7)
    # ... and among those planted, up to how far a straight edge in one projection is not one in another.
    # (Latitude 62 in web Mercator bends an 80 m line by about a millimetre.)
    as_planted = brute_force(points, planted)
    assert found.first_edge_m == pytest.approx(as_planted.first_m, abs=0.005)
    assert found.second_edge_m == pytest.approx(as_planted.second_m, abs=0.005)
    for row in rng.choice(count, min(count, 300), replace=False):
        chosen, second = planted[found.first[row]], planted[found.second[row]]
        here = points[row : row + 1]
        assert edge_distances(here, chosen)[0] == pytest.approx(as_planted.first_m[row], abs=0.01)
        assert edge_distances(here, second)[0] == pytest.approx(as_planted.second_m[row], abs=0.01)
        assert found.first[row] != found.second[row]
    assert (as_planted.first_m == 0).sum() > 0.01 * count  # insides
    assert (as_planted.first_m == as_planted.second_m).sum() > 0.005 * count  # ties


def degenerate(side_m: float) -> list[shapely.Geometry]:
    """A polygon without area and one whose corners are all one."""
    middle = side_m / 2
    flat = shapely.Polygon([(middle, middle), (middle + 9, middle), (middle + 4, middle)])
    return [flat, shapely.Polygon([(middle, middle + 3)] * 4)]


@pytest.mark.parametrize("name", PLACES)
def test_equals_brute_force_in_any_crs(name, tmp_path):
    check(PLACES[name], 400, tmp_path / "s.gpkg")


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
def test_ten_thousand_by_ten_thousand(name, tmp_path):
    check(PLACES[name], 10_000, tmp_path / "s.gpkg")
