"""From 8-bit pixels to what the network sees: colour relative to the local ground, in local SDs.

A crater on a smooth dark field and one on bright stubble then look alike, and so do two dates under
different suns. A constant keeps flat fields from being blown up into noise.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cv_pipeline.types import BoolArray, Float32Array, UInt8Array, Window

MEAN_SIGMA_M = 20.0
SPREAD_SIGMA_M = 28.0
FLOOR_DN = 2.5
CLIP_SD = 6.0
_SHRINK = 4
"""The local statistics are smooth, so they are computed on an image shrunk by this factor."""
_SUM = np.ones((1, 3), np.float32)


def _blur(image: npt.NDArray[Any], sigma_px: float) -> Float32Array:
    blurred = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float32)


def normalise(rgb: UInt8Array, valid: BoolArray, gsd_m: float, part: Window | None = None) -> Float32Array:
    """Network input (4, height, width) float32 of an image (height, width, 3) at ``gsd_m``.

    The first three channels are (colour − local mean) / (local SD of luminance + 2.5 DN), clipped to
    ±6; the fourth is luminance / 128 − 1. Invalid pixels (``valid`` False) do not enter the local
    statistics and are 0; an image without valid pixels gives zeros.

    Args:
        rgb: the image.
        valid: (height, width).
        gsd_m: metres per pixel.
        part: the pixels to give, inside the image; the rest only enters their statistics. None: all.
    """
    height, width = valid.shape
    inner = np.s_[:, :] if part is None else np.s_[part.row : part.row + part.height, part.col : part.col + part.width]
    image = rgb.astype(np.float32)
    if not valid.all():
        image *= valid[..., None]
    luminance = cv2.transform(image, _SUM) / np.float32(3)
    mean, spread = _local_statistics(image, luminance, valid, gsd_m)
    image, luminance, inside = image[inner], luminance[inner], valid[inner]
    result = np.empty((4, *inside.shape), np.float32)
    # Plane by plane and in place: this runs over every pixel of both dates, and memory is what takes the time.
    size = width, height
    divisor = cv2.resize(spread, size, interpolation=cv2.INTER_LINEAR)[inner]
    for number, plane in enumerate(result[:3]):
        level = cv2.resize(cv2.extractChannel(mean, number), size, interpolation=cv2.INTER_LINEAR)[inner]
        np.subtract(image[..., number], level, out=plane)
        np.divide(plane, divisor, out=plane)
        np.clip(plane, -CLIP_SD, CLIP_SD, out=plane)
    np.divide(luminance, np.float32(128), out=result[3])
    result[3] -= np.float32(1)
    if not inside.all():
        result *= inside
    return result


def _local_statistics(
    image: Float32Array, luminance: Float32Array, valid: BoolArray, gsd_m: float
) -> tuple[Float32Array, Float32Array]:
    """Local mean (h, w, 3) of an image, 0 where invalid, and local SD of luminance plus the floor, both shrunk."""
    height, width = valid.shape
    small = (max(width // _SHRINK, 1), max(height // _SHRINK, 1))
    weight = cv2.resize(valid.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    squares = cv2.resize(cv2.multiply(luminance, luminance), small, interpolation=cv2.INTER_AREA)
    sigma, wide = (sigma_m / gsd_m / _SHRINK for sigma_m in (MEAN_SIGMA_M, SPREAD_SIGMA_M))
    mean = _blur(colours, sigma) / (_blur(weight, sigma)[..., None] + 1e-6)
    share = _blur(weight, wide) + 1e-6
    wide_mean = _blur(colours.mean(axis=2), wide) / share
    variance = _blur(squares, wide) / share - wide_mean**2
    return mean, np.sqrt(np.clip(variance, 0, None)) + FLOOR_DN
