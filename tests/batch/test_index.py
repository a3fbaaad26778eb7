"""What a batch says as a whole: one layer of all impacts, statistics, a page."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
from geopandas.testing import assert_geodataframe_equal

from cv_pipeline.batch.index import write_index
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.record import PairRecord, PairStatus, result_folder
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import RunState
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


def test_tables_that_are_written_in_several_goes_are_one(
    tmp_path: Path, settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some chunks hold no place, no distance or no duplicate: types and layers stay those of the whole."""
    from cv_pipeline.batch import layers

    placeless = write_pair(tmp_path / "in", "a", lon="", distance_m="")
    twice = [write_pair(tmp_path / "in", name, lon=30.5, score=score) for name, score in (("b", 0.9), ("c", 0.8))]
    run_batch([entry(path) for path in (placeless, *twice)], settings(), Inline())
    written = {}
    for rows in (1, 5000):
        monkeypatch.setattr(layers, "CHUNK_ROWS", rows)
        write_index(tmp_path / "out")
        names = ("impacts", "duplicates")
        tables = [gpd.read_file(tmp_path / "out" / "impacts.gpkg", layer=layer) for layer in names]
        if (tmp_path / "out" / "impacts.parquet").exists():
            tables.append(gpd.read_parquet(tmp_path / "out" / "impacts.parquet"))
            assert tables[-1].total_bounds.tolist() == [30.5, 0.0, 30.5, 0.0]
        written[rows] = tables
    for one, other in zip(*written.values(), strict=True):
        assert_geodataframe_equal(one, other)
    impacts, duplicates = written[1][:2]
    assert impacts["pair_id"].tolist() == ["a", "b"] and impacts["also_seen_as"].tolist() == ["", "c/I001"]
    assert duplicates["duplicate_of"].tolist() == ["b/I001"]
    assert impacts["distance_edge_m"].isna().tolist() == [True, False]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="Linux only")
def test_memory_of_the_index_hardly_grows_with_the_pairs(settings: Make) -> None:
    """A hundred pairs against ten thousand, twenty impacts each; prints the peaks of processes of their own (-s)."""
    peaks = {}
    for count in (100, 10_000):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
            out = Path(name) / "out"
            with RunState(out, resume=False) as state:
                state.start([PairEntry(f"p{k:05d}", None, "a.tif", None) for k in range(count)], {})
                for k in range(count):
                    state.put(PairRecord(f"p{k:05d}", PairStatus.DONE, "k" * 64, 20, warnings=("a sentence " * 10,)))
                    folder = result_folder(out, f"p{k:05d}")
                    folder.mkdir(parents=True)
                    rows = (
                        f"I{n:03d},{30 + 0.001 * n + 0.0005 * k:.6f},{k % 50},0.9,new,circle,0.3,{k % 97},5,6\n"
                        for n in range(20)
                    )
                    head = "impact_id,lon,lat,score,status,pattern,centre_sd_m,distance_edge_m,likely_m,less_likely_m\n"
                    (folder / "impacts.csv").write_text(head + "".join(rows))
            program = (
                "import pathlib, sys; from cv_pipeline.batch.index import write_index; "
                "write_index(pathlib.Path(sys.argv[1])); print(open('/proc/self/status').read())"
            )
            words = [sys.executable, "-c", program, str(out)]
            told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            peaks[count] = 1024 * next(int(line.split()[1]) for line in told.splitlines() if line.startswith("VmHWM"))
            document = json.loads((out / "batch.json").read_text())
            assert document["impacts"] + document["duplicates"] == 20 * count
            assert len(document["pairs"]) == count
    grown = peaks[10_000] - peaks[100]
    print(f"\npeak with 100 pairs {peaks[100] / 1e6:.0f} MB, with 10,000 {peaks[10_000] / 1e6:.0f} MB")
    assert grown < 600 * 198_000  # bytes for each further impact; the tables of all would be thousands
