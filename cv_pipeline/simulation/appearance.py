"""How a crater looks in an image: its radial statistics.

The statistics are those of ``datasets/crater_appearance``: luminance around each crater is resampled to
0.25 m, recentred on the dark centroid and stated in robust SDs of the ground at 8 to 15.5 m.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cv_pipeline.simulation.ground import LUMINANCE
from cv_pipeline.types import Float32Array, Float64Array

STEP_M = 0.25
"""Pixel to which chips are resampled."""
PROFILE_RADIUS_M = np.arange(0.25, 12.0, 0.5)
"""Middle of each ring of the profile."""
REACH_M = 16.0
"""Half the side of a chip."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """One crater as measured; radii in metres, ``z`` in SDs of the ground, ``dn`` in 8-bit DN of luminance.

    ``profile_z`` (24,) belongs to :data:`PROFILE_RADIUS_M`. Radii are those of whole bins and NaN where there is
    nothing: no dark core, no crossing within the profile, or no visible ring (brighter than half an SD).
    ``h1_z`` is the amplitude of the first azimuthal harmonic at 2–4 m.
    """

    profile_z: Float64Array
    ground_sd_dn: float
    ground_level_dn: float
    core_half_depth_m: float
    zero_crossing_m: float
    ring_peak_m: float
    ring_outer_half_m: float
    ring_z: float
    h1_z: float

    @property
    def centre_z(self) -> float:
        """Contrast of the innermost bin."""
        return float(self.profile_z[0])

    @property
    def ring_visible(self) -> bool:
        """Whether a ring brighter than half an SD surrounds the core."""
        return self.ring_z > 0.5


def measure(image: Float32Array, row_px: float, col_px: float, gsd_m: float) -> Appearance:
    """Measure the crater nearest to a position on an RGB image (height, width, 3), DN; edges are replicated.

    ``row_px`` and ``col_px`` count from the upper left corner, pixel centres at integer + 0.5.
    """
    luminance = (image @ LUMINANCE.astype(np.float32)).astype(np.float32)
    size = 2 * round(REACH_M / STEP_M) + 1
    offset_m = (np.arange(size) - size // 2) * STEP_M
    radius_m = np.hypot(offset_m[:, None], offset_m[None, :])
    ground = (radius_m >= 8.0) & (radius_m <= 15.5)
    for recentred in (False, True):
        chip = _resampled(luminance, row_px, col_px, gsd_m, size)
        level = float(np.median(chip[ground]))
        deviation = max(1.4826 * float(np.median(np.abs(chip[ground] - level))), 1e-3)
        z = (chip - level) / deviation
        if recentred:
            break
        dark = np.where(radius_m < 3.0, np.clip(-z - 0.5, 0, None), 0.0)
        if dark.sum() > 1.0:
            row_px += float((dark * offset_m[:, None]).sum() / dark.sum()) / gsd_m
            col_px += float((dark * offset_m[None, :]).sum() / dark.sum()) / gsd_m
    return _described(z, radius_m, np.arctan2(offset_m[None, :], -offset_m[:, None]), level, deviation)


def _resampled(luminance: Float32Array, row_px: float, col_px: float, gsd_m: float, size: int) -> Float64Array:
    """A square chip of ``size`` pixels of 0.25 m about a position."""
    scale, middle = STEP_M / gsd_m, size // 2
    matrix = np.array([[scale, 0, col_px - 0.5 - scale * middle], [0, scale, row_px - 0.5 - scale * middle]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    chip = cv2.warpAffine(luminance, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(chip, np.float64)


def _described(
    z: Float64Array, radius_m: Float64Array, azimuth: Float64Array, level: float, deviation: float
) -> Appearance:
    bins = np.floor(radius_m / 0.5).astype(int)
    inside = bins < len(PROFILE_RADIUS_M)
    counts = np.bincount(bins[inside], minlength=len(PROFILE_RADIUS_M))
    profile = np.bincount(bins[inside], weights=z[inside], minlength=len(PROFILE_RADIUS_M)) / counts
    ring_bins = np.flatnonzero((PROFILE_RADIUS_M > 1.0) & (PROFILE_RADIUS_M < 9.0))
    peak = int(ring_bins[np.argmax(profile[ring_bins])])
    ring_z = float(profile[peak])
    ring_visible = ring_z > 0.5
    belt = (radius_m >= 2.0) & (radius_m < 4.0)
    h1 = 2 * abs(np.mean(z[belt] * np.exp(1j * azimuth[belt])))
    return Appearance(
        profile_z=profile,
        ground_sd_dn=deviation,
        ground_level_dn=level,
        core_half_depth_m=_first(profile > 0.5 * profile[0], 0) if profile[0] < 0 else float("nan"),
        zero_crossing_m=_first(profile >= 0, 0) if profile[0] < 0 else float("nan"),
        ring_peak_m=float(PROFILE_RADIUS_M[peak]) if ring_visible else np.nan,
        ring_outer_half_m=_first(profile < 0.5 * ring_z, peak) if ring_visible else np.nan,
        ring_z=ring_z,
        h1_z=float(h1),
    )


def _first(condition: np.ndarray, start: int) -> float:
    """Radius of the first bin from ``start`` on where ``condition`` holds; NaN where it never does."""
    found = np.flatnonzero(condition[start:])
    return float(PROFILE_RADIUS_M[start + found[0]]) if len(found) else float("nan")
