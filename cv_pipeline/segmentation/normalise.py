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
SHRINK = 4
"""The local statistics are smooth, so they are computed on an image shrunk by this factor."""
_SUM = np.ones((1, 3), np.float32)


def _blur(image: npt.NDArray[Any], sigma_px: float) -> Float32Array:
    blurred = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float32)


def normalise(rgb: UInt8Array, valid: BoolArray, gsd_m: float) -> Float32Array:
    """Network input (4, height, width) float32 of an image (height, width, 3) at ``gsd_m``.

    The first three channels are (colour − local mean) / (local SD of luminance + 2.5 DN), clipped to
    ±6; the fourth is luminance / 128 − 1. Invalid pixels (``valid`` False) do not enter the local
    statistics and are 0; an image without valid pixels gives zeros.

    Args:
        rgb: the image.
        valid: (height, width).
        gsd_m: metres per pixel.
    """
    height, width = valid.shape
    mean, spread = (
        np.asarray(cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        for each in local_statistics(shrunk(rgb, valid), gsd_m)
    )
    return apply_statistics(rgb, valid, mean, spread)


def normalise_part(rgb: UInt8Array, valid: BoolArray, gsd_m: float, small: Float32Array, part: Window) -> Float32Array:
    """The same of a part (height, width, 3) of an image, whose other pixels enter the statistics alone.

    Args:
        rgb: the part.
        valid: (height, width) of the part.
        gsd_m: metres per pixel.
        small: :func:`shrunk` of the image, whose sides are multiples of :data:`SHRINK`.
        part: where the part lies in the image.
    """
    # One cell around the part is what the interpolation reaches.
    rows, cols = (
        slice(max(start // SHRINK - 1, 0), min((start + length - 1) // SHRINK + 2, cells))
        for start, length, cells in zip(part[:2], part[2:], small.shape, strict=False)
    )
    inner = np.s_[part.row - rows.start * SHRINK :, part.col - cols.start * SHRINK :]
    near = (np.ascontiguousarray(each[rows, cols]) for each in local_statistics(small, gsd_m))
    large = (_enlarged(each, each.shape[1] * SHRINK, each.shape[0] * SHRINK)[inner] for each in near)
    mean, spread = (each[: part.height, : part.width] for each in large)
    return apply_statistics(rgb, valid, mean, spread)


def _enlarged(image: Float32Array, width: int, height: int) -> Float32Array:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def shrunk(rgb: UInt8Array, valid: BoolArray) -> Float32Array:
    """Means (height / 4, width / 4, 5) of an image's colours and of the square of its luminance, 0 where invalid.

    The last is the share that is valid. Of an image with sides in multiples of 4 each cell is made of its own pixels
    alone.
    """
    height, width = valid.shape
    size = max(width // SHRINK, 1), max(height // SHRINK, 1)
    image = rgb.astype(np.float32)
    if not valid.all():
        image *= valid[..., None]
    luminance = cv2.transform(image, _SUM) / np.float32(3)
    weight = valid.astype(np.float32)
    planes = (image, cv2.multiply(luminance, luminance), weight)
    return np.dstack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes])


def local_statistics(small: Float32Array, gsd_m: float) -> tuple[Float32Array, Float32Array]:
    """Local mean (h, w, 3), 0 where invalid, and local SD of luminance plus the floor (h, w) of :func:`shrunk`."""
    colours, squares, weight = (np.ascontiguousarray(each) for each in (small[..., :3], small[..., 3], small[..., 4]))
    sigma, wide = (sigma_m / gsd_m / SHRINK for sigma_m in (MEAN_SIGMA_M, SPREAD_SIGMA_M))
    whole = bool((weight == 1).all())
    mean = _blur(colours, sigma) / ((np.float32(1) if whole else _blur(weight, sigma)[..., None]) + np.float32(1e-6))
    share = (np.float32(1) if whole else _blur(weight, wide)) + np.float32(1e-6)
    wide_mean = _blur(colours.mean(axis=2), wide) / share
    variance = _blur(squares, wide) / share - wide_mean**2
    return np.asarray(mean, np.float32), np.sqrt(np.clip(variance, 0, None)) + np.float32(FLOOR_DN)


def apply_statistics(rgb: UInt8Array, valid: BoolArray, mean: Float32Array, spread: Float32Array) -> Float32Array:
    """Network input (4, h, w) of an image (h, w, 3) with its local mean (h, w, 3) and spread (h, w)."""
    result = np.empty((4, *valid.shape), np.float32)
    # Plane by plane and in place: this runs over every pixel of both dates, and memory is what takes the time.
    light = np.zeros(valid.shape, np.uint16)
    for number, plane in enumerate(result[:3]):
        colour = np.asarray(cv2.extractChannel(rgb, number), np.uint8)
        cv2.subtract(colour, cv2.extractChannel(mean, number), dst=plane, dtype=cv2.CV_32F)
        cv2.divide(plane, spread, dst=plane)
        np.clip(plane, -CLIP_SD, CLIP_SD, out=plane)
        light += colour
    np.divide(light, np.float32(3 * 128), out=result[3])
    result[3] -= np.float32(1)
    if not valid.all():
        result *= valid
    return result
