"""Training samples rendered on the fly, and paired augmentation of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.simulation.background import Tile, list_tiles
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.types import Float32Array, UInt8Array


class PairedAugmentation:
    """Same geometry for both dates and the truth, separate radiometry for each date."""

    def __init__(self, seed: int) -> None:
        self._geometry = A.Compose([A.D4(p=1.0)], additional_targets={"before": "image", "truth": "mask"}, seed=seed)
        self._radiometry = A.Compose(
            [
                A.RandomBrightnessContrast(0.15, 0.2, p=0.4),
                A.RandomGamma((80, 125), p=0.3),
                A.HueSaturationValue(8, 20, 8, p=0.3),
                A.ToGray(p=0.08),
                A.GaussianBlur(blur_limit=0, sigma_limit=(0.3, 0.9), p=0.15),
            ],
            seed=seed + 1,
        )

    def __call__(
        self, before: UInt8Array, after: UInt8Array, truth: Float32Array
    ) -> tuple[UInt8Array, UInt8Array, Float32Array]:
        """Augmented (before, after, truth); images (h, w, 3), truth (h, w, channels)."""
        turned = self._geometry(image=after, before=before, truth=truth)
        new_after = self._radiometry(image=turned["image"])["image"]
        new_before = self._radiometry(image=turned["before"])["image"]
        return new_before, new_after, turned["truth"]


class SimulatedPairs(Dataset[dict[str, Tensor]]):
    """Sample ``i`` is always the same for the same seed, so that a resumed run sees what it would have seen.

    A sample is a dict of ``after`` and ``before`` (4, s, s) and ``truth`` (6, s, s) with the channels
    crater, blast, centre, new, crater_radius_m, blast_radius_m.
    """

    def __init__(
        self, data_root: Path, split: str, length: int, seed: int, size_px: int, gsd_m: float, augment: bool
    ) -> None:
        self._tiles: Sequence[Tile] = list_tiles(data_root, split)
        self._length, self._seed, self._size_px, self._gsd_m = length, seed, size_px, gsd_m
        self._augment = augment

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        cv2.setNumThreads(1)  # workers already fill the cores
        rng = np.random.default_rng((self._seed, index, 1))
        # The ground is rendered at a jittered GSD but treated as the working one: images state their
        # GSD wrongly, and craters of one munition come in more sizes than the population draws.
        jitter = float(np.exp(rng.uniform(-0.22, 0.22))) if self._augment else 1.0
        pair = simulate_pair(self._tiles, (self._seed, index), self._size_px, self._gsd_m * jitter)
        t = pair.truth
        truth = np.dstack([t.crater, t.blast, t.centre, t.new, t.crater_radius_m / jitter, t.blast_radius_m / jitter])
        before, after, truth = pair.before, pair.after, truth.astype(np.float32)
        if self._augment:
            before, after, truth = PairedAugmentation(int(rng.integers(2**31)))(before, after, truth)
        valid = np.ones(after.shape[:2], bool)
        sample: dict[str, Any] = {
            "after": torch.from_numpy(normalise(after, valid, self._gsd_m)),
            "before": torch.from_numpy(normalise(before, valid, self._gsd_m)),
            "truth": torch.from_numpy(np.ascontiguousarray(truth.transpose(2, 0, 1))),
        }
        return sample
