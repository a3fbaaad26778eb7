"""Paved ground: runways and aprons with their slabs, markings, stains, cracks and old repairs."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.ground import Ground, Material, blend, patch_around
from cv_pipeline.simulation.shapes import (
    Cover,
    line_cover,
    local_metres,
    local_point,
    polygon_cover,
    rectangle,
    smooth_noise,
    stripe,
)
from cv_pipeline.simulation.strike import periodic_noise
from cv_pipeline.types import BoolArray, Float32Array, Float64Array

Surface = Literal[Material.ASPHALT, Material.CONCRETE]

WHITE = (218.0, 218.0, 212.0)
"""Markings, RGB in DN."""
_YELLOW = (206.0, 172.0, 78.0)


def draw_pavement(ground: Ground, config: BuiltConfig, rng: np.random.Generator) -> None:
    """A runway or an apron somewhere across the canvas, in place."""
    height, width = ground.shape
    row, col = rng.uniform(0.2, 0.8, 2) * (height, width)
    azimuth_deg = rng.uniform(0, 180)
    surface: Surface = Material.CONCRETE if rng.random() < 0.5 else Material.ASPHALT
    if rng.random() < 0.5:
        length_m = rng.uniform(600, 3000)
        row, col = local_point(row, col, azimuth_deg, rng.uniform(-0.5, 0.5) * length_m / ground.gsd_m)
        draw_runway(ground, row, col, azimuth_deg, length_m, rng.uniform(*config.runway_width_m), surface, rng)
        return
    reach_m = rng.uniform(50, 260)
    corners = rectangle(row, col, azimuth_deg, reach_m / ground.gsd_m, reach_m * rng.uniform(0.3, 1) / ground.gsd_m)
    draw_apron(ground, corners, azimuth_deg, surface, rng)


def draw_runway(
    ground: Ground,
    row_px: float,
    col_px: float,
    azimuth_deg: float,
    length_m: float,
    width_m: float,
    surface: Surface,
    rng: np.random.Generator,
) -> None:
    """A runway about a centre, in place: shoulders, surface, rubber near both ends, markings of ICAO Annex 14, 5.2."""
    gsd_m = ground.gsd_m
    outer = rectangle(row_px, col_px, azimuth_deg, (length_m + 60) / gsd_m, (width_m + rng.uniform(6, 15)) / gsd_m)
    shoulder = polygon_cover(ground.shape, outer)
    if shoulder is not None:
        tone = 5 * smooth_noise(shoulder.share.shape, 1.5 / gsd_m, rng)
        colour = np.array([(118, 112, 100), (132, 122, 98), (92, 90, 86)][rng.integers(3)], np.float32)
        blend(ground, shoulder.rows, shoulder.cols, 0.85 * shoulder.share, colour + tone[..., None], Material.SOIL)
    corners = rectangle(row_px, col_px, azimuth_deg, length_m / gsd_m, width_m / gsd_m)
    cover = polygon_cover(ground.shape, corners)
    if cover is None:
        return
    along, across = local_metres(cover, row_px, col_px, azimuth_deg, gsd_m)
    _lay(ground, cover, along, across, surface, rng)
    from_end = length_m / 2 - np.abs(along)
    # Tyres touch down some 300 m behind the threshold (ICAO Annex 14 aiming point) and leave two broad dark tracks.
    touchdown = np.exp(-(((from_end - min(350, 0.3 * length_m)) / min(220, 0.2 * length_m)) ** 2))
    streaks = 1 + 0.35 * smooth_noise((1, 64), 1.0, rng)[0][np.floor(across / 0.7).astype(int) % 64]
    rubber = 0.45 * touchdown * streaks * np.exp(-(((np.abs(across) - 3.5) / 4.5) ** 2))
    blend(ground, cover.rows, cover.cols, rubber.astype(np.float32), (44, 43, 43))
    worn = rng.uniform(0.45, 1.0)
    marks = stripe(across, 0.9, gsd_m) * ((along % 50) < 30) * (from_end > 60)
    marks = np.maximum(marks, stripe(np.abs(across) - width_m / 2 + 1.0, 0.9, gsd_m))
    bars = (np.abs(from_end - 21) < 15) & (np.abs(across) > 1.8) & (np.abs(across) < width_m / 2 - 2.5)
    marks = np.maximum(marks, bars * stripe((across + 1.8) % 3.6 - 1.8, 1.8, gsd_m))
    aiming = (np.abs(from_end - 300) < 25) & (np.abs(np.abs(across) - 9) < 3) & (length_m > 1000)
    scuffed = np.clip(worn + 0.15 * smooth_noise(across.shape, 1.2 / gsd_m, rng), 0, 1)
    blend(ground, cover.rows, cover.cols, np.maximum(marks, aiming) * scuffed * cover.share, WHITE)


def draw_apron(
    ground: Ground, corners_px: Float64Array, azimuth_deg: float, surface: Surface, rng: np.random.Generator
) -> None:
    """A paved area of any outline (n, 2) in place: slabs along ``azimuth_deg``, taxi lines, oil stains, repairs."""
    cover = polygon_cover(ground.shape, corners_px)
    if cover is None:
        return
    gsd_m = ground.gsd_m
    row_px, col_px = np.mean(corners_px, axis=0)
    along, across = local_metres(cover, row_px, col_px, azimuth_deg, gsd_m)
    _lay(ground, cover, along, across, surface, rng)
    if rng.random() < 0.7:
        line = stripe(across - rng.uniform(-10, 10), 0.3, gsd_m)
        for bay_m in np.arange(-4, 5) * rng.uniform(18, 45) if rng.random() < 0.6 else ():
            line = np.maximum(line, stripe(along - bay_m, 0.2, gsd_m) * (across > 0))
        blend(ground, cover.rows, cover.cols, 0.85 * line * cover.share, _YELLOW if rng.random() < 0.8 else WHITE)
    extent_m = min(float(np.ptp(along)), float(np.ptp(across)))
    area_m2 = float(cover.share.sum()) * gsd_m**2
    for _ in range(min(rng.poisson(area_m2 / 700), 60)):
        ahead, aside = rng.uniform(-0.45, 0.45, 2) * extent_m / gsd_m
        draw_oil_stain(ground, *local_point(row_px, col_px, azimuth_deg, ahead, aside), rng)
    for _ in range(min(rng.poisson(area_m2 / 3000), 15)):
        ahead, aside = rng.uniform(-0.45, 0.45, 2) * extent_m / gsd_m
        draw_mend(ground, *local_point(row_px, col_px, azimuth_deg, ahead, aside), rng, azimuth_deg)


def draw_oil_stain(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> None:
    """A soft dark spot of 0.5–3 m where something dripped, in place: much like a small strike, but flat."""
    radius_m = float(np.clip(rng.lognormal(-0.2, 0.5), 0.3, 2.0))
    patch = patch_around(ground.shape, row_px, col_px, 2.5 * radius_m, ground.gsd_m)
    if patch is None:
        return
    lobes = 1 + 0.3 * periodic_noise(patch.azimuth_rad, int(rng.integers(2**31)), 1, 4)
    share = rng.uniform(0.15, 0.6) * np.exp(-((patch.radius_m / (radius_m * np.clip(lobes, 0.4, 1.6))) ** 2))
    blend(ground, patch.rows, patch.cols, share.astype(np.float32), (46, 43, 40))


def draw_mend(
    ground: Ground, row_px: float, col_px: float, rng: np.random.Generator, azimuth_deg: float | None = None
) -> None:
    """An old repair: a rectangle a little darker or paler than the pavement around it."""
    azimuth = rng.uniform(0, 90) if azimuth_deg is None else azimuth_deg
    size_px = rng.uniform(0.8, 5.0, 2) / ground.gsd_m
    cover = polygon_cover(ground.shape, rectangle(row_px, col_px, azimuth, *size_px))
    if cover is None:
        return
    paved = paved_mask(ground, cover.rows, cover.cols)
    window = ground.colour[cover.rows, cover.cols]
    change = np.float32(rng.choice([-1, -1, 1]) * rng.uniform(8, 26))
    np.clip(window + (change * cover.share * paved)[..., None], 15, 250, out=window)


def draw_crack(
    ground: Ground, start: Float64Array, azimuth_deg: float, length_m: float, width_m: float, rng: np.random.Generator
) -> None:
    """A wandering dark line."""
    steps = max(3, int(length_m / 1.2))
    heading = np.deg2rad(azimuth_deg) + np.cumsum(rng.normal(0, 0.28, steps))
    step_px = length_m / steps / ground.gsd_m
    path = start + np.cumsum(step_px * np.stack([-np.cos(heading), np.sin(heading)], axis=1), axis=0)
    cover = line_cover(ground.shape, np.vstack([start[None], path]), width_m / ground.gsd_m)
    if cover is not None:
        share = np.float32(0.75) * cover.share * paved_mask(ground, cover.rows, cover.cols)
        blend(ground, cover.rows, cover.cols, share, (48, 46, 44))


def surface_colour(material: Material, rng: np.random.Generator) -> Float32Array:
    """RGB of a surface in full light: new and worn asphalt, concrete, or a soil track."""
    if material == Material.ASPHALT:
        grey = rng.uniform(72, 140)
        tint = np.array([0, -1, -3]) if rng.random() < 0.7 else np.array([4, 0, -6])
    elif material == Material.CONCRETE:
        grey = rng.uniform(140, 205)
        tint = np.array([3, 0, -10])
    else:
        return np.array(((168, 146, 116), (150, 128, 100), (178, 164, 140))[rng.integers(3)], np.float32)
    return (grey + tint).astype(np.float32)


def paved_mask(ground: Ground, rows: slice, cols: slice) -> BoolArray:
    """Where a window is asphalt or concrete."""
    material = ground.material[rows, cols]
    paved: BoolArray = (material == Material.ASPHALT) | (material == Material.CONCRETE)
    return paved


def _lay(
    ground: Ground,
    cover: Cover,
    along: Float32Array,
    across: Float32Array,
    surface: Surface,
    rng: np.random.Generator,
) -> None:
    """The paved surface itself: slabs with joints, or asphalt lanes with cracks."""
    gsd_m, shape = ground.gsd_m, cover.share.shape
    colour = np.broadcast_to(surface_colour(surface, rng), (*shape, 3)).astype(np.float32)
    tone = 4 * smooth_noise(shape, 9.0 / gsd_m, rng) + 2.5 * smooth_noise(shape, 0.5 / gsd_m, rng)
    if surface == Material.CONCRETE:
        slab_m = rng.uniform(3.8, 7.6, 2)
        table = rng.normal(0, 4.5, (61, 67)).astype(np.float32)
        table[rng.random(table.shape) < 0.02] += np.float32(rng.choice([-22, 20]))  # replaced slabs
        i = np.floor(along / slab_m[0]).astype(int) % 61
        j = np.floor(across / slab_m[1]).astype(int) % 67
        tone += table[i, j]
        tarred = rng.random() < 0.5
        depth = 60.0 if tarred else 26.0
        width_m = rng.uniform(0.06, 0.2) if tarred else 0.06
        wear = rng.uniform(0.5, 1.3, 67).astype(np.float32)
        half = slab_m / 2
        joint = stripe((along + half[0]) % slab_m[0] - half[0], width_m, gsd_m) * wear[j]
        joint = np.maximum(joint, stripe((across + half[1]) % slab_m[1] - half[1], width_m, gsd_m) * wear[i % 67])
        tone -= depth * joint
    else:
        lane_m = rng.uniform(3.0, 7.5)
        lanes = rng.normal(0, 4, 41).astype(np.float32)
        tone += lanes[np.floor(across / lane_m).astype(int) % 41]
        tone -= 8 * stripe((across + lane_m / 2) % lane_m - lane_m / 2, 0.1, gsd_m)
    blend(ground, cover.rows, cover.cols, cover.share, np.clip(colour + tone[..., None], 15, 245), surface)
    ground.height_m[cover.rows, cover.cols][cover.share > 0.5] = 0.0
    if surface == Material.ASPHALT:
        extent_m = min(float(np.ptp(along)), float(np.ptp(across)))
        for _ in range(min(rng.poisson(cover.share.sum() * gsd_m**2 / 500), 40)):
            start = np.array(
                [rng.uniform(cover.rows.start, cover.rows.stop), rng.uniform(cover.cols.start, cover.cols.stop)]
            )
            if cover.share[int(start[0]) - cover.rows.start, int(start[1]) - cover.cols.start] > 0.5:
                length_m = min(rng.uniform(4, 25), 0.5 * extent_m)
                draw_crack(ground, start, rng.uniform(0, 360), length_m, 0.08, rng)
