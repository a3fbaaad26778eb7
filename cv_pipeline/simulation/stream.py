"""Simulated pairs without end, rendered as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Generic, NamedTuple, TypeVar

import cv2
import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.config import SimulationConfig, stream
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair

Sample = TypeVar("Sample")
AGAIN_AFTER = 12
"""Batches between two uses of a pair; 1, 2, 3, 4, 6 or 12 workers find it in their own memory."""

_FIRST_FILLER = 2**40
_DEFAULT = SimulationConfig()


class PairPlan(NamedTuple):
    """What one pair is drawn from: the seed of all its chance, and the settings."""

    seed: tuple[int, ...]
    config: SimulationConfig


Planner = Callable[[int, int], PairPlan]
"""Told a pair's number and the batch that shows it first, counted over all processes of a run."""


def batches_of(worker: int, workers: int, rank: int = 0, ranks: int = 1) -> Iterator[int]:
    """Numbers of the batches that worker ``worker`` of ``workers`` makes for process ``rank`` of ``ranks``.

    Process ``r`` takes batches ``r``, ``r + ranks``, ..., and its workers take these in turn: every batch has one
    maker, and each process gets its batches in order whatever the number of its workers.
    """
    return count(worker * ranks + rank, workers * ranks)


class SimulationStream(IterableDataset[Sample], Generic[Sample]):
    """Samples numbered onward from ``first``; sample ``n`` is the same in every run of the same seed.

    With ``uses`` above 1 a pair comes back in later batches, for the transform to vary.

    A run that stopped after ``n`` samples goes on exactly with ``first=n``. In a ``DataLoader`` whose
    ``batch_size`` equals this one's, batches come in the same order whatever the number of workers: worker
    ``w`` of ``W`` renders batches ``w``, ``w + W``, ... whole, and the loader takes from its workers in turn.
    Where several processes train together, ``shard`` gives each its own batches (:func:`batches_of`).
    """

    def __init__(
        self,
        backgrounds: Backgrounds,
        transform: Callable[[SimulatedPair, int], Sample],
        *,
        seed: int,
        size_px: int,
        gsd_m: tuple[float, float],
        batch_size: int,
        first: int = 0,
        length: int | None = None,
        uses: int = 1,
        config: SimulationConfig = _DEFAULT,
        plan: Planner | None = None,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        """Set up the stream; nothing is rendered yet.

        Args:
            backgrounds: real imagery to draw on; may be empty.
            transform: makes a sample of a pair and its number, which seeds whatever chance it needs. With
                workers it must be picklable.
            seed: of the run.
            size_px: height and width of the pairs.
            gsd_m: (lowest, highest) metres per pixel, drawn log-uniformly for each pair; ``pair.gsd_m`` tells.
            batch_size: that of the loader.
            first: number of the first sample; a multiple of ``batch_size`` keeps batches as they would have been.
            length: how many samples, over all processes; without end if None.
            uses: in how many samples each rendered pair is used, :data:`AGAIN_AFTER` batches apart, since
                rendering costs more than what a small network does with it; divides ``batch_size``.
            config: what is drawn.
            plan: gives single pairs a seed and settings of their own, in place of ``seed`` and ``config``; with
                workers it must be picklable.
            shard: (rank, ranks): which of the processes that train together this stream is for.

        Raises:
            ValueError: ``uses`` does not divide ``batch_size``.
        """
        if batch_size % uses:
            raise ValueError(f"a batch of {batch_size} cannot hold pairs of {uses} ages in equal parts")
        self._backgrounds, self._transform, self._config = backgrounds, transform, config
        self._seed, self._size_px, self._gsd_m = seed, size_px, gsd_m
        self._batch_size, self._first, self._length, self._uses = batch_size, first, length, uses
        self._plan, self._shard = plan, shard
        self._kept: dict[int, SimulatedPair] = {}

    def __iter__(self) -> Iterator[Sample]:
        """This worker's samples; all of them outside a worker process."""
        worker = get_worker_info()
        if worker is None:
            yield from map(self.sample, self.numbers(0, 1))
            return
        cv2.setNumThreads(1)  # workers already fill the cores
        yield from map(self.sample, self.numbers(worker.id, worker.num_workers))

    def numbers(self, worker: int, workers: int) -> Iterator[int]:
        """The samples that ``worker`` of ``workers`` of this process renders, in order."""
        for batch in batches_of(worker, workers, *self._shard):
            for place in range(batch * self._batch_size, (batch + 1) * self._batch_size):
                if self._length is not None and place >= self._length:
                    return
                yield self._first + place

    def pair_number(self, number: int) -> int:
        """The pair that sample ``number`` shows: a part of each batch is new, the rest was new some batches ago."""
        batch, place = divmod(number, self._batch_size)
        fresh = self._batch_size // self._uses
        then = batch - place // fresh * AGAIN_AFTER
        # At the start of a run nothing was shown before; such samples show pairs beyond all others.
        return then * fresh + place % fresh if then >= 0 else _FIRST_FILLER + number

    def first_batch(self, pair_number: int) -> int:
        """The batch that shows a pair first."""
        if pair_number >= _FIRST_FILLER:
            return (pair_number - _FIRST_FILLER) // self._batch_size
        return pair_number // (self._batch_size // self._uses)

    def sample(self, number: int) -> Sample:
        """Sample ``number``."""
        pair_number, batch = self.pair_number(number), number // self._batch_size
        pair = self._kept.pop(pair_number, None) or self._render(pair_number)
        if pair_number < _FIRST_FILLER and batch < self._last_batch(pair_number):
            self._kept[pair_number] = pair
        # A pair whose last use fell to another worker or process would otherwise stay for ever.
        self._kept = {kept: pair for kept, pair in self._kept.items() if batch <= self._last_batch(kept)}
        return self._transform(pair, number)

    def _last_batch(self, pair_number: int) -> int:
        return self.first_batch(pair_number) + AGAIN_AFTER * (self._uses - 1)

    def _render(self, number: int) -> SimulatedPair:
        plan = PairPlan((self._seed, number), self._config)
        if self._plan is not None:
            plan = self._plan(number, self.first_batch(number))
        low, high = np.log(self._gsd_m)
        gsd_m = float(np.exp(stream(plan.seed, "gsd").uniform(low, high)))
        shape = self._size_px, self._size_px
        return simulate_pair(self._backgrounds, plan.seed, shape, gsd_m, plan.config)
