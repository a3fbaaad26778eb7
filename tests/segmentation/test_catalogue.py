"""The list of models, the check of a model folder, and the cards that are shipped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.patterns.weights_file import CloseUpSection, write_section
from cv_pipeline.segmentation import zoo
from cv_pipeline.segmentation.card import card_problems, fact, licence, tables
from cv_pipeline.segmentation.catalogue import count_parameters, describe_model, figures_line, model_problems
from cv_pipeline.segmentation.zoo import read_model_file, shipped_models
from tests.segmentation.factories import make_model, tiny_net

METRICS: dict[str, Any] = {
    "threshold": 0.5,
    "pair": {
        "craters": 304,
        "ap": 0.7468,
        "ap_interval_95": [0.6741, 0.8141],
        "at_threshold": {"precision": 0.7043, "recall": 0.6974, "f1": 0.7008},
        "f1_interval_95": [0.65, 0.755],
        "median_centre_error_m": 0.3897,
    },
    "after_only": {
        "craters": 304,
        "ap": 0.6797,
        "ap_interval_95": [0.5986, 0.7505],
        "at_threshold": {"precision": 0.7928, "recall": 0.5789, "f1": 0.6692},
        "median_centre_error_m": 0.4323,
    },
    "crater_iou": {"pair": 0.3461, "after_only": 0.3693},
    "blast_iou": {"pair": 0.3406, "after_only": 0.3641},
}
CARD = """# tiny

| | |
|---|---|
| accepted GSD | 0.2 to 1.1 m; others are refused |
| licence | Apache-2.0, as the code |

## Trained on
Nothing.

## Simulated, held-out places
At the shipped threshold of 0.5.

| mode | craters | AP | precision | recall | F1 | median centre error | crater IoU | blast IoU |
|---|---|---|---|---|---|---|---|---|
| before + after | 304 | 0.75 (0.67 to 0.81) | 0.70 | 0.70 | 0.70 (0.65 to 0.76) | 0.39 m | 0.35 | 0.34 |
| after alone | 304 | 0.680 (0.599 to 0.750) | 0.79 | 0.58 | 0.67 | 0.43 m | 0.37 | 0.36 |

## Fails on
Everything.
"""


def cli(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole model folder."""
    folder = tmp_path / "tiny"
    make_model(folder)
    (folder / "README.md").write_text(CARD)
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    return folder


def test_tables_and_facts_of_a_card() -> None:
    rows = next(table for table in tables(CARD) if "mode" in table[0])
    assert [row["mode"] for row in rows] == ["before + after", "after alone"]
    assert rows[1]["crater iou"] == "0.37"
    assert fact(CARD, "accepted gsd") == "0.2 to 1.1 m; others are refused"
    assert licence(CARD) == "Apache-2.0"
    assert licence("no table") is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace("## Trained on", "## Of"), "nothing of data"),
        (lambda text: text.replace("| licence |", "| terms |"), "nothing of licence"),
        (lambda text: text.replace("## Fails on", "## End"), "nothing of failure modes"),
        (lambda text: text.replace("| accepted GSD |", "| pixels |"), "nothing of domain"),
        (lambda text: text.replace("0.2 to 1.1 m", "0.2 to 1.2 m"), "accepts 0.2 to 1.2 m"),
        (lambda text: text.replace("0.75 (0.67 to 0.81)", "0.76 (0.67 to 0.81)"), "'ap' for 'before + after' as 0.76"),
        (lambda text: text.replace("0.67 to 0.81", "0.68 to 0.81"), "'ap' for 'before + after'"),
        (lambda text: text.replace(" (0.67 to 0.81)", ""), "without its interval"),
        (lambda text: text.replace("0.65 to 0.76", "0.66 to 0.76"), "'f1' for 'before + after'"),
        (lambda text: text.replace("| 0.43 m |", "| 0.42 m |"), "'median centre error' for 'after alone'"),
        (lambda text: text.replace("| 0.36 |", "| |"), "no 'blast iou' for 'after alone'"),
        (lambda text: text.replace("| after alone |", "| after |"), "no row 'after alone'"),
        (lambda text: text.replace("threshold of 0.5", "threshold"), "threshold of model.yaml, 0.5"),
    ],
)
def test_what_a_card_lacks_or_gets_wrong_is_named(folder: Path, change: Callable[[str], str], problem: str) -> None:
    model = read_model_file(folder)
    assert card_problems(CARD, METRICS, model) == []
    changed = change(CARD)
    assert changed != CARD
    found = card_problems(changed, METRICS, model)
    assert len(found) == 1
    assert problem in found[0]


def test_a_tie_may_be_rounded_either_way(folder: Path) -> None:
    for shown in ("0.75", "0.76"):  # f1_interval_95 ends at 0.755
        text = CARD.replace("0.65 to 0.76", f"0.65 to {shown}")
        assert card_problems(text, METRICS, read_model_file(folder)) == []


def test_entry_of_a_model(folder: Path) -> None:
    entry = describe_model(folder)
    parameters = sum(p.numel() for p in tiny_net().parameters())
    assert (entry.name, entry.parameters, entry.hash_ok) == ("tiny", parameters, True)
    assert entry.size_bytes == (folder / "weights.safetensors").stat().st_size
    assert (entry.licence, entry.score_threshold) == ("Apache-2.0", 0.5)
    assert (entry.min_gsd_m, entry.working_gsd_m, entry.max_gsd_m) == (0.2, 0.5, 1.1)
    assert entry.figures == (
        "simulated, held out: pair AP 0.75 (0.67 to 0.81); after alone AP 0.68 (0.60 to 0.75)"
    )  # fmt: skip
    (folder / "weights.safetensors").write_bytes(b"changed")
    assert not describe_model(folder).hash_ok
    for name in ("weights.safetensors", "README.md", "metrics.json"):
        (folder / name).unlink()
    bare = describe_model(folder)
    assert (bare.hash_ok, bare.parameters, bare.licence, bare.figures, bare.size_bytes) == (False, None, None, None, 0)
    assert count_parameters(folder / "model.yaml") is None
    assert figures_line({"pair": {"ap": None}}) is None


def name_a_closeup(folder: Path) -> None:
    """A folder that says it has a close-up network and has none."""
    belongs = read_model_file(folder).weights_sha256
    write_section(folder, closeup=CloseUpSection(weights_sha256=belongs, closeup_sha256="a" * 64))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda f: (f / "weights.safetensors").write_bytes(b"x"), "does not match the hash"),
        (lambda f: (f / "weights.safetensors").unlink(), "weights are missing"),
        (lambda f: (f / "README.md").unlink(), "card is missing"),
        (lambda f: (f / "README.md").write_text("# tiny\n"), "says nothing of data"),
        (lambda f: (f / "metrics.json").unlink(), r"metrics.json: is missing"),
        (lambda f: (f / "metrics.json").write_text("[]"), r"metrics.json: is missing or not JSON"),
        (lambda f: (f / "metrics.json").write_text(json.dumps(METRICS | {"threshold": 0.4})), "another threshold"),
        (lambda f: (f / "metrics.json").write_text('{"threshold": 0.5}'), "lacks a figure"),
        (lambda f: (f / "model.yaml").write_text("name: x"), r"model.yaml: not a valid"),
        (lambda f: (f / "domain.json").write_text("{"), r"domain.json: not a valid"),
        (lambda f: (f / "export.json").write_text("{}"), "holds no ONNX graphs"),
        (lambda f: (f / "patterns.yaml").write_text("peaks: 1"), r"patterns.yaml: not a valid"),
        (name_a_closeup, "closeup.safetensors: cannot be read"),
    ],
)
def test_whatever_keeps_a_folder_from_being_whole_is_told(
    folder: Path, spoil: Callable[[Path], object], problem: str
) -> None:
    assert model_problems(folder) == []
    spoil(folder)
    assert any(problem in text for text in model_problems(folder))
    result = cli("models", "--check", folder)
    assert result.exit_code == 2
    assert problem in result.stdout
    assert "not whole" in result.stderr
    document = json.loads(cli("models", "--check", folder, "--json").stdout)
    assert document["whole"] is False
    assert document["problems"]


def test_check_of_a_whole_folder(folder: Path) -> None:
    result = cli("models", "--check", folder)
    assert result.exit_code == 0, result.output
    assert "whole" in result.stdout
    assert json.loads(cli("models", "--check", folder, "--json").stdout)["problems"] == []


def test_list_of_models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "_PLACES", (folder.parent,))
    result = cli("models")
    assert result.exit_code == 0, result.output
    for part in ("tiny: ", "M parameters", "0.2 to 1.1 m", "threshold 0.5", "hash ok", "Apache-2.0", "0.67 to 0.81"):
        assert part in result.stdout
    (entry,) = json.loads(cli("models", "--json").stdout)
    assert entry == describe_model(folder).document()
    (folder / "weights.safetensors").write_bytes(b"x")
    assert "HASH NOT OK" in cli("models").stdout


@pytest.mark.parametrize("name", shipped_models())
def test_every_shipped_model_is_whole(name: str) -> None:
    folder = shipped_models()[name]
    assert model_problems(folder) == []
    assert (folder / "domain.json").is_file()


def test_export_refuses_what_it_cannot_write(folder: Path, tmp_path: Path) -> None:
    assert "give onnx or torch" in cli("export", "--format", "pickle", "--out", tmp_path / "out").stderr
    assert "no such model" in cli("export", "--model", "huge", "--out", tmp_path / "out").stderr
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for more in ((), ("--overwrite",)):  # only an earlier export is replaced
        result = cli("export", "--model", folder, "--format", "torch", "--out", tmp_path / "out", *more)
        assert result.exit_code == 2
        assert "out" in result.stderr
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
