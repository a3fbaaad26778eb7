"""From a network's mask to objects: connected parts of it, with their mean probability as score."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import rasterio
import torch

from cv_pipeline.datasets.scene import DataScene, RasterBand
from cv_pipeline.evaluation.baselines.networks import ARCHITECTURES, STRIDE_PX
from cv_pipeline.evaluation.baselines.train import Trained
from cv_pipeline.evaluation.strikebench.classical import LEAST_RADIUS_M, Detector, Raw, as_raw
from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.types import BoolArray, Float32Array, UInt8Array

MASK_THRESHOLDS = (0.3, 0.5, 0.7)


class NetworkMaps:
    """Crater probabilities of images by a network; maps of images that were asked for before are kept."""

    def __init__(self, trained: Trained) -> None:
        self._trained = trained
        self._kept: dict[int, Float32Array] = {}

    def __call__(self, after: UInt8Array, before: UInt8Array, gsd_m: float) -> Float32Array:
        """Probabilities (height, width) on the grid of the images (height, width, 3)."""
        key = hash((after.tobytes(), before.tobytes(), gsd_m))
        if key not in self._kept:
            self._kept[key] = probability_map(self._trained, after, before, gsd_m)
        return self._kept[key]


@torch.inference_mode()
def probability_map(trained: Trained, after: UInt8Array, before: UInt8Array, gsd_m: float) -> Float32Array:
    """Probabilities (height, width) of images (height, width, 3), which are brought to the network's GSD and back."""
    height, width = after.shape[:2]
    scale = gsd_m / trained.working_gsd_m
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    dates = [_input(image, size, trained.working_gsd_m) for image in (after, before)]
    logits = trained.net(*dates)[0, : size[1], : size[0]]
    shown = cv2.resize(logits.sigmoid().numpy(), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(shown, np.float32)


def _input(image: UInt8Array, size: tuple[int, int], gsd_m: float) -> torch.Tensor:
    """(1, 4, h, w) at ``size`` (width, height), mirrored at its far sides up to the network's stride."""
    shrinks = size[0] < image.shape[1]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    small = cv2.copyMakeBorder(small, 0, -size[1] % STRIDE_PX, 0, -size[0] % STRIDE_PX, cv2.BORDER_REFLECT)
    rgb = np.asarray(small, np.uint8)
    tensor = torch.from_numpy(normalise(rgb, np.ones(rgb.shape[:2], bool), gsd_m))[None]
    return tensor.contiguous(memory_format=torch.channels_last)


def components(probability: Float32Array, threshold: float, gsd_m: float) -> Raw:
    """Connected parts (8 neighbours) of ``probability >= threshold`` that are as large as the least crater.

    The place is the centroid, the radius that of a disc of the same area, the score the mean probability.
    """
    count, labels, stats, centroids = cv2.connectedComponentsWithStats((probability >= threshold).astype(np.uint8))
    total = np.bincount(labels.ravel(), probability.ravel(), count)
    rows = []
    for number in range(1, count):
        area_px = int(stats[number, cv2.CC_STAT_AREA])
        radius_m = float(np.sqrt(area_px / np.pi)) * gsd_m
        if radius_m >= LEAST_RADIUS_M:
            col, row = centroids[number] + 0.5
            rows.append((row, col, total[number] / area_px, radius_m))
    return as_raw(rows)


def network_detector(trained: Trained, maps: NetworkMaps) -> Detector:
    """The network as a detector whose settings are chosen on the fit half."""

    def find(after: UInt8Array, before: UInt8Array, gsd_m: float, settings: Mapping[str, float]) -> Raw:
        return components(maps(after, before, gsd_m), settings["mask_threshold"], gsd_m)

    architecture = ARCHITECTURES[trained.name]
    about = f"{architecture.about}, {trained.steps} steps from random weights"
    return Detector(find, {"mask_threshold": MASK_THRESHOLDS}, about, architecture.uses_before)


def write_mask(path: Path, scene: DataScene, mask: BoolArray) -> RasterBand:
    """A mask (height, width) as a raster on the scene's after image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(scene.after) as file:
        profile = {"height": file.height, "width": file.width, "crs": file.crs, "transform": file.transform}
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="uint8", compress="deflate", **profile) as out:
        out.write(mask.astype(np.uint8), 1)
    return RasterBand(path, 1)
