"""Every verdict, and the words that go with it."""

from __future__ import annotations

import math

import pytest

from cv_pipeline.registration.gate import Evidence, judge
from cv_pipeline.types import Gate


@pytest.mark.parametrize(
    ("used", "matched", "tried", "residual_px", "sd_px", "gate", "words"),
    [
        (0, 0, 0, 0.0, math.inf, Gate.FAIL, "nodata"),
        (6, 6, 300, 0.2, 0.2, Gate.FAIL, "only 6 of 300 windows matched; are these the same place?"),
        (5, 5, 20, 0.2, 0.2, Gate.FAIL, "only 5 of 20 windows matched; are these the same place?"),
        (20, 50, 120, 0.2, 0.2, Gate.FAIL, "30 contradict"),
        (40, 60, 120, 0.7, 0.7, Gate.WARN, "roofs or crowns"),
        (40, 60, 120, 0.5, 0.5, Gate.PASS, "40 of 120"),
        (60, 60, 120, 0.2, 3.0, Gate.FAIL, "off by 3.0 px"),
        (60, 60, 120, 0.2, math.inf, Gate.FAIL, "off by any amount"),
        (15, 15, 120, 0.2, 0.2, Gate.WARN, "only 15 of 120"),
        (60, 60, 120, 1.2, 0.9, Gate.WARN, "disagree by 1.2 px"),
        (60, 60, 120, 0.9, 1.2, Gate.WARN, "parts of the scene may be off by 1.2 px"),
        (60, 60, 120, 0.3, 0.3, Gate.PASS, "60 of 120 windows matched, leaving 0.30 px"),
        (7, 7, 9, 0.3, 0.3, Gate.PASS, "7 of 9"),
    ],
)  # fmt: skip
def test_verdict(used: int, matched: int, tried: int, residual_px: float, sd_px: float, gate: Gate, words: str) -> None:
    verdict, reason = judge(Evidence(used, matched, tried, residual_px, sd_px))
    assert verdict is gate
    assert words in reason


def test_ground_that_may_be_off_by_the_lean_of_roofs_is_said() -> None:
    verdict, reason = judge(Evidence(60, 60, 120, 0.3, 0.6, 1.4))
    assert verdict is Gate.WARN
    assert "ground itself may be off by 1.4 px" in reason
    assert judge(Evidence(60, 60, 120, 0.3, 0.6, 0.9))[0] is Gate.PASS


def test_ground_that_repeats_itself_is_said() -> None:
    verdict, reason = judge(Evidence(2, 2, 120, 0.1, math.inf, repeating=110))
    assert verdict is Gate.FAIL
    assert "in 110 the ground repeats itself" in reason
    assert "repeats" not in judge(Evidence(60, 60, 120, 0.3, 0.3, repeating=10))[1]


@pytest.mark.parametrize(
    ("used", "moved_px", "gate"), [(50, 0.03, Gate.WARN), (50, 0.5, Gate.PASS), (110, 0.0, Gate.PASS)]
)
def test_marks_on_both_images_are_asked_about(used: int, moved_px: float, gate: Gate) -> None:
    verdict, reason = judge(Evidence(used, used, 120, 0.1, 0.1, moved_px=moved_px))
    assert verdict is gate
    assert ("marks drawn on both" in reason) == (gate is Gate.WARN)
