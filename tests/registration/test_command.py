"""``cv-pipeline register`` from the outside."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from typer.testing import CliRunner

from cv_pipeline.cli import app
from tests.conftest import UTM, texture

MakeTiff = Callable[..., Path]
SHIFT_PX = (9.0, -5.0)


@pytest.fixture
def pair(make_tiff: MakeTiff) -> tuple[Path, Path]:
    """One ground in two files; the before image's georeference is off by 9 px to the left and 5 px down."""
    ground = texture(224, 224, 8)
    wrong = UTM @ Affine.translation(-SHIFT_PX[0], -SHIFT_PX[1])
    return make_tiff(ground, name="before.tif", transform=wrong), make_tiff(ground * 0.8 + 20, name="after.tif")


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["register", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_before_image_lands_on_the_after_image(pair: tuple[Path, Path], tmp_path: Path) -> None:
    out, ties = tmp_path / "aligned.tif", tmp_path / "ties.csv"
    code, said = run("--before", pair[0], "--after", pair[1], "--out", out, "--ties", ties)
    assert code == 0, said
    with rasterio.open(out) as moved, rasterio.open(pair[0]) as was, rasterio.open(pair[1]) as late:
        assert moved.transform == late.transform
        np.testing.assert_allclose(moved.read()[:, 20:-20, 20:-20], was.read()[:, 20:-20, 20:-20], atol=12)
    with ties.open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["used"] == "True"]
    assert len(rows) > 20
    for name, planted in zip(("shift_col_px", "shift_row_px"), SHIFT_PX, strict=True):
        assert np.median([float(row[name]) for row in rows]) == pytest.approx(planted, abs=0.05)
    assert all(abs(float(row["lat"]) - 47.8) < 1 for row in rows)


def test_json_and_geojson(pair: tuple[Path, Path], tmp_path: Path) -> None:
    ties = tmp_path / "ties.geojson"
    arguments = [
        "register",
        "--before",
        str(pair[0]),
        "--after",
        str(pair[1]),
        "--out",
        str(tmp_path / "a.tif"),
        "--json",
    ]
    result = CliRunner().invoke(app, [*arguments, "--ties", str(ties)])
    document = json.loads(result.stdout)
    assert document["gate"] == "pass"
    assert document["shift_px"] == pytest.approx(np.hypot(*SHIFT_PX), abs=0.1)
    assert document["windows_used"] == sum(tie["used"] for tie in document["tie_points"])
    features = json.loads(ties.read_text())["features"]
    assert len(features) == len(document["tie_points"])
    assert features[0]["geometry"]["coordinates"] == [document["tie_points"][0][name] for name in ("lon", "lat")]


def test_two_places_are_refused_and_nothing_is_written(make_tiff: MakeTiff, tmp_path: Path) -> None:
    paths = [make_tiff(texture(224, 224, seed), name=f"{seed}.tif") for seed in (1, 2)]
    folder = tmp_path / "results"
    code, said = run("--before", paths[0], "--after", paths[1], "--out", folder / "a.tif", "--ties", folder / "t.csv")
    assert code == 3
    assert "same place" in said
    assert "was not written" in said
    assert not folder.exists()


def test_bad_usage_is_told_before_the_work(pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "taken.tif"
    out.write_text("mine")
    arguments = ("--before", pair[0], "--after", pair[1], "--out")
    for given, words in (
        ((out,), "--overwrite"),
        ((pair[1],), "one of the images"),
        ((tmp_path / "a.tif", "--ties", tmp_path / "t.xlsx"), ".geojson"),
        ((tmp_path / "a.tif", "--bands", "1,2"), "--bands"),
    ):
        code, said = run(*arguments, *given)
        assert code == 2
        assert words in said.replace("\n", "")
    assert out.read_text() == "mine"
