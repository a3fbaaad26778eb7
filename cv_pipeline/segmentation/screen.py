"""A cheap look at a tile: is there any blob that could be a crater, or that changed like one?

Off by default, because it can lose craters that the network would find; ``scripts/check_screening.py`` says how many.
"""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.types import Float32Array

SCALES_M = (1.0, 2.0, 4.0)
"""Standard deviations of the inner Gaussian; a disc of radius r answers most at r / sqrt(2)."""
OUTER = 1.6
THRESHOLD_SD = 0.6
"""In local standard deviations of brightness; a cautious guess: ``scripts/check_screening.py`` says what it skips."""


def blob_strength(image: Float32Array, gsd_m: float) -> Float32Array:
    """Strongest difference of Gaussians at each pixel, (h, w), of a normalised image (4, h, w), bright or dark."""
    light = image[:3].mean(axis=0)
    best: Float32Array = np.zeros_like(light)
    for scale_m in SCALES_M:
        sigma = scale_m / gsd_m
        inner = cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        outer = cv2.GaussianBlur(light, (0, 0), OUTER * sigma, borderType=cv2.BORDER_REFLECT_101)
        np.maximum(best, np.abs(inner - outer), out=best)
    return best


def worth_a_look(after: Float32Array, before: Float32Array | None, gsd_m: float) -> bool:
    """Whether the network has to see a tile, of normalised images (4, h, w); ``before`` None: no earlier image."""
    if blob_strength(after, gsd_m).max() >= THRESHOLD_SD:
        return True
    return before is not None and bool(blob_strength(after - before, gsd_m).max() >= THRESHOLD_SD)
