"""Small things at known places of a simulated scene: new vehicles and sheds, clods and fragments around a strike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cv_pipeline.simulation.strike import Strike
from cv_pipeline.simulation.surface import Sun
from cv_pipeline.types import Float32Array


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A box on the after image only: a new vehicle or shed, the thing most like a small strike.

    ``heading_deg`` is the long side's direction, clockwise from image up; ``colour`` is RGB in DN.
    """

    row_px: float
    col_px: float
    heading_deg: float
    length_m: float
    width_m: float
    height_m: float
    colour: tuple[float, float, float]


def draw_vehicle(image: Float32Array, vehicle: Vehicle, gsd_m: float, sun: Sun) -> None:
    """A box with its cast shadow and a darker windscreen band, in place."""
    heading, sun_azimuth = np.deg2rad(vehicle.heading_deg), np.deg2rad(sun.azimuth_deg)
    along = np.array([np.sin(heading), -np.cos(heading)]) * vehicle.length_m / 2 / gsd_m
    across = np.array([np.cos(heading), np.sin(heading)]) * vehicle.width_m / 2 / gsd_m
    centre = np.array([vehicle.col_px, vehicle.row_px])
    corners = centre + np.array([along + across, along - across, -along - across, -along + across])
    reach_px = vehicle.height_m / np.tan(np.deg2rad(sun.elevation_deg)) / gsd_m
    away = np.array([-np.sin(sun_azimuth), np.cos(sun_azimuth)]) * reach_px
    shadow = cv2.convexHull(np.vstack([corners, corners + away]).astype(np.float32))
    band = centre + np.array(
        [a * along + b * across for a, b in ((0.5, 0.85), (0.5, -0.85), (0.25, -0.85), (0.25, 0.85))]
    )
    _fill(image, shadow, (25, 27, 33), 0.65)
    _fill(image, corners, vehicle.colour, 1.0)
    _fill(image, band, (30, 32, 38), 0.8)


def _fill(image: Float32Array, corners: npt.NDArray[Any], colour: tuple[float, float, float], opacity: float) -> None:
    """Blend a polygon of (col, row) corners, counted from pixel edges, into ``image``."""
    mask = np.zeros(image.shape[:2], np.float32)
    points = np.round((np.asarray(corners).reshape(-1, 2) - 0.5) * 8).astype(np.int32)
    cv2.fillPoly(mask, [points], opacity, lineType=cv2.LINE_AA, shift=3)
    image[:] = image * (1 - mask[..., None]) + mask[..., None] * np.asarray(colour, np.float32)


def scatter_debris(image: Float32Array, strike: Strike, gsd_m: float, rng: np.random.Generator) -> None:
    """Clods and fragments of 0.1–0.4 m around a strike, thinning outwards, in place."""
    reach_m = max(strike.blast_radius_m, 2 * strike.crater_radius_m)
    for _ in range(int(9.0 * reach_m)):
        azimuth = rng.uniform(0, 2 * np.pi)
        if strike.cone_azimuth_deg is not None and rng.random() < 0.7:
            azimuth = np.deg2rad(rng.normal(strike.cone_azimuth_deg, 0.5 * strike.cone_half_width_deg))
        distance_px = (0.8 * strike.crater_radius_m + rng.exponential(0.35 * reach_m)) / gsd_m
        row, col = strike.row_px - distance_px * np.cos(azimuth), strike.col_px + distance_px * np.sin(azimuth)
        radius_px = 0.1 / gsd_m + rng.exponential(0.09) / gsd_m
        change = rng.choice([-1.0, -1.0, 1.0]) * rng.uniform(12, 42)
        _add_dot(image, float(row), float(col), float(radius_px), float(change))


def _add_dot(image: Float32Array, row_px: float, col_px: float, radius_px: float, change_dn: float) -> None:
    """Add a soft dot; nothing where it lies outside."""
    top, left = int(row_px - 3 * radius_px), int(col_px - 3 * radius_px)
    bottom, right = int(row_px + 3 * radius_px) + 2, int(col_px + 3 * radius_px) + 2
    if top < 0 or left < 0 or bottom > image.shape[0] or right > image.shape[1]:
        return
    rows = np.arange(top, bottom)[:, None] + 0.5 - row_px
    cols = np.arange(left, right)[None, :] + 0.5 - col_px
    dot = np.exp(-((rows**2 + cols**2) / (2 * (0.6 * radius_px + 0.2) ** 2)))
    patch = image[top:bottom, left:right]
    image[top:bottom, left:right] = np.clip(patch + change_dn * dot[..., None], 0, 255)
