"""Statistics over pairs: against brute force, and with intervals that hold the truth because pairs are the unit."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.batch import pooled
from cv_pipeline.batch.pooled import LEAST_PAIRS, pool


def test_figures_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    values, pair = rng.gamma(2, 5, 101), rng.integers(0, 14, 101)
    values[::10] = np.nan
    found = pool("d", values, pair)
    known = ~np.isnan(values)
    assert found is not None
    assert found.n == known.sum() and found.pairs == 14
    assert found.mean_m == pytest.approx(np.nanmean(values))
    assert found.median_m == pytest.approx(np.nanmedian(values))
    assert found.sd_m == pytest.approx(np.nanstd(values))
    assert found.mean_of_pairs_m == pytest.approx(np.mean([np.nanmean(values[pair == p]) for p in range(14)]))
    for centre, interval in (
        (found.mean_m, found.mean_interval_m),
        (found.median_m, found.median_interval_m),
        (found.sd_m, found.sd_interval_m),
    ):
        assert interval is not None and interval.low < centre < interval.high


def test_mean_interval_is_that_of_a_plain_bootstrap_of_whole_pairs() -> None:
    rng = np.random.default_rng(2)
    groups = [rng.normal(10 + 5 * rng.normal(), 1, rng.integers(1, 30)) for _ in range(25)]
    pair = np.repeat(np.arange(25), [len(g) for g in groups])
    found = pool("d", np.concatenate(groups), pair)
    drawn = [np.concatenate([groups[k] for k in rng.integers(0, 25, 25)]).mean() for _ in range(4000)]
    assert found is not None
    assert found.mean_interval_m == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.3)


def test_intervals_hold_the_truth_although_impacts_of_a_pair_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled, "DRAWS", 400)
    rng = np.random.default_rng(3)
    inside = naive = 0
    for _ in range(60):
        offsets = rng.normal(0, 5, 30)
        values = 40 + np.repeat(offsets, 20) + rng.normal(0, 1, 600)
        found = pool("d", values, np.repeat(np.arange(30), 20))
        assert found is not None and found.mean_interval_m is not None
        inside += found.mean_interval_m.low <= 40 <= found.mean_interval_m.high
        naive += abs(values.mean() - 40) <= 1.96 * values.std() / np.sqrt(600)
    assert inside >= 0.85 * 60
    assert naive < 0.6 * 60  # what impacts as units would claim


def test_few_pairs_have_no_interval_and_nothing_has_no_figures() -> None:
    few = pool("d", np.arange(50.0), np.arange(50) % (LEAST_PAIRS - 1))
    assert few is not None and few.mean_interval_m is None and few.sd_interval_m is None
    assert pool("d", np.full(3, np.nan), np.arange(3)) is None
    equal = pool("d", np.full(20, 5.0), np.arange(20))
    assert equal is not None and equal.mean_m == 5 and equal.mean_interval_m is None
