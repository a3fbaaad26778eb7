"""Loaders of a run's samples, for this process of those that train together."""

from __future__ import annotations

import os
from pathlib import Path

import lightning as L
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cv_pipeline.simulation.stream import AGAIN_AFTER
from cv_pipeline.training.callbacks import in_worker
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.data import training_stream, validation_stream
from cv_pipeline.training.mix import HardRound

Batch = dict[str, Tensor]


def default_workers(threads: int, uses: int, devices: str = "1", cores: int | None = None) -> int:
    """Processes that render beside each trainer: its part of the cores, less torch's ``threads``; at least one.

    With ``uses`` above 1 it is the next lower number whose workers find the pairs of earlier batches in their own
    memory. ``cores`` defaults to those that this process may use; ``devices`` is Lightning's.
    """
    trainers = int(devices) if devices.isdigit() else len(devices.split(","))
    if devices in ("auto", "-1"):
        trainers = max(torch.cuda.device_count(), 1)
    free = max((cores or len(os.sched_getaffinity(0))) // max(trainers, 1) - threads, 1)
    if uses == 1:
        return free
    return max(number for number in range(1, free + 1) if AGAIN_AFTER % (number * trainers) == 0 or number == 1)


def make_loader(samples: Dataset[Batch], batch_size: int, workers: int) -> DataLoader[Batch]:
    """A loader that renders ahead in ``workers`` processes, or in this one as samples are asked for with 0."""
    return DataLoader(
        samples,
        batch_size=batch_size,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=in_worker if workers else None,
        pin_memory=torch.cuda.is_available(),
    )


class SimulationData(L.LightningDataModule):
    """Simulated pairs from step ``first_step`` on, and those of every validation."""

    def __init__(
        self, config: TrainConfig, data_root: Path, first_step: int, hard: tuple[HardRound, ...], workers: int
    ) -> None:
        super().__init__()
        self._config, self._data_root, self._workers = config, data_root, workers
        self._first_step, self._hard = first_step, hard

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches numbered through the run: step ``s`` of ``n`` processes takes batches ``s * n`` to ``s * n + n``."""
        config, shard = self._config, self._shard()
        a_step = config.batch_size * shard[1]
        first, length = self._first_step * a_step, (config.steps - self._first_step) * a_step
        samples = training_stream(config, self._data_root, first, length, hard=self._hard, shard=shard)
        return make_loader(samples, config.batch_size, self._workers)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The same samples every time, shared out among the processes."""
        samples = validation_stream(self._config, self._data_root, self._shard())
        return make_loader(samples, self._config.batch_size, self._workers)

    def _shard(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)
