from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cv_pipeline.simulation.background import list_tiles
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.types import Status


def test_the_same_seed_gives_the_same_sample(make_data_root: Callable[..., Path]) -> None:
    tiles = list_tiles(make_data_root(), "train")
    first, second, other = (simulate_pair(tiles, seed, 64, 0.5) for seed in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(first.before, second.before)
    np.testing.assert_array_equal(first.after, second.after)
    for name in ("crater", "blast", "new", "centre", "crater_radius_m", "blast_radius_m"):
        np.testing.assert_array_equal(getattr(first.truth, name), getattr(second.truth, name))
    assert first.strikes == second.strikes
    assert not np.array_equal(first.after, other.after)


def test_samples_have_their_size_and_consistent_truth(make_data_root: Callable[..., Path]) -> None:
    tiles = list_tiles(make_data_root(), "train")
    samples = [simulate_pair(tiles, (7, number), 64, 0.6) for number in range(12)]
    for sample in samples:
        assert sample.before.shape == sample.after.shape == (64, 64, 3) and sample.after.dtype == np.uint8
        assert not (sample.truth.crater & ~sample.truth.blast).any()
        assert not (sample.truth.new & ~sample.truth.crater).any()
        assert sample.truth.crater.any() <= bool(sample.strikes)
    assert {len(sample.strikes) for sample in samples} >= {0}
    assert {strike.status for sample in samples for strike in sample.strikes} == {Status.NEW, Status.OLD}
