"""Draws strikes onto an image and returns exact truth rasters.

The ground's colour is changed by layers: the dark (or pale) core, soot or thrown soil out to the
pattern's edge, a bright ring of subsoil, then the crater's relief lit by the sun. Fresh soil hides
what grew there, so the texture under a layer is damped with the layer's strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cv_pipeline.simulation.strike import NO_CHANGE, Strike, azimuth_difference_rad, pattern_extent_m, periodic_noise
from cv_pipeline.simulation.surface import Sun, bowl_height_m, relative_light
from cv_pipeline.types import BoolArray, Float32Array, Float64Array, Status

CENTRE_SIGMA_M = 1.0
"""Width of the centre heat map's Gaussian: 0.8–1 m keeps neighbours at 4 m apart (sim_to_real.md)."""


@dataclass(frozen=True, slots=True)
class TruthRasters:
    """Exact truth on the image grid, each (height, width).

    ``crater`` and ``blast`` are masks (``blast`` includes the crater), ``new`` marks craters absent
    from the before image, ``centre`` is 1 at each centre and falls as a Gaussian. The radii hold, at
    pixels nearest to a strike within its crater, that strike's radius in metres, and 0 elsewhere.
    """

    crater: BoolArray
    blast: BoolArray
    new: BoolArray
    centre: Float32Array
    crater_radius_m: Float32Array
    blast_radius_m: Float32Array


@dataclass(frozen=True, slots=True)
class _Patch:
    """Polar coordinates of the image rectangle that a strike touches."""

    rows: slice
    cols: slice
    radius_m: Float64Array
    azimuth_rad: Float64Array


def _patch(strike: Strike, shape: tuple[int, int], gsd_m: float, reach_m: float) -> _Patch | None:
    """The part of the image within ``reach_m`` of the strike; None where it lies outside."""
    reach_px = reach_m / gsd_m + 2
    top, bottom = int(max(strike.row_px - reach_px, 0)), int(min(strike.row_px + reach_px + 1, shape[0]))
    left, right = int(max(strike.col_px - reach_px, 0)), int(min(strike.col_px + reach_px + 1, shape[1]))
    if top >= bottom or left >= right:
        return None
    rows = (np.arange(top, bottom) + 0.5 - strike.row_px)[:, None] * gsd_m
    cols = (np.arange(left, right) + 0.5 - strike.col_px)[None, :] * gsd_m
    return _Patch(slice(top, bottom), slice(left, right), np.hypot(rows, cols), np.arctan2(cols, -rows))


def _core_radius_m(strike: Strike, patch: _Patch) -> Float64Array:
    """Distance from the centre with the core's ellipse and slight lumps divided out."""
    along = np.cos(azimuth_difference_rad(patch.azimuth_rad, strike.core_stretch_azimuth_deg)) ** 2
    stretch = np.sqrt(along / strike.core_stretch**2 + (1 - along) * strike.core_stretch**2)
    lumps = periodic_noise(patch.azimuth_rad, strike.ray_seed + 2, 2, 6)
    return patch.radius_m * stretch / (1 + 0.35 * strike.raggedness * lumps)


def _layers(strike: Strike, patch: _Patch) -> list[tuple[Float64Array, tuple[float, float, float]]]:
    """(strength 0..1, colour change) of each layer, in the order in which they are laid."""
    layers: list[tuple[Float64Array, tuple[float, float, float]]] = []
    if strike.has_pattern:
        edge = np.maximum(pattern_extent_m(strike, patch.azimuth_rad), 1e-6)
        relative = patch.radius_m / edge
        if strike.soot_delta != NO_CHANGE:
            fall = 1 / (1 + np.exp((relative - 0.85) / 0.09))
            layers.append((fall * (0.55 + 0.45 * np.clip(1 - relative, 0, 1)), strike.soot_delta))
        if strike.ring_delta != NO_CHANGE:
            patchy = np.clip(1 + 0.45 * periodic_noise(patch.azimuth_rad, strike.ray_seed + 3, 2, 9), 0.1, 2)
            inner, outer = strike.ring_fraction, 1.0 - strike.ring_fraction
            width = np.where(relative < inner, 0.55 * inner, 0.85 * outer)
            layers.append((np.exp(-(((relative - inner) / width) ** 2)) * patchy, strike.ring_delta))
    core = 1 / (1 + (_core_radius_m(strike, patch) / strike.crater_radius_m) ** strike.core_steepness)
    layers.append((core, strike.core_delta))
    return layers


def draw_strike(image: Float32Array, strike: Strike, gsd_m: float, sun: Sun) -> None:
    """Draw ``strike`` into ``image`` (height, width, 3), float DN 0..255, in place."""
    patch = _patch(strike, image.shape[:2], gsd_m, strike.reach_m)
    if patch is None:
        return
    ground = image[patch.rows, patch.cols]
    spread = max(strike.crater_radius_m / gsd_m, 1.5)
    smooth = cv2.GaussianBlur(ground, (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
    texture = ground - smooth
    for strength, delta in _layers(strike, patch):
        alpha = np.clip(strength, 0, 1).astype(np.float32)[..., None]
        smooth = smooth + strength.astype(np.float32)[..., None] * np.asarray(delta, np.float32)
        texture = texture * (1 - 0.6 * alpha)
    height = bowl_height_m(
        patch.radius_m.astype(np.float32), strike.crater_radius_m, strike.depth_ratio, strike.rim_ratio
    )
    light = relative_light(height, gsd_m, sun) if min(height.shape) > 2 else np.ones_like(height)
    image[patch.rows, patch.cols] = np.clip((smooth + texture) * light[..., None], 0, 255)


def truth_rasters(strikes: Sequence[Strike], shape: tuple[int, int], gsd_m: float) -> TruthRasters:
    """Truth of ``strikes`` on a (height, width) grid. No strikes give all-False and all-0 rasters.

    Where craters overlap, each pixel belongs to the strike whose centre is nearest in crater radii.
    """
    crater, blast, new = (np.zeros(shape, bool) for _ in range(3))
    centre, crater_m, blast_m = (np.zeros(shape, np.float32) for _ in range(3))
    nearest = np.full(shape, np.inf)
    for strike in strikes:
        patch = _patch(strike, shape, gsd_m, max(strike.reach_m, 4 * CENTRE_SIGMA_M))
        if patch is None:
            continue
        where = (patch.rows, patch.cols)
        relative = _core_radius_m(strike, patch) / strike.crater_radius_m
        inside = relative <= 1.0
        crater[where] |= inside
        blast[where] |= inside | (patch.radius_m <= pattern_extent_m(strike, patch.azimuth_rad))
        peak = np.exp(-0.5 * (patch.radius_m / CENTRE_SIGMA_M) ** 2).astype(np.float32)
        centre[where] = np.maximum(centre[where], peak)
        mine = (relative <= 1.3) & (relative < nearest[where])
        nearest[where] = np.where(mine, relative, nearest[where])
        new[where] = np.where(mine, strike.status is Status.NEW, new[where])
        crater_m[where] = np.where(mine, strike.crater_radius_m, crater_m[where])
        blast_m[where] = np.where(mine, max(strike.blast_radius_m, strike.crater_radius_m), blast_m[where])
    return TruthRasters(crater, blast, new & crater, centre, crater_m, blast_m)
