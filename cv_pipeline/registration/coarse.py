"""First guesses of the transform, from far off."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.registration.similarity import rotation_deg, scale
from cv_pipeline.types import Float32Array, Float64Array, UInt8Array

IDENTITY: Float64Array = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
MAX_ROTATION_DEG = 8.0
MAX_SCALE_ERROR = 0.08
_FEATURES = 4000
_RATIO = 0.85
_RANSAC_PX = 4.0
_MIN_FEATURE_MATCHES = 6


def is_plausible(matrix: Float64Array) -> bool:
    """Whether a transform is one that two georeferenced images can differ by."""
    return abs(rotation_deg(matrix)) <= MAX_ROTATION_DEG and abs(scale(matrix) - 1) <= MAX_SCALE_ERROR


def by_correlation(before: Float32Array, after: Float32Array) -> Float64Array:
    """The one shift of the whole image by phase correlation, as a (2, 3) matrix; px of the given images."""
    height, width = after.shape
    taper = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(before, after, taper)
    return np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])


def by_features(before: Float32Array, after: Float32Array) -> Float64Array | None:
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


def _to_bytes(structure: Float32Array) -> UInt8Array:
    """Local structure (-3..3) as 8 bits, for the feature detector."""
    return np.clip(structure * 40 + 128, 0, 255).astype(np.uint8)
