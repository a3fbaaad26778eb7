from __future__ import annotations

import json
from pathlib import Path

import pytest

from cv_pipeline.errors import ModelError
from cv_pipeline.evaluation.card_blocks import FIGURES, fill_card
from cv_pipeline.evaluation.card_tables import markdown
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
