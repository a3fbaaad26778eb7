"""Detectors without learning, as their libraries' documentation shows them: what any network must beat.

Each takes the images (height, width, 3) and gives places, raw scores (the higher the surer) and radii. A crater may be
darker or lighter than its ground, so both are looked for. Settings are chosen on the fit half, see :mod:`.tuning`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import cv2
import numpy as np
from skimage.feature import blob_log, peak_local_max

from cv_pipeline.types import Float32Array, Float64Array, UInt8Array

Settings = Mapping[str, float]
LEAST_RADIUS_M, MOST_RADIUS_M = 0.8, 6.0
MOST = 200
"""Detections kept in a scene, the best-scored: far more than there are craters, and weaker ones change no figure."""

_MOST_SHIFT_PX = 10.0
_SIZES = 8


class Raw(NamedTuple):
    """Detections: (n, 2) as (row, col) with pixel centre = integer + 0.5, raw scores (n,), radii in metres (n,)."""

    at_px: Float64Array
    score: Float64Array
    radius_m: Float64Array


class Detector(NamedTuple):
    """A detector and the settings that are tried for it."""

    find: Callable[[UInt8Array, UInt8Array, float, Settings], Raw]
    """Of (after, before, GSD, settings)."""
    grid: Mapping[str, tuple[float, ...]]
    about: str
    uses_before: bool = False


def grey(rgb: UInt8Array) -> Float32Array:
    """Brightness (height, width), 0..1, with the broad ground taken out."""
    level = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return np.asarray(level - cv2.GaussianBlur(level, (0, 0), 25), np.float32)


def _blobs(image: Float32Array, gsd_m: float, settings: Settings) -> Raw:
    """Blobs of both signs by the Laplacian of Gaussians; the score is the contrast to a ring around."""
    largest = MOST_RADIUS_M / gsd_m / np.sqrt(2)
    least = max(LEAST_RADIUS_M / gsd_m / np.sqrt(2), 0.8)
    found = []
    for sign in (1, -1):
        some = blob_log(
            sign * image, min_sigma=least, max_sigma=largest, num_sigma=_SIZES, log_scale=True,
            threshold=settings["threshold"], overlap=0.3,
        )  # type: ignore[no-untyped-call]  # fmt: skip
        for row, col, sigma in some:
            response = sign * _response(image, int(row), int(col), float(sigma))
            found.append((row + 0.5, col + 0.5, response, sigma * np.sqrt(2) * gsd_m))
    return as_raw(found)


def _response(image: Float32Array, row: int, col: int, sigma: float) -> float:
    """Mean level within a blob over that of a ring around it."""
    reach = int(np.ceil(3.5 * sigma)) + 1
    top, left = max(row - reach, 0), max(col - reach, 0)
    patch = image[top : row + reach + 1, left : col + reach + 1]
    rows, cols = np.ogrid[: patch.shape[0], : patch.shape[1]]
    away = np.hypot(rows - (row - top), cols - (col - left))
    ring = patch[(away > 1.8 * sigma) & (away <= 3.5 * sigma)]
    spread = float(ring.std()) if len(ring) else 0.0
    inside = patch[away <= 1.2 * sigma]
    return float((inside.mean() - (ring.mean() if len(ring) else 0.0)) / (spread + 0.01))


def blob(after: UInt8Array, _before: UInt8Array, gsd_m: float, settings: Settings) -> Raw:
    """Multi-scale blobs in the after image (scikit-image's ``blob_log``)."""
    return _blobs(grey(after), gsd_m, settings)


def difference(after: UInt8Array, before: UInt8Array, gsd_m: float, settings: Settings) -> Raw:
    """Multi-scale blobs in the difference of the dates, after a shift by phase correlation."""
    late, early = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (after, before))
    (right, down), _ = cv2.phaseCorrelate(early, late, cv2.createHanningWindow(early.shape[::-1], cv2.CV_32F))
    if np.hypot(right, down) <= _MOST_SHIFT_PX:
        move = np.array([[1, 0, right], [0, 1, down]], np.float32)
        early = np.asarray(cv2.warpAffine(early, move, early.shape[::-1], borderMode=cv2.BORDER_REFLECT), np.float32)
    # The dates' exposures differ: the before image takes the after image's mean and spread.
    matched = (early - early.mean()) * (late.std() / max(float(early.std()), 1e-6)) + late.mean()
    change = (late - matched) / 255
    return _blobs(np.asarray(change - cv2.GaussianBlur(change, (0, 0), 25), np.float32), gsd_m, settings)


def hough(after: UInt8Array, _before: UInt8Array, gsd_m: float, settings: Settings) -> Raw:
    """Circles by OpenCV's Hough transform over gradients; the score is the contrast across the circle."""
    image = cv2.GaussianBlur(cv2.cvtColor(after, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    circles = cv2.HoughCircles(
        image, cv2.HOUGH_GRADIENT, dp=1, minDist=max(2.5 / gsd_m, 2.0), param1=settings["edge"],
        param2=settings["votes"], minRadius=max(int(LEAST_RADIUS_M / gsd_m), 1), maxRadius=int(MOST_RADIUS_M / gsd_m),
    )  # fmt: skip
    if circles is None:
        return as_raw([])
    level = grey(after)
    found = []
    for col, row, radius, *_ in circles.reshape(-1, circles.shape[-1]):
        contrast = abs(_response(level, int(row), int(col), float(max(radius, 1.0)) / 1.2))
        found.append((row + 0.5, col + 0.5, contrast, radius * gsd_m))
    return as_raw(found)


def template(after: UInt8Array, _before: UInt8Array, gsd_m: float, settings: Settings) -> Raw:
    """Normalised correlation (``cv2.matchTemplate``) with a bowl in a pale collar, at several sizes and both signs."""
    image = grey(after)
    best = np.zeros(image.shape, np.float32)
    size_m = np.zeros(image.shape, np.float32)
    for radius_m in np.geomspace(LEAST_RADIUS_M * 1.2, MOST_RADIUS_M, 7):
        pattern = _bowl(radius_m / gsd_m, settings["collar"])
        half = pattern.shape[0] // 2
        if min(image.shape) <= pattern.shape[0] or half < 1:
            continue
        padded = cv2.copyMakeBorder(image, half, half, half, half, cv2.BORDER_REFLECT)
        match = np.abs(cv2.matchTemplate(padded, pattern, cv2.TM_CCOEFF_NORMED))
        better = match > best
        best[better], size_m[better] = match[better], radius_m
    apart = max(int(2.0 / gsd_m), 1)
    peaks = peak_local_max(best, min_distance=apart, threshold_abs=settings["threshold"], exclude_border=False)  # type: ignore[no-untyped-call]
    return as_raw([(row + 0.5, col + 0.5, best[row, col], size_m[row, col]) for row, col in peaks])


def _bowl(radius_px: float, collar: float) -> Float32Array:
    """A dark disc with a soft edge, in a lighter ring of twice its radius."""
    half = max(int(np.ceil(2 * radius_px)), 2)
    rows, cols = np.mgrid[-half : half + 1, -half : half + 1]
    away = np.hypot(rows, cols) / max(radius_px, 0.7)
    disc = -1 / (1 + np.exp(6 * (away - 1)))
    return np.asarray(disc + collar * np.exp(-(((away - 1.5) / 0.3) ** 2)), np.float32)


def as_raw(rows: list[tuple[float, float, float, float]]) -> Raw:
    """The best-scored of rows of (row, col, score, radius in metres), best first."""
    table = np.array(rows, np.float64).reshape(-1, 4)
    table = table[np.argsort(-table[:, 2], kind="stable")[:MOST]]
    return Raw(table[:, :2], table[:, 2], table[:, 3])


CLASSICAL: dict[str, Detector] = {
    "blob": Detector(blob, {"threshold": (0.05, 0.08, 0.12)}, "multi-scale blobs (skimage blob_log)"),
    "hough": Detector(
        hough, {"edge": (60.0, 100.0, 160.0), "votes": (6.0, 9.0, 13.0)}, "Hough circles (cv2.HoughCircles)"
    ),
    "template": Detector(
        template, {"threshold": (0.4, 0.5), "collar": (0.0, 0.4, 0.8)}, "bowl templates (cv2.matchTemplate)"
    ),
    "difference": Detector(
        difference,
        {"threshold": (0.05, 0.08, 0.12)},
        "difference of the dates (cv2.phaseCorrelate) and blobs (skimage blob_log)",
        uses_before=True,
    ),
}
