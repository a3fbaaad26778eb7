"""What is counted of planted pairs, and that spoilt pairs keep the truth they state."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from cv_pipeline.evaluation.hard_pairs import LAST_CAUSE, draw_hard_pairs
from cv_pipeline.evaluation.registration_scores import Score, append_score, read_scores, score, summary_lines
from cv_pipeline.registration.gate import Evidence
from cv_pipeline.types import Gate

CLEAR = Evidence(60, 60, 100, 0.2, 0.2)
DOUBTFUL = Evidence(15, 15, 100, 0.2, 0.2)
NOTHING = Evidence(0, 0, 100, 0.0, math.inf)


def made_up(number: int, error_px: float, evidence: Evidence, cause: str = "usual") -> Score:
    return Score(str(number), cause, cause == "two places", error_px, error_px, evidence, 1.0, bent=False)


def test_shares_of_what_was_gated_and_refused(tmp_path: Path) -> None:
    scores = [
        *(made_up(k, 5.0, NOTHING) for k in range(8)),
        made_up(8, 3.0, DOUBTFUL),
        made_up(9, 2.1, CLEAR),
        made_up(10, math.inf, NOTHING, "two places"),
        *(made_up(k, 0.1, CLEAR) for k in range(11, 30)),
        made_up(30, 0.6, NOTHING),
    ]
    assert [s.gate for s in scores[7:10]] == [Gate.FAIL, Gate.WARN, Gate.PASS]
    for each in scores:
        append_score(tmp_path / "scores.jsonl", each)
    assert read_scores(tmp_path / "scores.jsonl") == scores
    lines = summary_lines(scores)
    assert "off by more than 2 px: refused 8 of 10, 80.0% (49.0% to 94.3%); refused or told 9 of 10" in "\n".join(lines)
    assert "within 0.7 px: refused 1 of 20, 5.0%" in "\n".join(lines)
    assert "  usual: off 1/1/8, between 0/0/0, good 19/0/1 (pass/warn/fail)" in lines


def test_a_spoilt_pair_lies_where_it_says() -> None:
    found = list(draw_hard_pairs(Path("nowhere"), "kampala", (5,), 320))
    assert len({each.cause for each in found}) == len(found)
    assert found[-1].cause == LAST_CAUSE
    for each in found:
        assert each.pair.before.shape == each.pair.after.shape
        assert np.isfinite(each.pair.matrix).all() != each.unrelated
    for cause in ("usual", "marks"):
        (pair,) = [each.pair for each in found if each.cause == cause]
        assert score(cause, cause, pair).median_px < 0.7
