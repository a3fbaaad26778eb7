"""Roads, runways and aprons, what a strike does to them, and how it is patched afterwards."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.debris import throw
from cv_pipeline.simulation.ground import Ground, Material, Patch, blend, patch_around
from cv_pipeline.simulation.shapes import (
    Cover,
    broken_noise,
    line_cover,
    local_metres,
    local_point,
    polygon_cover,
    rectangle,
    smooth_noise,
    stripe,
)
from cv_pipeline.simulation.strike import Strike, core_edge_m, pattern_extent_m, periodic_noise
from cv_pipeline.types import BoolArray, Float32Array, Float64Array

Surface = Literal[Material.ASPHALT, Material.CONCRETE]

_WHITE = (218.0, 218.0, 212.0)
_YELLOW = (206.0, 172.0, 78.0)
_SUBSOIL = np.array([(86, 72, 58), (70, 58, 48), (104, 90, 74), (58, 50, 44)], np.float32)
_FRAGMENTS = np.array([(196, 192, 184), (210, 206, 198), (170, 166, 158), (96, 82, 68), (70, 60, 50)], np.float32)


def draw_road(
    ground: Ground, points_px: Float64Array, width_m: float, material: Material, rng: np.random.Generator
) -> None:
    """A road along a polyline (n, 2) in place: asphalt or concrete with markings, or a track with two ruts.

    Crossing roads simply merge. Nothing is drawn outside the canvas.
    """
    gsd_m = ground.gsd_m
    points = np.asarray(points_px, np.float64)
    cover = line_cover(ground.shape, points, width_m / gsd_m)
    if cover is None:
        return
    _draw_verge(ground, points, width_m, rng)
    paved = material in (Material.ASPHALT, Material.CONCRETE)
    shape = cover.share.shape
    base = _base_colour(material, rng)
    tone = 4 * smooth_noise(shape, 6.0 / gsd_m, rng) + 3 * smooth_noise(shape, 0.6 / gsd_m, rng)
    share = cover.share if paved else cover.share * np.clip(0.85 + 0.05 * tone, 0, 1).astype(np.float32)
    blend(ground, cover.rows, cover.cols, share, base + (tone if paved else 1.6 * tone)[..., None], material)
    ground.height_m[cover.rows, cover.cols][cover.share > 0.5] = 0.0
    if not paved:
        for side in (-0.9, 0.9):
            rut = line_cover(ground.shape, _shifted(points, side / gsd_m), 0.45 / gsd_m)
            if rut is not None:
                blend(ground, rut.rows, rut.cols, 0.5 * rut.share, base * np.float32(0.86))
        if rng.random() < 0.4:
            middle = line_cover(ground.shape, points, 0.7 / gsd_m)
            if middle is not None:
                blend(ground, middle.rows, middle.cols, 0.4 * middle.share, (104, 112, 74))
        return
    if width_m > 5.5 and rng.random() < 0.6:
        line = line_cover(ground.shape, points, 0.13 / gsd_m)
        if line is not None:
            blend(ground, line.rows, line.cols, 0.8 * line.share, _WHITE)
    for _ in range(rng.poisson(1.0 + _length_px(points) * gsd_m / 150)):
        _draw_mend(ground, *_on_line(points, 0.35 * width_m / gsd_m, rng), rng)


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
    blend(ground, cover.rows, cover.cols, np.maximum(marks, aiming) * scuffed * cover.share, _WHITE)


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
        blend(ground, cover.rows, cover.cols, 0.85 * line * cover.share, _YELLOW if rng.random() < 0.8 else _WHITE)
    extent_m = min(float(np.ptp(along)), float(np.ptp(across)))
    area_m2 = float(cover.share.sum()) * gsd_m**2
    for _ in range(min(rng.poisson(area_m2 / 700), 60)):
        ahead, aside = rng.uniform(-0.45, 0.45, 2) * extent_m / gsd_m
        draw_oil_stain(ground, *local_point(row_px, col_px, azimuth_deg, ahead, aside), rng)
    for _ in range(min(rng.poisson(area_m2 / 3000), 15)):
        ahead, aside = rng.uniform(-0.45, 0.45, 2) * extent_m / gsd_m
        _draw_mend(ground, *local_point(row_px, col_px, azimuth_deg, ahead, aside), rng, azimuth_deg)


def draw_oil_stain(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> None:
    """A soft dark spot of 0.5–3 m where something dripped, in place: much like a small strike, but flat."""
    radius_m = float(np.clip(rng.lognormal(-0.2, 0.5), 0.3, 2.0))
    patch = patch_around(ground.shape, row_px, col_px, 2.5 * radius_m, ground.gsd_m)
    if patch is None:
        return
    lobes = 1 + 0.3 * periodic_noise(patch.azimuth_rad, int(rng.integers(2**31)), 1, 4)
    share = rng.uniform(0.15, 0.6) * np.exp(-((patch.radius_m / (radius_m * np.clip(lobes, 0.4, 1.6))) ** 2))
    blend(ground, patch.rows, patch.cols, share.astype(np.float32), (46, 43, 40))


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
    paved = _paved(ground, patch.rows, patch.cols)
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


def _base_colour(material: Material, rng: np.random.Generator) -> Float32Array:
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
    colour = np.broadcast_to(_base_colour(surface, rng), (*shape, 3)).astype(np.float32)
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
                _draw_crack(ground, start, rng.uniform(0, 360), length_m, 0.08, rng)


def _draw_crack(
    ground: Ground, start: Float64Array, azimuth_deg: float, length_m: float, width_m: float, rng: np.random.Generator
) -> None:
    """A wandering dark line."""
    steps = max(3, int(length_m / 1.2))
    heading = np.deg2rad(azimuth_deg) + np.cumsum(rng.normal(0, 0.28, steps))
    step_px = length_m / steps / ground.gsd_m
    path = start + np.cumsum(step_px * np.stack([-np.cos(heading), np.sin(heading)], axis=1), axis=0)
    cover = line_cover(ground.shape, np.vstack([start[None], path]), width_m / ground.gsd_m)
    if cover is not None:
        share = np.float32(0.75) * cover.share * _paved(ground, cover.rows, cover.cols)
        blend(ground, cover.rows, cover.cols, share, (48, 46, 44))


def _draw_mend(
    ground: Ground, row_px: float, col_px: float, rng: np.random.Generator, azimuth_deg: float | None = None
) -> None:
    """An old repair: a rectangle a little darker or paler than the pavement around it."""
    azimuth = rng.uniform(0, 90) if azimuth_deg is None else azimuth_deg
    size_px = rng.uniform(0.8, 5.0, 2) / ground.gsd_m
    cover = polygon_cover(ground.shape, rectangle(row_px, col_px, azimuth, *size_px))
    if cover is None:
        return
    paved = _paved(ground, cover.rows, cover.cols)
    window = ground.colour[cover.rows, cover.cols]
    change = np.float32(rng.choice([-1, -1, 1]) * rng.uniform(8, 26))
    np.clip(window + (change * cover.share * paved)[..., None], 15, 250, out=window)


def _draw_verge(ground: Ground, points: Float64Array, width_m: float, rng: np.random.Generator) -> None:
    """Trodden soil on both sides of a road."""
    cover = line_cover(ground.shape, points, (width_m + rng.uniform(1.0, 3.0)) / ground.gsd_m)
    if cover is None:
        return
    worn = cover.share * np.clip(0.35 + 0.2 * smooth_noise(cover.share.shape, 2 / ground.gsd_m, rng), 0, 1)
    blend(ground, cover.rows, cover.cols, worn.astype(np.float32), (152, 138, 114))


def _shifted(points: Float64Array, right_px: float) -> Float64Array:
    """A polyline moved to its right."""
    ahead = np.gradient(points, axis=0)
    ahead /= np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    moved: Float64Array = points + right_px * np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    return moved


def _length_px(points: Float64Array) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _on_line(points: Float64Array, aside_px: float, rng: np.random.Generator) -> tuple[float, float]:
    """A random point near a polyline."""
    part = rng.integers(len(points) - 1)
    row, col = points[part] + rng.random() * (points[part + 1] - points[part]) + rng.uniform(-aside_px, aside_px, 2)
    return float(row), float(col)


def _paved(ground: Ground, rows: slice, cols: slice) -> BoolArray:
    """Where a window is asphalt or concrete."""
    material = ground.material[rows, cols]
    paved: BoolArray = (material == Material.ASPHALT) | (material == Material.CONCRETE)
    return paved


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
        _draw_crack(ground, start, azimuth_deg, length_m, 0.05 + 0.04 * min(inner_m, 4), rng)


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
