"""The crater as a height field, lit by a sun.

A paraboloid bowl inside a raised rim whose height falls with the cube of distance, the shape of
simple explosion and impact craters (Melosh 1989, *Impact Cratering*, ISBN 978-0195042849).
"""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.light import Sun
from cv_pipeline.types import Float32Array


def bowl_height_m(radius_m: Float32Array, crater_radius_m: float, depth_ratio: float, rim_ratio: float) -> Float32Array:
    """Height above the flat ground at each distance ``radius_m`` from the centre, same shape.

    ``depth_ratio`` is depth over diameter, ``rim_ratio`` rim height over diameter.
    """
    diameter_m = 2.0 * crater_radius_m
    rim_m, depth_m = rim_ratio * diameter_m, depth_ratio * diameter_m
    u = radius_m / crater_radius_m
    inside = -depth_m + (depth_m + rim_m) * u**2
    outside = rim_m / np.maximum(u, 1.0) ** 3
    return np.where(u < 1.0, inside, outside).astype(np.float32)


def relative_light(height_m: Float32Array, gsd_m: float, sun: Sun) -> Float32Array:
    """Light on the surface relative to flat ground (1 = flat), with cast shadow; same shape.

    Lambert's cosine law plus a sky share, so that no shadow is black (sky share 0.35 of the total).
    """
    gradient_row, gradient_col = np.gradient(height_m, gsd_m)
    azimuth, elevation = np.deg2rad(sun.azimuth_deg), np.deg2rad(sun.elevation_deg)
    to_sun_col, to_sun_row = np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation)
    facing = (-gradient_col * to_sun_col - gradient_row * to_sun_row + np.sin(elevation)) / np.sqrt(
        1 + gradient_row**2 + gradient_col**2
    )
    direct = np.clip(facing, 0, None) / np.sin(elevation)
    direct[_cast_shadow(height_m, gsd_m, sun)] = 0.0
    light: Float32Array = (0.35 + 0.65 * direct).astype(np.float32)
    return light


def _cast_shadow(height_m: Float32Array, gsd_m: float, sun: Sun) -> np.ndarray:
    """True where the line to the sun is blocked, by stepping pixel by pixel towards the sun."""
    relief_m = float(height_m.max() - height_m.min())
    rise_per_px = gsd_m * float(np.tan(np.deg2rad(sun.elevation_deg)))
    steps = min(int(relief_m / rise_per_px) + 1, 24)
    step_col, step_row = np.sin(np.deg2rad(sun.azimuth_deg)), -np.cos(np.deg2rad(sun.azimuth_deg))
    shadow = np.zeros(height_m.shape, bool)
    for step in range(1, steps + 1):
        shift = np.array([[1, 0, step * step_col], [0, 1, step * step_row]], np.float64)
        ahead = cv2.warpAffine(
            height_m,
            shift,
            height_m.shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        shadow |= ahead > height_m + step * rise_per_px + 1e-3
    return shadow
