"""Images reduced to what survives another sun, season and sensor, in two ways that fail differently."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from cv_pipeline.types import BoolArray, Float32Array, UInt8Array

Complex64Array = npt.NDArray[np.complex64]

REACH_PX = 24
"""How far around a pixel its structure depends on; read this much more than is wanted."""

_SIGMA_PX = 4.0
"""Chosen of 4, 8 and 16 px by the number of consistent matches on the Joplin pairs (0.6 m)."""
_NOISE_LEVELS = 2.0
"""Contrast (8-bit levels) below which texture is taken for noise and not amplified."""
_CLIP = 3.0
_GRADIENT_SIGMA_PX = 1.0
_EVEN_SIGMA_PX = 8.0
_NOISE_GRADIENT = 1.0


class Structure(NamedTuple):
    """Two views of one image (height, width), both 0 where it is invalid.

    ``detail``: grey levels with local mean removed and local contrast made equal, within -3..3. ``edges``: the
    gradient with its angle doubled, so that an edge counts the same whichever side is the brighter.
    """

    detail: Float32Array
    edges: Complex64Array
    valid: BoolArray


def structure(rgb: UInt8Array, valid: BoolArray) -> Structure:
    """Both views of an image (height, width, 3) and its validity (height, width)."""
    return Structure(local_detail(rgb, valid), local_edges(rgb, valid), valid)


def local_detail(rgb: UInt8Array, valid: BoolArray) -> Float32Array:
    """Grey levels relative to their surroundings, about unit variance, (height, width).

    Invalid pixels take part in neither mean nor contrast (normalised convolution, Knutsson & Westin
    1993, doi:10.1109/CVPR.1993.341081) and come out as 0, so that the edge of the imagery is no edge.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if valid.all():
        mass = _whole_mass(valid.shape)
        detail = grey - _blur(grey) / mass
    else:
        weight = valid.astype(np.float32)
        grey *= weight
        mass = _mass(weight)
        detail = (grey - _blur(grey) / mass) * weight
    contrast = np.sqrt(_blur(np.square(detail)) / mass)
    return np.asarray(np.clip(detail / (contrast + _NOISE_LEVELS), -_CLIP, _CLIP), dtype=np.float32)


def local_edges(rgb: UInt8Array, valid: BoolArray) -> Complex64Array:
    """Orientation of gradients by the angle doubled (Granlund 1978).

    Of twice the angle opposite gradients are one, so a roof that turned from bright to dark keeps its outline. The
    length is the gradient's, made equal over the surroundings.
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), _GRADIENT_SIGMA_PX)
    right, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125)
    if not valid.all():
        inside = cv2.erode(valid.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1).astype(np.float32)
        right, down = right * inside, down * inside
    square = right * right + down * down
    around = np.sqrt(cv2.GaussianBlur(square, (0, 0), _EVEN_SIGMA_PX)) + np.float32(_NOISE_GRADIENT)
    length = np.sqrt(square) + np.float32(1e-3)
    gradient = right + np.complex64(1j) * down
    return np.asarray(gradient * gradient / (length * around), dtype=np.complex64)


def _mass(weight: Float32Array) -> Float32Array:
    return np.asarray(np.maximum(_blur(weight), np.float32(1e-3)))


@lru_cache(maxsize=4)
def _whole_mass(shape: tuple[int, int]) -> Float32Array:
    """That of an image without invalid pixels, as nearly all blocks are, and of the same size."""
    return _mass(np.ones(shape, np.float32))


def _blur(image: Float32Array) -> Float32Array:
    blurred = cv2.GaussianBlur(image, (0, 0), _SIGMA_PX, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, dtype=np.float32)
