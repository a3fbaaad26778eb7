from __future__ import annotations

import os
import signal

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.stream import PairPlan, SimulationStream, batches_of
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.loaders import default_workers, make_loader


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_every_batch_has_one_maker_and_each_process_gets_its_own_in_order(ranks: int, workers: int) -> None:
    taken: dict[int, list[int]] = {}
    for rank in range(ranks):
        makers = [batches_of(worker, workers, rank, ranks) for worker in range(workers)]
        taken[rank] = [next(makers[place % workers]) for place in range(8)]  # a loader takes from its workers in turn
        assert taken[rank] == [place * ranks + rank for place in range(8)]
    assert sorted(batch for batches in taken.values() for batch in batches) == list(range(8 * ranks))


def number_of(pair: SimulatedPair, number: int) -> int:
    return number


def test_processes_share_out_the_samples_of_a_run() -> None:
    def samples(rank: int, ranks: int) -> list[int]:
        stream = SimulationStream(
            Backgrounds([]), number_of, seed=1, size_px=32, gsd_m=(0.6, 0.6), batch_size=2, first=4, length=10,
            shard=(rank, ranks),
        )  # fmt: skip
        return [int(number) for batch in DataLoader(stream, batch_size=2) for number in batch]

    assert samples(0, 2) == [4, 5, 8, 9, 12, 13]
    assert samples(1, 2) == [6, 7, 10, 11]
    assert samples(0, 1) == list(range(4, 14))


def test_a_plan_decides_seed_and_settings_of_each_pair(make_config) -> None:
    asked: list[tuple[int, int]] = []
    config: TrainConfig = make_config()

    def plan(pair: int, batch: int) -> PairPlan:
        asked.append((pair, batch))
        return PairPlan((9, 9), config.simulation)

    stream = SimulationStream(
        Backgrounds([]), lambda pair, number: pair.after, seed=1, size_px=32, gsd_m=(0.5, 0.7), batch_size=2, uses=2,
        plan=plan,
    )  # fmt: skip
    images = [stream.sample(number) for number in (0, 1, 25)]
    assert (images[0] == images[1]).all()
    assert asked == [(0, 0), (2**40 + 1, 0)]  # sample 25 shows pair 0 again, out of memory


@pytest.mark.parametrize(
    ("cores", "threads", "uses", "devices", "expected"),
    [
        (1, 1, 1, "1", 1),
        (2, 1, 1, "1", 1),
        (16, 1, 1, "1", 15),
        (16, 1, 2, "1", 12),
        (9, 1, 2, "1", 6),
        (16, 1, 1, "4", 3),
        (16, 1, 1, "0,3", 7),
        (16, 1, 2, "2", 6),
        (2, 4, 1, "1", 1),
    ],
)
def test_every_core_has_something_to_do(cores: int, threads: int, uses: int, devices: str, expected: int) -> None:
    assert default_workers(threads, uses, devices, cores) == expected


class Signalled(Dataset[dict[str, Tensor]]):
    """A sample whose maker is told to end while it works, as a whole process group is by Ctrl-C or a scheduler."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        for told in (signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), told)
        return {"number": torch.tensor(number)}


def test_workers_leave_it_to_the_trainer_when_to_stop() -> None:
    found = [batch["number"].tolist() for batch in make_loader(Signalled(), 1, workers=1)]
    assert found == [[0], [1]]


def test_pairs_whose_last_use_falls_to_another_worker_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulationStream, "_render", lambda self, number: number)
    stream = SimulationStream(
        Backgrounds([]), lambda pair, number: pair, seed=1, size_px=32, gsd_m=(0.6, 0.6), batch_size=2, uses=2
    )
    numbers = stream.numbers(0, 5)
    for _ in range(200):
        number = next(numbers)
        assert stream.sample(number) == stream.pair_number(number)
        assert len(stream._kept) <= 4
