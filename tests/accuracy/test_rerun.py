import csv
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from typer.testing import CliRunner

from cv_pipeline.accuracy import accuracy_from_run
from cv_pipeline.accuracy.document import combination_document, summary_document
from cv_pipeline.accuracy.matched import LIKELY, Settings, matched_combinations, summarise_matches
from cv_pipeline.cli import app
from cv_pipeline.errors import PointsError
from cv_pipeline.matching import index_structures, match_points
from cv_pipeline.report.tables import write_hypotheses_csv, write_impacts_csv
from cv_pipeline.types import Impact, PatternKind, Status, Structure, StructureKind


def make_impact(impact_id, x_m, y_m, status):
    return Impact(
        impact_id=impact_id, row_px=1.0, col_px=1.0, x_m=x_m, y_m=y_m, lon_deg=None, lat_deg=None, score=0.9,
        status=status, status_probability=None, centre_sd_m=0.5, crater_radius_m=2.0 + x_m / 1000,
        crater_radius_sd_m=0.2, blast_radius_m=None, secondary_radius_m=None, pattern=PatternKind.NONE,
        direction_deg=None, direction_sd_deg=None,
    )  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """The three files of a run with eight impacts, the last one old, and the summaries of the other seven."""
    houses = [Structure(f"H{k}", StructureKind.BUILDING, shapely.box(60 * k, 0, 60 * k + 12, 9)) for k in range(8)]
    points = np.array([(60 * k + 6, 4.5) for k in range(8)]) + np.random.default_rng(0).normal(0, 9, (8, 2))
    ids = [f"I{k}" for k in range(8)]
    matches = match_points(ids, points, [1.0] * 8, index_structures(houses))
    impacts = [
        make_impact(i, float(x), float(y), Status.OLD if i == "I7" else Status.NEW)
        for i, (x, y) in zip(ids, points, strict=True)
    ]
    assessment = SimpleNamespace(impacts=impacts, matches=matches)
    folder = tmp_path / "run"
    folder.mkdir()
    write_impacts_csv(assessment, folder / "impacts.csv")
    write_hypotheses_csv(assessment, folder / "hypotheses.csv")
    counted = matches[:7]
    summaries = summarise_matches(
        counted, houses, region_m=shapely.box(-20, -30, 500, 40), points_m=points[:7], null_draws=99,
        settings=Settings(crater_radii_m=[i.crater_radius_m for i in impacts[:7]]),
    )  # fmt: skip
    document = {
        "accuracy": [summary_document(summary) for summary in summaries],
        "combinations": combination_document(matched_combinations(counted)),
    }
    (folder / "summary.json").write_text(json.dumps(document), encoding="utf-8")
    return folder, summaries, counted


def test_the_same_statistics_come_out(run):
    folder, expected, matches = run
    result = accuracy_from_run(folder)
    assert result.combinations.mean_m.low == pytest.approx(matched_combinations(matches).mean_m.low, abs=0.01)
    for got, was in zip(result.summaries, expected, strict=True):
        assert (got.hypothesis, got.n, got.null_model) == (was.hypothesis, was.n, was.null_model)
        assert got.mean_m == pytest.approx(was.mean_m, abs=0.006)
        assert got.mean_crater_radius_m == pytest.approx(was.mean_crater_radius_m, abs=0.006)
    assert result.summaries[0].dispersion.bias_east_m == pytest.approx(expected[0].dispersion.bias_east_m, abs=1e-6)
    assert result.summaries[0].dispersion.sd_north_m == pytest.approx(expected[0].dispersion.sd_north_m, abs=1e-6)


def test_rows_picked_from_the_run_decide(run, tmp_path):
    folder, _, matches = run
    with (folder / "hypotheses.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    of_first = [row for row in rows if row["impact_id"] == "I0"]
    decided = tmp_path / "decided.csv"
    with decided.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerow(of_first[-1])
    result = accuracy_from_run(folder, hypotheses=decided)
    likely = [match.hypotheses[0].distance_m for match in matches]
    likely[0] = float(of_first[-1]["distance_m"])
    assert result.summaries[0].mean_m == pytest.approx(np.mean(likely), abs=0.006)
    assert result.summaries[1].hypothesis == LIKELY
    assert result.summaries[0].dispersion is not None


def test_command_line(run, tmp_path):
    folder, _, _ = run
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["accuracy", "--from", str(folder), "--axis", "90", "--out", str(out)])
    assert result.exit_code == 0, result.output
    document = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    dispersion = document["accuracy"][0]["dispersion"]
    assert dispersion["bias_along_m"] == pytest.approx(dispersion["bias_east_m"])
    assert dispersion["bias_across_m"] == pytest.approx(-dispersion["bias_north_m"])
    both = CliRunner().invoke(app, ["accuracy", "--from", str(folder), "--points", "x.csv", "--out", str(out)])
    neither = CliRunner().invoke(app, ["accuracy", "--out", str(out)])
    assert (both.exit_code, neither.exit_code) == (2, 2)
    assert "either --points FILE or --from DIR" in both.output


@pytest.mark.parametrize("name", ["impacts.csv", "hypotheses.csv", "summary.json"])
def test_a_missing_file_is_named(run, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(run[0], copy)
    (copy / name).unlink()
    with pytest.raises(PointsError, match=name):
        accuracy_from_run(copy)
    (copy / name).write_text("{}", encoding="utf-8")
    with pytest.raises(PointsError):
        accuracy_from_run(copy)
