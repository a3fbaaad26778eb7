"""Training samples rendered on the fly, and paired augmentation of them."""

from __future__ import annotations

from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import torch
from albumentations.augmentations.geometric.functional import d4
from torch import Tensor
from torch.utils.data import Dataset

from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.training.planes import Plane, truth_planes
from cv_pipeline.types import Float32Array, UInt8Array

_TURNS = ("e", "r90", "r180", "r270", "v", "hvt", "h", "t")
_AXIS = [list(Plane).index(plane) for plane in (Plane.AXIS_RIGHT, Plane.AXIS_UP)]
_RADII_M = [list(Plane).index(plane) for plane in (Plane.CRATER_RADIUS_M, Plane.BLAST_RADIUS_M)]


def turn(image: np.ndarray, member: str) -> np.ndarray:
    """``image`` (h, w, channels) turned or mirrored by one of the eight symmetries of the square."""
    return np.ascontiguousarray(d4(image, member))  # type: ignore[arg-type]


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
    """Same geometry for both dates and the truth, separate radiometry for each date."""

    def __init__(self, seed: int) -> None:
        self._member = _TURNS[np.random.default_rng(seed).integers(len(_TURNS))]
        self._radiometry = A.Compose(
            [
                A.RandomBrightnessContrast(0.15, 0.2, p=0.3),
                A.RandomGamma((80, 125), p=0.2),
                A.HueSaturationValue(8, 20, 8, p=0.2),
                A.ToGray(p=0.05),
            ],
            seed=seed + 1,
        )

    def __call__(
        self, before: UInt8Array, after: UInt8Array, truth: Float32Array
    ) -> tuple[UInt8Array, UInt8Array, Float32Array]:
        """Augmented (before, after, truth); images (h, w, 3), truth (h, w, planes)."""
        new_after = self._radiometry(image=turn(after, self._member))["image"]
        new_before = self._radiometry(image=turn(before, self._member))["image"]
        return new_before, new_after, turn_truth(truth, self._member)


class SimulatedPairs(Dataset[dict[str, Tensor]]):
    """Sample ``i`` is always the same for the same seed, so that a resumed run sees what it would have seen.

    A sample is a dict of ``after`` and ``before`` (4, s, s) and ``truth`` (planes, s, s), see
    :class:`~cv_pipeline.training.planes.Plane`.
    """

    def __init__(
        self,
        data_root: Path,
        split: str,
        length: int,
        seed: int,
        size_px: int,
        gsd_m: float,
        augment: bool,
        simulation: SimulationConfig,
    ) -> None:
        self._backgrounds = Backgrounds(list_tiles(data_root, split))
        self._length, self._seed, self._size_px, self._gsd_m = length, seed, size_px, gsd_m
        self._augment, self._simulation = augment, simulation

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        cv2.setNumThreads(1)  # workers already fill the cores
        rng = np.random.default_rng((self._seed, index, 1))
        # The ground is rendered at a jittered GSD but treated as the working one: images state their
        # GSD wrongly, and craters of one munition come in more sizes than the population draws.
        jitter = float(np.exp(rng.uniform(-0.22, 0.22))) if self._augment else 1.0
        shape = self._size_px, self._size_px
        pair = simulate_pair(self._backgrounds, (self._seed, index), shape, self._gsd_m * jitter, self._simulation)
        truth = truth_planes(pair)
        truth[..., _RADII_M] /= jitter
        before, after = pair.before, pair.after
        if self._augment:
            before, after, truth = PairedAugmentation(int(rng.integers(2**31)))(before, after, truth)
        valid = np.ones(after.shape[:2], bool)
        return {
            "after": torch.from_numpy(normalise(after, valid, self._gsd_m)),
            "before": torch.from_numpy(normalise(before, valid, self._gsd_m)),
            "truth": torch.from_numpy(np.ascontiguousarray(truth.transpose(2, 0, 1))),
        }
