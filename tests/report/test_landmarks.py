"""Groups, centrelines, junctions, aim points and error parts, as every output shows them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from defusedxml import ElementTree

from cv_pipeline.config import AssessConfig
from cv_pipeline.matching import index_structures
from cv_pipeline.matching.match import match_impacts
from cv_pipeline.report import write_report
from cv_pipeline.report.overlays import landmark_outline
from cv_pipeline.report.rows import ERROR_PARTS
from cv_pipeline.report.words import error_sentence
from cv_pipeline.structures.centreline import centreline
from cv_pipeline.types import Assessment, ErrorBudget, FootprintOffset, Structure, StructureKind

from .factories import make_assessment

KML = "{http://www.opengis.net/kml/2.2}"


def with_landmarks(folder: Path, **options: object) -> Assessment:
    """An assessment over three tents in a row and a T of pavement, matched for real."""
    made = make_assessment(folder, impacts=3, **options)
    x, y = made.impacts[0].x_m, made.impacts[0].y_m
    tents = [shapely.box(x + 9 * k, y + 5, x + 9 * k + 6, y + 11) for k in range(3)]
    tee = shapely.union(shapely.box(x - 60, y - 30, x + 60, y - 20), shapely.box(x - 5, y - 70, x + 5, y - 25))
    structures = [Structure(f"tent{k}", StructureKind.BUILDING, shape) for k, shape in enumerate(tents)]
    structures.append(Structure("apron", StructureKind.PAVEMENT, tee, centreline_m=centreline(tee)))
    index = index_structures(structures)
    matches = match_impacts(made.impacts, index, gsd_m=0.5, geolocation_ce90_m=3.0, footprint_ce90_m=2.0)
    offset = FootprintOffset(1.0, -2.0, 0.2, 8, 9, 1.9, True, "8 of 9 footprints support it")
    return replace(
        made, structures=index.structures, matches=matches, landmarks=index.landmarks, footprint_offset=offset
    )


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Assessment, Path]:
    folder = tmp_path_factory.mktemp("landmarks")
    assessment = with_landmarks(folder)
    return assessment, write_report(assessment, AssessConfig(), folder / "out").parent


def landmarks(out: Path, layer: str) -> Any:
    return pyogrio.read_dataframe(out / "assessment.gpkg", layer=layer)


def test_geopackage_holds_landmarks_and_aim_points(case) -> None:
    assessment, out = case
    kinds = {name: list(landmarks(out, name).kind) for name in ("groups", "centrelines", "junctions")}
    assert kinds == {"groups": ["group"], "centrelines": ["centreline"], "junctions": ["junction", "corner", "corner"]}
    aims = pyogrio.read_dataframe(out / "assessment.gpkg", layer="aim_points")
    weighed = [(match.impact_id, h) for match in assessment.matches for h in match.hypotheses]
    assert list(zip(aims.impact_id, aims.hypothesis, strict=True)) == [(i, h.hypothesis_id) for i, h in weighed]
    impacts = pyogrio.read_dataframe(out / "assessment.gpkg", layer="impacts").set_index("impact_id").geometry
    for aim in aims.itertuples():
        # Map metres of UTM are true to 4 parts in 10,000.
        assert impacts[aim.impact_id].distance(aim.geometry) == pytest.approx(aim.distance_m, rel=1e-3, abs=0.01)


def test_hypotheses_csv_lists_the_parts_of_each_sd(case) -> None:
    assessment, out = case
    rows = list(csv.DictReader((out / "hypotheses.csv").open(encoding="utf-8")))
    assert len(rows) == sum(len(match.hypotheses) for match in assessment.matches)
    for row in rows:
        parts = [float(row[name]) for name in ERROR_PARTS]
        assert sum(part**2 for part in parts) ** 0.5 == pytest.approx(float(row["distance_sd_m"]), abs=1e-6)
    groups = [row for row in rows if row["kind"] == "group_centre"]
    singles = [row for row in rows if row["kind"] == "structure_centre"]
    assert float(groups[0]["footprint_sd_m"]) < float(singles[0]["footprint_sd_m"])


def test_summary_holds_budgets_offset_and_counts(case) -> None:
    assessment, out = case
    summary = json.loads((out / "summary.json").read_text())
    assert {key: summary["counts"][key] for key in ("groups", "centrelines", "junctions", "corners")} == {
        "groups": 1, "centrelines": 1, "junctions": 1, "corners": 2,
    }  # fmt: skip
    assert summary["footprint_offset"]["dy_m"] == -2.0
    for entry, match in zip(summary["matches"], assessment.matches, strict=True):
        assert entry["centre_structure_id"] == match.centre_structure_id
        assert entry["error_budget"]["geolocation_sd_m"] == pytest.approx(match.error.geolocation_sd_m)


def test_report_and_kml_show_them(case) -> None:
    assessment, out = case
    html = (out / "report.html").read_text()
    assert html.count('class="landmark"') == len(assessment.landmarks)
    assert "geolocation 1.40 m" in html
    root = ElementTree.parse(out / "assessment.kml").getroot()
    folders = [folder.findtext(f"{KML}name") for folder in root.iter(f"{KML}Folder")]
    assert folders[4:8] == [
        "Groups of like buildings", "Centrelines", "Junctions and corners", "Aim points considered",
    ]  # fmt: skip
    names = {mark.findtext(f"{KML}name") for mark in root.iter(f"{KML}Placemark")}
    assert {"junction J001", "group tent0+tent1+tent2", "centreline apron/axis"} <= names


def test_without_crs(tmp_path: Path) -> None:
    assessment = with_landmarks(tmp_path, crs=None)
    out = write_report(assessment, AssessConfig(), tmp_path / "out").parent
    assert sum(len(landmarks(out, name)) for name in ("groups", "centrelines", "junctions")) == len(
        assessment.landmarks
    )


def test_error_sentence_names_what_is_known_largest_first() -> None:
    budget = ErrorBudget(centre_sd_m=0.2, geolocation_sd_m=1.4, offset_sd_m=0.5)
    assert error_sentence(budget) == "geolocation 1.40 m, the footprints' shift 0.50 m, the impact's centre 0.20 m"
    assert error_sentence(ErrorBudget()) == error_sentence(None) == ""


def test_outline_of_each_kind(case) -> None:
    shapes = {mark.kind.value: landmark_outline(mark).geom_type for mark in case[0].landmarks}
    assert shapes == {
        "group": "Polygon", "centreline": "MultiLineString", "junction": "Polygon", "corner": "Polygon",
    }  # fmt: skip
