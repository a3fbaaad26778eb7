"""First guesses of the transform, from far off."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from scipy import fft

from cv_pipeline.registration.similarity import rotation_deg, scale
from cv_pipeline.registration.structure import Structure, structure
from cv_pipeline.types import BoolArray, Float64Array, UInt8Array

IDENTITY: Float64Array = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
MAX_ROTATION_DEG = 8.0
MAX_SCALE_ERROR = 0.08
_FEATURES = 4000
_RATIO = 0.85
_RANSAC_PX = 4.0
_MIN_FEATURE_MATCHES = 6
_SEARCH_SIDE_PX = 256
_TURNS_DEG = np.arange(-6.0, 6.5, 1.0)
_SCALES = 1 + np.arange(-0.06, 0.065, 0.02)
_CANDIDATES = 3


def is_plausible(matrix: Float64Array) -> bool:
    """Whether a transform is one that two georeferenced images can differ by."""
    return abs(rotation_deg(matrix)) <= MAX_ROTATION_DEG and abs(scale(matrix) - 1) <= MAX_SCALE_ERROR


def guesses(before: tuple[UInt8Array, BoolArray], after: tuple[UInt8Array, BoolArray]) -> Iterator[Float64Array]:
    """Transforms (2, 3) worth a trial, in px of the given images, the cheapest first; each is found when asked for.

    Args:
        before: colours (height, width, 3) and validity (height, width), about 1000 px a side.
        after: the same, on the same grid.
    """
    yield IDENTITY
    found = by_features(structure(*before), structure(*after))
    if found is not None:
        yield found
    yield from by_correlation(before, after)


def by_features(before: Structure, after: Structure) -> Float64Array | None:
    """Shift, rotation and scale by SIFT features (Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94).

    Returns:
        A (2, 3) matrix in px of the given images, pixel centres at integer + 0.5; None where fewer than six features
        match or the transform is not plausible.
    """
    sift = cv2.SIFT.create(nfeatures=_FEATURES)
    keys_before, words_before = sift.detectAndCompute(_to_bytes(before), None)
    keys_after, words_after = sift.detectAndCompute(_to_bytes(after), None)
    if words_before is None or words_after is None or len(words_after) < 2:
        return None
    nearest = cv2.BFMatcher(cv2.NORM_L2).knnMatch(words_before, words_after, k=2)
    good = [pair[0] for pair in nearest if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
    if len(good) < _MIN_FEATURE_MATCHES:
        return None
    source = np.array([keys_before[match.queryIdx].pt for match in good]) + 0.5
    target = np.array([keys_after[match.trainIdx].pt for match in good]) + 0.5
    matrix, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=_RANSAC_PX, maxIters=5000, confidence=0.999
    )
    if matrix is None or inliers.sum() < _MIN_FEATURE_MATCHES:
        return None
    found = np.asarray(matrix, dtype=np.float64)
    return found if is_plausible(found) else None


def by_correlation(before: tuple[UInt8Array, BoolArray], after: tuple[UInt8Array, BoolArray]) -> list[Float64Array]:
    """The best transforms of a search over all angles and scales, each with its best shift, best first.

    Small versions of both images are correlated as wholes, in grey detail and in edges together, so that the whole
    scene speaks for a shift even where no single feature or window can be recognised.
    """
    factor = max(1.0, max(after[1].shape) / _SEARCH_SIDE_PX)
    early, late = _shrunk(*before, factor), _shrunk(*after, factor)
    size = [fft.next_fast_len(round(1.5 * side)) for side in late[1].shape]
    target = [np.conj(fft.fft2(field, size)) for field in _fields(*late)]
    found = []
    for turn_deg in _TURNS_DEG:
        for magnification in _SCALES:
            linear = _about_middle(turn_deg, magnification, late[1].shape)
            total = np.zeros(size)
            for field, wanted in zip(_fields(*_moved(*early, linear)), target, strict=True):
                total += _even(fft.ifft2(np.conj(fft.fft2(field, size) * wanted)).real)
            row, col = np.unravel_index(int(np.argmax(total)), total.shape)
            shift = [at - n if at > n / 2 else at for at, n in ((col, size[1]), (row, size[0]))]
            matrix = np.column_stack([linear[:, :2], (linear[:, 2] + shift) * factor])
            found.append((float(total[row, col]), matrix))
    found.sort(key=lambda each: -each[0])
    return [matrix for _, matrix in found[:_CANDIDATES]]


def _shrunk(rgb: UInt8Array, valid: BoolArray, factor: float) -> tuple[UInt8Array, BoolArray]:
    size = round(valid.shape[1] / factor), round(valid.shape[0] / factor)
    known = cv2.resize(valid.astype(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA) > 250
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), known


def _fields(rgb: UInt8Array, valid: BoolArray) -> tuple[np.ndarray, np.ndarray]:
    found = structure(rgb, valid)
    return found.detail, found.edges


def _even(correlation: Float64Array) -> Float64Array:
    """In units of its own spread, so that both kinds of field count alike."""
    return np.asarray(correlation / max(float(correlation.std()), 1e-9))


def _about_middle(turn_deg: float, magnification: float, shape: tuple[int, ...]) -> Float64Array:
    angle = math.radians(turn_deg)
    linear = magnification * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = np.array([shape[1], shape[0]]) / 2
    return np.column_stack([linear, middle - linear @ middle])


def _moved(rgb: UInt8Array, valid: BoolArray, matrix: Float64Array) -> tuple[UInt8Array, BoolArray]:
    centred = matrix.copy()
    centred[:, 2] += centred[:, :2] @ (0.5, 0.5) - 0.5
    size = valid.shape[1], valid.shape[0]
    seen = cv2.warpAffine(valid.astype(np.uint8), centred, size, flags=cv2.INTER_NEAREST) > 0
    return np.asarray(cv2.warpAffine(rgb, centred, size, flags=cv2.INTER_LINEAR), dtype=np.uint8), seen


def _to_bytes(image: Structure) -> UInt8Array:
    """Grey detail (-3..3) as 8 bits, for the feature detector."""
    return np.clip(image.detail * 40 + 128, 0, 255).astype(np.uint8)
