"""What registration leaves between the two dates: a small shift, rotation and scale, and relief."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.config import SensorConfig
from cv_pipeline.types import Float32Array, UInt8Array


class Misalignment(NamedTuple):
    """Residual of alignment. Shift and relief in px of the image, rotation clockwise about its centre."""

    shift_px: tuple[float, float]
    rotation_deg: float
    scale: float
    relief_px: float
    relief_wavelength_px: float
    seed: int


ALIGNED = Misalignment((0.0, 0.0), 0.0, 1.0, 0.0, 1.0, 0)


def draw_misalignment(rng: np.random.Generator, gsd_m: float, config: SensorConfig) -> Misalignment:
    """A random residual: mostly below half a pixel, in a tail up to two; :data:`ALIGNED` outside the share."""
    shift = rng.normal(0, config.shift_sd_px, 2)
    length, azimuth = rng.uniform(*config.tail_px), rng.uniform(0, 2 * np.pi)
    if rng.random() < config.tail_share:
        shift = length * np.array([np.cos(azimuth), np.sin(azimuth)])
    rotation, scale = rng.normal(0, config.rotation_sd_deg), 1.0 + rng.normal(0, config.scale_sd)
    relief, wavelength_m = rng.uniform(*config.relief_px), rng.uniform(*config.relief_wavelength_m)
    relief = relief if rng.random() < config.relief_share else 0.0
    seed = int(rng.integers(2**31))
    if rng.random() >= config.misaligned_share:
        return ALIGNED
    return Misalignment(
        (float(shift[0]), float(shift[1])),
        float(rotation),
        float(scale),
        float(relief),
        float(wavelength_m / gsd_m),
        seed,
    )


def displacement_px(misalignment: Misalignment, shape: tuple[int, int]) -> Float32Array:
    """How far ground at each pixel is displaced in the misaligned image, (2, height, width) as (row, col) in px."""
    height, width = shape
    down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None]
    right = (np.arange(width, dtype=np.float32) + 0.5 - width / 2)[None, :]
    angle = np.deg2rad(misalignment.rotation_deg)
    along, across = misalignment.scale * np.cos(angle) - 1.0, misalignment.scale * np.sin(angle)
    displacement = np.empty((2, height, width), np.float32)
    displacement[0] = misalignment.shift_px[0] + along * down + across * right
    displacement[1] = misalignment.shift_px[1] + along * right - across * down
    if misalignment.relief_px > 0:
        displacement += _relief(misalignment, shape)
    return displacement


def _relief(misalignment: Misalignment, shape: tuple[int, int]) -> Float32Array:
    """A smooth random field along one line of sight, (2, height, width) px, at most ``relief_px`` long.

    Parallax of relief lies along the line between the two sensors' positions, so the field has one direction.
    """
    rng = np.random.default_rng(misalignment.seed)
    azimuth = rng.uniform(0, 2 * np.pi)
    knots = [int(np.ceil(2 * side / misalignment.relief_wavelength_px)) + 4 for side in shape]
    field = np.clip(rng.normal(0, 0.5, knots), -1, 1).astype(np.float32) * np.float32(misalignment.relief_px)
    step = 2.0 / misalignment.relief_wavelength_px
    to_knots = np.array([[step, 0.0, 1.5], [0.0, step, 1.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = shape[::-1]
    smooth = cv2.warpAffine(cv2.GaussianBlur(field, (3, 3), 0.8), to_knots, size, flags=flags)
    return np.asarray(np.stack([np.cos(azimuth) * smooth, np.sin(azimuth) * smooth]), np.float32)


def misaligned(image: UInt8Array, displacement: Float32Array) -> UInt8Array:
    """The image (height, width, 3) with its ground displaced by ``displacement`` (2, height, width) px.

    Ground that comes in over the border repeats the border's pixels. Returned as it is where nothing moves.
    """
    if not displacement.any():
        return image
    height, width = displacement.shape[1:]
    rows = np.arange(height, dtype=np.float32)[:, None] - displacement[0]
    cols = np.arange(width, dtype=np.float32)[None, :] - displacement[1]
    moved = cv2.remap(image, cols, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
