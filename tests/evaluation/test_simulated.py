"""The table against simulated truth says what was found and by how much it is off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cv_pipeline.evaluation.simulated import TruthImpact, compare
from cv_pipeline.types import Impact, Match, PatternKind, Status

IMPACT = Impact(
    "I001", 101.0, 200.0, 100.0, -50.5, None, None, 0.9, Status.NEW, 0.9, 0.1, 3.3, 0.2, 9.0, None,
    PatternKind.CONE, 350.0, 5.0,
)  # fmt: skip
TRUTH = TruthImpact("T1", 100.0, 200.0, 3.0, 10.0, 10.0, Status.NEW, 12.0)


def test_errors_of_a_found_impact() -> None:
    score = compare([IMPACT], [TRUTH], 0.5, [Match("I001", distance_edge_m=12.4)])
    (row,) = score.rows
    assert row.found
    assert score.found == 1
    assert (row.centre_error_px, row.centre_error_m) == pytest.approx((1.0, 0.5))
    assert row.crater_radius_error_rel == pytest.approx(0.1)
    assert row.blast_radius_error_rel == pytest.approx(-0.1)
    assert row.direction_error_deg == pytest.approx(20)
    assert row.distance_error_m == pytest.approx(0.4)
    assert row.status_right is True
    assert score.false_alarms == ()


def test_missed_and_false_alarm() -> None:
    far = replace(IMPACT, impact_id="I002", row_px=300.0)
    score = compare([far], [TRUTH], 0.5)
    assert not score.rows[0].found
    assert score.rows[0].distance_error_m is None
    assert score.false_alarms == ("I002",)


def test_one_to_one_by_score_and_order_kept() -> None:
    weak = replace(IMPACT, impact_id="I002", row_px=100.0, score=0.5)
    score = compare([weak, IMPACT], [TRUTH], 0.5)
    assert score.rows[0].impact_id == "I001"
    assert score.false_alarms == ("I002",)


def test_unknowns_stay_unknown() -> None:
    plain = replace(IMPACT, status=Status.UNKNOWN, blast_radius_m=None, direction_deg=None)
    (row,) = compare([plain], [replace(TRUTH, distance_edge_m=None)], 0.5).rows
    assert (row.status_right, row.blast_radius_error_rel, row.direction_error_deg, row.distance_error_m) == (None,) * 4


def test_local_metres_are_used_where_given() -> None:
    (row,) = compare([IMPACT], [replace(TRUTH, x_m=100.0, y_m=-50.0)], 0.4).rows
    assert row.centre_error_m == pytest.approx(0.5)


def test_empty() -> None:
    assert compare([], [], 0.5).rows == ()
    assert compare([IMPACT], [], 0.5).false_alarms == ("I001",)
    assert not compare([], [TRUTH], 0.5).rows[0].found
