from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.simulation.stream import SimulationStream
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.data import (
    PairedAugmentation,
    TrainingSample,
    training_stream,
    turn_truth,
    validation_stream,
)
from cv_pipeline.training.planes import Plane

Sample = dict[str, torch.Tensor]
Samples = Callable[..., SimulationStream[Sample]]
CROWDED = SimulationConfig.model_validate({"strikes": {"empty_share": 0, "density_per_ha": 40, "large_share": 0}})
TURNS = ("e", "r90", "r180", "r270", "v", "hvt", "h", "t")
PLANES = list(Plane)


@pytest.fixture
def samples(data_root: Path, make_config: Callable[..., TrainConfig]) -> Callable[..., SimulationStream[Sample]]:
    def make(seed: int = 1, augment: bool = True) -> SimulationStream[Sample]:
        config = make_config(seed=seed)
        return training_stream(config, data_root, 0, 6) if augment else validation_stream(config, data_root)

    return make


@pytest.mark.parametrize("augment", [True, False])
def test_a_sample_is_what_the_network_and_the_losses_expect(samples: Samples, augment: bool) -> None:
    sample = samples(augment=augment).sample(0)
    assert sample["after"].shape == sample["before"].shape == (4, 64, 64)
    assert sample["truth"].shape == (len(Plane), 64, 64)
    assert all(torch.isfinite(value).all() and value.dtype == torch.float32 for value in sample.values())
    for plane, values in zip(Plane, sample["truth"], strict=True):
        if plane in (Plane.AXIS_RIGHT, Plane.AXIS_UP):
            assert values.abs().max() <= 1
        else:
            assert values.min() >= 0
        if plane not in (Plane.CRATER_RADIUS_M, Plane.BLAST_RADIUS_M):
            assert values.max() <= 1


def test_a_number_always_gives_the_same_sample(samples: Samples) -> None:
    first, second, other = samples().sample(3), samples().sample(3), samples(seed=2).sample(3)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["after"], other["after"])
    assert not torch.equal(first["after"], samples().sample(4)["after"])


def test_radii_are_those_of_the_working_gsd(samples: Samples) -> None:
    pair = simulate_pair(Backgrounds([]), (4, 4), (64, 64), 0.75, CROWDED)
    assert pair.truth.crater_radius_m.any()
    planes = TrainingSample(0.6, 1, augment=False)(pair, 0)["truth"]
    found = planes[PLANES.index(Plane.CRATER_RADIUS_M)].numpy()
    np.testing.assert_allclose(found, pair.truth.crater_radius_m * 0.8, rtol=1e-5)


def test_geometry_is_shared_and_radiometry_is_not() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[4:10, 20:26] = 200
    truth = np.zeros((32, 32, len(Plane)), np.float32)
    truth[4:10, 20:26] = 1
    differs = 0
    for seed in range(12):
        before, after, moved = PairedAugmentation(seed)(image, image, truth)
        for turned in (before, after):
            inside = turned[..., 1].astype(float)[moved[..., 0] > 0.5]
            outside = turned[..., 1].astype(float)[moved[..., 0] < 0.5]
            assert inside.mean() > outside.mean() + 60
        differs += not np.array_equal(before, after)
    assert differs >= 3


@pytest.mark.parametrize("member", TURNS)
def test_an_axis_turns_with_the_pattern_that_it_points_at(member: str) -> None:
    truth = np.zeros((33, 33, len(Plane)), np.float32)
    crater, blast = PLANES.index(Plane.CRATER), PLANES.index(Plane.BLAST)
    truth[14:19, 14:19, crater] = 1
    truth[5:14, 19:23, blast] = 1  # up and a little to the right
    axis = np.array([4.5, 7.0]) / np.hypot(4.5, 7.0)
    for plane, value in zip((Plane.AXIS_RIGHT, Plane.AXIS_UP), axis, strict=True):
        truth[14:19, 14:19, PLANES.index(plane)] = value
    turned = turn_truth(truth, member)
    rows, cols = (values.mean() for values in np.nonzero(turned[..., blast]))
    towards = np.array([cols - 16, 16 - rows])
    found = turned[16, 16, [PLANES.index(Plane.AXIS_RIGHT), PLANES.index(Plane.AXIS_UP)]]
    np.testing.assert_allclose(found, towards / np.hypot(*towards), atol=1e-5)
    assert turned[16, 16, crater] == 1
