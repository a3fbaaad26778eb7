"""Whole training runs of a few steps: they learn nothing, but must stop, go on and repeat as asked."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from cv_pipeline.errors import ConfigError, ImageError
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.data import TrainingSample
from cv_pipeline.training.module import CraterModule
from cv_pipeline.training.run import LAST, Machine, train

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]

ALONE = Machine(workers=0, accelerator="cpu")
Configs = Callable[..., TrainConfig]


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


@pytest.fixture
def happens(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """A function ``happens(step, event)``: the event strikes while that step is taken, once."""
    events: dict[int, Callable[[], None]] = {}
    original = CraterModule.training_step

    def step(self: CraterModule, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        events.pop(self.global_step, lambda: None)()
        return original(self, batch, batch_index)

    monkeypatch.setattr(CraterModule, "training_step", step)
    return events.__setitem__


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """What a step would draw, for dropout say, by step; of the last time that it was taken."""
    drawn: dict[int, float] = {}
    original = CraterModule.training_step

    def step(self: CraterModule, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        drawn[self.global_step] = float(torch.rand(1))
        return original(self, batch, batch_index)

    monkeypatch.setattr(CraterModule, "training_step", step)
    return drawn


def state(run_dir: Path) -> dict[str, torch.Tensor]:
    """Every tensor and number of a checkpoint that decides what comes next: weights, averages, Adam, schedule."""
    content = torch.load(run_dir / LAST, weights_only=False)
    kept = {key: content[key] for key in ("state_dict", "optimizer_states", "lr_schedulers", "global_step")}

    def walk(value: Any, at: str) -> Iterator[tuple[str, torch.Tensor]]:
        if isinstance(value, dict):
            for key, part in value.items():
                yield from walk(part, f"{at}/{key}")
        elif isinstance(value, list | tuple):
            for number, part in enumerate(value):
                yield from walk(part, f"{at}/{number}")
        elif isinstance(value, torch.Tensor | float | int):
            yield at, torch.as_tensor(value)

    return dict(walk(kept, ""))


def assert_same(first: Path, second: Path) -> None:
    one, other = state(first), state(second)
    assert one.keys() == other.keys()
    assert len(one) > 200
    assert [key for key in one if not torch.equal(one[key], other[key])] == []


def test_a_resumed_run_reads_each_sample_once_and_a_finished_one_none(
    make_config: Configs, data_root: Path, tmp_path: Path, seen: list[int]
) -> None:
    for steps in (2, 4):
        assert train(make_config(steps=steps), data_root, tmp_path / "run", ALONE).steps_done == steps
    assert seen == list(range(8))
    assert any((tmp_path / "run").glob("tensorboard/events*"))
    assert train(make_config(steps=4), data_root, tmp_path / "run", ALONE).steps_done == 4
    assert seen == list(range(8))


def test_a_run_that_was_stopped_and_killed_gives_bit_for_bit_the_weights_of_a_run_without_a_stop(
    make_config: Configs,
    data_root: Path,
    tmp_path: Path,
    happens: Callable[[int, Callable[[], None]], None],
    chance: dict[int, float],
) -> None:
    config = make_config(
        steps=5, uses=2, validation_every=2, checkpoint_every=3, curriculum=[{"until_step": 3, "simulation": {}}]
    )
    train(config, data_root, tmp_path / "straight", ALONE)
    straight = dict(chance)
    run_dir = tmp_path / "stopped"
    happens(0, lambda: signal.raise_signal(signal.SIGINT))
    assert train(config, data_root, run_dir, ALONE).steps_done == 1
    happens(1, lambda: signal.raise_signal(signal.SIGTERM))
    assert train(config, data_root, run_dir, ALONE).steps_done == 2
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    happens(4, killed)
    with pytest.raises(MemoryError):
        train(config, data_root, run_dir, ALONE)
    assert state(run_dir)["/global_step"] == 3
    assert train(config, data_root, run_dir, ALONE).steps_done == 5
    assert_same(tmp_path / "straight", run_dir)
    assert chance == straight
    assert len(set(chance.values())) == 5


def killed() -> None:
    raise MemoryError


def test_max_minutes_stops_at_a_checkpoint(make_config: Configs, data_root: Path, tmp_path: Path) -> None:
    machine = Machine(workers=0, accelerator="cpu", max_minutes=1e-4)
    done = train(make_config(steps=50), data_root, tmp_path / "run", machine).steps_done
    assert 1 <= done < 50
    assert state(tmp_path / "run")["/global_step"] == done


def test_deterministic_runs_give_the_same_weights(
    make_config: Configs, data_root: Path, tmp_path: Path, losses: list[float]
) -> None:
    exact = Machine(workers=0, accelerator="cpu", deterministic=True)
    for name in ("a", "b"):
        train(make_config(steps=2), data_root, tmp_path / name, exact)
        assert torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(False)
    assert_same(tmp_path / "a", tmp_path / "b")
    assert losses[:2] == losses[2:]


def test_figures_are_logged_and_a_resumed_run_keeps_them(
    make_config: Configs, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cv_pipeline.training.run.LOG_EVERY_STEPS", 2)
    for steps in (3, 4):
        train(make_config(steps=steps, validation_every=2, batch_size=1), data_root, tmp_path, ALONE)
    with (tmp_path / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    steps = {name: [int(row["step"]) for row in rows if row["name"] == name] for name in {row["name"] for row in rows}}
    assert steps["train/total"] == [1, 3]
    assert steps["val/pair/loss"] == steps["val/after_only/loss"]
    assert len(steps["val/pair/loss"]) == 2
    assert all(0 <= float(row["value"]) <= 1 for row in rows if row["name"] == "data_wait_share")
    assert steps["data_wait_share"]


def test_a_run_that_stopped_during_mining_goes_on_to_the_same_weights(
    make_config: Configs, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(steps=3, mining={"at_steps": [1], "scenes": 4, "threshold": 1e-6, "keep": 2, "share": 0.9})
    train(config, data_root, tmp_path / "straight", ALONE)
    mined = [tmp_path / name / "mined_0000001.json" for name in ("straight", "stopped")]
    found = json.loads(mined[0].read_text())["false_alarms"]
    assert len(found) == 2
    with monkeypatch.context() as patch:
        patch.setattr("cv_pipeline.training.run.search", lambda *_: killed())
        with pytest.raises(MemoryError):
            train(config, data_root, tmp_path / "stopped", ALONE)
    assert not mined[1].exists()
    train(config, data_root, tmp_path / "stopped", ALONE)
    assert mined[1].read_text() == mined[0].read_text()
    assert_same(tmp_path / "straight", tmp_path / "stopped")
    mined[1].unlink()
    with pytest.raises(ConfigError, match=r"mined_0000001.*restore it"):
        train(config, data_root, tmp_path / "stopped", ALONE)


def test_no_backgrounds(make_config: Configs, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no background tiles"):
        train(make_config(), tmp_path, tmp_path / "run", ALONE)


@pytest.mark.parametrize(
    "wrong", [{"accelerator": "abacus"}, {"strategy": "nonsense"}, {"accelerator": "cpu", "devices": "0,1,x"}]
)
def test_a_machine_that_is_not_there_is_refused(
    make_config: Configs, data_root: Path, tmp_path: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="cannot train as asked"):
        train(make_config(), data_root, tmp_path / "run", Machine(**wrong))
