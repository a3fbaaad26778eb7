"""Strikes on buildings: a hole, a collapse with walls left standing, debris around the footprint.

A hit knows a building only as the roof pixels that hang together around it, so it works on any ground.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from cv_pipeline.simulation.debris import RUBBLE_COLOURS, rubble_colour, scatter
from cv_pipeline.simulation.ground import Ground, Material, Patch, blend, patch_around
from cv_pipeline.simulation.shapes import broken_noise, smooth_noise
from cv_pipeline.simulation.strike import Strike
from cv_pipeline.types import BoolArray, Float32Array

_FARTHEST_M = 45.0
"""A roof is followed this far from the strike; what lies beyond is left standing."""


class RoofDamage(NamedTuple):
    """A window of the canvas, the damaged part of the roof within it (h, w), and the whole struck roof (h, w)."""

    rows: slice
    cols: slice
    damaged: BoolArray
    roof: BoolArray


def roof_damage(ground: Ground, strike: Strike) -> RoofDamage | None:
    """What a strike breaks of the roof under its centre; None where there is no roof. Call before drawing the hit.

    About half of the hits make a hole of the crater's radius, the rest a collapse of two to four radii, with
    ragged edges. What is left of a roof of which three quarters fell falls too.
    """
    found = _struck_roof(ground, strike)
    if found is None:
        return None
    patch, roof = found
    damaged = _broken_part(ground, strike, patch, roof)
    return RoofDamage(patch.rows, patch.cols, damaged, roof)


def draw_roof_hit(ground: Ground, strike: Strike) -> None:
    """Break the roof under a strike's centre, in place; nothing where there is none.

    Inside the break lies rubble, low and dark; parts of the outer walls keep their height and so throw shadows.
    """
    found = _struck_roof(ground, strike)
    if found is None:
        return
    patch, roof = found
    damaged = _broken_part(ground, strike, patch, roof)
    rng = np.random.default_rng((strike.ray_seed, 0xB00F))
    window = patch.rows, patch.cols
    gsd_m, shape = ground.gsd_m, roof.shape
    eaves_m = float(np.percentile(ground.height_m[window][roof], 20))
    _draw_dust_and_debris(ground, strike, patch, roof, damaged, rng)
    scorch = np.exp(-np.clip(ndimage.distance_transform_edt(~damaged) * gsd_m / (0.5 * strike.crater_radius_m), 0, 9))
    scorch = rng.uniform(0.2, 0.8) * scorch * np.clip(1 + 0.5 * smooth_noise(shape, 1.0 / gsd_m, rng), 0, 2)
    blend(ground, patch.rows, patch.cols, (scorch * (roof & ~damaged)).astype(np.float32), (52, 46, 42))
    hole = _is_hole(strike, damaged, roof, gsd_m)
    rubble, rubble_m = _rubble(ground, patch, damaged, eaves_m, hole, rng)
    if not hole:
        _spill(ground, patch, roof, damaged, rubble, min(eaves_m, 5.0), rng)
    blend(ground, patch.rows, patch.cols, damaged.astype(np.float32), rubble)
    walls = _standing_walls(strike, patch, roof, damaged, gsd_m, rng)
    height = ground.height_m[window]
    height[damaged] = rubble_m[damaged]
    tops = eaves_m * np.clip(0.75 + 0.3 * broken_noise(patch.azimuth_rad, rng, 8, 20), 0.2, 1.0)
    height[walls] = np.maximum(tops, 0.6)[walls]
    pale = np.array([(196, 188, 176), (172, 140, 120), (160, 156, 150)][rng.integers(3)], np.float32)
    blend(ground, patch.rows, patch.cols, 0.8 * walls.astype(np.float32), pale)


def _struck_roof(ground: Ground, strike: Strike) -> tuple[Patch, BoolArray] | None:
    """The patch around a strike and the connected roof under its centre."""
    row, col = int(strike.row_px), int(strike.col_px)
    if not (0 <= row < ground.shape[0] and 0 <= col < ground.shape[1]) or ground.material[row, col] != Material.ROOF:
        return None
    reach_m = min(max(6 * strike.crater_radius_m, strike.blast_radius_m, 14.0), _FARTHEST_M)
    patch = patch_around(ground.shape, strike.row_px, strike.col_px, reach_m, ground.gsd_m)
    if patch is None:
        return None
    labels, _ = ndimage.label(ground.material[patch.rows, patch.cols] == Material.ROOF)
    roof: BoolArray = labels == labels[row - patch.rows.start, col - patch.cols.start]
    return patch, roof


def _broken_part(ground: Ground, strike: Strike, patch: Patch, roof: BoolArray) -> BoolArray:
    """The part of the roof that falls."""
    rng = np.random.default_rng((strike.ray_seed, 0xFA11))
    widen = 1.0 if rng.random() < 0.5 else rng.uniform(2.0, 4.0)
    edge_m = strike.crater_radius_m * widen * np.clip(1 + 0.22 * broken_noise(patch.azimuth_rad, rng, 7, 13), 0.5, 1.6)
    damaged: BoolArray = roof & (patch.radius_m < np.maximum(edge_m, 0.8 * ground.gsd_m))
    return roof.copy() if damaged.sum() > 0.75 * roof.sum() else damaged


def _is_hole(strike: Strike, damaged: BoolArray, roof: BoolArray, gsd_m: float) -> bool:
    """Whether the break is a hole with roof all around it rather than a collapse."""
    area_m2 = float(damaged.sum()) * gsd_m**2
    return area_m2 < 6 * strike.crater_radius_m**2 and damaged.sum() < 0.5 * roof.sum()


def _rubble(
    ground: Ground, patch: Patch, damaged: BoolArray, eaves_m: float, hole: bool, rng: np.random.Generator
) -> tuple[Float32Array, Float32Array]:
    """Colour (h, w, 3) and height (h, w) in metres of what lies where the roof was."""
    gsd_m, shape = ground.gsd_m, damaged.shape
    heaps = 0.7 * smooth_noise(shape, 4.5 / gsd_m, rng) + 0.5 * smooth_noise(shape, 1.8 / gsd_m, rng)
    fine = smooth_noise(shape, 0.8 / gsd_m, rng)
    if hole:
        colour = np.clip(np.array((48, 44, 42), np.float32) + (7 * heaps + 6 * fine)[..., None], 12, 245)
        return colour, np.clip(0.25 * eaves_m + 0.3 * heaps + 0.1 * fine, 0.05, None)
    old = ground.colour[patch.rows, patch.cols][damaged].mean(axis=0)
    dusty = rng.uniform(0.5, 0.95)
    base = dusty * RUBBLE_COLOURS.mean(axis=0) + (1 - dusty) * old
    pieces = rubble_colour(shape, gsd_m, rng) - RUBBLE_COLOURS.mean(axis=0)
    colour = base * rng.uniform(0.7, 1.0) + 0.7 * pieces + (9 * heaps)[..., None]
    char = np.clip(0.6 * smooth_noise(shape, 3.0 / gsd_m, rng) + rng.uniform(-0.6, 0.5), 0, 0.8)[..., None]
    colour += char * (np.array((46, 42, 40), np.float32) - colour)
    heap_m = min(0.3 * eaves_m, 2.2)
    rubble_m = np.clip(heap_m * (0.7 + 0.4 * heaps) + 0.12 * fine, 0.05, 0.9 * eaves_m)
    return np.clip(colour, 10, 245).astype(np.float32), rubble_m.astype(np.float32)


def _spill(
    ground: Ground,
    patch: Patch,
    roof: BoolArray,
    damaged: BoolArray,
    rubble: Float32Array,
    reach_m: float,
    rng: np.random.Generator,
) -> None:
    """Rubble that slid out over the footprint's edge, up to about ``reach_m`` and further on one side."""
    gsd_m = ground.gsd_m
    out_m = ndimage.distance_transform_edt(~damaged) * gsd_m
    side = rng.uniform(-np.pi, np.pi)
    edge_m = reach_m * (
        0.35 + 0.3 * np.cos(patch.azimuth_rad - side) + 0.3 * smooth_noise(roof.shape, 2.5 / gsd_m, rng)
    )
    lies = np.clip((edge_m - out_m) / (0.6 * gsd_m), 0, 1) * ~roof
    blend(ground, patch.rows, patch.cols, lies.astype(np.float32), rubble)
    slope_m = np.clip(0.5 * (edge_m - out_m), 0, 1.5) + 0.1 * smooth_noise(roof.shape, 0.8 / gsd_m, rng)
    ground.height_m[patch.rows, patch.cols] += (lies * slope_m).astype(np.float32)


def _standing_walls(
    strike: Strike, patch: Patch, roof: BoolArray, damaged: BoolArray, gsd_m: float, rng: np.random.Generator
) -> BoolArray:
    """Stretches of the outer walls, one pixel or 0.4 m thick, that a collapse left."""
    thick_px = max(1, round(0.4 / gsd_m))
    inner = ndimage.binary_erosion(roof, iterations=thick_px, border_value=1)
    kept = broken_noise(patch.azimuth_rad, rng, 9, 18) + rng.uniform(-0.3, 0.9) > 0
    near = patch.radius_m < 0.7 * strike.crater_radius_m
    walls: BoolArray = damaged & ~inner & kept & ~near
    return walls


def _draw_dust_and_debris(
    ground: Ground, strike: Strike, patch: Patch, roof: BoolArray, damaged: BoolArray, rng: np.random.Generator
) -> None:
    """Pale dust and pieces of the roof around the building, most of it towards the strike's cone if it has one."""
    gsd_m = ground.gsd_m
    reach_m = max(strike.blast_radius_m, 2.5 * strike.crater_radius_m)
    if strike.cone_azimuth_deg is None:
        side, towards = 0.0, 0.0
        bias = np.clip(0.6 + 0.2 * broken_noise(patch.azimuth_rad, rng, 7, 13), 0.3, 1.0)
    else:
        side, towards = np.deg2rad(strike.cone_azimuth_deg), 0.6
        bias = 0.35 + 0.65 * (0.5 + 0.5 * np.cos(patch.azimuth_rad - side)) ** 2
    from_break_m = ndimage.distance_transform_edt(~damaged) * gsd_m
    dust = bias * np.exp(-from_break_m / (0.5 * reach_m * bias)) * rng.uniform(0.25, 0.7)
    dust *= np.clip(0.9 + 0.35 * smooth_noise(roof.shape, 1.5 / gsd_m, rng), 0, 1.5)
    colour = (176, 166, 152) if rng.random() < 0.7 else (84, 76, 70)
    blend(ground, patch.rows, patch.cols, np.where(damaged, 0, dust).astype(np.float32), colour)
    rows, cols = np.nonzero(damaged)
    count = int(np.clip(10 * reach_m + 0.5 * rows.size, 20, 900))
    chosen = rng.integers(rows.size, size=count)
    azimuth = np.where(rng.random(count) < towards, rng.normal(side, 0.7, count), rng.uniform(-np.pi, np.pi, count))
    distance_px = rng.exponential(0.4 * reach_m, count) / gsd_m
    roof_colour = ground.colour[patch.rows, patch.cols][roof].mean(axis=0)
    palette = np.vstack([RUBBLE_COLOURS, np.tile(roof_colour, (5, 1))])
    scatter(
        ground,
        patch.rows.start + rows[chosen] + 0.5 - distance_px * np.cos(azimuth),
        patch.cols.start + cols[chosen] + 0.5 + distance_px * np.sin(azimuth),
        np.minimum(0.15 + rng.exponential(0.3, count), 1.6),
        palette[rng.integers(len(palette), size=count)],
    )
