import json
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.errors import MeasureError
from cv_pipeline.measure import Place, leg, measure, read_place, read_sites, site_size, to_site

GEOD = Geod(ellps="WGS84")
EARTH_M2 = 510_065_621_724_088.5
SQUARE = "base=42.39,33.75 42.49,33.75 42.49,33.82 42.39,33.82"


def test_lengths_known_in_closed_form():
    quadrant = leg(Place("equator", 0, 0), Place("pole", 0, 90))
    assert quadrant.distance_m == pytest.approx(10_001_965.7293, abs=1e-3)
    degree = leg(Place("a", 179.5, 0), Place("b", -179.5, 0))  # across the antimeridian
    assert degree.distance_m == pytest.approx(6_378_137 * np.pi / 180, abs=1e-6)
    assert degree.azimuth_deg == pytest.approx(90)
    assert (
        leg(Place("a", 3, 4), Place("a", 3, 4)).distance_m,
        leg(Place("a", 3, 4), Place("a", 3, 4)).azimuth_deg,
    ) == (0, 0)


def test_area_of_an_eighth_of_the_earth():
    (site,) = read_sites("octant=0,0 90,0 0,90")
    size = site_size(site)
    assert size.area_m2 == pytest.approx(EARTH_M2 / 8, rel=1e-9)
    assert size.perimeter_m == pytest.approx(2 * 10_001_965.7293 + 6_378_137 * np.pi / 2, abs=1e-2)


def test_a_cap_around_the_pole():
    ring = " ".join(f"{lon},80" for lon in range(-180, 180, 5))
    (site,) = read_sites(ring)
    expected, _ = GEOD.polygon_area_perimeter(list(range(-180, 180, 5)), [80] * 72)
    assert site_size(site).area_m2 == pytest.approx(abs(expected), rel=1e-9)
    assert to_site(Place("pole", 0, 90), site).is_inside


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(-360, 360), st.floats(-70, 70))
def test_longitude_does_not_matter(lon, lat):
    """The same outline anywhere on its parallel, on either side of the antimeridian or across it."""
    offsets = [(0, 0), (0.02, 0.001), (0.018, 0.015), (0.005, 0.012)]

    def at(lon_deg):
        (site,) = read_sites(" ".join(f"{lon_deg + x},{lat + y}" for x, y in offsets))
        place = Place("p", (lon_deg + 0.03 + 180) % 360 - 180, lat)
        return site_size(site), to_site(place, site)

    (size, way), (moved_size, moved_way) = at(10.0), at((lon + 179.99 + 180) % 360 - 180)
    assert moved_size.area_m2 == pytest.approx(size.area_m2, rel=1e-7)
    assert moved_size.perimeter_m == pytest.approx(size.perimeter_m, rel=1e-8)
    assert moved_way.distance_to_edge_m == pytest.approx(way.distance_to_edge_m, rel=1e-7)
    assert not way.is_inside
    assert not moved_way.is_inside


def test_a_site_cut_at_the_antimeridian_is_made_whole(tmp_path):
    cut = shapely.MultiPolygon([shapely.box(179.9, 10, 180, 10.1), shapely.box(-180, 10, -179.8, 10.1)])
    path = tmp_path / "cut.geojson"
    gpd.GeoDataFrame({"name": ["bay"]}, geometry=[cut], crs="EPSG:4326").to_file(path)
    (site,) = read_sites(str(path))
    (whole,) = read_sites("179.9,10 180,10 -179.8,10 -179.8,10.1 180,10.1 179.9,10.1")
    assert site.name == "bay"
    assert site_size(site).parts == 1
    assert site_size(site).area_m2 == pytest.approx(site_size(whole).area_m2, rel=1e-9)
    assert site_size(site).perimeter_m == pytest.approx(site_size(whole).perimeter_m, rel=1e-9)
    assert to_site(Place("inside", -179.95, 10.05), site).is_inside


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32638", "EPSG:3857"])
def test_any_crs_gives_the_same_ground(tmp_path, crs):
    shell = shapely.box(44.99, 33.0, 45.01, 33.01)  # a hole inside, and a second feature
    holed = shapely.Polygon(shell.exterior.coords, [shapely.box(44.995, 33.002, 45.0, 33.006).exterior.coords])
    other = shapely.box(45.02, 33.0, 45.03, 33.01)
    frame = gpd.GeoDataFrame({"NAME": ["base", None]}, geometry=[holed, other], crs="EPSG:4326").to_crs(crs)
    path = tmp_path / "site.gpkg"
    frame.to_file(path)
    base, second = read_sites(str(path))
    assert (base.name, second.name) == ("base", "site 2")
    size = site_size(base)
    area, perimeter = GEOD.polygon_area_perimeter(*shell.exterior.xy)
    hole_area, hole_perimeter = GEOD.polygon_area_perimeter(*holed.interiors[0].xy)
    assert size.area_m2 == pytest.approx(abs(area) - abs(hole_area), rel=1e-7)
    assert size.perimeter_m == pytest.approx(perimeter, rel=1e-7)
    assert size.hole_perimeter_m == pytest.approx(hole_perimeter, rel=1e-7)
    in_hole = to_site(Place("yard", 44.997, 33.004), base)
    assert not in_hole.is_inside
    assert in_hole.distance_to_edge_m > 50


@pytest.mark.parametrize(("lon", "lat"), [(47.065, 34.314), (42.441, 33.786), (42.44, 33.8201), (-60.0, -20.0)])
def test_distance_to_the_edge_equals_brute_force(lon, lat):
    """Against the nearest of points every 0.2 m along the geodesic edges."""
    (site,) = read_sites(SQUARE)
    corners = list(site.outline.exterior.coords)
    dense = np.concatenate([np.array(GEOD.npts(*a, *b, 50_000)) for a, b in pairwise(corners)] + [np.array(corners)])
    brute = GEOD.inv(np.full(len(dense), lon), np.full(len(dense), lat), dense[:, 0], dense[:, 1])[2].min()
    found = to_site(Place("p", lon, lat), site)
    assert found.distance_to_edge_m == pytest.approx(brute, abs=2e-3)
    assert found.is_inside == (42.39 < lon < 42.49 and 33.75 < lat < 33.82)


def test_typed_coordinates_in_a_projected_crs():
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True).transform(44.2, 33.5)
    place = read_place(f"tower={x},{y}", "EPSG:32638")
    assert (place.name, place.lon_deg, place.lat_deg) == ("tower", pytest.approx(44.2), pytest.approx(33.5))
    assert read_place("-71.1,42.3", number=4) == Place("place 4", -71.1, 42.3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--place", "1,2"], "nothing to measure"),
        (["--place", "a=33.8;42.4", "--place", "1,2"], "not X,Y"),
        (["--place", "42.4,133.8", "--place", "1,2"], "longitude first"),
        (["--place", "nan,3", "--place", "1,2"], "not finite"),
        (["--place", "1,2", "--place", "3,4", "--crs", "EPSG:0"], "not a known coordinate reference system"),
        (["--site", "0,0 1,1"], "three places or more"),
        (["--site", "0,0 1,1 1,0 0,1"], "not a simple polygon"),
        (["--site", "missing.gpkg"], "no such file"),
    ],
)
def test_friendly_errors(arguments, words):
    result = CliRunner().invoke(app, ["measure", *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_files_that_cannot_be_measured(tmp_path):
    points = tmp_path / "points.geojson"
    gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs="EPSG:4326").to_file(points)
    with pytest.raises(MeasureError, match="no polygon"):
        read_sites(str(points))
    bare = tmp_path / "bare.shp"
    with pytest.warns(UserWarning, match="crs"):
        gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)]).to_file(bare)
    with pytest.raises(MeasureError, match="--crs"):
        read_sites(str(bare))
    assert site_size(read_sites(str(bare), "EPSG:32638")[0]).parts == 1


def test_text_and_json_say_the_same():
    arguments = ["measure", "--place", "city=47.065,34.314", "--place", "gate=42.44,33.8201", "--site", SQUARE]
    text, document = CliRunner().invoke(app, arguments), CliRunner().invoke(app, [*arguments, "--json"])
    assert text.exit_code == document.exit_code == 0
    found = json.loads(document.output)
    assert [way["start"] for way in found["legs"]] == ["city"]
    assert f"{found['legs'][0]['distance_m'] / 1000:.3f} km" in text.output
    assert f"{found['sites'][0]['area_m2'] / 1e6:.4f} km2" in text.output
    assert len(found["to_sites"]) == 2
    assert measure([], read_sites(SQUARE)).legs == ()
