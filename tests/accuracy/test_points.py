import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import yaml

from cv_pipeline.accuracy import accuracy_from_files
from cv_pipeline.accuracy.write import write_accuracy
from cv_pipeline.errors import OutputError, PointsError, StructuresError

CASE = Path(__file__).parents[2] / "datasets" / "al_asad_2020"


def csv_file(folder, text, name="points.csv"):
    path = folder / name
    path.write_text(text)
    return path


def footprints(folder, geometries, crs="EPSG:4326", name="structures.gpkg"):
    path = folder / name
    gpd.GeoDataFrame(geometry=geometries, crs=crs).to_file(path)
    return path


class TestPublishedCase:
    def test_gives_the_published_statistics_to_rounding(self):
        likely = accuracy_from_files(CASE / "impacts.csv").summaries[0]
        assert likely.n == 9
        assert round(likely.mean_m) == 11
        assert round(likely.sd_population_m, 1) == 8.5
        assert likely.median_m == 7
        assert likely.sd_sample_m == pytest.approx(8.99, abs=0.01)
        assert "2 of 9 values inferred" in likely.hypothesis

    def test_stated_values_stand_beside_and_the_notes_name_the_gaps(self):
        result = accuracy_from_files(CASE / "impacts.csv")
        stated = result.summaries[1]
        assert (stated.n, stated.median_m) == (7, 11)
        assert stated.mean_m == pytest.approx(92 / 7)
        assert sum("site_2" in note and "site_6" in note and "nferred" in note for note in result.notes) == 1
        assert any("blast radius is over 6" in note for note in result.notes)
        less_likely = result.summaries[2]
        assert less_likely.mean_m == pytest.approx(np.mean([0, 3, 3, 6, 14, 51, 18, 23, 2]))

    def test_never_claims_accuracy_without_a_null_model(self):
        for summary in accuracy_from_files(CASE / "impacts.csv").summaries:
            assert summary.null_model is None
            assert "not evidence of accuracy" in summary.statement
            assert "empirical median (CEP-like)" in summary.statement

    def test_card_and_table_agree(self):
        card = yaml.safe_load((CASE / "dataset.yaml").read_text())
        records = accuracy_from_files(CASE / "impacts.csv").records
        assert [r.impact_id for r in records if r.likely_basis == "inferred"] == card["inferred_records"]
        assert len(records) == card["records"]


def test_gaps_are_counted_named_and_left_out(tmp_path):
    path = csv_file(tmp_path, "impact_id,likely_m\na,4\nb,\nc,8\n")
    result = accuracy_from_files(path)
    assert (result.summaries[0].n, result.summaries[0].mean_m) == (2, 6)
    assert any("1 of 3" in note and "b" in note for note in result.notes)


def test_lonlat_points_are_measured_on_the_ellipsoid(tmp_path):
    from pyproj import Geod

    lon, lat = 179.9999, -43.5  # the building lies across the antimeridian
    east = Geod(ellps="WGS84").fwd(lon, lat, 90, 60)
    corners = [Geod(ellps="WGS84").fwd(east[0], east[1], azimuth, 15)[:2] for azimuth in (0, 90, 180, 270)]
    structures = footprints(tmp_path, [shapely.Polygon(corners), shapely.Point(lon - 0.01, lat)])
    result = accuracy_from_files(csv_file(tmp_path, f"impact_id,lon,lat\nx,{lon},{lat}\n"), structures, null_draws=100)
    assert result.matches[0].distance_centre_m == pytest.approx(60, abs=1e-3)
    assert result.matches[0].distance_edge_m == pytest.approx(45, abs=1e-2)


def test_metres_go_with_structures_without_crs(tmp_path):
    structures = tmp_path / "plane.geojson"
    box = shapely.geometry.mapping(shapely.box(10, 0, 20, 10))
    feature = {"type": "Feature", "properties": {}, "geometry": box}
    structures.write_text(json.dumps({"type": "FeatureCollection", "crs": None, "features": [feature]}))
    result = accuracy_from_files(csv_file(tmp_path, "x_m,y_m\n4,5\n,\n30,5\n"), structures, null_draws=100)
    assert [match.distance_edge_m for match in result.matches] == [6, 10]
    assert [match.impact_id for match in result.matches] == ["1", "2"]  # a blank row is no impact


def test_vector_points_in_any_crs(tmp_path):
    points = tmp_path / "points.gpkg"
    utm = gpd.GeoDataFrame(
        {"impact_id": ["p"], "crater_radius_m": [3.0]}, geometry=[shapely.Point(500000, 4e6)], crs="EPSG:32638"
    )
    utm.to_file(points)
    structures = footprints(tmp_path, [shapely.box(500010, 4e6 - 5, 500020, 4e6 + 5)], "EPSG:32638")
    result = accuracy_from_files(points, structures, null_draws=100)
    assert result.matches[0].distance_edge_m == pytest.approx(10 / 0.9996, abs=1e-3)  # UTM's scale at its centre
    assert result.summaries[0].mean_crater_radius_m == 3


def test_a_stated_region_replaces_the_assumed_one(tmp_path):
    structures = footprints(tmp_path, [shapely.box(0, 0, 1e-4, 1e-4)])
    points = csv_file(tmp_path, "lon,lat\n0.0002,0\n0,0.0002\n")
    region = footprints(tmp_path, [shapely.box(-0.01, -0.01, 0.01, 0.01)], name="region.gpkg")
    assumed = accuracy_from_files(points, structures, null_draws=100)
    stated = accuracy_from_files(points, structures, region=region, null_draws=100)
    assert stated.summaries[2].null_model.mean_m > 500 > assumed.summaries[2].null_model.mean_m
    assert any("No assessed region" in note for note in assumed.notes)
    assert not any("No assessed region" in note for note in stated.notes)
    line = footprints(tmp_path, [shapely.LineString([(0, 0), (0.001, 0)])], name="line.gpkg")
    with pytest.raises(StructuresError, match="no polygon"):
        accuracy_from_files(points, structures, region=line)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("impact_id,likely_m\n", "no impacts"),
        ("impact_id,a\n1,2\n", "no usable columns"),
        ("impact_id,likely_m\n1,far\n", "not a number"),
        ("impact_id,likely_m\n1,-3\n", "-3"),
        ("impact_id,likely_m\n1,nan\n", "nan"),
        ("impact_id,likely_m\n1,\n2,\n", "empty in every row"),
        ("impact_id,likely_m\n1,2\n1,3\n", "more than once"),
        ("impact_id,likely_m,likely_basis\n1,2,guessed\n", "guessed"),
        ("impact_id,lon,lat\n1,2,3\n", "likely_m"),
        ("impact_id,lon,lat,likely_m\n1,500000,4000000,3\n", "not degrees"),
        ("impact_id,likely_m\n1,2,3\n", "more cells"),
    ],
)
def test_bad_points_are_refused_with_the_file_named(tmp_path, text, word):
    path = csv_file(tmp_path, text)
    with pytest.raises(PointsError, match=word) as caught:
        accuracy_from_files(path)
    assert str(path) in str(caught.value)


def test_missing_or_unreadable_files(tmp_path):
    with pytest.raises(PointsError, match="no such file"):
        accuracy_from_files(tmp_path / "none.csv")
    with pytest.raises(PointsError, match="no such file"):
        accuracy_from_files(tmp_path / "none.gpkg")
    with pytest.raises(PointsError, match="UTF-8"):
        (tmp_path / "bin.csv").write_bytes(b"\xff\xfe\x00\x01")
        accuracy_from_files(tmp_path / "bin.csv")
    with pytest.raises(StructuresError, match="no such file"):
        accuracy_from_files(csv_file(tmp_path, "lon,lat\n1,2\n"), tmp_path / "none.gpkg")
    with pytest.raises(PointsError, match="no coordinates"):
        accuracy_from_files(csv_file(tmp_path, "impact_id,likely_m\n1,2\n"), tmp_path / "none.gpkg")


def test_structures_of_another_place_are_refused(tmp_path):
    structures = footprints(tmp_path, [shapely.box(10, 10, 10.001, 10.001)])
    with pytest.raises(StructuresError, match="another place"):
        accuracy_from_files(csv_file(tmp_path, "lon,lat\n1,2\n"), structures)


def test_written_whole_or_not_at_all(tmp_path):
    result = accuracy_from_files(CASE / "impacts.csv")
    out = tmp_path / "out"
    write_accuracy(result, out)
    document = json.loads((out / "summary.json").read_text())
    assert document["accuracy"][0]["median_m"] == 7
    assert set(document["accuracy"][0]["intervals_m"]["mean_m"]) == {"low", "high"}
    rows = (out / "matches.csv").read_text().splitlines()
    assert len(rows) == 10
    assert "inferred" in rows[2]
    with pytest.raises(OutputError):
        write_accuracy(result, out)
    write_accuracy(result, out, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_measured_output_has_null_model_and_repeats_itself(tmp_path):
    rng = np.random.default_rng(0)
    boxes = [shapely.box(x, y, x + 1e-4, y + 1e-4) for x, y in rng.uniform(0, 0.01, (30, 2))]
    structures = footprints(tmp_path, boxes)
    rows = "\n".join(f"{x},{y}" for x, y in rng.uniform(0, 0.01, (8, 2)))
    points = csv_file(tmp_path, f"lon,lat\n{rows}\n")
    first, second = (accuracy_from_files(points, structures, null_draws=200) for _ in range(2))
    assert first == second
    assert all(summary.null_model is not None for summary in first.summaries)
    write_accuracy(first, tmp_path / "out")
    assert "null_model" in (tmp_path / "out" / "summary.json").read_text()
