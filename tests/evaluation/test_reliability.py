from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.evaluation.reliability import (
    brier,
    calibration_error,
    draw_reliability,
    fit_isotonic,
    reliability,
)


def test_scores_that_are_probabilities_have_no_error() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(50_000)
    bins = reliability(score, rng.random(score.size) < score)
    assert len(bins) == 10
    assert sum(b.samples for b in bins) == score.size
    assert calibration_error(bins) < 0.01
    assert all(b.interval.low <= b.share_true <= b.interval.high for b in bins)


def test_overconfident_scores_have_the_planted_error() -> None:
    rng = np.random.default_rng(1)
    score = np.full(20_000, 0.9)
    bins = reliability(score, rng.random(score.size) < 0.6)
    assert calibration_error(bins) == pytest.approx(0.3, abs=0.01)


def test_error_by_hand() -> None:
    score, true = np.array([0.05, 0.05, 0.95, 1.0]), np.array([False, True, True, True])
    bins = reliability(score, true)
    assert [(b.samples, b.share_true) for b in bins] == [(2, 0.5), (2, 1.0)]
    assert calibration_error(bins) == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)
    assert brier(score, true) == pytest.approx((0.05**2 + 0.95**2 + 0.05**2) / 4)


def test_nothing_is_well_calibrated() -> None:
    assert reliability(np.zeros(0), np.zeros(0, bool)) == ()
    assert calibration_error(()) == 0.0
    assert brier(np.zeros(0), np.zeros(0, bool)) == 0.0
    assert fit_isotonic(np.zeros(0), np.zeros(0, bool))(np.array([0.25])) == 0.25


def test_isotonic_finds_a_planted_curve() -> None:
    rng = np.random.default_rng(2)
    score = rng.random(20_000)
    fitted = fit_isotonic(score, rng.random(score.size) < score**2)
    at = np.array([0.2, 0.5, 0.8])
    np.testing.assert_allclose(fitted(at), at**2, atol=0.04)
    assert (np.diff(fitted(np.linspace(0, 1, 50))) >= 0).all()


def test_diagram_is_a_picture(tmp_path: Path) -> None:
    bins = reliability(np.array([0.1, 0.6, 0.7]), np.array([False, True, False]))
    draw_reliability(tmp_path / "r.png", {"a": bins, "nothing": ()}, "title")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
