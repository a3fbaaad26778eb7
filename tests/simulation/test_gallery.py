from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from cv_pipeline.simulation import gallery
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.families import FAMILIES
from cv_pipeline.simulation.lookalikes import KINDS
from cv_pipeline.simulation.pair import simulate_pair

DOCS = Path(__file__).parents[2] / "docs"


def test_every_picture_of_the_page_is_there_and_all_are_small() -> None:
    shown = re.findall(r"\]\((gallery/[^)]+)\)", (DOCS / "gallery.md").read_text(encoding="utf-8"))
    paths = [DOCS / name for name in shown]
    assert len(paths) >= 9 and all(path.is_file() for path in paths)
    assert {path.name for path in paths} == {path.name for path in (DOCS / "gallery").iterdir()}
    assert sum(path.stat().st_size for path in paths) < 3_000_000


def test_chips_lie_where_the_sheet_puts_them() -> None:
    chips = [gallery.Chip(np.full((20, 30, 3), 10 * n, np.uint8), f"{n}") for n in range(5)]
    sheet = gallery.sheet(chips, 3)
    step_row, step_col = sheet.shape[0] // 2, sheet.shape[1] // 3
    for number in range(5):
        row, col = number // 3 * step_row, number % 3 * step_col
        assert (sheet[row : row + 20, col : col + 30] == 10 * number).all()
    assert (sheet[step_row:, 2 * step_col :] == 255).all()


def test_sheets_hold_every_family_and_kind_and_come_from_their_seed() -> None:
    families, again = (gallery.families(3, each=1, size_px=24) for _ in range(2))
    np.testing.assert_array_equal(families, again)
    assert families.shape[0] == -(-len(FAMILIES) // 2) * (24 + 18)
    assert gallery.lookalikes(1, size_px=24).shape[0] == -(-len(KINDS) // 9) * (24 + 18)


def test_outlines_are_drawn_on_what_is_true() -> None:
    pair = next(
        pair for n in range(40) if (pair := simulate_pair(Backgrounds([]), (n, 0), (64, 64), 0.6)).truth.crater.any()
    )
    changed = (gallery.outlined(pair) != pair.after).any(axis=2) & pair.truth.visible
    truth = pair.truth
    assert changed.any() and (changed <= (truth.blast | truth.crater | truth.secondary | truth.structure)).all()
