from __future__ import annotations

from pathlib import Path

import pytest

from cv_pipeline.training import callbacks
from cv_pipeline.training.callbacks import CsvLog, DataWait


def test_a_resumed_log_keeps_what_stands_and_drops_what_is_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.csv"
    log = CsvLog(path, 0)
    log.log_metrics({"loss": 2.0, "epoch": 0}, 24)
    log.log_metrics({"loss": 1.5, "wait": 0.1}, 49)
    with path.open("a") as file:
        file.write("50,lo")  # killed while it wrote
    CsvLog(path, 40).log_metrics({"loss": 1.25}, 49)
    assert path.read_text().splitlines() == ["step,name,value", "24,loss,2.0", "49,loss,1.25"]


class Clock:
    now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s


class Trainer:
    global_step = 0


class Module:
    def __init__(self) -> None:
        self.logged: list[float] = []

    def log(self, name: str, value: float) -> None:
        assert name == "data_wait_share"
        self.logged.append(value)


def test_the_share_of_time_spent_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, trainer, module, wait = Clock(), Trainer(), Module(), DataWait(2)
    monkeypatch.setattr(callbacks, "time", clock)
    wait.on_train_start(trainer, module)  # type: ignore[arg-type]
    for waited_s, step_s in ((50.0, 3.0), (1.0, 4.0), (0.0, 1.0), (1.0, 2.0)):
        clock.now_s += waited_s
        wait.on_train_batch_start()
        clock.now_s += step_s
        trainer.global_step += 1
        wait.on_train_batch_end(trainer, module)  # type: ignore[arg-type]
        clock.now_s += 30.0
        wait.on_validation_end()
    assert module.logged == pytest.approx([1 / 8, 1 / 4])  # neither the first batch nor validation counts
