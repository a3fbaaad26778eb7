"""From 8-bit pixels to what the network sees: colour relative to the local ground, in local SDs.

A crater on a smooth dark field and one on bright stubble then look alike, and so do two dates under
different suns. A constant keeps flat fields from being blown up into noise.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cv_pipeline.types import BoolArray, Float32Array, UInt8Array

MEAN_SIGMA_M = 20.0
SPREAD_SIGMA_M = 28.0
FLOOR_DN = 2.5
CLIP_SD = 6.0
_SHRINK = 4
"""The local statistics are smooth, so they are computed on an image shrunk by this factor."""


def _blur(image: npt.NDArray[Any], sigma_px: float) -> Float32Array:
    return cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101).astype(np.float32)


def normalise(rgb: UInt8Array, valid: BoolArray, gsd_m: float) -> Float32Array:
    """Network input (4, height, width) float32 of an image (height, width, 3) at ``gsd_m``.

    The first three channels are (colour − local mean) / (local SD of luminance + 2.5 DN), clipped to
    ±6; the fourth is luminance / 128 − 1. Invalid pixels (``valid`` False) do not enter the local
    statistics and are 0; an image without valid pixels gives zeros.
    """
    height, width = valid.shape
    small = (max(width // _SHRINK, 1), max(height // _SHRINK, 1))
    weight = cv2.resize(valid.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    image = rgb.astype(np.float32) * valid[..., None]
    luminance = image.mean(axis=2)
    sums = np.dstack([image, luminance**2])
    shrunk = cv2.resize(sums, small, interpolation=cv2.INTER_AREA)
    sigma = MEAN_SIGMA_M / gsd_m / _SHRINK
    share = _blur(weight, sigma)[..., None] + 1e-6
    mean = _blur(shrunk[..., :3], sigma) / share
    wide = SPREAD_SIGMA_M / gsd_m / _SHRINK
    wide_share = _blur(weight, wide) + 1e-6
    wide_mean = _blur(shrunk[..., :3].mean(axis=2), wide) / wide_share
    variance = _blur(shrunk[..., 3], wide) / wide_share - wide_mean**2
    spread = np.sqrt(np.clip(variance, 0, None)) + FLOOR_DN
    mean, spread = (cv2.resize(a, (width, height), interpolation=cv2.INTER_LINEAR) for a in (mean, spread))
    colour = np.clip((image - mean) / spread[..., None], -CLIP_SD, CLIP_SD)
    stacked = np.dstack([colour, luminance / 128.0 - 1.0]) * valid[..., None]
    return np.ascontiguousarray(stacked.transpose(2, 0, 1), dtype=np.float32)
