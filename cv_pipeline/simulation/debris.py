"""Loose things on the ground: clods and fragments, rubble, tarpaulins, planks, uprooted trees."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from cv_pipeline.simulation.ground import Ground, blend, patch_around
from cv_pipeline.simulation.shapes import line_cover, polygon_cover, rectangle, smooth_noise
from cv_pipeline.simulation.strike import Strike, periodic_noise
from cv_pipeline.types import Float32Array, Float64Array

RUBBLE_COLOURS = np.array(
    [
        (206, 198, 188),  # plaster, pale concrete
        (176, 168, 158),
        (150, 140, 130),
        (172, 122, 98),  # brick
        (140, 112, 90),  # wood
        (112, 98, 86),
        (84, 78, 72),
        (60, 56, 54),  # gaps between
        (226, 224, 220),  # boards, insulation
    ],
    np.float32,
)
"""RGB in DN; read by eye off rubble of Kampala tiles and of tornado debris."""

_TARPAULINS = ((48, 92, 190), (60, 120, 205), (232, 232, 230), (215, 218, 222), (92, 110, 80))


def scatter(
    ground: Ground,
    row_px: Float64Array,
    col_px: Float64Array,
    diameter_m: Float64Array,
    colours: npt.NDArray[np.floating[Any]],
) -> None:
    """Many round fragments at once, in place: centres (n,), diameters (n,), RGB (n, 3) in DN.

    A fragment smaller than a pixel colours its share of the pixel. Height is half the diameter, again by share.
    """
    height, width = ground.shape
    inside = (row_px > 1) & (row_px < height - 1) & (col_px > 1) & (col_px < width - 1)
    if not inside.any():
        return
    row_px, col_px, diameter_m, colours = row_px[inside], col_px[inside], diameter_m[inside], colours[inside]
    top, left = max(int(row_px.min()) - 3, 0), max(int(col_px.min()) - 3, 0)
    bottom, right = min(int(row_px.max()) + 4, height), min(int(col_px.max()) + 4, width)
    shape = (bottom - top, right - left)
    radius_px = diameter_m / 2 / ground.gsd_m
    spread_px = np.sqrt(0.3**2 + (0.45 * radius_px) ** 2)
    reach = int(np.clip(np.ceil(2 * spread_px.max()), 1, 3))
    steps = np.arange(-reach, reach + 1)
    rows = np.floor(row_px).astype(int)[:, None, None] + steps[None, :, None] - top
    cols = np.floor(col_px).astype(int)[:, None, None] + steps[None, None, :] - left
    squared = (rows + top + 0.5 - row_px[:, None, None]) ** 2 + (cols + left + 0.5 - col_px[:, None, None]) ** 2
    weight = np.exp(-squared / (2 * spread_px[:, None, None] ** 2))
    weight *= (np.pi * radius_px**2 / weight.sum(axis=(1, 2)))[:, None, None]
    weight = np.minimum(weight, 1.0)
    valid = (rows >= 0) & (rows < shape[0]) & (cols >= 0) & (cols < shape[1])
    cells = (rows * shape[1] + cols)[valid]
    shares = weight[valid]
    size = shape[0] * shape[1]
    total = np.bincount(cells, shares, size)
    rise = np.bincount(cells, (weight * (diameter_m / 2)[:, None, None])[valid], size)
    mean = np.empty((size, 3), np.float32)
    for channel in range(3):
        mean[:, channel] = np.bincount(cells, (weight * colours[:, channel, None, None])[valid], size)
    mean = np.clip(mean / np.maximum(total, 1e-9)[:, None], 10, 245)
    window = slice(top, bottom), slice(left, right)
    blend(ground, *window, total.reshape(shape).astype(np.float32), mean.reshape(*shape, 3))
    ground.height_m[window] += np.minimum(rise, 0.5).reshape(shape).astype(np.float32)


def throw(
    ground: Ground,
    strike: Strike,
    count: int,
    colours: npt.NDArray[np.floating[Any]],
    rng: np.random.Generator,
    diameter_m: tuple[float, float] = (0.1, 0.4),
    reach_m: float | None = None,
) -> None:
    """Throw ``count`` fragments out of a strike, thinning outwards, most of them into its cone if it has one.

    ``colours`` (k, 3) is a palette in DN. ``reach_m`` is where about one in twelve lies further out.
    """
    reach = reach_m if reach_m is not None else max(strike.blast_radius_m, 2.5 * strike.crater_radius_m)
    azimuth = rng.uniform(0, 2 * np.pi, count)
    if strike.cone_azimuth_deg is not None:
        ahead = np.deg2rad(rng.normal(strike.cone_azimuth_deg, 0.6 * strike.cone_half_width_deg, count))
        azimuth = np.where(rng.random(count) < 0.7, ahead, azimuth)
    distance_px = (0.7 * strike.crater_radius_m + rng.exponential(0.4 * reach, count)) / ground.gsd_m
    low, high = diameter_m
    diameter = np.minimum(low + rng.exponential((high - low) / 3, count), high)
    chosen = colours[rng.integers(len(colours), size=count)] + rng.normal(0, 9, (count, 1))
    scatter(
        ground,
        strike.row_px - distance_px * np.cos(azimuth),
        strike.col_px + distance_px * np.sin(azimuth),
        diameter,
        chosen,
    )


def draw_debris(ground: Ground, strike: Strike) -> None:
    """Clods of 0.1–0.4 m of the ground's own colour, darker and paler, around a strike on open ground, in place."""
    patch = patch_around(ground.shape, strike.row_px, strike.col_px, 2 * strike.crater_radius_m + 2.0, ground.gsd_m)
    if patch is None:
        return
    rng = np.random.default_rng((strike.ray_seed, 0xDEB))
    own = np.median(ground.colour[patch.rows, patch.cols].reshape(-1, 3), axis=0)
    palette = own * np.array([0.6, 0.7, 0.8, 1.25])[:, None]
    reach_m = max(strike.blast_radius_m, 2.5 * strike.crater_radius_m)
    throw(ground, strike, int(12 * reach_m), palette, rng)


def rubble_colour(shape: tuple[int, int], gsd_m: float, rng: np.random.Generator) -> Float32Array:
    """RGB (h, w, 3) in DN of heaped pieces of 0.3–1 m, of one dominant hue; contrast falls as pixels hold several."""
    mean = RUBBLE_COLOURS.mean(axis=0)
    piece_px = max(0.7 / gsd_m, 1.0)
    cells = rng.integers(len(RUBBLE_COLOURS), size=(int(shape[0] / piece_px) + 2, int(shape[1] / piece_px) + 2))
    size = (int(cells.shape[1] * piece_px) + 1, int(cells.shape[0] * piece_px) + 1)
    pieces = cv2.resize(RUBBLE_COLOURS[cells] - mean, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]
    hue = RUBBLE_COLOURS[rng.integers(5)] * np.float32(rng.uniform(0.75, 1.35))
    tone = 12 * smooth_noise(shape, 2.5 / gsd_m, rng) + 8 * smooth_noise(shape, 1.0, rng)
    contrast = np.float32(0.8 * min(1.0, 0.7 / gsd_m))
    colour: Float32Array = np.clip(0.5 * (mean + hue) + contrast * pieces + tone[..., None], 15, 245)
    return colour.astype(np.float32, copy=False)


def draw_rubble(ground: Ground, row_px: float, col_px: float, radius_m: float, rng: np.random.Generator) -> None:
    """A field of rubble without any crater, in place: heaps, boards, tarpaulins, perhaps an uprooted tree.

    ``radius_m`` is where the rubble thins to half. Nothing is drawn where that lies outside the canvas.
    """
    patch = patch_around(ground.shape, row_px, col_px, 1.8 * radius_m, ground.gsd_m)
    if patch is None:
        return
    shape, gsd_m = patch.radius_m.shape, ground.gsd_m
    lobes = np.clip(1 + 0.35 * periodic_noise(patch.azimuth_rad, int(rng.integers(2**31)), 1, 5), 0.4, 1.8)
    density = 1.0 - (patch.radius_m / (1.4 * radius_m * lobes)) ** 2 + 0.45 * smooth_noise(shape, 3.0 / gsd_m, rng)
    share = np.clip(0.9 * density + 0.5 * smooth_noise(shape, 0.9 / gsd_m, rng), 0, 1).astype(np.float32)
    share *= np.clip(density + 0.3, 0, 1)
    colour = rubble_colour(shape, gsd_m, rng)
    blend(ground, patch.rows, patch.cols, share, colour)
    count = int(min(1.5 * radius_m**2, 600))
    azimuth, distance_px = rng.uniform(0, 2 * np.pi, count), np.abs(rng.normal(0, 1.1 * radius_m, count)) / gsd_m
    chosen = RUBBLE_COLOURS[rng.integers(len(RUBBLE_COLOURS), size=count)]
    scatter(
        ground,
        row_px - distance_px * np.cos(azimuth),
        col_px + distance_px * np.sin(azimuth),
        np.minimum(0.15 + rng.exponential(0.3, count), 1.5),
        chosen,
    )
    heaps = np.clip(density, 0, 1) * np.clip(0.6 + 0.6 * smooth_noise(shape, 2.0 / gsd_m, rng), 0, 2)
    ground.height_m[patch.rows, patch.cols] += (share * heaps * rng.uniform(0.3, 1.2)).astype(np.float32)
    for _ in range(rng.poisson(0.02 * radius_m**2)):
        _draw_piece(ground, *_near(row_px, col_px, radius_m / gsd_m, rng), rng)
    if rng.random() < 0.3:
        draw_uprooted_tree(ground, *_near(row_px, col_px, 1.5 * radius_m / gsd_m, rng), rng)


def draw_tarpaulin(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> None:
    """A blue, white or olive sheet of 2–8 m lying flat or on something low, in place."""
    length_m = rng.uniform(2.0, 8.0)
    corners = rectangle(
        row_px, col_px, rng.uniform(0, 360), length_m / ground.gsd_m, length_m * rng.uniform(0.4, 1.0) / ground.gsd_m
    )
    corners += rng.normal(0, 0.08 * length_m / ground.gsd_m, corners.shape)
    cover = polygon_cover(ground.shape, corners)
    if cover is None:
        return
    colour = np.array(_TARPAULINS[rng.integers(len(_TARPAULINS))], np.float32)
    folds = 9 * smooth_noise(cover.share.shape, 1.2 / ground.gsd_m, rng)
    blend(ground, cover.rows, cover.cols, cover.share, np.clip(colour + folds[..., None], 10, 248))
    ground.height_m[cover.rows, cover.cols] += cover.share * np.float32(rng.uniform(0.1, 0.8))


def draw_uprooted_tree(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> None:
    """A fallen tree, in place: a dark shallow pit at (row_px, col_px), the root plate at its edge, trunk and crown.

    The crown is green, wilted or bare. Size follows the trunk's 5 to 14 m.
    """
    azimuth, length_m = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(5, 14))
    ahead = np.array([-np.cos(azimuth), np.sin(azimuth)]) / ground.gsd_m
    root_m = length_m * float(rng.uniform(0.1, 0.16))
    earth = np.array([104.0, 84.0, 64.0]) * rng.uniform(0.75, 1.25)
    foot = np.array([row_px, col_px]) + root_m * ahead
    pit = patch_around(ground.shape, row_px, col_px, 1.6 * root_m, ground.gsd_m)
    if pit is not None:
        off = pit.azimuth_rad - azimuth
        lobed = 1 + 0.12 * periodic_noise(pit.azimuth_rad, int(rng.integers(2**31)), 2, 5)
        distance = pit.radius_m * np.hypot(np.cos(off) / 0.75, np.sin(off)) / (root_m * lobed)
        share = np.clip(2.5 * (1.1 - distance), 0, 1).astype(np.float32)
        blend(ground, pit.rows, pit.cols, np.float32(0.85) * share, (0.6 * earth).astype(np.float32))
        ground.height_m[pit.rows, pit.cols] -= np.float32(0.45 * root_m) * share
    branches = [np.stack([foot, foot + length_m * ahead])]
    for share_along in rng.uniform(0.45, 0.95, 4):
        start = foot + share_along * length_m * ahead
        side = azimuth + rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)
        reach_px = length_m * rng.uniform(0.2, 0.4) / ground.gsd_m
        branches.append(np.stack([start, start + reach_px * np.array([-np.cos(side), np.sin(side)])]))
    for number, branch in enumerate(branches):
        cover = line_cover(ground.shape, branch, (0.5 if number == 0 else 0.25) / ground.gsd_m)
        if cover is not None:
            blend(ground, cover.rows, cover.cols, cover.share, (96, 82, 66))
            ground.height_m[cover.rows, cover.cols] += 0.5 * cover.share
    if rng.random() < 0.75:
        _draw_lying_crown(ground, foot + 0.75 * length_m * ahead, azimuth, 0.38 * length_m, rng)
    plate = rectangle(
        float(foot[0]), float(foot[1]), float(np.rad2deg(azimuth)) + 90, 2.1 * root_m / ground.gsd_m, 0.7 / ground.gsd_m
    )
    cover = polygon_cover(ground.shape, plate + rng.normal(0, 0.12 / ground.gsd_m, plate.shape))
    if cover is not None:
        blend(ground, cover.rows, cover.cols, cover.share, earth.astype(np.float32))
        height = ground.height_m[cover.rows, cover.cols]
        height[cover.share > 0.4] = 1.5 * root_m


def _draw_lying_crown(
    ground: Ground, centre: Float64Array, azimuth_rad: float, half_m: float, rng: np.random.Generator
) -> None:
    """The leafy part of a fallen tree: a ragged low heap of twigs, longer along the trunk, in place."""
    patch = patch_around(ground.shape, float(centre[0]), float(centre[1]), 1.3 * half_m, ground.gsd_m)
    if patch is None:
        return
    off = patch.azimuth_rad - azimuth_rad
    along, aside = patch.radius_m * np.cos(off) / half_m, patch.radius_m * np.sin(off) / (0.6 * half_m)
    shape = patch.radius_m.shape
    clumps = smooth_noise(shape, 1.0 / ground.gsd_m, rng)
    share = np.clip(1.3 * (1 - along**2 - aside**2 + 0.6 * clumps), 0, 1).astype(np.float32)
    leaves = np.array(((66, 78, 46), (96, 92, 58), (112, 92, 66), (88, 80, 70))[rng.integers(4)]) * rng.uniform(
        0.8, 1.2
    )
    tone = leaves * (1 + 0.22 * clumps + 0.12 * smooth_noise(shape, 1.0, rng))[..., None]
    blend(ground, patch.rows, patch.cols, 0.85 * share, np.clip(tone, 8, 250).astype(np.float32))
    lying = (share * np.clip(0.8 + 0.25 * clumps, 0.2, 1.6)).astype(np.float32)
    window = ground.height_m[patch.rows, patch.cols]
    np.maximum(window, lying, out=window)


def _draw_piece(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> None:
    """One larger piece of a rubble field: a board, a sheet of roofing or a tarpaulin."""
    if rng.random() < 0.15:
        draw_tarpaulin(ground, row_px, col_px, rng)
        return
    length_m = rng.uniform(1.5, 6.0)
    corners = rectangle(
        row_px, col_px, rng.uniform(0, 360), length_m / ground.gsd_m, rng.uniform(0.3, 1.5) / ground.gsd_m
    )
    cover = polygon_cover(ground.shape, corners)
    if cover is not None:
        blend(ground, cover.rows, cover.cols, cover.share, tuple(RUBBLE_COLOURS[rng.integers(9)]))
        ground.height_m[cover.rows, cover.cols] += cover.share * np.float32(rng.uniform(0.1, 0.5))


def _near(row_px: float, col_px: float, radius_px: float, rng: np.random.Generator) -> tuple[float, float]:
    """A point uniformly within a disc."""
    distance, azimuth = radius_px * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
    return float(row_px - distance * np.cos(azimuth)), float(col_px + distance * np.sin(azimuth))
