"""Images reduced to what survives another sun, season and sensor: local structure."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.types import BoolArray, Float32Array, Float64Array, UInt8Array

_SIGMA_PX = 4.0
"""Chosen of 4, 8 and 16 px by the number of consistent matches on the Joplin pairs (0.6 m)."""
_NOISE_LEVELS = 2.0
"""Contrast (8-bit levels) below which texture is taken for noise and not amplified."""
_CLIP = 3.0


def local_structure(rgb: UInt8Array, valid: BoolArray) -> Float32Array:
    """Grey levels with local mean removed and local contrast made equal.

    Invalid pixels take part in neither mean nor contrast (normalised convolution, Knutsson & Westin
    1993, doi:10.1109/CVPR.1993.341081) and come out as 0, so that the edge of the imagery is no edge.

    Args:
        rgb: colours (height, width, 3).
        valid: (height, width).

    Returns:
        (height, width), about unit variance, within -3..3.
    """
    weight = valid.astype(np.float32)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) * weight
    mass = np.maximum(_blur(weight), np.float32(1e-3))
    detail = (grey - _blur(grey) / mass) * weight
    contrast = np.sqrt(_blur(np.square(detail)) / mass)
    return np.asarray(np.clip(detail / (contrast + _NOISE_LEVELS), -_CLIP, _CLIP), dtype=np.float32)


def move(image: Float32Array, matrix: Float64Array) -> Float32Array:
    """Image (height, width) moved by a (2, 3) matrix from old to new (col, row); outside is 0.

    Positions follow the project's convention, pixel centre = integer + 0.5; OpenCV's centres are integers.
    """
    centred = np.asarray(matrix, dtype=np.float64).copy()
    centred[:, 2] += centred[:, :2] @ (0.5, 0.5) - 0.5
    height, width = image.shape
    return np.asarray(cv2.warpAffine(image, centred, (width, height), flags=cv2.INTER_CUBIC), dtype=np.float32)


def shrink(image: Float32Array, factor: int) -> Float32Array:
    """Image averaged over ``factor`` by ``factor`` pixels; a rest that does not fill one is dropped."""
    height, width = (side // factor for side in image.shape)
    cut = image[: height * factor, : width * factor]
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _blur(image: Float32Array) -> Float32Array:
    blurred = cv2.GaussianBlur(image, (0, 0), _SIGMA_PX, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, dtype=np.float32)
