"""Draws strikes onto a ground: natural ground here, pavements and roofs by the modules of what they do there.

Colour and height are written; light and shadow come later for the whole scene. Fresh soil hides
what grew there, so the texture under a layer is damped with the layer's strength.
"""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.crater import crater_height_m
from cv_pipeline.simulation.ground import PAVED, Ground, Material, Patch, patch_around
from cv_pipeline.simulation.pattern import LAYERS, core
from cv_pipeline.simulation.pavement_hit import draw_pavement_hit
from cv_pipeline.simulation.roof_hit import draw_roof_hit
from cv_pipeline.simulation.strike import (
    NO_CHANGE,
    Strike,
    azimuth_difference_rad,
    core_edge_m,
)
from cv_pipeline.types import Float32Array

_MAX_DN_BELOW_GROUND = 70.0
"""Overlapping cores are not darker than one: soil that is already black does not get blacker."""

_CUT_SOFTNESS = 0.06
"""Width of the edge at which a crater cuts an earlier one, in crater radii."""

_BLACKEST = 0.12
"""Share of the ground's brightness that the blackest soil keeps; below it, channels clip and show false colours."""


def draw_strike(ground: Ground, strike: Strike) -> None:
    """Draw ``strike`` onto ``ground``, in place; one that lies wholly outside changes nothing.

    The material under its centre decides: pavements and roofs break in their own way, natural ground takes
    a crater and its pattern.
    """
    row, col = int(strike.row_px), int(strike.col_px)
    inside = 0 <= row < ground.shape[0] and 0 <= col < ground.shape[1]
    hit = Material(int(ground.material[row, col])) if inside else strike.material
    if hit in PAVED:
        draw_pavement_hit(ground, strike)
    elif hit is Material.ROOF:
        draw_roof_hit(ground, strike)
    else:
        draw_crater(ground, strike)


def draw_crater(ground: Ground, strike: Strike) -> None:
    """Draw ``strike`` as a crater in natural ground, in place.

    Drawn as on ground without craters, then joined with what earlier ones left: see :func:`_joined`.
    """
    patch = patch_around(ground.shape, strike.row_px, strike.col_px, strike.reach_m, ground.gsd_m)
    if patch is None:
        return
    if ground.struck_dn is None:
        ground.struck_dn = np.zeros_like(ground.colour)
    window, struck_dn = ground.colour[patch.rows, patch.cols], ground.struck_dn[patch.rows, patch.cols]
    intact = window - struck_dn
    changed = _coloured(intact, strike, patch, ground.gsd_m)
    if strike.ploughed > 0:
        changed = _ploughed(intact, changed, strike, ground.gsd_m)
    if struck_dn.any():
        changed = intact + _joined(struck_dn, changed - intact, strike, patch)
    window[...] = np.clip(changed, 0, 255)
    _dig(ground, strike, patch)
    struck_dn[...] = window - intact


def _joined(earlier: Float32Array, later: Float32Array, strike: Strike, patch: Patch) -> Float32Array:
    """Two changes of colour (patch height, patch width, 3) laid over each other, the later one that of ``strike``.

    A crater removes what lay where it is. Around it two that darken (or lighten, or hide texture) do no more than
    the stronger alone: soil that is black does not get blacker. Where they differ in sign, they add up.
    """
    relative = patch.radius_m / core_edge_m(strike, patch.azimuth_rad)
    left = 1 - (1 - strike.ploughed) / (1 + np.exp(np.clip((relative - 1) / _CUT_SOFTNESS, -30, 30)))
    earlier = earlier * left[..., None].astype(np.float32)
    stronger = np.where(np.abs(earlier) > np.abs(later), earlier, later)
    joined: Float32Array = np.where(earlier * later > 0, stronger, earlier + later)
    return joined


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
    old_left = np.clip((patch.radius_m / strike.bowl_radius_m - 0.8) / 0.4, 0, 1)
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
