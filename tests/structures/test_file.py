import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from affine import Affine
from pyproj import Geod
from rasterio.crs import CRS

from cv_pipeline.errors import StructuresError
from cv_pipeline.frame import local_frame
from cv_pipeline.structures import read_structures
from cv_pipeline.types import Grid, StructureKind

KAMPALA = Path(__file__).parents[3] / "shared" / "data" / "kampala" / "labels.geojson"
LON, LAT = 44.0, 33.0


def frame_at(lon=LON, lat=LAT, crs=4326):
    if crs is None:
        return local_frame(Grid(400, 600, Affine(0.5, 0, 0, 0, -0.5, 0), None, 0.5))
    step = 1e-6
    grid = Grid(400, 600, Affine(step, 0, lon - 300 * step, 0, -step, lat + 200 * step), CRS.from_epsg(crs), 0.1)
    return local_frame(grid)


def box_at(x, y, w=1e-4, h=1e-4):
    return shapely.box(LON + x * 1e-4, LAT + y * 1e-4, LON + x * 1e-4 + w, LAT + y * 1e-4 + h)


def write(path, geometries, crs="EPSG:4326", **columns):
    gpd.GeoDataFrame(columns, geometry=geometries, crs=crs).to_file(path)
    return path


def geojson(path, features, **top):
    rows = [{"type": "Feature", "properties": {}, "geometry": g and shapely.geometry.mapping(g)} for g in features]
    path.write_text(json.dumps({"type": "FeatureCollection", **top, "features": rows}))
    return path


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "kml", "fgb"])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32638", "EPSG:3857"])
def test_formats_and_crs_give_the_same_metres(tmp_path, suffix, crs):
    geometry = gpd.GeoSeries([box_at(0, 0), box_at(3, 2)], crs="EPSG:4326").to_crs(crs)
    if suffix == "kml":
        geometry = geometry.to_crs("EPSG:4326")
    path = write(tmp_path / f"s.{suffix}", list(geometry), geometry.crs)
    found = read_structures(path, frame_at()).structures
    assert len(found) == 2
    north_m = Geod(ellps="WGS84").inv(LON, LAT, LON, LAT + 1e-4)[2]
    east_m = Geod(ellps="WGS84").inv(LON, LAT, LON + 1e-4, LAT)[2]
    first = min(found, key=lambda s: s.geometry_m.centroid.x)
    # 0.02 m: a straight edge in one projection is not quite straight in another.
    assert first.geometry_m.bounds == pytest.approx((0, 0, east_m, north_m), abs=0.02)


def test_attributes_and_kinds(tmp_path):
    line = shapely.LineString([(LON, LAT), (LON + 1e-3, LAT)])
    path = write(
        tmp_path / "s.gpkg",
        [box_at(0, 0), box_at(2, 0), line, shapely.Point(LON, LAT)],
        name=["Hangar", None, "Taxiway", None],
        kind=["Pavement", "shed", None, None],
        structure_id=["H1", "H2", "T", "P"],
    )
    found = read_structures(path, frame_at())
    assert [s.structure_id for s in found.structures] == ["H1", "H2", "T", "P"]
    assert [s.name for s in found.structures] == ["Hangar", None, "Taxiway", None]
    kinds = [StructureKind.PAVEMENT, StructureKind.BUILDING, StructureKind.PAVEMENT, StructureKind.POINT]
    assert [s.kind for s in found.structures] == kinds
    assert any("shed" in note for note in found.notes)


def test_ids_that_repeat_or_have_gaps_are_numbered_instead(tmp_path):
    path = write(tmp_path / "s.gpkg", [box_at(0, 0), box_at(2, 0)], id=["a", "a"])
    assert [s.structure_id for s in read_structures(path, frame_at()).structures] == ["S001", "S002"]
    path = write(tmp_path / "t.gpkg", [box_at(0, 0), box_at(2, 0)], structure_id=["a", None])
    assert [s.structure_id for s in read_structures(path, frame_at()).structures] == ["S001", "S002"]


def test_multipolygons_are_split_but_groups_stay_whole(tmp_path):
    multi = shapely.MultiPolygon([box_at(0, 0), box_at(2, 0)])
    path = write(tmp_path / "s.gpkg", [multi, multi], kind=["building", "group"])
    found = read_structures(path, frame_at()).structures
    assert [s.structure_id for s in found] == ["S001.1", "S001.2", "S002"]
    assert [s.geometry_m.geom_type for s in found] == ["Polygon", "Polygon", "MultiPolygon"]


def test_invalid_geometry_is_repaired_and_reported_and_z_dropped(tmp_path):
    bow = shapely.Polygon([(LON, LAT), (LON + 1e-4, LAT + 1e-4), (LON + 1e-4, LAT), (LON, LAT + 1e-4)])
    spike = shapely.Polygon([(LON, LAT), (LON + 1e-4, LAT), (LON, LAT)])
    path = geojson(tmp_path / "s.geojson", [bow, spike, shapely.force_3d(box_at(3, 0), 7.0), None])
    found = read_structures(path, frame_at())
    assert len(found.structures) == 3
    assert all(s.geometry_m.is_valid and not s.geometry_m.has_z for s in found.structures)
    assert found.structures[0].geometry_m.area == pytest.approx(found.structures[2].geometry_m.area / 2, rel=1e-3)
    assert any("2 invalid" in note for note in found.notes)
    assert any("1 features without geometry" in note for note in found.notes)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_pixels_of_an_image_without_crs(tmp_path):
    path = geojson(tmp_path / "s.geojson", [shapely.box(10, 20, 30, 60)], crs=None)
    (structure,) = read_structures(path, frame_at(crs=None)).structures
    assert structure.geometry_m.bounds == (5, -30, 15, -10)
    write(tmp_path / "s.shp", [shapely.box(10, 20, 30, 60)], crs=None)
    (structure,) = read_structures(tmp_path / "s.shp", frame_at(crs=None)).structures
    assert structure.geometry_m.bounds == (5, -30, 15, -10)


def test_crs_on_one_side_only_is_refused(tmp_path):
    plain = geojson(tmp_path / "plain.geojson", [box_at(0, 0)])
    with pytest.raises(StructuresError, match=r'the image has none.*"crs": null'):
        read_structures(plain, frame_at(crs=None))
    null = geojson(tmp_path / "null.geojson", [box_at(0, 0)], crs=None)
    with pytest.raises(StructuresError, match="declares no CRS"):
        read_structures(null, frame_at())


def test_bad_files_name_the_file_and_the_next_step(tmp_path):
    (tmp_path / "text.gpkg").write_text("hello")
    (tmp_path / "zero.geojson").write_text("")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    geojson(tmp_path / "empty.geojson", [])
    geojson(tmp_path / "null.geojson", [None, None])
    cases = {
        "none.gpkg": "no such file",
        "text.gpkg": "not a readable",
        "zero.geojson": "not a readable",
        "table.csv": "no features with geometry",
        "empty.geojson": "no features",
        "null.geojson": "null or empty geometry",
    }
    for name, words in cases.items():
        with pytest.raises(StructuresError, match=words) as caught:
            read_structures(tmp_path / name, frame_at())
        assert name in str(caught.value)
    with pytest.raises(StructuresError, match=r"not a readable|no features"):
        read_structures(tmp_path, frame_at())


def test_another_place_is_refused(tmp_path):
    path = write(tmp_path / "s.gpkg", [box_at(0, 0)])
    with pytest.raises(StructuresError, match="another place"):
        read_structures(path, frame_at(lon=LON + 0.1))
    assert len(read_structures(path, frame_at(lon=LON + 0.04)).structures) == 1


def test_metres_stored_as_degrees_are_refused(tmp_path):
    path = geojson(tmp_path / "s.geojson", [shapely.box(500000, 4e6, 500010, 4e6 + 10)])
    with pytest.raises(StructuresError, match="CRS"):
        read_structures(path, frame_at())


def test_a_layer_called_structures_is_read_alone(tmp_path):
    path = tmp_path / "a.gpkg"
    for layer, count in (("impacts", 3), ("structures", 2)):
        gpd.GeoDataFrame(geometry=[box_at(i, 0) for i in range(count)], crs="EPSG:4326").to_file(path, layer=layer)
    found = read_structures(path, frame_at())
    assert len(found.structures) == 2
    assert "structures" in found.notes[0]


@pytest.mark.parametrize("corners", [1, 2])
def test_a_polygon_without_extent_is_kept_where_it_is(tmp_path, corners):
    ring = [(LON, LAT)] * 3 if corners == 1 else [(LON, LAT), (LON + 1e-4, LAT), (LON, LAT)]
    path = geojson(tmp_path / "s.geojson", [shapely.Polygon(ring)])
    (structure,) = read_structures(path, frame_at()).structures
    assert structure.geometry_m.distance(shapely.Point(0, 0)) == pytest.approx(0, abs=1e-6)
    assert structure.kind is StructureKind.BUILDING


def test_one_layer_can_be_named(tmp_path):
    path = tmp_path / "a.gpkg"
    for layer, count in (("hangars", 3), ("huts", 2)):
        gpd.GeoDataFrame(geometry=[box_at(i, 0) for i in range(count)], crs="EPSG:4326").to_file(path, layer=layer)
    assert len(read_structures(Path(f"{path}:huts"), frame_at()).structures) == 2
    both = read_structures(path, frame_at())
    assert len(both.structures) == 5
    assert "hangars, huts" in both.notes[0]
    with pytest.raises(StructuresError, match=r"no layer 'sheds'.*hangars, huts"):
        read_structures(Path(f"{path}:sheds"), frame_at())
    with pytest.raises(StructuresError, match="no such file"):
        read_structures(tmp_path / "none.gpkg:huts", frame_at())


def test_widths_centrelines_and_openstreetmap_columns(tmp_path):
    line = shapely.LineString([(LON, LAT), (LON + 2e-3, LAT)])
    long = shapely.box(LON, LAT + 5e-4, LON + 4e-3, LAT + 7e-4)
    path = write(
        tmp_path / "s.gpkg",
        [line, line, line, long, box_at(2, 0), box_at(5, 5)],
        width=["23 m", "70 ft", None, None, "9", None],
        aeroway=["taxiway", "taxiway", None, "runway", None, "apron"],
    )
    found = read_structures(path, frame_at()).structures
    kinds = ["pavement", "pavement", "pavement", "pavement", "building", "pavement"]
    assert [s.kind.value for s in found] == kinds
    assert [s.width_m for s in found] == [23.0, None, None, None, None, None]
    assert found[0].geometry_m.area == pytest.approx(23 * found[0].centreline_m.length)
    assert found[1].geometry_m.geom_type == "LineString"
    length_m = Geod(ellps="WGS84").inv(LON, LAT + 6e-4, LON + 4e-3, LAT + 6e-4)[2]
    assert found[3].centreline_m.length == pytest.approx(length_m, rel=1e-3)
    assert found[5].centreline_m is None  # an apron as wide as long


def test_a_building_cut_at_the_antimeridian_is_one(tmp_path):
    halves = [shapely.box(179.9999, -17, 180, -16.9999), shapely.box(-180, -17, -179.9999, -16.9999)]
    apart = [shapely.box(179.9990, -17, 179.9991, -16.9999), shapely.box(-179.9991, -17, -179.9990, -16.9999)]
    path = geojson(tmp_path / "s.geojson", [shapely.MultiPolygon(halves), shapely.MultiPolygon(apart)])
    found = read_structures(path, frame_at(lon=180.0, lat=-17.0)).structures
    assert [s.structure_id for s in found] == ["S001", "S002.1", "S002.2"]
    width_m = Geod(ellps="WGS84").inv(179.9999, -17, -179.9999, -17)[2]
    west, _, east, _ = found[0].geometry_m.bounds
    assert (west, east) == pytest.approx((-width_m / 2, width_m / 2), abs=0.01)


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "s.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(StructuresError, match=r"cv-pipeline\[parquet\]"):
        read_structures(tmp_path / "s.parquet", frame_at())


@pytest.mark.parametrize("suffix", ["parquet", "geoparquet"])
def test_geoparquet(tmp_path, suffix):
    pytest.importorskip("pyarrow")
    table = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[box_at(0, 0), box_at(3, 2)], crs="EPSG:4326")
    table.to_crs("EPSG:32638").to_parquet(tmp_path / f"s.{suffix}")
    found = read_structures(tmp_path / f"s.{suffix}", frame_at()).structures
    assert [s.structure_id for s in found] == ["a", "b"]
    assert found[0].geometry_m.bounds[:2] == pytest.approx((0, 0), abs=0.01)


@pytest.mark.skipif(not KAMPALA.exists(), reason="needs the shared Kampala labels")
def test_real_footprints_have_their_geodesic_area():
    west, south, east, north = pyogrio.read_info(KAMPALA, force_total_bounds=True)["total_bounds"]
    found = read_structures(
        KAMPALA, frame_at((west + east) / 2, (south + north) / 2), extent_m=(-2000, -2000, 2000, 2000)
    )
    source = pyogrio.read_dataframe(KAMPALA).geometry
    valid = np.flatnonzero(source.is_valid & (source.geom_type == "Polygon"))
    assert len(found.structures) == len(source) == 206
    for i in valid[:40]:
        geodesic = abs(Geod(ellps="WGS84").geometry_area_perimeter(source.iloc[i])[0])
        assert found.structures[i].geometry_m.area == pytest.approx(geodesic, rel=1e-5)
