"""What a run does beside its steps: stop in good order, measure how long it waits for data, keep a CSV log."""

from __future__ import annotations

import csv
import re
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

_ROW = re.compile(r"(?P<step>\d+),[^,]+,[^,]+")


class StopInOrder(Callback):
    """On SIGTERM or the first Ctrl-C: finish the step, save, return. A second Ctrl-C interrupts at once.

    Lightning itself raises on SIGTERM, and what was trained since the last checkpoint is lost.
    """

    _SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self._asked = False
        self._earlier: dict[int, Any] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Take over the signals."""
        self._earlier = {number: signal.signal(number, self._ask) for number in self._SIGNALS}

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._asked = True

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Stop all processes where one was asked to."""
        if trainer.strategy.reduce_boolean_decision(self._asked, all=False):
            trainer.should_stop = True
            trainer.limit_val_batches = 0  # whoever sent the signal may not wait for a validation

    def on_train_end(self, *_: Any) -> None:
        """Give the signals back."""
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        self._earlier = {}

    def on_exception(self, *_: Any) -> None:
        """Give the signals back."""
        self.on_train_end()


def in_worker(worker: int) -> None:  # noqa: ARG001 - the loader's signature
    """Start of a process that renders: the trainer alone decides when to stop, whoever gets the signal."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


class DataWait(Callback):
    """Logs ``data_wait_share``: the share of training time in which the trainer waits for samples, 0 to 1.

    Validation does not count. Where it is above some hundredths, more ``--workers`` (or ``uses``) make the run faster.
    """

    def __init__(self, every_steps: int) -> None:
        self._every_steps = every_steps
        self._waited_s = self._all_s = 0.0
        self._since = time.perf_counter()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Start the clock; the first batch takes long anywhere and does not count."""
        self._waited_s = self._all_s = 0.0
        self._since = float("inf")

    def on_train_batch_start(self, *_: Any) -> None:
        """The samples are there."""
        waited_s = max(time.perf_counter() - self._since, 0.0)
        self._waited_s += waited_s
        self._all_s += waited_s
        self._since = time.perf_counter()

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        """The step is done."""
        self._all_s += time.perf_counter() - self._since
        if trainer.global_step % self._every_steps == 0:
            pl_module.log("data_wait_share", self._waited_s / max(self._all_s, 1e-9))
            self._waited_s = self._all_s = 0.0
        self._since = time.perf_counter()

    def on_validation_end(self, *_: Any) -> None:
        """Time spent on validation is no waiting."""
        self._since = time.perf_counter()


class CsvLog(Logger):
    """Appends ``step,name,value`` rows to one file; a resumed run drops the rows of steps that it takes again.

    Lightning's own CSV logger deletes the file of the run that is resumed.
    """

    def __init__(self, path: Path, first_step: int) -> None:
        super().__init__()
        self._path, self._first_step = path, first_step
        self._started = False

    @property
    def name(self) -> str:
        """Of the file."""
        return self._path.stem

    @property
    def version(self) -> str:
        """None: the file goes on."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """Settings are kept in ``train.yaml``."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append the figures of a step."""
        if not self._started:
            self._start()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            rows = ((step, name, value) for name, value in metrics.items() if name != "epoch")
            csv.writer(file, lineterminator="\n").writerows(rows)

    def _start(self) -> None:
        """The rows of earlier steps, or only a header."""
        self._started = True
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        whole = (_ROW.fullmatch(line) for line in lines)  # a run that was killed may have left half a row
        kept = [row[0] for row in whole if row is not None and int(row["step"]) < self._first_step]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("\n".join(["step,name,value", *kept]) + "\n", encoding="utf-8")
