"""Whole training runs of a few steps: they learn nothing, but must stop, go on and repeat as asked."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cv_pipeline.errors import ImageError
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.data import TrainingSample
from cv_pipeline.training.module import CraterModule
from cv_pipeline.training.run import train

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the training samples, in the order in which they were read."""
    numbers: list[int] = []
    original = TrainingSample.__call__

    def call(self: TrainingSample, pair: SimulatedPair, number: int) -> dict[str, torch.Tensor]:
        if self._augment:
            numbers.append(number)
        return original(self, pair, number)

    monkeypatch.setattr(TrainingSample, "__call__", call)
    return numbers


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    original = CraterModule.training_step

    def step(self: CraterModule, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        loss = original(self, batch, batch_index)
        found.append(float(loss))
        return loss

    monkeypatch.setattr(CraterModule, "training_step", step)
    return found


def test_resume_goes_on_with_unseen_samples(
    make_config: Callable[..., TrainConfig], data_root: Path, tmp_path: Path, seen: list[int], losses: list[float]
) -> None:
    run_dir = tmp_path / "run"
    first = train(make_config(steps=2), data_root, run_dir, workers=0, max_minutes=None)
    assert first.steps_done == 2
    assert seen == [0, 1, 2, 3]
    assert (run_dir / "last.ckpt").is_file()
    assert any(run_dir.glob("tensorboard/events*"))
    weights = {key: value.clone() for key, value in first.averaged.module.state_dict().items()}

    second = train(make_config(steps=4), data_root, run_dir, workers=0, max_minutes=None)
    assert second.steps_done == 4
    assert seen[:6] == list(range(6))
    assert len(losses) == 4
    assert any(not torch.equal(weights[key], value) for key, value in second.averaged.module.state_dict().items())

    third = train(make_config(steps=4), data_root, run_dir, workers=0, max_minutes=None)
    assert third.steps_done == 4
    assert len(losses) == 4


def test_resumed_run_reads_each_sample_once(
    make_config: Callable[..., TrainConfig], data_root: Path, tmp_path: Path, seen: list[int]
) -> None:
    for steps in (2, 4):
        train(make_config(steps=steps), data_root, tmp_path / "run", workers=0, max_minutes=None)
    assert seen == list(range(8))


def test_same_seed_same_losses(
    make_config: Callable[..., TrainConfig], data_root: Path, tmp_path: Path, losses: list[float]
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(make_config(steps=1, seed=seed), data_root, tmp_path / name, workers=0, max_minutes=None)
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_validation_figures_are_logged(
    make_config: Callable[..., TrainConfig], data_root: Path, tmp_path: Path
) -> None:
    train(make_config(steps=2, validation_every=2), data_root, tmp_path / "run", workers=0, max_minutes=None)
    with (tmp_path / "run" / "csv" / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    for mode in ("pair", "after_only"):
        values = [float(row[f"val/{mode}/loss"]) for row in rows if row.get(f"val/{mode}/loss")]
        assert len(values) == 1
        assert values[0] > 0


def test_no_backgrounds(make_config: Callable[..., TrainConfig], tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no background tiles"):
        train(make_config(), tmp_path, tmp_path / "run", workers=0, max_minutes=None)
