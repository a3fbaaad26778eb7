"""What a strike does to the colour of natural ground: one small function per layer.

Each layer is a strength 0..1 (up to 2 where patchy) over a patch, the colour change at strength 1, and how
far it hides the texture of what grew there. Nothing here is a shadow: relief is lit elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.ground import Patch
from cv_pipeline.simulation.strike import (
    NO_CHANGE,
    ColourDelta,
    Strike,
    cone_extent_m,
    core_edge_m,
    drawn_extent_m,
    periodic_noise,
    secondary_extent_m,
)
from cv_pipeline.simulation.wings import wing_cover
from cv_pipeline.types import Float64Array

_LUSH = ColourDelta(-16.0, 3.0, -12.0)
"""Young growth in a damp hollow against dry ground."""


class Layer(NamedTuple):
    """``strength`` (patch height, patch width), the change of colour, and the share of texture it hides."""

    strength: Float64Array
    delta: ColourDelta
    damping: float


def _soft_edge(relative: Float64Array, softness: float) -> Float64Array:
    """1 inside, 0.5 where ``relative`` is 1, 0 outside."""
    edge: Float64Array = 1 / (1 + np.exp(np.clip((relative - 1) / softness, -30, 30)))
    return edge


def _streaks(strike: Strike, patch: Patch, salt: int, amount: float) -> Float64Array:
    """A radial streakiness about 1: thrown soil lies in rays, not in a smooth sheet."""
    noise = periodic_noise(patch.azimuth_rad, strike.ray_seed + salt, 7, 31)
    streaks: Float64Array = np.clip(1 + amount * noise, 0.0, 2.2)
    return streaks


def _blotches(strike: Strike, patch: Patch, salt: int, amount: float) -> Float64Array:
    """Clods and patches about 1, a few metres across: thrown soil is not evenly spread along its rays."""
    rng = np.random.default_rng(strike.ray_seed + salt)
    reach_m = max(strike.pattern_radius_m, 2 * strike.crater_radius_m)
    right_m, up_m = patch.radius_m * np.sin(patch.azimuth_rad), patch.radius_m * np.cos(patch.azimuth_rad)
    total = np.zeros_like(patch.radius_m)
    for share, weight in ((0.28, 1.0), (0.12, 0.8)):
        # Smooth noise over a lattice that is tied to the strike, so that it looks the same at any GSD.
        lattice = rng.standard_normal((24, 24), np.float32)
        across, down = (np.asarray(part / (share * reach_m) + 12, np.float32) for part in (right_m, -up_m))
        total += weight * cv2.remap(lattice, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
    blotches: Float64Array = np.clip(1 + amount * total, 0.0, 2.2)
    return blotches


def core_strength(strike: Strike, patch: Patch) -> Float64Array:
    """1 at the centre, exactly one half at the core's edge, falling as the core's steepness says."""
    relative = patch.radius_m / core_edge_m(strike, patch.azimuth_rad)
    strength: Float64Array = np.exp2(-np.minimum(relative**strike.core_steepness, 60.0))
    return strength


def core(strike: Strike, patch: Patch) -> Layer | None:
    """Dark burnt and damp soil, or the pale soil of a core without burning."""
    return Layer(core_strength(strike, patch), strike.core_delta, max(strike.texture_damping, 0.7))


def soot(strike: Strike, patch: Patch) -> Layer | None:
    """A halo of soot and fine dark soil, densest at the centre."""
    if strike.soot_delta == NO_CHANGE or strike.pattern_radius_m <= 0:
        return None
    edge = np.maximum(drawn_extent_m(strike, patch.azimuth_rad), 1e-6) * strike.soot_fraction
    relative = patch.radius_m / edge
    fall = _soft_edge(relative, 0.16) * (0.6 + 0.4 * np.clip(1 - relative, 0, 1))
    lopsided = np.clip(1 + 0.7 * periodic_noise(patch.azimuth_rad, strike.ray_seed + 12, 1, 3), 0, 2.5)
    return Layer(fall * lopsided * _streaks(strike, patch, 5, strike.ray_strength), strike.soot_delta, 0.35)


def collar(strike: Strike, patch: Patch) -> Layer | None:
    """Fresh subsoil around the core, ragged and rayed; half as strong at the pattern's edge as at its crest."""
    if strike.ring_delta == NO_CHANGE or strike.pattern_radius_m <= 0:
        return None
    edge = np.maximum(drawn_extent_m(strike, patch.azimuth_rad), 1e-6)
    relative = patch.radius_m / edge
    crest = strike.ring_fraction
    width = np.where(relative < crest, 0.52 * crest, (1 - crest) / np.sqrt(np.log(2)))
    patchy = np.clip(1 + 3 * strike.raggedness * periodic_noise(patch.azimuth_rad, strike.ray_seed + 3, 1, 9), 0.1, 2)
    strength = np.exp(-(((relative - crest) / width) ** 2)) * patchy
    outward = np.clip(relative, 0, 1)
    strength *= 1 + outward * (_streaks(strike, patch, 4, 1.2 * strike.ray_strength) - 1)
    strength *= _blotches(strike, patch, 13, min(2.0 * strike.raggedness, 0.3))
    return Layer(strength, strike.ring_delta, strike.texture_damping)


def flattened(strike: Strike, patch: Patch) -> Layer | None:
    """Plants laid flat by the blast: no change of mean colour, but rows and stalks no longer stand out."""
    if strike.flattening <= 0 or strike.pattern_radius_m <= 0:
        return None
    edge = np.maximum(drawn_extent_m(strike, patch.azimuth_rad), 1e-6)
    return Layer(_soft_edge(patch.radius_m / edge, 0.1), NO_CHANGE, strike.flattening)


def secondary(strike: Strike, patch: Patch) -> Layer | None:
    """Thin dust and scattered clods beyond the primary pattern."""
    if strike.secondary_radius_m <= 0 or strike.secondary_delta == NO_CHANGE:
        return None
    edge = np.maximum(secondary_extent_m(strike, patch.azimuth_rad), 1e-6)
    return Layer(
        _soft_edge(patch.radius_m / edge, 0.07) * _blotches(strike, patch, 14, 0.35), strike.secondary_delta, 0.15
    )


def cone(strike: Strike, patch: Patch) -> Layer | None:
    """Soil thrown to one side, in streaks that thin out with distance."""
    if strike.cone_azimuth_deg is None or strike.cone_delta == NO_CHANGE or strike.cone_length_m <= 0:
        return None
    relative = patch.radius_m / np.maximum(cone_extent_m(strike, patch.azimuth_rad), 1e-6)
    fall = _soft_edge(relative, 0.1) * (1 - 0.5 * np.clip(relative, 0, 1))
    return Layer(fall * _streaks(strike, patch, 7, 0.3), strike.cone_delta, 0.5 * strike.texture_damping)


def spider(strike: Strike, patch: Patch) -> Layer | None:
    """Thin radial streaks, as fragments and clods scratch them into bare soil."""
    if strike.spike_count <= 0 or strike.spike_delta == NO_CHANGE:
        return None
    rng = np.random.default_rng(strike.ray_seed + 8)
    azimuths = rng.uniform(0, 2 * np.pi, strike.spike_count)
    lengths_m = strike.spike_length_m * rng.uniform(0.45, 1.0, strike.spike_count)
    nearest = np.unravel_index(np.argmin(patch.radius_m), patch.radius_m.shape)
    pixel_m = _pixel_size_m(patch)
    radius_m, azimuth = float(patch.radius_m[nearest]), float(patch.azimuth_rad[nearest])
    row = nearest[0] + radius_m * np.cos(azimuth) / pixel_m
    col = nearest[1] - radius_m * np.sin(azimuth) / pixel_m
    canvas = np.zeros(patch.radius_m.shape, np.uint8)
    for level, reach in ((90, 1.0), (160, 0.72), (230, 0.45)):
        for spoke, length_m in zip(azimuths, lengths_m * reach / pixel_m, strict=True):
            tip = (col + length_m * np.sin(spoke), row - length_m * np.cos(spoke))
            ends = [(round(x * 16), round(y * 16)) for x, y in ((col, row), tip)]
            cv2.line(canvas, ends[0], ends[1], level, max(round(0.3 / pixel_m), 1), cv2.LINE_AA, 4)
    coverage = min(0.35 / pixel_m, 1.0)
    return Layer(canvas.astype(np.float64) * (coverage / 255.0), strike.spike_delta, 0.2)


def _pixel_size_m(patch: Patch) -> float:
    """GSD of a patch, from the positions of two opposite corners."""
    corners = [
        (patch.radius_m[i, j] * np.cos(patch.azimuth_rad[i, j]), patch.radius_m[i, j] * np.sin(patch.azimuth_rad[i, j]))
        for i, j in ((0, 0), (-1, -1))
    ]
    (up_a, right_a), (up_b, right_b) = corners
    height, width = patch.radius_m.shape
    return float(np.hypot(up_a - up_b, right_a - right_b) / max(np.hypot(height - 1, width - 1), 1))


def wings(strike: Strike, patch: Patch) -> Layer | None:
    """Crop laid over or burnt in two lobes to the sides, or in one tail."""
    if strike.wing_length_m <= 0 or strike.wing_delta == NO_CHANGE:
        return None
    return Layer(wing_cover(strike, patch.radius_m, patch.azimuth_rad), strike.wing_delta, 0.5)


def regrown(strike: Strike, patch: Patch) -> Layer | None:
    """Plants that come back first, and greenest, where water gathers."""
    if strike.regrowth <= 0:
        return None
    edge = core_edge_m(strike, patch.azimuth_rad) * 1.3
    patchy = np.clip(1 + 0.3 * periodic_noise(patch.azimuth_rad, strike.ray_seed + 10, 2, 9), 0, 2)
    return Layer(strike.regrowth * _soft_edge(patch.radius_m / edge, 0.2) * patchy, _LUSH, 0.0)


LAYERS: tuple[Callable[[Strike, Patch], Layer | None], ...] = (
    secondary,
    flattened,
    cone,
    soot,
    collar,
    spider,
    wings,
    regrown,
)
"""All layers below the core, in the order in which they are laid."""
