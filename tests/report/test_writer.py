"""Every file of a result, read back by a reader other than the writer."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
from affine import Affine
from defusedxml import ElementTree
from rasterio.crs import CRS

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import ImageError
from cv_pipeline.report import write_report
from cv_pipeline.report.html import MAX_CARDS
from cv_pipeline.report.pictures import overview_grid, source_reader
from cv_pipeline.segmentation.channels import PROBABILITIES
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import Gate, Grid, Window

from .factories import make_assessment

CONFIG = AssessConfig()
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLUMNS = (
    "impact_id,col_px,row_px,lon,lat,score,status,crater_radius_m,crater_radius_sd_m,blast_radius_m,"
    "secondary_radius_m,pattern,direction_deg,direction_sd_deg,structure_id,structure_kind,distance_edge_m,"
    "distance_centre_m,distance_sd_m,hypothesis,likely_m,less_likely_m,second_structure_id,"
    "second_distance_edge_m,ambiguity,"
    "centre_sd_m,new_probability,crater_major_m,crater_minor_m,crater_azimuth_deg,peak_score,"
    "blast_radius_sd_m,secondary_radius_sd_m,pattern_area_m2,directional_probability,"
    "review,measured_by_reviewer,decided_aim"
)
FILES = {
    "impacts.csv", "hypotheses.csv", "impacts.geojson", "structures.geojson", "assessment.gpkg", "assessment.kml",
    "probabilities.tif", "labels.tif", "summary.json", "report.html", "figures", "SHA256SUMS", "assessment.json.gz",
}  # fmt: skip
CASES = {
    "utm": {"impacts": 4},
    "mercator": {"crs": "EPSG:3857", "impacts": 2},
    "geographic": {"crs": "EPSG:4326", "impacts": 1},
    "no-crs": {"crs": None, "impacts": 2},
    "after-only": {"before": False, "structures": 0, "impacts": 2},
    "nothing": {"impacts": 0, "structures": 0},
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp(request.param)
    assessment = make_assessment(folder, **CASES[request.param])
    html = write_report(assessment, CONFIG, folder / "out", created=CREATED)
    return assessment, html.parent


def test_all_files(case) -> None:
    assert {path.name for path in case[1].iterdir()} == FILES


def test_csv(case) -> None:
    assessment, out = case
    lines = (out / "impacts.csv").read_text().splitlines()
    assert lines[0] == COLUMNS
    rows = list(csv.DictReader(lines))
    assert [row["impact_id"] for row in rows] == [i.impact_id for i in assessment.impacts]
    for row, impact in zip(rows, assessment.impacts, strict=True):
        assert float(row["col_px"]) == pytest.approx(impact.col_px, abs=0.006)
        assert (row["lon"] == "") == (impact.lon_deg is None)


def test_geojson(case) -> None:
    assessment, out = case
    features = json.loads((out / "impacts.geojson").read_text())["features"]
    assert len(features) == len(assessment.impacts)
    for feature, impact in zip(features, assessment.impacts, strict=True):
        assert ",".join(feature["properties"]) == COLUMNS
        if impact.lon_deg is None:
            assert feature["geometry"] is None
        else:
            assert feature["geometry"]["coordinates"] == pytest.approx([impact.lon_deg, impact.lat_deg], abs=1e-7)
    assert len(json.loads((out / "structures.geojson").read_text())["features"]) == len(assessment.structures)


def test_geopackage(case) -> None:
    assessment, out = case
    path = out / "assessment.gpkg"
    grid = assessment.pair.after.grid
    names = [
        "impacts", "patterns", "structures", "links", "groups", "centrelines", "junctions", "aim_points", "masked",
        "layer_styles",
    ]  # fmt: skip
    assert [name for name, _ in pyogrio.list_layers(path)] == names
    assert len(pyogrio.read_info(path, layer="impacts")["fields"]) == len(COLUMNS.split(","))
    table = pyogrio.read_dataframe(path, layer="impacts")
    assert len(table) == len(assessment.impacts)
    if grid.crs is not None:
        assert CRS.from_user_input(table.crs) == grid.crs
    for point, impact in zip(table.geometry, assessment.impacts, strict=True):
        assert ~grid.transform @ (point.x, point.y) == pytest.approx((impact.col_px, impact.row_px), abs=1e-3)
    with sqlite3.connect(path) as base:
        kinds = dict(base.execute("select table_name, data_type from gpkg_contents"))
        styles = base.execute(
            "select f_table_name, styleQML from layer_styles where useAsDefault and f_geometry_column = 'geom'"
        )
        assert kinds["layer_styles"] == "attributes"
        assert [name for name, _ in styles] == names[:-1]


def test_link_length_is_the_distance(tmp_path: Path) -> None:
    assessment = make_assessment(tmp_path, impacts=4)
    out = write_report(assessment, CONFIG, tmp_path / "out").parent
    links = pyogrio.read_dataframe(out / "assessment.gpkg", layer="links")
    assert links.length.to_numpy() == pytest.approx(links.distance_edge_m.to_numpy(), rel=1e-3)


def test_kml(case) -> None:
    assessment, out = case
    root = ElementTree.parse(out / "assessment.kml").getroot()
    space = "{http://www.opengis.net/kml/2.2}"
    names = [mark.findtext(f"{space}name") for mark in root.iter(f"{space}Placemark")]
    if assessment.pair.after.grid.crs is None:
        assert not names
        assert "no coordinate reference system" in root.find(f"{space}Document").findtext(f"{space}description")
    else:
        assert {i.impact_id for i in assessment.impacts} <= set(names)
        assert ("<b>Mill & Co</b>" in names) == bool(assessment.structures)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_rasters(case) -> None:
    assessment, out = case
    source = assessment.segmentation
    with rasterio.open(out / "probabilities.tif") as ours, rasterio.open(source.path) as given:
        assert ours.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert ours.transform == given.transform
        assert ours.nodata == 0
        assert set(ours.dtypes) == {"uint8"}
    ground = Window(0, 0, source.grid.height, source.grid.width)
    kept, shown = read_channels(replace(source, path=out / "probabilities.tif"), ground, PROBABILITIES)
    wanted, valid = read_channels(source, ground, PROBABILITIES)
    assert np.array_equal(shown, valid)
    for channel in PROBABILITIES:
        assert np.abs(kept[channel] - wanted[channel]).max() <= 0.5 / 254 + 1e-6
    with pytest.raises(ValueError, match="crater_radius_m"):
        read_channels(replace(source, path=out / "probabilities.tif"), ground)
    with rasterio.open(out / "labels.tif") as labels:
        assert labels.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert labels.colormap(1)[1][:3] == (214, 39, 40)
        classes = labels.read(1)
    assert (classes[:, -10:] == 255).all()
    for impact in assessment.impacts:
        assert classes[int(impact.row_px), int(impact.col_px)] == 1


def test_summary(case) -> None:
    assessment, out = case
    summary = json.loads((out / "summary.json").read_text(), parse_constant=pytest.fail)
    assert summary["counts"]["impacts"] == len(assessment.impacts)
    assert summary["trusted"] is True
    assert summary["provenance"]["created_utc"] == "2026-01-02T03:04:05Z"
    assert summary["provenance"]["inputs"]["after"]["sha256"] == assessment.pair.after.sha256
    assert summary["provenance"]["config"] == CONFIG.model_dump(mode="json", exclude={"out_dir", "overwrite"})
    no_crs = any("coordinate reference system" in warning for warning in summary["warnings"])
    assert no_crs == (assessment.pair.after.grid.crs is None)


class _Page(HTMLParser):
    """Attributes of all tags, and the embedded data, of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, Any] = {}
        self._in_data = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_data = dict(attrs).get("id") == "data"

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data, self._in_data = json.loads(data), False


def test_html_asks_nothing_of_any_network(case) -> None:
    assessment, out = case
    html = (out / "report.html").read_text()
    page = _Page(html)
    for tag, attributes in page.tags:
        for name in ("src", "href", "action"):
            link = attributes.get(name)
            assert link is None or link.startswith(("#", "data:image/")), (tag, link)
        if tag == "img":
            assert attributes["alt"]
    for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL):
        assert all(link.startswith(("data:", "#")) for link in re.findall(r"url\(([^)]*)", style))
    assert "sourceMappingURL" not in html
    assert "<b>Mill" not in html
    assert sum(tag == "article" for tag, _ in page.tags) == len(assessment.impacts)


def test_the_page_holds_what_the_map_and_the_table_show(case) -> None:
    assessment, out = case
    html = (out / "report.html").read_text()
    data, grid = _Page(html).data, assessment.pair.after.grid
    assert [row["impact_id"] for row in data["rows"]] == [i.impact_id for i in assessment.impacts]
    assert ",".join(name for name, _ in data["columns"]) == COLUMNS
    for shown, impact in zip(data["impacts"], assessment.impacts, strict=True):
        # The overview covers the same ground as the image, so shares of its sides agree.
        x, y = shown["p"][0] / 100 / data["width_m"], shown["p"][1] / 100 / data["height_m"]
        assert (x, y) == pytest.approx((impact.col_px / grid.width, impact.row_px / grid.height), abs=0.01)
    craters = {shape["t"].split()[0]: np.reshape(shape["r"][0], (-1, 2)) for shape in data["layers"]["crater"]}
    for impact in assessment.impacts:
        size_m = np.ptp(craters[impact.impact_id], axis=0) / 100
        assert size_m == pytest.approx(2 * impact.crater_radius_m, abs=0.5)


def test_failed_gate_has_a_banner(tmp_path: Path) -> None:
    html = write_report(make_assessment(tmp_path, gate=Gate.FAIL), CONFIG, tmp_path / "out")
    assert 'class="banner"' in html.read_text()
    assert json.loads((html.parent / "summary.json").read_text())["trusted"] is False


def test_cards_are_cut_and_say_so(tmp_path: Path) -> None:
    assessment = make_assessment(tmp_path, impacts=MAX_CARDS + 3)

    def grey(kind: str, grid: Grid) -> np.ndarray:
        return np.full((grid.height, grid.width, 3), 128, np.uint8)

    html = write_report(assessment, CONFIG, tmp_path / "out", read=grey).read_text()
    assert html.count("<article") == MAX_CARDS
    assert f"of {MAX_CARDS + 3}; the table" in html


def test_same_inputs_same_bytes(tmp_path: Path) -> None:
    assessment = make_assessment(tmp_path, impacts=2)
    first, second = (write_report(assessment, CONFIG, tmp_path / name, created=CREATED).parent for name in "ab")
    for path in first.rglob("*.*"):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes(), path.name


def test_failure_half_way_leaves_no_folder(tmp_path: Path) -> None:
    def broken(kind: str, grid: Grid) -> np.ndarray:
        raise ImageError("gone")

    with pytest.raises(ImageError):
        write_report(make_assessment(tmp_path), CONFIG, tmp_path / "out", read=broken)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_before_is_shown_registered(tmp_path: Path) -> None:
    assessment = make_assessment(tmp_path, impacts=0)
    read = source_reader(assessment)
    coarse = overview_grid(assessment.pair.after.grid)
    part = Grid(80, 100, coarse.transform @ Affine.translation(50, 60) @ Affine.scale(2), coarse.crs, 2 * coarse.gsd_m)
    difference = read("before", part).astype(float) - read("after", part)
    assert np.abs(difference).mean() < 1.0
