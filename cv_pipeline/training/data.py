"""Training samples rendered on the fly, and paired augmentation of them."""

from __future__ import annotations

from pathlib import Path

import albumentations as A
import numpy as np
import torch
from albumentations.augmentations.geometric.functional import d4
from torch import Tensor

from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.stream import SimulationStream
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.mix import HardRound
from cv_pipeline.training.planes import Plane, truth_planes
from cv_pipeline.types import Float32Array, UInt8Array

GSD_JITTER = 1.25
"""Ground is rendered up to this factor finer or coarser than it is taken for."""

_TURNS = ("e", "r90", "r180", "r270", "v", "hvt", "h", "t")
_AXIS = [list(Plane).index(plane) for plane in (Plane.AXIS_RIGHT, Plane.AXIS_UP)]
_RADII_M = [list(Plane).index(plane) for plane in (Plane.CRATER_RADIUS_M, Plane.BLAST_RADIUS_M)]


def turn(image: np.ndarray, member: str) -> np.ndarray:
    """``image`` (h, w, channels) turned or mirrored by one of the eight symmetries of the square."""
    return np.ascontiguousarray(d4(image, member))


def turn_truth(truth: Float32Array, member: str) -> Float32Array:
    """A truth array (h, w, planes) turned, its axis vectors with it."""
    # Where the turned image's right and up come from is read off a turned picture of coordinates.
    rows, cols = np.mgrid[:2, :2].astype(np.float32)
    compass = turn(np.dstack([cols, -rows]), member)
    right, up = compass[0, 1] - compass[0, 0], compass[0, 0] - compass[1, 0]
    turned = turn(truth, member)
    turned[..., _AXIS] = turned[..., _AXIS] @ np.stack([right, up], axis=1)
    return turned


class PairedAugmentation:
    """Same geometry for both dates and the truth, separate radiometry for each date.

    It moves nothing by parts of a pixel: what registration leaves between two dates is drawn by the simulator
    (:mod:`cv_pipeline.simulation.alignment`) and nowhere else, because only there the truth is known exactly.
    ``member`` names the turn, see :func:`turn`.
    """

    def __init__(self, seed: int) -> None:
        self.member = _TURNS[np.random.default_rng(seed).integers(len(_TURNS))]
        self._radiometry = A.Compose(
            [
                A.RandomBrightnessContrast(0.15, 0.2, p=0.3),
                A.RandomGamma((80, 125), p=0.2),
                A.HueSaturationValue(8, 20, 8, p=0.2),
                A.ToGray(p=0.05),
                # Of things that stand outside the crop: a crater half in shadow is one crater still.
                A.RandomShadow((0, 0, 1, 1), (1, 2), 4, (0.35, 0.65), p=0.15),
            ],
            seed=seed + 1,
        )

    def __call__(
        self, before: UInt8Array, after: UInt8Array, truth: Float32Array
    ) -> tuple[UInt8Array, UInt8Array, Float32Array]:
        """Augmented (before, after, truth); images (h, w, 3), truth (h, w, planes)."""
        new_after = self._radiometry(image=turn(after, self.member))["image"]
        new_before = self._radiometry(image=turn(before, self.member))["image"]
        return new_before, new_after, turn_truth(truth, self.member)


class TrainingSample:
    """Makes a sample of a simulated pair: a dict of ``after`` and ``before`` (4, s, s) and ``truth`` (planes, s, s).

    The ground is rendered at its own GSD but treated as ``gsd_m``: images state their GSD wrongly, and
    craters of one munition come in more sizes than the population draws. See :class:`.planes.Plane`.
    """

    def __init__(self, gsd_m: float, seed: int, augment: bool) -> None:
        self._gsd_m, self._seed, self._augment = gsd_m, seed, augment

    def __call__(self, pair: SimulatedPair, number: int) -> dict[str, Tensor]:
        """The sample; the same for the same pair and number."""
        before, after, truth = pair.before, pair.after, truth_planes(pair)
        truth[..., _RADII_M] *= self._gsd_m / pair.gsd_m
        if self._augment:
            seed = int(np.random.default_rng((self._seed, number, 1)).integers(2**31))
            before, after, truth = PairedAugmentation(seed)(before, after, truth)
        valid = np.ones(after.shape[:2], bool)
        return {
            "after": torch.from_numpy(normalise(after, valid, self._gsd_m)),
            "before": torch.from_numpy(normalise(before, valid, self._gsd_m)),
            "truth": torch.from_numpy(np.ascontiguousarray(truth.transpose(2, 0, 1))),
        }


def training_stream(
    config: TrainConfig,
    data_root: Path,
    first: int,
    length: int,
    *,
    hard: tuple[HardRound, ...] = (),
    shard: tuple[int, int] = (0, 1),
) -> SimulationStream[dict[str, Tensor]]:
    """Samples ``first`` to ``first + length`` of a run, over backgrounds for training.

    ``hard`` are the rounds of mining so far, ``shard`` is (rank, ranks) of the process that trains on the stream.
    """
    return SimulationStream(
        Backgrounds(list_tiles(data_root, "train")),
        TrainingSample(config.working_gsd_m, config.seed, augment=True),
        seed=config.seed,
        size_px=config.size_px,
        gsd_m=(config.working_gsd_m / GSD_JITTER, config.working_gsd_m * GSD_JITTER),
        batch_size=config.batch_size,
        first=first,
        length=length,
        uses=config.uses,
        plan=config.plan(hard, shard[1]),
        shard=shard,
    )


def validation_stream(
    config: TrainConfig, data_root: Path, shard: tuple[int, int] = (0, 1)
) -> SimulationStream[dict[str, Tensor]]:
    """The samples of every validation, over places that training never sees."""
    return SimulationStream(
        Backgrounds(list_tiles(data_root, "validate")),
        TrainingSample(config.working_gsd_m, config.seed, augment=False),
        seed=config.seed + 1,
        size_px=config.size_px,
        gsd_m=(config.working_gsd_m, config.working_gsd_m),
        batch_size=config.batch_size,
        length=config.validation_samples,
        config=config.simulation,
        shard=shard,
    )
