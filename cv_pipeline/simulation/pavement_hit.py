"""What a strike does to concrete and asphalt, and how it is patched afterwards."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.debris import throw
from cv_pipeline.simulation.ground import Ground, Material, Patch, blend, patch_around
from cv_pipeline.simulation.pavement import draw_crack, paved_mask
from cv_pipeline.simulation.shapes import broken_noise, line_cover, polygon_cover, rectangle, smooth_noise
from cv_pipeline.simulation.strike import Strike, core_edge_m, pattern_extent_m, periodic_noise
from cv_pipeline.types import Float64Array

_SUBSOIL = np.array([(86, 72, 58), (70, 58, 48), (104, 90, 74), (58, 50, 44)], np.float32)
_FRAGMENTS = np.array([(196, 192, 184), (210, 206, 198), (170, 166, 158), (96, 82, 68), (70, 60, 50)], np.float32)


def draw_pavement_hit(ground: Ground, strike: Strike) -> None:
    """A strike on concrete or asphalt, in place.

    From inside out: a dark bowl in the subsoil with broken edges, a spalled ring, heaved plates between
    radial cracks, thrown subsoil and pale fragments, a star of soot. Soot and thrown soil fill
    :func:`~cv_pipeline.simulation.strike.pattern_extent_m`, and fade as the strike ages.
    """
    inner_m = strike.crater_radius_m
    patch = patch_around(ground.shape, strike.row_px, strike.col_px, max(strike.reach_m, 4 * inner_m), ground.gsd_m)
    if patch is None:
        return
    rng = np.random.default_rng((strike.ray_seed, 0xACE))
    window = patch.rows, patch.cols
    concrete = _paved_is_concrete(ground, strike)
    radius, azimuth = patch.radius_m, patch.azimuth_rad
    edge_m = core_edge_m(strike, azimuth)
    edge_m *= np.clip(
        1 + 0.14 * broken_noise(azimuth, rng, 6, 11) + 0.05 * broken_noise(azimuth, rng, 12, 24), 0.5, 1.5
    )
    spall_m = edge_m + inner_m * np.clip(0.45 + 0.35 * broken_noise(azimuth, rng, 7, 14), 0.05, 1.4)
    _draw_soot_and_throw(ground, strike, patch, rng)
    soft_m = 0.6 * ground.gsd_m
    grain = smooth_noise(radius.shape, 0.5 / ground.gsd_m, rng)
    coarse = smooth_noise(radius.shape, 1.3 / ground.gsd_m, rng)
    paved = paved_mask(ground, patch.rows, patch.cols)
    spall = np.clip((spall_m - radius) / soft_m, 0, 1) * np.clip(0.75 + 0.2 * coarse, 0, 1) * paved
    broken = np.array((166, 160, 150) if concrete else (112, 106, 100), np.float32)
    broken = broken + (13 * grain + 8 * coarse)[..., None]
    blend(ground, patch.rows, patch.cols, spall.astype(np.float32), broken)
    plates = _heave(azimuth, radius, edge_m, inner_m, rng)
    _draw_cracks(ground, strike, rng, concrete)
    bowl = np.clip((edge_m - radius) / soft_m, 0, 1)
    soil = _SUBSOIL[rng.integers(len(_SUBSOIL))] * np.float32(0.9) + (8 * coarse + 7 * grain)[..., None]
    deep = np.clip(1.1 - radius / np.maximum(edge_m, 0.1), 0, 1)[..., None].astype(np.float32)
    blend(ground, patch.rows, patch.cols, bowl.astype(np.float32), np.clip(soil * (1 - 0.35 * deep), 8, 245))
    depth_m = min(0.45 * inner_m, 4.0)
    height = ground.height_m[window]
    height += (plates * paved * (1 - bowl)).astype(np.float32)
    height -= (bowl * depth_m * np.clip(1.15 - (radius / edge_m) ** 2, 0, 1)).astype(np.float32)
    ground.height_m[window] += (0.03 * coarse * spall).astype(np.float32)
    thrown_m = max(strike.blast_radius_m, 2.5 * inner_m)
    count = int(np.clip(14 * thrown_m, 20, 500) * (1 - strike.age))
    throw(ground, strike, count, _FRAGMENTS if concrete else _FRAGMENTS[2:], rng, (0.1, 0.5), 0.6 * thrown_m)


def draw_pavement_repair(ground: Ground, strike: Strike) -> None:
    """A strike's filled crater, in place: a paler or darker rectangular patch, level, edges cut along one azimuth."""
    rng = np.random.default_rng((strike.ray_seed, 0xF17))
    concrete = _paved_is_concrete(ground, strike)
    size_m = strike.crater_radius_m * rng.uniform(2.6, 4.0, 2) + 0.8
    azimuth_deg = float(rng.choice([0.0, 45.0]) + rng.uniform(-10, 10))
    material = Material.CONCRETE if concrete else Material.ASPHALT
    corners = rectangle(strike.row_px, strike.col_px, azimuth_deg, *(size_m / ground.gsd_m))
    cover = polygon_cover(ground.shape, corners)
    if cover is None:
        return
    around = ground.colour[cover.rows, cover.cols].reshape(-1, 3)
    change = float(rng.choice([-1, 1])) * rng.uniform(14, 40)
    colour = np.median(around, axis=0).astype(np.float32) + np.float32(change)
    tone = 4 * smooth_noise(cover.share.shape, 0.8 / ground.gsd_m, rng)
    blend(ground, cover.rows, cover.cols, cover.share, np.clip(colour + tone[..., None], 15, 245), material)
    ground.height_m[cover.rows, cover.cols][cover.share > 0.5] = 0.0
    seam = line_cover(ground.shape, np.vstack([corners, corners[:1]]), 0.12 / ground.gsd_m)
    if seam is not None:
        blend(ground, seam.rows, seam.cols, 0.7 * seam.share, (50, 48, 46))


def _paved_is_concrete(ground: Ground, strike: Strike) -> bool:
    """Whether the pavement around a strike is mostly concrete."""
    patch = patch_around(ground.shape, strike.row_px, strike.col_px, 2 * strike.crater_radius_m + 2, ground.gsd_m)
    if patch is None:
        return False
    near = ground.material[patch.rows, patch.cols]
    return int((near == Material.CONCRETE).sum()) > int((near == Material.ASPHALT).sum())


def _heave(
    azimuth_rad: Float64Array,
    radius_m: Float64Array,
    edge_m: Float64Array,
    inner_m: float,
    rng: np.random.Generator,
) -> Float64Array:
    """Height in metres of the plates lifted around a crater: one lift per sector, falling to 0 outwards."""
    count = int(rng.integers(5, 11))
    at = np.sort(rng.uniform(-np.pi, np.pi, count))
    lift = rng.uniform(0.0, 0.16, count) * min(inner_m, 4.0)
    sector = np.searchsorted(at, azimuth_rad) % count
    height: Float64Array = lift[sector] * np.clip(1 - (radius_m - edge_m) / (1.3 * inner_m), 0, 1)
    return height


def _draw_cracks(ground: Ground, strike: Strike, rng: np.random.Generator, concrete: bool) -> None:
    """Radial cracks from the crater's edge, at most nine."""
    inner_m = strike.crater_radius_m
    for _ in range(int(rng.integers(3, 10)) if concrete else int(rng.integers(2, 6))):
        azimuth_deg = rng.uniform(0, 360)
        heading = np.deg2rad(azimuth_deg)
        from_px = 0.8 * inner_m / ground.gsd_m
        start = np.array([strike.row_px - from_px * np.cos(heading), strike.col_px + from_px * np.sin(heading)])
        length_m = inner_m * rng.uniform(0.8, 3.0)
        draw_crack(ground, start, azimuth_deg, length_m, 0.05 + 0.04 * min(inner_m, 4), rng)


def _draw_soot_and_throw(ground: Ground, strike: Strike, patch: Patch, rng: np.random.Generator) -> None:
    """A rayed star of soot and of thrown subsoil on the pavement around a crater; none without a visible pattern."""
    if not strike.has_pattern:
        return
    rays = np.clip(periodic_noise(patch.azimuth_rad, strike.ray_seed + 1, 9, 30), 0, 3)
    outwards = patch.radius_m / pattern_extent_m(strike, patch.azimuth_rad)
    mottle = np.clip(1 + 0.3 * smooth_noise(outwards.shape, 0.8 / ground.gsd_m, rng), 0, 1.6) * (1 - strike.age)
    soot = rng.uniform(0.2, 0.9) * np.exp(-((outwards / (0.6 + 0.16 * rays)) ** 2)) * mottle
    blend(ground, patch.rows, patch.cols, soot.astype(np.float32), (44, 41, 39))
    dirt = rng.uniform(0.2, 0.9) * np.exp(-((outwards / rng.uniform(0.35, 0.7)) ** 2)) * mottle
    colour = _SUBSOIL[rng.integers(len(_SUBSOIL))] * np.float32(rng.uniform(0.9, 1.6))
    blend(ground, patch.rows, patch.cols, dirt.astype(np.float32), colour)
