"""``cv-pipeline batch`` with the real pipeline on small pairs: outputs, exit codes, status, index, JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from click.testing import Result
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.report.verify import State, verify_outputs
from tests.segmentation.factories import make_model
from tests.test_pipeline import UTM, scene


def cli(*words: object) -> Result:
    return CliRunner().invoke(app, ["batch", *(str(word) for word in words)])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes, one without a before image, and a damaged image; a model; a manifest of all."""
    folder = tmp_path_factory.mktemp("archive")
    make_model(folder / "model")
    paths = scene(folder, (UTM, 0.5), (UTM, 0.5))
    (folder / "bad.tif").write_bytes(b"II*\0 cut short")
    (folder / "pairs.csv").write_text(
        "pair_id,before,after,structures\n"
        f"whole,{paths['before']},{paths['after']},{paths['structures']}\n"
        "bad,,bad.tif,\n"
        "alone,,after.tif,\n"
    )
    return folder


@pytest.mark.slow
def test_a_batch_from_manifest_to_index(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (archive / "pairs.csv", "--out", out, "--model", archive / "model", "--precision", "fp32", "--workers", 1)
    result = cli(*words, "--json")
    assert result.exit_code == 4, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {line["pair_id"]: line["status"] for line in lines} == {"whole": "done", "bad": "failed", "alone": "done"}
    assert lines[-1]["counts"] == {"pending": 0, "done": 2, "untrusted": 0, "failed": 1}
    assert all(check.state is State.SAME for check in verify_outputs(out / "pairs" / "whole" / "result"))
    assert not list(out.glob(".*"))
    page = (out / "index.html").read_text()
    assert 'href="pairs/whole/result/report.html"' in page and "bad.tif" in page
    assert json.loads((out / "batch.json").read_text())["counts"]["done"] == 2
    assert set(gpd.list_layers(out / "impacts.gpkg")["name"]) == {"impacts", "duplicates"}

    status = cli("status", out)
    assert status.exit_code == 4
    assert "2 of 3 pairs done, 1 failed" in status.stdout and "bad.tif" in status.stdout
    assert json.loads(cli("status", out, "--json").stdout)["failed"][0]["pair_id"] == "bad"
    again = cli(*words)
    assert again.exit_code == 2 and "--resume" in again.output


def outcomes(result: Result) -> dict[str, str]:
    return {line["pair_id"]: line["status"] for line in map(json.loads, result.stdout.splitlines())}


@pytest.mark.slow
def test_exit_codes_and_what_a_second_run_does_again(archive: Path, tmp_path: Path) -> None:
    """None, some, all with a doubtful one, all: the same batch, mended step by step."""
    manifest, out = tmp_path / "pairs.csv", tmp_path / "out"
    (tmp_path / "bad.tif").write_bytes(b"II*\0 cut short")
    rows = f"pair_id,before,after\nbad,,{tmp_path / 'bad.tif'}\n"
    more = ("--out", out, "--model", archive / "model", "--precision", "fp32", "--workers", 1, "--json")

    def run(text: str, *words: str) -> Result:
        manifest.write_text(text)
        return cli(manifest, *more, *words)

    def done() -> dict[str, int]:
        return {folder.name: (folder / "pair.json").stat().st_mtime_ns for folder in (out / "pairs").glob("*")}

    assert run(rows).exit_code == 5  # none
    rows += f"alone,,{archive / 'after.tif'}\n"
    some = run(rows, "--resume")
    assert (some.exit_code, outcomes(some)) == (4, {"bad": "failed", "alone": "done"})
    first = done()
    retried = run(rows, "--resume", "--retry-failed")
    assert (retried.exit_code, done()) == (4, first)
    (tmp_path / "bad.tif").write_bytes((archive / "after.tif").read_bytes())
    all_done = run(rows, "--resume")  # the failure is tried again by itself, as its input has changed
    assert (all_done.exit_code, outcomes(all_done)) == (0, {"bad": "done", "alone": "done"})
    assert done().items() > first.items()  # what was there was not done again
    with rasterio.open(archive / "before.tif") as source:
        profile, image = source.profile, source.read()
    with rasterio.open(tmp_path / "elsewhere.tif", "w", **profile) as target:
        target.write(np.random.default_rng(3).integers(1, 255, image.shape).astype(np.uint8))
    rows += f"doubtful,{tmp_path / 'elsewhere.tif'},{archive / 'after.tif'}\n"
    doubtful = run(rows, "--resume")
    assert (doubtful.exit_code, outcomes(doubtful)["doubtful"]) == (3, "untrusted")
    assert cli("status", out).exit_code == 3


def test_bad_usage_says_what_to_do(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "pairs.csv").write_text("after\nmissing.tif\n")
    assert cli(tmp_path / "pairs.csv", "--out", out).exit_code == 2
    assert cli(archive / "pairs.csv", "--out", out, "--retry-failed").exit_code == 2
    assert cli(archive / "pairs.csv", "--out", out, "--model", "nothing").exit_code == 2
    assert cli(archive / "pairs.csv", "--out", out, "--resume").exit_code == 2
    assert cli(archive / "pairs.csv", "--out", out, "--collections", "one").exit_code == 2
    assert cli("status", out).exit_code == 2
    assert not out.exists()
