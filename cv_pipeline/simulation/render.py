"""Draws strikes onto a ground and returns exact truth rasters.

Colour and height are written; light and shadow come later for the whole scene. Fresh soil hides
what grew there, so the texture under a layer is damped with the layer's strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cv_pipeline.simulation.crater import crater_height_m
from cv_pipeline.simulation.ground import Ground, Material, Patch, level_ground, patch_around
from cv_pipeline.simulation.light import Sun, relative_light
from cv_pipeline.simulation.pattern import LAYERS, core
from cv_pipeline.simulation.strike import (
    NO_CHANGE,
    Strike,
    StrikeStatus,
    azimuth_difference_rad,
    cone_extent_m,
    core_edge_m,
    pattern_extent_m,
    secondary_extent_m,
)
from cv_pipeline.types import BoolArray, Float32Array

CENTRE_SIGMA_M = 1.0
"""Width of the centre heat map's Gaussian: 0.8–1 m keeps neighbours at 4 m apart (sim_to_real.md)."""

_MAX_DN_BELOW_GROUND = 70.0
"""Overlapping cores are not darker than one: soil that is already black does not get blacker."""

_BLACKEST = 0.12
"""Share of the ground's brightness that the blackest soil keeps; below it, channels clip and show false colours."""


@dataclass(frozen=True, slots=True)
class TruthRasters:
    """Exact truth on the image grid, each (height, width).

    ``crater``, ``blast``, ``secondary`` and ``cone`` are masks; ``blast`` includes the crater and the cone,
    ``secondary`` includes all of them where there is a secondary pattern. ``new`` marks craters absent
    from the before image, ``centre`` is 1 at each centre and falls as a Gaussian. The radii hold, at
    pixels nearest to a strike within its crater, that strike's radius in metres, and 0 elsewhere.
    """

    crater: BoolArray
    blast: BoolArray
    new: BoolArray
    centre: Float32Array
    crater_radius_m: Float32Array
    blast_radius_m: Float32Array
    secondary: BoolArray
    cone: BoolArray


def draw_strike(ground: Ground, strike: Strike) -> None:
    """Draw ``strike`` onto ``ground``, in place; one that lies wholly outside changes nothing.

    The material under its centre decides: pavements and roofs break in their own way, natural ground takes
    a crater and its pattern.
    """
    row, col = int(strike.row_px), int(strike.col_px)
    inside = 0 <= row < ground.shape[0] and 0 <= col < ground.shape[1]
    hit = Material(int(ground.material[row, col])) if inside else strike.material
    if hit in (Material.ASPHALT, Material.CONCRETE):
        from cv_pipeline.simulation.pavement import draw_pavement_hit

        draw_pavement_hit(ground, strike)
    elif hit is Material.ROOF:
        from cv_pipeline.simulation.roof import draw_roof_hit

        draw_roof_hit(ground, strike)
    else:
        draw_crater(ground, strike)


def draw_crater(ground: Ground, strike: Strike) -> None:
    """Draw ``strike`` as a crater in natural ground, in place."""
    patch = patch_around(ground.shape, strike.row_px, strike.col_px, strike.reach_m, ground.gsd_m)
    if patch is None:
        return
    window = ground.colour[patch.rows, patch.cols]
    before = window.copy() if strike.ploughed > 0 else window
    changed = _coloured(window, strike, patch, ground.gsd_m)
    if strike.ploughed > 0:
        changed = _ploughed(before, changed, strike, ground.gsd_m)
    ground.colour[patch.rows, patch.cols] = np.clip(changed, 0, 255)
    _dig(ground, strike, patch)


def _coloured(window: Float32Array, strike: Strike, patch: Patch, gsd_m: float) -> Float32Array:
    """The patch with every layer laid on it: (patch height, patch width, 3)."""
    side = 2 * round(max(1.2 * strike.crater_radius_m / gsd_m, 1.5)) + 1
    smooth = cv2.blur(window, (side, side), borderType=cv2.BORDER_REPLICATE)
    texture_left = np.ones(patch.radius_m.shape, np.float32)
    total = np.zeros((*patch.radius_m.shape, 3), np.float32)
    for make in LAYERS:
        layer = make(strike, patch)
        if layer is None:
            continue
        strength = layer.strength.astype(np.float32)
        if layer.delta != NO_CHANGE:
            total += strength[..., None] * np.asarray(layer.delta, np.float32)
        texture_left *= 1 - np.float32(layer.damping) * np.minimum(strength, 1)
    level = np.median(smooth.reshape(-1, 3)[:: max(smooth.shape[0] // 24, 1)], axis=0)
    under = smooth + total
    inner = core(strike, patch)
    if inner is not None:
        deepest = max(_MAX_DN_BELOW_GROUND, -min(inner.delta))
        strength = inner.strength.astype(np.float32)
        darkened = under + strength[..., None] * np.asarray(inner.delta, np.float32)
        under = np.maximum(darkened, np.minimum(under, level - deepest))
        texture_left *= 1 - np.float32(inner.damping) * strength
    total = np.maximum(under, np.minimum(smooth, _BLACKEST * level)) - smooth
    changed: Float32Array = (smooth + total + (window - smooth) * texture_left[..., None]).astype(np.float32)
    return changed


def _ploughed(before: Float32Array, changed: Float32Array, strike: Strike, gsd_m: float) -> Float32Array:
    """The change smeared along the furrows and partly turned under."""
    length = 2 * max(round(2.5 * strike.ploughed / gsd_m), 1) + 1
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    angle = np.deg2rad(strike.plough_azimuth_deg)
    tip = (round(middle * np.sin(angle)), round(-middle * np.cos(angle)))
    cv2.line(kernel, (middle - tip[0], middle - tip[1]), (middle + tip[0], middle + tip[1]), 1.0)
    smeared = cv2.filter2D(changed - before, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    rows, cols = np.indices(before.shape[:2]) * gsd_m
    across_m = cols * np.cos(angle) + rows * np.sin(angle)
    furrows = 1 + 0.5 * strike.ploughed * np.sin(2 * np.pi * across_m / max(1.5, 3 * gsd_m))
    result: Float32Array = before + smeared * (furrows * (1 - 0.55 * strike.ploughed))[..., None].astype(np.float32)
    return result


def _dig(ground: Ground, strike: Strike, patch: Patch) -> None:
    """Bowl, rim and water, in place. A later bowl removes what relief was there before."""
    depth_m = 2 * strike.bowl_radius_m * strike.depth_ratio
    rim_m = 2 * strike.bowl_radius_m * strike.rim_ratio
    if depth_m <= 0 and rim_m <= 0 and strike.water <= 0:
        return
    along = np.cos(azimuth_difference_rad(patch.azimuth_rad, strike.core_stretch_azimuth_deg))
    lumps = patch.radius_m * strike.crater_radius_m / core_edge_m(strike, patch.azimuth_rad)
    dug = crater_height_m(
        lumps,
        along,
        bowl_radius_m=strike.bowl_radius_m,
        depth_m=depth_m,
        rim_m=rim_m,
        slump=strike.slump,
        obliquity=strike.obliquity,
    )
    height = ground.height_m[patch.rows, patch.cols]
    old_left = np.clip(patch.radius_m / strike.bowl_radius_m - 0.3, 0, 1)
    height[...] = height * np.where(strike.depth_ratio > 0, old_left, 1.0) + dug
    if strike.water > 0 and depth_m > 0:
        level_m = -(1 - strike.water) * float(-dug.min())
        wet = (dug < level_m) & (patch.radius_m < 1.6 * strike.bowl_radius_m)
        height[wet] = level_m
        rng = np.random.default_rng(strike.ray_seed + 11)
        murk = np.array([70.0, 76.0, 62.0]) * rng.uniform(0.5, 1.6) * (1 + rng.normal(0, 0.06, 3))
        window = ground.colour[patch.rows, patch.cols]
        window[wet] += np.float32(0.85) * (murk.astype(np.float32) - window[wet])
        ground.material[patch.rows, patch.cols][wet] = Material.WATER


def truth_rasters(strikes: Sequence[Strike], shape: tuple[int, int], gsd_m: float) -> TruthRasters:
    """Truth of ``strikes`` on a (height, width) grid of the after image. No strikes give all-False and all-0 rasters.

    GONE strikes are not there any more and count as nothing. Where craters overlap, each pixel belongs to
    the strike whose centre is nearest in crater radii.
    """
    crater, blast, new, secondary, cone = (np.zeros(shape, bool) for _ in range(5))
    centre, crater_m, blast_m = (np.zeros(shape, np.float32) for _ in range(3))
    nearest = np.full(shape, np.inf)
    for strike in strikes:
        patch = patch_around(shape, strike.row_px, strike.col_px, max(strike.reach_m, 4 * CENTRE_SIGMA_M), gsd_m)
        if patch is None or strike.status == StrikeStatus.GONE:
            continue
        where = (patch.rows, patch.cols)
        relative = patch.radius_m / core_edge_m(strike, patch.azimuth_rad)
        inside = relative <= 1.0
        primary = inside | (patch.radius_m <= pattern_extent_m(strike, patch.azimuth_rad))
        crater[where] |= inside
        blast[where] |= primary
        if strike.secondary_radius_m > 0:
            secondary[where] |= primary | (patch.radius_m <= secondary_extent_m(strike, patch.azimuth_rad))
        if strike.cone_azimuth_deg is not None and strike.has_pattern:
            cone[where] |= patch.radius_m <= cone_extent_m(strike, patch.azimuth_rad)
        peak = np.exp(-0.5 * (patch.radius_m / CENTRE_SIGMA_M) ** 2).astype(np.float32)
        centre[where] = np.maximum(centre[where], peak)
        mine = (relative <= 1.3) & (relative < nearest[where])
        nearest[where] = np.where(mine, relative, nearest[where])
        new[where] = np.where(mine, strike.status == StrikeStatus.NEW, new[where])
        crater_m[where] = np.where(mine, strike.crater_radius_m, crater_m[where])
        blast_m[where] = np.where(mine, max(strike.blast_radius_m, strike.crater_radius_m), blast_m[where])
    return TruthRasters(crater, blast, new & crater, centre, crater_m, blast_m, secondary, cone)


def draw_strike_on_image(image: Float32Array, strike: Strike, gsd_m: float, sun: Sun) -> None:
    """The old way, until pair.py and scene.py draw on a Ground: colour and lit relief straight onto an image."""
    ground = level_ground(image, Material.SOIL, gsd_m)
    draw_crater(ground, strike)
    patch = patch_around(ground.shape, strike.row_px, strike.col_px, strike.reach_m, gsd_m)
    if patch is None:
        return
    where = (patch.rows, patch.cols)
    height = ground.height_m[where]
    light = relative_light(height, gsd_m, sun) if min(height.shape) > 2 else np.ones((*height.shape, 3), np.float32)
    image[where] = np.clip(ground.colour[where] * light, 0, 255)
