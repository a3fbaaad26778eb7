"""The published case of nine impacts, its hypotheses and what may be decided on."""

import csv
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cv_pipeline.accuracy import accuracy_from_files
from cv_pipeline.accuracy.published import Published, published_note
from cv_pipeline.accuracy.summary import summarise
from cv_pipeline.cli import app
from cv_pipeline.errors import PointsError

CASE = Path(__file__).parents[2] / "datasets" / "al_asad_2020"
STATED = {  # as the text gives them; sites 2 and 6 (western half) have no number
    "site_1": {28, 0}, "site_3": {3}, "site_4": {6}, "site_5": {14}, "site_7": {7, 18}, "site_8": {23},
    "site_9": {11, 2},
}  # fmt: skip


def table():
    with (CASE / "hypotheses.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_table_holds_the_text_and_agrees_with_the_impacts():
    by_site = {}
    for row in table():
        by_site.setdefault(row["impact_id"], {})[row["rank"]] = row
    for site, distances in STATED.items():
        assert {float(row["distance_m"]) for row in by_site[site].values()} == distances
        assert all(row["basis"] == "stated" for row in by_site[site].values())
    assert float(by_site["site_6"]["less_likely"]["distance_m"]) == 51
    assert {row["impact_id"] for row in table() if row["basis"] == "inferred"} == {"site_2", "site_6"}
    with (CASE / "impacts.csv").open(encoding="utf-8") as stream:
        for impact in csv.DictReader(stream):
            ranked = by_site[impact["impact_id"]]
            for rank in ("likely", "less_likely"):
                row = ranked.get(rank, {"hypothesis": "", "distance_m": ""})
                assert (impact[f"{rank}_aim_point"], impact[f"{rank}_m"]) == (row["hypothesis"], row["distance_m"])


def test_published_statistics_and_which_sd():
    result = accuracy_from_files(CASE / "impacts.csv")
    likely = result.summaries[0]
    assert round(likely.mean_m) == 11
    assert likely.median_m == 7
    assert round(likely.sd_population_m, 1) == 8.5
    assert round(likely.sd_sample_m, 1) == 9.0
    assert "8.5 m, which is the population SD" in result.notes[0]
    assert likely.dispersion is None
    assert "no direction" in likely.missing["dispersion"]


def test_range_over_all_combinations():
    result = accuracy_from_files(CASE / "impacts.csv")
    tables = np.array(list(product([28, 0], [3], [3], [6], [14], [5, 51], [7, 18], [23], [11, 2])))
    found = result.combinations
    assert (found.n, found.with_choice, found.count) == (9, 4, len(tables))
    for got, values in (
        (found.mean_m, tables.mean(axis=1)),
        (found.median_m, np.median(tables, axis=1)),
        (found.sd_population_m, tables.std(axis=1)),
        (found.sd_sample_m, tables.std(axis=1, ddof=1)),
    ):
        assert (got.low, got.high) == pytest.approx((values.min(), values.max()))
    assert (round(found.mean_m.low, 1), round(found.mean_m.high, 1)) == (7.0, 17.4)
    assert (found.median_m.low, found.median_m.high) == (5, 14)


def decide(tmp_path, text):
    path = tmp_path / "decided.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_decided_aim_points(tmp_path):
    """By name, by rank, with a distance of one's own; the combinations shrink, the likely table stays."""
    path = decide(
        tmp_path,
        "impact_id,hypothesis,distance_m\nsite_1,The point itself (deliberate),\nsite_7,less_likely,18\n"
        "site_6,own reading of the image,9.5\n",
    )
    result = accuracy_from_files(CASE / "impacts.csv", hypotheses=path)
    assert result.summaries[0].hypothesis.startswith("aim point decided by the user for 3 of 9")
    assert result.summaries[0].mean_m == pytest.approx(np.mean([0, 3, 3, 6, 14, 9.5, 18, 23, 11]))
    assert result.summaries[0].null_model is None
    assert result.summaries[1].mean_m == pytest.approx(100 / 9)
    assert result.combinations.count == 2


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("impact_id,hypothesis\nsite_1,the gate\n", "none of its aim points"),
        ("impact_id,hypothesis\nsite_99,likely\n", "not among the impacts"),
        ("impact_id,hypothesis,distance_m\nsite_1,likely,27\n", "28.00 m away"),
        ("impact_id,hypothesis\nsite_1,likely\nsite_1,less_likely\n", "more than one row"),
        ("impact_id,hypothesis,distance_m\nsite_1,,\n", "no distance_m"),
        ("impact_id,distance_m\nsite_1,-4\n", "-4"),
        ("impact_id,remark\nsite_1,x\n", "needs the columns"),
        ("impact_id,hypothesis\n", "no rows"),
    ],
)
def test_friendly_errors(tmp_path, text, word):
    with pytest.raises(PointsError, match=word) as caught:
        accuracy_from_files(CASE / "impacts.csv", hypotheses=decide(tmp_path, text))
    assert "decided.csv" in str(caught.value)


def test_command_line_prints_all_of_it(tmp_path):
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["accuracy", "--points", str(CASE / "impacts.csv"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    for words in ("all 16 combinations", "mean 7.0 to 17.4 m", "population SD", "Without impact site_1"):
        assert words in result.output
    document = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert document["combinations"]["median_m"] == {"low": 5.0, "high": 14.0, "is_exact": True}
    assert document["accuracy"][0]["told_from_chance"] is None
    assert len(document["accuracy"][0]["influences"]) == 9


@pytest.mark.parametrize(
    ("sd", "words"), [(8.5, "the population SD"), (9.0, "the sample SD"), (12.0, "neither SD"), (None, "mean 11 m")]
)
def test_note_on_the_sd(sd, words):
    summary = summarise([28, 3, 3, 6, 14, 5, 7, 23, 11], "h")
    assert words in published_note(Published(11, sd, 7), summary)
