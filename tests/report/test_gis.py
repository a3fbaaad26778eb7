"""What GIS programs need of the files: styles that fit, layers that open elsewhere, rasters that validate."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from defusedxml import ElementTree
from pyproj import CRS

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import ConfigError
from cv_pipeline.frame import local_frame
from cv_pipeline.report import geoparquet, write_report
from cv_pipeline.report.layers import all_layers, masked_layer
from cv_pipeline.types import Assessment, Obscured

from .factories import HEIGHT, WIDTH, make_assessment
from .test_landmarks import with_landmarks

GEOMETRY = {"Point": "0", "LineString": "1", "MultiLineString": "1", "Polygon": "2", "MultiPolygon": "2"}


def clouded(assessment: Assessment) -> Assessment:
    """The after image's lower right part hidden: 100 of 300 rows, 150 of 400 columns, in cells of 50 px."""
    cells = np.zeros((6, 8), bool)
    cells[4:, 5:] = True
    after = replace(assessment.pair.after, obscured=Obscured(cells, 50, 0.125, 0.0))
    return replace(assessment, pair=replace(assessment.pair, after=after))


@pytest.fixture(scope="module", params=["EPSG:32636", "EPSG:4326", None])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Assessment, Path]:
    folder = tmp_path_factory.mktemp("gis")
    assessment = clouded(with_landmarks(folder, crs=request.param))
    config = AssessConfig(geoparquet=geoparquet.find_spec("pyarrow") is not None)
    return assessment, write_report(assessment, config, folder / "out").parent


def test_every_layer_has_a_style_that_fits_its_fields_and_geometry(case) -> None:
    _, out = case
    path = out / "assessment.gpkg"
    with sqlite3.connect(path) as base:
        styles = dict(base.execute("select f_table_name, styleQML from layer_styles where useAsDefault"))
    layers = {str(name): str(kind) for name, kind in pyogrio.list_layers(path) if name != "layer_styles"}
    assert set(styles) == set(layers)
    for name, kind in layers.items():
        root = ElementTree.fromstring(styles[name], forbid_dtd=False)
        fields = set(pyogrio.read_info(path, layer=name)["fields"])
        assert root.findtext("layerGeometryType") == GEOMETRY[kind]
        renderer = root.find("renderer-v2")
        named = {renderer.get("attr")} - {None}
        for text in root.iter("text-style"):
            shown = text.get("fieldName")
            named |= set(re.findall(r'"(\w+)"', shown)) if text.get("isExpression") == "1" else {shown}
        assert named <= fields, name
        drawn = {symbol.get("name") for symbol in renderer.find("symbols")}
        assert {c.get("symbol") for c in renderer.iter("category")} <= drawn
        if renderer.get("attr"):
            values = set(pyogrio.read_dataframe(path, layer=name)[renderer.get("attr")])
            assert values <= {category.get("value") for category in renderer.iter("category")}


def test_likely_and_less_likely_differ_in_shape_and_colour(case) -> None:
    with sqlite3.connect(case[1] / "assessment.gpkg") as base:
        (qml,) = base.execute("select styleQML from layer_styles where f_table_name = 'aim_points'").fetchone()
    symbols = [
        {option.get("name"): option.get("value") for option in symbol.iter("Option") if option.get("name")}
        for symbol in ElementTree.fromstring(qml, forbid_dtd=False).find("renderer-v2/symbols")
    ]
    assert symbols[0]["name"] != symbols[1]["name"]
    assert symbols[0]["color"] != symbols[1]["color"]


def test_masked_ground_lies_where_the_cells_are(tmp_path: Path) -> None:
    assessment = clouded(make_assessment(tmp_path, structures=0))
    (ground,) = masked_layer(assessment).geometries_m
    frame = local_frame(assessment.pair.after.grid)
    corners = frame.pixel_to_metres(np.array([200, 200, HEIGHT, HEIGHT]), np.array([250, WIDTH, WIDTH, 250]))
    wanted = shapely.Polygon(corners)
    assert ground.symmetric_difference(wanted).area < 1e-3 * wanted.area
    assert masked_layer(make_assessment(tmp_path)).geometries_m == ()


def test_geoparquet_is_read_by_others(case) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra 'parquet' is not installed")
    assessment, out = case
    for layer in all_layers(assessment):
        path = out / "geoparquet" / f"{layer.name}.parquet"
        geo = json.loads(parquet.read_metadata(path).metadata[b"geo"])
        assert geo["version"] == "1.1.0"
        column = geo["columns"][geo["primary_column"]]
        assert column["encoding"] == "WKB"
        # A file without the key means longitude and latitude; null means that nobody knows.
        grid = assessment.pair.after.grid
        assert column["crs"] is None if grid.crs is None else CRS.from_json_dict(column["crs"]) == CRS(grid.crs)
        table = parquet.read_table(path)
        shapes = shapely.from_wkb(table[geo["primary_column"]].to_numpy(zero_copy_only=False))
        same = pyogrio.read_dataframe(out / "assessment.gpkg", layer=layer.name)
        assert len(shapes) == len(same) == len(layer.rows)
        assert all(a.equals_exact(b, 1e-9) for a, b in zip(shapes, same.geometry, strict=True))
        if len(shapes):
            assert column["bbox"] == pytest.approx(list(same.total_bounds))
            assert set(column["geometry_types"]) == {shape.geom_type for shape in same.geometry}
    if "Parquet" in pyogrio.list_drivers():
        assert len(pyogrio.read_dataframe(out / "geoparquet" / "impacts.parquet")) == len(assessment.impacts)


def test_geoparquet_without_the_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geoparquet, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'cv-pipeline\[parquet\]'"):
        write_report(make_assessment(tmp_path), AssessConfig(geoparquet=True), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", ["probabilities.tif", "labels.tif"])
def test_rasters_validate_as_cloud_optimised(case, name: str) -> None:
    cogeo = pytest.importorskip("rio_cogeo", reason="rio-cogeo is not installed")
    valid, errors, warnings = cogeo.cog_validate(case[1] / name, strict=True)
    assert valid, (errors, warnings)


def test_other_drivers_open_the_layers(case) -> None:
    assessment, out = case
    kml = pyogrio.list_layers(out / "assessment.kml")
    if assessment.pair.after.grid.crs is not None:
        found = {str(name): len(pyogrio.read_dataframe(out / "assessment.kml", layer=name)) for name, _ in kml}
        assert found["Impacts"] == len(assessment.impacts)
        assert found["Aim points considered"] == sum(len(m.hypotheses) for m in assessment.matches)
