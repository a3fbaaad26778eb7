from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from cv_pipeline.errors import ModelError
from cv_pipeline.evaluation.card_blocks import FIGURES, fill_card
from cv_pipeline.evaluation.card_tables import markdown
from cv_pipeline.evaluation.marked import BLOCK
from cv_pipeline.segmentation.card import tables


def card(name: str) -> str:
    return f"# m\nprose 1\n<!-- figures: {name} -->\nold\n<!-- end -->\nprose 2\n"


def test_a_block_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / FIGURES).mkdir()
    runs = [{"threads": 2, "run": "pair, torch bf16", "mp_per_s": 2.4912, "ratio": 1.9}]
    (tmp_path / FIGURES / "speed.json").write_text(json.dumps({"runs": runs}))
    text = fill_card(card("speed"), tmp_path)
    assert tables(text) == [[{"threads": "2", "run": "pair, torch bf16", "mp/s": "2.49", "times torch fp32": "1.90"}]]
    assert "old" not in text
    assert text.startswith("# m\nprose 1\n")
    assert text.endswith("<!-- end -->\nprose 2\n")
    assert fill_card(text, tmp_path) == text


def test_an_unknown_block_and_a_missing_or_malformed_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="spead"):
        fill_card(card("spead"), tmp_path)
    with pytest.raises(ModelError, match=r"speed\.json.*make figures"):
        fill_card(card("speed"), tmp_path)
    (tmp_path / FIGURES).mkdir()
    (tmp_path / FIGURES / "speed.json").write_text("{}")
    with pytest.raises(ModelError, match=r"speed\.json.*speed"):
        fill_card(card("speed"), tmp_path)


def test_a_stricter_score_is_told_with_what_it_costs_and_saves(tmp_path: Path) -> None:
    (tmp_path / FIGURES).mkdir()
    points = {"0.5": {"precision": 0.9, "recall": 0.6}, "0.9": {"precision": None, "recall": None}}
    (tmp_path / "metrics.json").write_text(
        json.dumps({"pair": {"at_scores": points}, "after_only": {"at_scores": points}})
    )
    classes = {
        "all, after-only": {"km2": 4.0, "at_scores": {"0.5": 10, "0.9": 1}},
        "town after the tornado, with before": {"km2": 2.0, "at_scores": {"0.5": 7, "0.9": 0}},
    }
    (tmp_path / FIGURES / "false_alarms.json").write_text(json.dumps({"classes": classes}))
    (rows,) = tables(fill_card(card("stricter"), tmp_path))
    assert [list(row.values()) for row in rows] == [
        ["0.5", "0.90", "0.60", "0.90", "0.60", "2.5", "3.5"],
        ["0.9", "-", "-", "-", "-", "0.2", "0.0"],
    ]


def test_rows_of_a_table_stand_under_their_heads() -> None:
    assert tables(markdown(("a", "b"), [("1", "2"), ("3", "4")])) == [[{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]]


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("models/small/README.md", "small"),
        ("models/tiny/README.md", "tiny"),
        ("README.md", "small"),
        ("docs/false_alarms.md", "small"),
    ],
)
def test_shipped_texts_say_what_was_measured(text: str, model: str) -> None:
    written = (ROOT / text).read_text(encoding="utf-8")
    assert "<!-- figures:" in written
    assert fill_card(written, ROOT / "models" / model) == written


MEASURED = re.compile(r"^[-−+<]?\d+\.\d+")
"""How a cell of a measured figure begins; whole numbers are mostly counts, settings and names."""
OTHER_WORDS = {
    "docs/arcade_dev_errors.md": "each table names weights and command above it",
    "datasets/al_asad_2020/README.md": "distances that others published",
    "datasets/strikebench/leaderboard.md": "written whole by scripts/strikebench.py",
}
TEXTS = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "models/*/README.md", "datasets/*/*.md", "docs/**/*.md")
    for path in sorted(ROOT.glob(pattern))
]


@pytest.mark.parametrize("text", [text for text in TEXTS if text not in OTHER_WORDS])
def test_no_table_of_figures_is_typed_by_hand(text: str) -> None:
    """A table of measured figures stands in a block that a command writes, or its section names date and command."""
    rest = BLOCK.sub("", (ROOT / text).read_text(encoding="utf-8"))
    for section in re.split(r"^#+ ", rest, flags=re.MULTILINE):
        rows = [line for line in section.splitlines() if line.startswith("|")]
        figures = [cell.strip() for row in rows for cell in row.split("|") if MEASURED.match(cell.strip())]
        assert len(figures) < 2 or re.search(r"[Rr]ecords? of 20\d\d-\d\d-\d\d", section), (section[:60], figures[:5])


def figures_file(folder: Path, name: str, **parts: dict[str, object]) -> None:
    (folder / FIGURES).mkdir(exist_ok=True)
    (folder / FIGURES / name).write_text(json.dumps(parts))


def part(sha: str, **values: float | None) -> dict[str, object]:
    def told(value: float | None) -> dict[str, object]:
        return {"n": 8, "value": value, "interval_95": value and [0.9 * value, 1.1 * value]}

    return {"weights_sha256": sha, "figures": {name: told(value) for name, value in values.items()}}


def test_measures_stand_beside_their_targets_and_say_what_is_old_or_missing(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("weights_sha256: now\n")
    craters = {"oracle": part("now", radius_error=0.05), "network": part("before", radius_error=0.12)}
    figures_file(tmp_path, "craters.json", **craters, shadow=part("now", found=None))
    figures_file(tmp_path, "patterns.json", oracle=part("now", auroc=0.96))
    text = fill_card(card("measures"), tmp_path)
    rows = {row["measure"]: row for row in tables(text)[0]}
    radius = rows["crater radius, median relative error"]
    assert (radius["target"], radius["oracle maps"]) == ("4 %", "5.0 (4.5 to 5.5) %, n 8")
    assert radius["this network, what it finds"] == "12.0 (10.8 to 13.2) %, n 8"
    assert rows["craters half in shadow found"]["this network, what it finds"] == "too few (n 8)"
    assert rows["directional or not, AUROC, axes that can be seen"]["oracle maps"] == "0.96 (0.86 to 1.06), n 8"
    assert rows["directional or not, AUROC, axes that can be seen"]["this network, what it finds"] == "not measured"
    assert "other weights than those shipped:** check_craters network." in text


def test_the_demo_in_words(tmp_path: Path) -> None:
    median = {
        "centre_error_px": 0.64,
        "distance_error_m": None,
        "crater_radius_error": 0.05,
        "blast_radius_error": 0.166,
    }
    counts = {"planted": 12, "found": 7, "status_told": 7, "status_right": 6, "directions": 2, "directions_told": 1}
    figures_file(tmp_path, "demo.json", **counts, median=median, false_alarms=1)  # type: ignore[arg-type]
    text = fill_card(card("demo"), tmp_path)
    assert "Of 12 planted strikes 7 are found, with 1 false alarm. In the median they are off in the centre by" in text
    assert "0.6 px, the blast radius by 17%. New or old is told right for 6 of 7." in text
    assert "for 1 of the 2 strikes that have one." in text


def test_the_model_is_told_from_its_own_files(tmp_path: Path) -> None:
    facts = "steps: 1200\nworking_gsd_m: 0.6\nmin_gsd_m: 0.1\nmax_gsd_m: 1.2\nscore_threshold: 0.5\n"
    (tmp_path / "model.yaml").write_text(facts)
    tensors = {"a.weight": np.zeros((100, 200), np.float32), "a.running_mean": np.zeros(50, np.float32)}
    save_file(tensors, tmp_path / "weights.safetensors")
    rows = [list(row.values()) for row in tables(fill_card(card("model"), tmp_path))[0]]
    told = "\n".join(value for row in rows for value in row)
    assert "0.02 million, 0.1 MB" in told
    assert "1,200 steps" in told
    (tmp_path / "weights.safetensors").write_bytes(b"\x10")
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        fill_card(card("model"), tmp_path)
