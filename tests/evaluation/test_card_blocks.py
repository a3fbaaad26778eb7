from __future__ import annotations

import json
import re
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


WRITTEN = re.compile(r"<!-- (figures: [a-z-]+|written by scripts/\S+) -->\n.*?<!-- end -->", re.DOTALL)
MEASURED = re.compile(r"^[-−+<]?\d+\.\d+")
"""How a cell of a measured figure begins; whole numbers are mostly counts, settings and names."""
OTHER_WORDS = {
    "docs/arcade_dev_errors.md": "each table names weights and command above it",
    "docs/scaling.md": "each table names machine and command above it",
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
    rest = WRITTEN.sub("", (ROOT / text).read_text(encoding="utf-8"))
    for section in re.split(r"^#+ ", rest, flags=re.MULTILINE):
        rows = [line for line in section.splitlines() if line.startswith("|")]
        figures = [cell.strip() for row in rows for cell in row.split("|") if MEASURED.match(cell.strip())]
        assert len(figures) < 2 or re.search(r"[Rr]ecords? of 20\d\d-\d\d-\d\d", section), (section[:60], figures[:5])
