"""Online sources with stand-ins for their packages: no test asks any network."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import geopandas as gpd
import pytest
import shapely

from cv_pipeline.errors import StructuresError
from cv_pipeline.frame import local_frame
from cv_pipeline.structures.online import MARGIN_M, lonlat_boxes
from cv_pipeline.structures.source import load_structures
from cv_pipeline.types import Grid, StructureKind
from tests.structures.test_file import LAT, LON, box_at, frame_at

EXTENT = (-100.0, -80.0, 100.0, 80.0)


class EmptyError(ValueError):
    """Stands for osmnx's InsufficientResponseError."""


def load(source, frame=None):
    return load_structures(source, frame or frame_at(), EXTENT, model="small")


@pytest.fixture
def overture(monkeypatch):
    """A stand-in of overturemaps.core that records what it was asked for."""
    asked = []

    def geodataframe(kind, bbox, release):
        asked.append((kind, bbox, release))
        if kind == "building":
            return gpd.GeoDataFrame({"id": ["b1", "b2"]}, geometry=[box_at(0, 0), box_at(3, 0)])
        runway = shapely.box(LON - 1e-3, LAT - 5e-5, LON + 1e-3, LAT + 5e-5)
        return gpd.GeoDataFrame({"id": ["r1", "f1"], "class": ["runway", "fence"]}, geometry=[runway, box_at(6, 0)])

    core = SimpleNamespace(get_latest_release=lambda: "2026-10-21.0", geodataframe=geodataframe)
    monkeypatch.setitem(sys.modules, "overturemaps", SimpleNamespace(core=core))
    return asked


@pytest.fixture
def osm(monkeypatch):
    """A stand-in of osmnx; ``answers`` are given out in turn, then it knows nothing."""
    asked, answers = [], []

    def features_from_bbox(bbox, tags):
        asked.append((bbox, tags))
        if not answers:
            raise EmptyError("no features")
        return answers.pop(0)

    package = SimpleNamespace(
        settings=SimpleNamespace(use_cache=True),
        features_from_bbox=features_from_bbox,
        _errors=SimpleNamespace(InsufficientResponseError=EmptyError),
    )
    monkeypatch.setitem(sys.modules, "osmnx", package)
    return SimpleNamespace(asked=asked, answers=answers, package=package)


def test_overture_gives_buildings_and_pavements_with_release_and_licence(overture):
    found = load("overture")
    assert [(s.structure_id, s.kind) for s in found.structures] == [
        ("b1", StructureKind.BUILDING), ("b2", StructureKind.BUILDING), ("r1", StructureKind.PAVEMENT),
    ]  # fmt: skip
    assert found.structures[2].centreline_m is not None
    assert (found.source["name"], found.source["release"], found.source["licence"]) == (
        "overture", "2026-10-21.0", "ODbL-1.0",
    )  # fmt: skip
    assert "2026-10-21.0" in found.notes[0]
    assert {kind for kind, *_ in overture} == {"building", "infrastructure"}
    west, south, east, north = overture[0][1]
    assert west < LON - 0.003 < LON + 0.003 < east
    assert south < LAT - 0.0024 < LAT + 0.0024 < north


def test_osm_gives_its_time_as_release_and_leaves_no_cache(osm):
    table = gpd.GeoDataFrame(
        {"element": ["way", "way"], "id": [7, 8], "aeroway": [None, "taxiway"], "width": [None, "23 m"]},
        geometry=[box_at(0, 0), shapely.LineString([(LON, LAT), (LON + 2e-3, LAT)])],
        crs="EPSG:4326",
    ).set_index(["element", "id"])
    osm.answers.append(table)
    found = load("osm")
    house, taxiway = found.structures
    assert (house.structure_id, house.kind) == ("7", StructureKind.BUILDING)
    assert (taxiway.kind, taxiway.width_m, taxiway.geometry_m.geom_type) == (StructureKind.PAVEMENT, 23.0, "Polygon")
    assert found.source["release"].startswith("live, 20")
    assert "OpenStreetMap contributors" in found.source["attribution"]
    assert osm.package.settings.use_cache is False


def test_nothing_there(osm):
    with pytest.raises(StructuresError, match=r"osm: no structures are known there\. Give a footprint file"):
        load("osm")


def test_two_boxes_across_the_antimeridian(osm):
    with pytest.raises(StructuresError):
        load("osm", frame_at(lon=180.0, lat=-17.0))
    (west, east) = [bbox for bbox, _ in osm.asked]
    assert west[2] == 180.0
    assert east[0] == -180.0
    assert west[0] == pytest.approx(180 - (100 + MARGIN_M) / 106_500, abs=1e-4)
    assert east[2] == pytest.approx(-180 + (100 + MARGIN_M) / 106_500, abs=1e-4)


@pytest.mark.parametrize(("source", "package"), [("overture", "overturemaps"), ("osm", "osmnx")])
def test_without_the_extra_it_is_named(monkeypatch, source, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(StructuresError, match=r"cv-pipeline\[online\]"):
        load(source)


def test_a_service_that_fails_says_what_to_do(monkeypatch, overture):
    def down(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(sys.modules["overturemaps"].core, "geodataframe", down)
    with pytest.raises(StructuresError, match=r"no route to host.*or give a footprint file"):
        load("overture")


def test_an_image_without_crs_has_no_place_to_ask_for(overture):
    frame = local_frame(Grid(10, 10, frame_at(crs=None).grid.transform, None, 0.5))
    with pytest.raises(StructuresError, match="has no CRS"):
        load("overture", frame)
    assert overture == []


def test_the_before_image_is_refused_because_no_model_draws_structures():
    with pytest.raises(StructuresError, match="'small' has no structure head"):
        load("before-image")


def test_a_file_called_like_a_source_is_a_file(tmp_path, monkeypatch, overture):
    monkeypatch.chdir(tmp_path)
    gpd.GeoDataFrame(geometry=[box_at(0, 0)], crs="EPSG:4326").to_file(tmp_path / "overture", driver="GeoJSON")
    assert len(load("./overture").structures) == 1
    assert overture == []


def test_one_box_elsewhere():
    (box,) = lonlat_boxes(frame_at(), EXTENT)
    assert box[0] < LON < box[2]
    assert box[1] < LAT < box[3]
