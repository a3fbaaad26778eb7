"""Whether a drawn strike can be seen at all in the picture that came of it."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import patch_around
from cv_pipeline.simulation.strike import Strike
from cv_pipeline.types import Float32Array, UInt8Array

TO_TONES = np.array([[0.30, 0.59, 0.11], [1.0, -1.0, 0.0], [0.0, -1.0, 1.0]], np.float32)
FLOOR_DN = 1.5  # compression and rounding: a smaller difference is none, however smooth the ground

LEAST_CONSPICUITY = 0.7
"""A strike below this is taken for invisible; set by looking at drawn strikes in order of conspicuity."""


def conspicuity(image: UInt8Array, strike: Strike, gsd_m: float) -> float:
    """How far a strike stands out of the ground around it, in robust SDs of that ground; 0 outside the image.

    The greater of core and collar against the ground beyond (two and a half to four crater radii, at least 4 m
    wide), in luminance and in two differences of colour. About 6 % of labelled real craters are below 1 in
    luminance (crater_appearance.md) and are found by colour or context.
    """
    outer_m = max(4.0 * strike.crater_radius_m, 2.5 * strike.crater_radius_m + 4.0)
    patch = patch_around(image.shape[:2], strike.row_px, strike.col_px, outer_m, gsd_m)
    if patch is None:
        return 0.0
    tones: Float32Array = image[patch.rows, patch.cols].astype(np.float32) @ TO_TONES.T
    ratio = patch.radius_m / strike.crater_radius_m
    beyond = tones[(ratio > 2.5) & (patch.radius_m < outer_m)]
    core = tones[patch.radius_m < max(0.8 * strike.crater_radius_m, 0.75 * gsd_m)]
    collar = tones[(ratio > 1.3) & (ratio < 2.3)]
    if not len(beyond) or not len(core):
        return 0.0
    level = np.median(beyond, axis=0)
    spread = 1.4826 * np.median(np.abs(beyond - level), axis=0) + FLOOR_DN
    parts = [part.mean(axis=0) for part in (core, collar) if len(part)]
    return float(max(np.abs((part - level) / spread).max() for part in parts))
