from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cv_pipeline.training.data import PairedAugmentation, SimulatedPairs


def samples(root: Path, seed: int = 1, augment: bool = True) -> SimulatedPairs:
    return SimulatedPairs(root, "train", 6, seed, 64, 0.6, augment)


@pytest.mark.parametrize("augment", [True, False])
def test_a_sample_is_what_the_network_and_the_losses_expect(data_root: Path, augment: bool) -> None:
    sample = samples(data_root, augment=augment)[0]
    assert sample["after"].shape == sample["before"].shape == (4, 64, 64)
    assert sample["truth"].shape == (6, 64, 64)
    assert all(torch.isfinite(value).all() and value.dtype == torch.float32 for value in sample.values())
    crater, blast, centre, new, crater_m, blast_m = sample["truth"]
    for mask in (crater, blast, centre, new):
        assert mask.min() >= 0
        assert mask.max() <= 1
    assert (crater_m >= 0).all()
    assert (blast_m >= 0).all()


def test_a_number_always_gives_the_same_sample(data_root: Path) -> None:
    first, second, other = samples(data_root)[3], samples(data_root)[3], samples(data_root, seed=2)[3]
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["after"], other["after"])
    assert not torch.equal(first["after"], samples(data_root)[4]["after"])


def test_geometry_is_shared_and_radiometry_is_not() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[4:10, 20:26] = 200
    truth = np.zeros((32, 32, 6), np.float32)
    truth[4:10, 20:26] = 1
    differs = 0
    for seed in range(12):
        before, after, moved = PairedAugmentation(seed)(image, image, truth)
        for turned in (before, after):
            inside = turned[..., 1].astype(float)[moved[..., 0] > 0.5]
            outside = turned[..., 1].astype(float)[moved[..., 0] < 0.5]
            assert inside.mean() > outside.mean() + 60
        differs += not np.array_equal(before, after)
    assert differs >= 4
