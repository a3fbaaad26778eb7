"""Samples of a fine-tuning: windows of labelled ground beside simulated pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.stream import SimulationStream
from cv_pipeline.training.data import GSD_JITTER, PairedAugmentation, TrainingSample, turn
from cv_pipeline.training.finetune_config import FinetuneConfig
from cv_pipeline.training.loaders import Batch, make_loader
from cv_pipeline.training.places import (
    Block,
    Place,
    Shot,
    all_windows,
    cut_blocks,
    random_window,
    read_shot,
    split_blocks,
)
from cv_pipeline.types import Window


def as_sample(shot: Shot, gsd_m: float, seed: int | None) -> Batch:
    """A sample of a shot as :class:`TrainingSample` makes them, and ``has_before``; augmented where seeded."""
    blank = np.zeros_like(shot.after)
    before, after, truth = blank if shot.before is None else shot.before, shot.after, shot.truth
    before_valid, after_valid = shot.before_valid, shot.after_valid
    if seed is not None:
        augmentation = PairedAugmentation(seed)
        before, after, truth = augmentation(before, after, truth)
        before_valid, after_valid = (
            turn(mask.astype(np.uint8), augmentation.member) > 0 for mask in (before_valid, after_valid)
        )
    return {
        "after": torch.from_numpy(normalise(after, after_valid, gsd_m)),
        "before": torch.from_numpy(normalise(before, before_valid, gsd_m)),
        "truth": torch.from_numpy(np.ascontiguousarray(truth.transpose(2, 0, 1))),
        "has_before": torch.tensor(shot.before is not None and bool(before_valid.any())),
    }


class MixedSamples(IterableDataset[Batch]):
    """Batches whose first part is simulated and whose rest are windows of labelled blocks; see ``stream`` for order."""

    def __init__(
        self,
        config: FinetuneConfig,
        places: Sequence[Place],
        blocks: Sequence[Block],
        stream: SimulationStream[Batch],
    ) -> None:
        self._config, self._places, self._blocks, self._stream = config, places, blocks, stream

    def __iter__(self) -> Iterator[Batch]:
        """This worker's samples."""
        worker = get_worker_info()
        numbers = self._stream.numbers(0, 1) if worker is None else self._stream.numbers(worker.id, worker.num_workers)
        return map(self.sample, numbers)

    def sample(self, number: int) -> Batch:
        """Sample ``number``, the same whenever it is asked for."""
        config = self._config
        if number % config.batch_size < config.simulated_in_batch:
            return {**self._stream.sample(number), "has_before": torch.tensor(True)}
        rng = np.random.default_rng((config.seed, number, 5))
        place, window = random_window(self._places, self._blocks, config.size_px, config.label_share, rng)
        shot = read_shot(self._places[place], window)
        return as_sample(shot, self._places[place].grid.gsd_m, int(rng.integers(2**31)))


class HeldOutWindows(Dataset[Batch]):
    """Windows of held-out blocks, as they are."""

    def __init__(self, places: Sequence[Place], windows: Sequence[tuple[int, Window]]) -> None:
        self._places, self._windows = places, windows

    def __len__(self) -> int:
        """Number of windows."""
        return len(self._windows)

    def __getitem__(self, number: int) -> Batch:
        """Window ``number``."""
        place, window = self._windows[number]
        return as_sample(read_shot(self._places[place], window), self._places[place].grid.gsd_m, None)


class FinetuneData(L.LightningDataModule):
    """Mixed samples from step ``first_step`` on, and the held-out windows."""

    def __init__(
        self,
        config: FinetuneConfig,
        places: Sequence[Place],
        backgrounds: Backgrounds,
        first_step: int,
        workers: int,
    ) -> None:
        super().__init__()
        self._config, self._places, self._backgrounds = config, places, backgrounds
        self._first_step, self._workers = first_step, workers
        blocks = cut_blocks(places, config.size_px, config.block_px or 2 * config.size_px)
        self.train_blocks, self.held_out_blocks = split_blocks(blocks, config.held_out_share, config.seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches of simulated and labelled samples."""
        config, gsd_m = self._config, self._places[0].grid.gsd_m
        shard = (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)
        a_step = config.batch_size * shard[1]
        stream = SimulationStream(
            self._backgrounds,
            TrainingSample(gsd_m, config.seed, augment=True),
            seed=config.seed,
            size_px=config.size_px,
            gsd_m=(gsd_m / GSD_JITTER, gsd_m * GSD_JITTER),
            batch_size=config.batch_size,
            first=self._first_step * a_step,
            length=(config.steps - self._first_step) * a_step,
            config=config.simulation,
            shard=shard,
        )
        samples = MixedSamples(config, self._places, self.train_blocks, stream)
        return make_loader(samples, config.batch_size, self._workers)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The held-out windows."""
        config = self._config
        windows = all_windows(self.held_out_blocks, config.size_px, config.validation_samples)
        return make_loader(HeldOutWindows(self._places, windows), config.batch_size, self._workers)
