"""Files of labels and detections, and the script that scores them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.labelled import read_scenes

SCRIPT = Path(__file__).parents[2] / "scripts" / "evaluate.py"


def data_folder(path: Path) -> Path:
    rows = ["field,col_px,row_px,gsd_m,width_px", "a,10,20,0.5,4", "b,30,40,1.0,4", "a,50,60,0.5,4", "a,90,10,0.5,4"]
    (path / "labels.csv").write_text("\n".join(rows) + "\n")
    return path


def test_scenes(tmp_path: Path) -> None:
    first, second = read_scenes(data_folder(tmp_path))
    assert (first.field, first.gsd_m, len(first.labels_px)) == ("a", 0.5, 3)
    assert second.image == tmp_path / "field_b.jpg"


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"labels\.csv"):
        read_scenes(tmp_path)
    (tmp_path / "labels.csv").write_text("field,x\na,1\n")
    with pytest.raises(ConfigError, match="col_px"):
        read_scenes(tmp_path)


@pytest.fixture
def app() -> Typer:
    spec = importlib.util.spec_from_file_location("evaluate_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app = Typer()
    app.command()(module.main)
    return app


def test_script_scores_a_csv(tmp_path: Path, app: Typer) -> None:
    data_folder(tmp_path)
    (tmp_path / "d.csv").write_text("field,col_px,row_px,score\na,11,20,0.9\na,70,30,0.8\nb,30,42,0.7\n")
    out = tmp_path / "out"
    arguments = ["--data", str(tmp_path), "--detections", str(tmp_path / "d.csv"), "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads((out / "evaluation.json").read_text())
    pooled = document["scores"][-1]
    assert "lower bound" in document["note"]
    assert (pooled["labels"], pooled["detections"]) == (4, 3)
    assert pooled["default"]["precision"] == pytest.approx(2 / 3)
    assert pooled["default"]["recall"] == pytest.approx(0.5)
    assert pooled["median_distance_m"] == pytest.approx(1.25)
    assert (out / "detections.csv").exists()


def test_script_says_what_is_missing(tmp_path: Path, app: Typer) -> None:
    result = CliRunner().invoke(app, ["--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()
