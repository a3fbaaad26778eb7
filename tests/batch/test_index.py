"""What a batch says as a whole: one layer of all impacts, statistics, a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest

from cv_pipeline.batch.index import write_index
from cv_pipeline.batch.run import BatchSettings, run_batch
from tests.batch.standins import Inline, entries, entry, write_pair

Make = Callable[..., BatchSettings]


def pairs_of(folder: Path, distances_m: list[float], **orders: object) -> list[Path]:
    return [
        write_pair(folder, f"p{k:02d}", distance_m=distance, lon=30.0 + 0.01 * k, score=0.5 + 0.01 * k, **orders)
        for k, distance in enumerate(distances_m)
    ]


def test_pairs_become_one_layer_and_one_statistic(tmp_path: Path, settings: Make) -> None:
    paths = pairs_of(tmp_path / "in", [float(k) for k in range(12)])
    again = write_pair(tmp_path / "in", "again", distance_m=100, lon=30.05, score=0.99)
    worse = write_pair(tmp_path / "in", "worse", distance_m=100, lon=30.06, score=0.01)
    doubtful = write_pair(tmp_path / "in", "doubtful", distance_m=500, lon=31.0, trusted=False)
    bad = write_pair(tmp_path / "in", "bad", error="<b>damaged</b>")
    run_batch([entry(path) for path in (*paths, again, worse, doubtful, bad)], settings(), Inline())
    out = tmp_path / "out"
    assert write_index(out) == out / "index.html"

    impacts = gpd.read_file(out / "impacts.gpkg", layer="impacts")
    duplicates = gpd.read_file(out / "impacts.gpkg", layer="duplicates")
    assert len(impacts) == 13
    assert dict(zip(duplicates["pair_id"], duplicates["duplicate_of"], strict=True)) == {
        "p05": "again/I001", "worse": "p06/I001"
    }  # fmt: skip
    assert impacts.set_index("pair_id").loc["again", "also_seen_as"] == "p05/I001"
    assert impacts.crs == "EPSG:4326"
    assert impacts.set_index("pair_id").loc["p03"].geometry.x == pytest.approx(30.03)
    if (out / "impacts.parquet").exists():
        assert len(gpd.read_parquet(out / "impacts.parquet")) == 15

    document = json.loads((out / "batch.json").read_text())
    assert (document["impacts"], document["duplicates"]) == (13, 2)
    edge = document["statistics"][0]
    expected = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 100]  # 5 stands under 'again'; what cannot be trusted is left out
    assert edge["name"] == "distance_edge_m" and edge["n"] == 12
    assert edge["mean_m"] == pytest.approx(sum(expected) / 12)
    assert edge["mean_interval_m"][0] < edge["mean_m"] < edge["mean_interval_m"][1]

    page = (out / "index.html").read_text()
    assert "&lt;b&gt;damaged&lt;/b&gt;" in page and "<b>damaged" not in page
    assert "14 of 16" not in page and "15 of 16 pairs done" in page
    assert page.index("bad") < page.index('href="pairs/p00')  # what needs a look comes first
    assert "http" not in page.partition("<body>")[2]


def test_a_crater_counts_by_the_scene_that_knows_most_of_it(tmp_path: Path, settings: Make) -> None:
    """A high score of a scene that cannot be trusted, or without a before image, does not take it out or in."""
    orders: list[dict[str, object]] = [
        {"score": 0.9, "trusted": False, "status": "unknown"},
        {"score": 0.8, "status": "unknown"},
        {"score": 0.3, "status": "old"},
    ]
    pairs = [entry(write_pair(tmp_path / "in", f"p{k}", **given)) for k, given in enumerate(orders)]
    run_batch(pairs, settings(), Inline())
    write_index(tmp_path / "out")
    impacts = gpd.read_file(tmp_path / "out" / "impacts.gpkg", layer="impacts")
    assert impacts[["pair_id", "status"]].to_numpy().tolist() == [["p2", "old"]]
    assert json.loads((tmp_path / "out" / "batch.json").read_text())["statistics"] == []


def test_a_batch_without_impacts_or_results_has_a_page_too(tmp_path: Path, settings: Make) -> None:
    bad = write_pair(tmp_path / "in", "bad", error="damaged")
    run_batch([entry(bad)], settings(), Inline())
    page = write_index(tmp_path / "out").read_text()
    assert "0 of 1 pairs done" in page and "No distances to pool" in page
    assert len(gpd.read_file(tmp_path / "out" / "impacts.gpkg", layer="impacts")) == 0


def test_few_pairs_get_no_interval(tmp_path: Path, settings: Make) -> None:
    paths = pairs_of(tmp_path / "in", [1.0, 2.0, 6.0])
    run_batch([entry(path) for path in paths], settings(), Inline())
    write_index(tmp_path / "out")
    statistics = json.loads((tmp_path / "out" / "batch.json").read_text())["statistics"]
    assert statistics[0]["mean_m"] == 3.0 and statistics[0]["mean_interval_m"] is None


def test_entries_without_a_place_are_kept(tmp_path: Path, settings: Make) -> None:
    pairs = entries(tmp_path / "in", 2, lon="")
    run_batch(pairs, settings(), Inline())
    write_index(tmp_path / "out")
    impacts = gpd.read_file(tmp_path / "out" / "impacts.gpkg", layer="impacts")
    assert len(impacts) == 2 and impacts.geometry.isna().all()
