"""Logistic regression against an independent minimiser; terms and probabilities behave at their limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from cv_pipeline.patterns import verdict
from cv_pipeline.patterns.evidence import no_evidence


def test_fit_is_that_of_a_general_minimiser() -> None:
    rng = np.random.default_rng(0)
    terms = rng.normal(3, 2, (400, 3)) * (1, 5, 0.2)
    odds = terms @ (0.4, -0.1, 2.0) - 1.0
    truth = (rng.random(400) < 1 / (1 + np.exp(-odds))).astype(float)
    found = verdict.fit(terms, truth, strength=2.0)
    standard = (terms - terms.mean(axis=0)) / terms.std(axis=0)

    def loss(w: np.ndarray) -> float:
        z = standard @ w[:3] + w[3]
        return float(np.logaddexp(0, z).sum() - truth @ z + w[:3] @ w[:3])  # half of strength 2

    best = minimize(loss, np.zeros(4), tol=1e-10).x
    np.testing.assert_allclose([*found.weight, found.intercept], best, atol=1e-3)
    np.testing.assert_allclose(
        verdict.probability(terms, found), 1 / (1 + np.exp(-(standard @ best[:3] + best[3]))), atol=1e-3
    )


def test_terms_are_finite_where_nothing_is_known() -> None:
    n = 3
    prior = no_evidence(np.zeros((n, 2)), np.full(n, 0.3), np.full(n, 2.0), np.full(n, 0.3))
    score = verdict.score_terms(np.array([0.0, 0.5, 1.0]), prior, prior, None)
    new = verdict.new_terms(np.array([0.0, 0.5, 1.0]), prior, None)
    assert np.isfinite(score).all()
    assert np.isfinite(new).all()
    assert score.shape == (n, len(verdict.SCORE_TERMS))
    assert score[1, 0] == pytest.approx(0.0)


def test_what_was_there_before_as_strongly_is_old() -> None:
    """Verdicts fitted to planted amplitudes tell new from old, though the network does not know."""
    rng = np.random.default_rng(3)
    n = 400
    new = rng.random(n) < 0.6
    core = rng.uniform(1, 8, n)
    there = np.where(new, 0.0, core * rng.uniform(0.7, 1.2, n)) + rng.normal(0, 0.4, n)
    prior = no_evidence(np.zeros((n, 2)), np.full(n, 0.3), np.full(n, 2.0), np.full(n, 0.3))
    found = replace(prior, core=core, before_core=there, before=np.clip(there / core, -1, 2))
    terms = verdict.new_terms(np.full(n, 0.5), found, None)
    fitted = verdict.fit(terms[::2], new[::2].astype(float))
    told = verdict.probability(terms[1::2], fitted) >= 0.5
    assert (told == new[1::2]).mean() > 0.95
