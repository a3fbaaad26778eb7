from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.stream import SimulationStream

GSD_M = 0.5, 0.7


def as_sample(pair: SimulatedPair, number: int) -> dict[str, Tensor]:
    return {
        "number": torch.tensor(number),
        "gsd_m": torch.tensor(pair.gsd_m),
        "after": torch.from_numpy(pair.after.copy()),
    }


@pytest.fixture
def make_stream(make_data_root: Callable[..., Path]) -> Callable[..., SimulationStream[dict[str, Tensor]]]:
    backgrounds = Backgrounds(list_tiles(make_data_root(), "train"))

    def make(first: int = 0, length: int | None = 7) -> SimulationStream[dict[str, Tensor]]:
        return SimulationStream(
            backgrounds, as_sample, seed=3, size_px=64, gsd_m=GSD_M, batch_size=2, first=first, length=length
        )

    return make


def batches(stream: SimulationStream[dict[str, Tensor]], workers: int) -> list[dict[str, Tensor]]:
    return list(DataLoader(stream, batch_size=2, num_workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_order_does_not_depend_on_the_number_of_workers(
    make_stream: Callable[..., SimulationStream[dict[str, Tensor]]], workers: int
) -> None:
    alone, shared = batches(make_stream(), 0), batches(make_stream(), workers)
    assert [batch["number"].tolist() for batch in alone] == [[0, 1], [2, 3], [4, 5], [6]]
    assert len(alone) == len(shared)
    for one, other in zip(alone, shared, strict=True):
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_resumed_stream_goes_on_where_it_stopped(
    make_stream: Callable[..., SimulationStream[dict[str, Tensor]]],
) -> None:
    whole = list(make_stream(length=5))
    rest = list(make_stream(first=3, length=2))
    assert [int(sample["number"]) for sample in rest] == [3, 4]
    for one, other in zip(whole[3:], rest, strict=True):
        assert torch.equal(one["after"], other["after"])


def test_without_a_length_it_does_not_end(make_stream: Callable[..., SimulationStream[dict[str, Tensor]]]) -> None:
    numbers = make_stream(first=10, length=None).numbers(1, 3)
    assert [next(numbers) for _ in range(6)] == [12, 13, 18, 19, 24, 25]


def test_gsd_is_drawn_within_its_range_and_told(
    make_stream: Callable[..., SimulationStream[dict[str, Tensor]]],
) -> None:
    samples = list(make_stream())
    gsds = [float(sample["gsd_m"]) for sample in samples]
    assert min(gsds) >= GSD_M[0] and max(gsds) <= GSD_M[1] and np.ptp(gsds) > 0.05


def test_samples_are_the_pairs_of_their_numbers(
    make_stream: Callable[..., SimulationStream[dict[str, Tensor]]], tmp_path: Path
) -> None:
    sample = make_stream().sample(4)
    backgrounds = Backgrounds(list_tiles(tmp_path, "train"))
    pair = simulate_pair(backgrounds, (3, 4), (64, 64), float(sample["gsd_m"]))
    np.testing.assert_array_equal(sample["after"].numpy(), pair.after)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [0, 2, 5])
def test_each_pair_is_used_as_often_as_asked_and_workers_change_nothing(
    make_data_root: Callable[..., Path], workers: int
) -> None:
    twice = SimulationStream(
        Backgrounds([]), as_sample, seed=3, size_px=32, gsd_m=GSD_M, batch_size=2, length=60, uses=2
    )
    shown = [twice.pair_number(number) for number in range(400)]
    assert {shown.count(pair) for pair in range(150)} == {2}
    assert all(shown.count(pair) == 1 for pair in shown if pair >= 2**40)
    late = [batch["after"] for batch in DataLoader(twice, batch_size=2, num_workers=workers)][20]
    for place, image in enumerate(late):
        np.testing.assert_array_equal(image.numpy(), twice._render(twice.pair_number(40 + place)).after)


def test_pairs_are_kept_only_as_long_as_they_are_needed() -> None:
    twice = SimulationStream(
        Backgrounds([]), as_sample, seed=3, size_px=32, gsd_m=GSD_M, batch_size=2, length=80, uses=2
    )
    list(twice)
    assert len(twice._kept) <= 13


def test_uses_that_do_not_divide_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="equal parts"):
        SimulationStream(Backgrounds([]), as_sample, seed=3, size_px=32, gsd_m=GSD_M, batch_size=4, uses=3)
