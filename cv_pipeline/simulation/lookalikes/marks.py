"""Flat marks of soil, fire, damp and animals.

None is a soft round dark stain of a crater's size: that would teach a model to miss real craters. They are
long, lobed, ring-shaped without a core, or far larger or smaller.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground, blend, patch_around
from cv_pipeline.simulation.lookalikes.base import Kind, local_colour, offset_px, spot, straight
from cv_pipeline.simulation.noise import mottle, streaks
from cv_pipeline.simulation.tracks import draw_line


def draw_blotch(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A blotch of other soil or of damp, 6-40 m, lobed by noise and drawn out along one direction."""
    radius_m = float(np.exp(rng.uniform(np.log(6.0), np.log(40.0))))
    patch = patch_around(ground.shape, row_px, col_px, 1.6 * radius_m, ground.gsd_m)
    if patch is None:
        return radius_m
    turn, size = float(rng.uniform(0, np.pi)), patch.radius_m.shape
    lobes = streaks(size, ground.gsd_m, 0.35 * radius_m, 0.9 * radius_m, turn, rng)
    lobes = lobes + 0.5 * mottle(size, ground.gsd_m, 0.3 * radius_m, 1.0, 0.5, rng)
    inside = np.clip((1.15 - (patch.radius_m / radius_m) ** 2 + 0.8 * lobes) / rng.uniform(0.5, 1.6), 0, 1)
    inside *= np.clip(1.6 - patch.radius_m / radius_m, 0, 0.4) * 2.5
    change = float(rng.choice([rng.uniform(0.7, 0.92), rng.uniform(1.06, 1.25)]))
    tone = ground.colour[patch.rows, patch.cols] * np.float32(change)
    tone = tone + rng.normal(0, 3, 3).astype(np.float32)
    blend(ground, patch.rows, patch.cols, (inside * rng.uniform(0.5, 1.0)).astype(np.float32), tone)
    return radius_m


def draw_dark_spots(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Dark lush spots in grass (dung, other plants): many, small, lobed, with no rim and no relief."""
    local = local_colour(ground, row_px, col_px, 6.0)
    tone = local * np.array([0.75, 0.92, 0.7]) * rng.uniform(0.85, 1.05)
    reach_m = float(rng.uniform(6, 30))
    for _ in range(int(rng.integers(5, 25))):
        row, col = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), reach_m * rng.random() ** 0.6)
        radius_m, squash = float(rng.uniform(0.3, 1.0)), float(rng.uniform(0.4, 0.8))
        spot(
            ground, row, col, radius_m, tone, float(rng.uniform(0.3, 0.7)), rng, squash=squash, ragged=0.3, softness=0.5
        )
    return reach_m


def draw_fairy_ring(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A thin broken ring of lusher grass, 3-10 m, with nothing in its middle."""
    radius_m = float(rng.uniform(3, 10))
    tone = local_colour(ground, row_px, col_px) * np.array([0.8, 0.98, 0.75])
    spot(ground, row_px, col_px, radius_m, tone, 0.45, rng, ragged=0.08, rim=float(rng.uniform(0.06, 0.14)))
    return radius_m


def draw_burnt_patch(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Burnt stubble or grass: a tongue the wind drew out, ragged, with unburnt islands and a sharp front."""
    radius_m = float(np.exp(rng.uniform(np.log(10.0), np.log(60.0))))
    patch = patch_around(ground.shape, row_px, col_px, 1.5 * radius_m, ground.gsd_m)
    if patch is None:
        return radius_m
    turn, size = float(rng.uniform(0, 2 * np.pi)), patch.radius_m.shape
    off = patch.azimuth_rad - turn
    along, aside = patch.radius_m * np.cos(off), patch.radius_m * np.sin(off)
    width = 0.25 + 0.2 * np.clip(along / radius_m, -1, 1)
    front = 1 - (along / radius_m) ** 2 - (aside / (radius_m * width)) ** 2
    front = front + 0.45 * mottle(size, ground.gsd_m, 0.4 * radius_m, 0.8, 0.6, rng)
    inside = np.clip(front / 0.15, 0, 1)
    inside *= np.clip(1.1 - 0.45 * streaks(size, ground.gsd_m, 0.8, 6.0, turn, rng), 0.2, 1)
    black = np.array([46, 42, 40], np.float32) * np.float32(rng.uniform(0.8, 1.5))
    blend(ground, patch.rows, patch.cols, (inside * rng.uniform(0.45, 0.9)).astype(np.float32), black)
    return radius_m


def draw_burnt_strips(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Straw burnt in swaths: parallel black strips with ash-pale middles."""
    azimuth, count = float(rng.uniform(0, np.pi)), int(rng.integers(2, 7))
    apart_m, length_m = float(rng.uniform(5, 9)), float(rng.uniform(15, 60))
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth + np.pi / 2, (k - count / 2) * apart_m)
        row, col = offset_px(ground, row, col, azimuth, rng.normal(0, 4))
        draw_line(ground, straight(ground, row, col, azimuth, length_m), 2.2, (48, 44, 42), 0.8, rng)
        draw_line(ground, straight(ground, row, col, azimuth, 0.9 * length_m), 0.7, (146, 142, 138), 0.5, rng)
    return length_m / 2


def draw_burn_ring(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Where a heap was burnt: white ash in an elongated or square black border; no pit, no thrown earth."""
    radius_m, squash = float(rng.uniform(0.6, 3.0)), float(rng.uniform(0.3, 0.6))
    turn = float(rng.uniform(0, np.pi))
    spot(ground, row_px, col_px, 1.4 * radius_m, (50, 46, 44), 0.8, rng, squash=squash, azimuth_rad=turn, ragged=0.25)
    spot(ground, row_px, col_px, radius_m, (188, 184, 178), 0.85, rng, squash=squash, azimuth_rad=turn, ragged=0.25)
    return 1.4 * radius_m


def draw_resting_place(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Where a herd rests or a hut stood: large bare trodden ground, pale, lobed."""
    radius_m = float(rng.uniform(9, 25))
    local = local_colour(ground, row_px, col_px, 6.0)
    tone = 0.5 * local * 1.2 + 0.5 * np.array([148, 130, 106])
    squash = float(rng.uniform(0.3, 0.7))
    spot(
        ground,
        row_px,
        col_px,
        radius_m,
        tone,
        float(rng.uniform(0.3, 0.7)),
        rng,
        squash=squash,
        ragged=0.35,
        softness=0.5,
    )
    return radius_m


def draw_wet_streak(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A damp hollow or drain line: a dark thin wedge, 5-40 m long."""
    length_m = float(np.exp(rng.uniform(np.log(5.0), np.log(40.0))))
    tone = local_colour(ground, row_px, col_px) * rng.uniform(0.6, 0.85)
    width = float(rng.uniform(0.06, 0.25))
    spot(
        ground,
        row_px,
        col_px,
        length_m / 2,
        tone,
        float(rng.uniform(0.3, 0.7)),
        rng,
        squash=width,
        ragged=0.3,
        softness=0.5,
    )
    return length_m / 2


def draw_sparse_patch(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Failed crop: a straight-edged gap of a blocked seeder row, pale and narrow along the rows."""
    azimuth, length_m = float(rng.uniform(0, np.pi)), float(rng.uniform(6, 50))
    tone = local_colour(ground, row_px, col_px) * rng.choice([0.82, 1.2])
    for k in range(int(rng.integers(1, 4))):
        row, col = offset_px(ground, row_px, col_px, azimuth + np.pi / 2, 3.0 * k)
        draw_line(ground, straight(ground, row, col, azimuth, length_m), float(rng.uniform(0.5, 1.5)), tone, 0.6, rng)
    return length_m / 2


KINDS = (
    Kind("soil blotch", "marks", draw_blotch, 4.0),
    Kind("dark spots", "marks", draw_dark_spots, 2.5, needs="grass"),
    Kind("fairy ring", "marks", draw_fairy_ring, 0.5, needs="grass"),
    Kind("burnt patch", "marks", draw_burnt_patch, 1.2, transient=True),
    Kind("burnt strips", "marks", draw_burnt_strips, 0.6, transient=True),
    Kind("burn ring", "marks", draw_burn_ring, 0.8, transient=True),
    Kind("resting place", "marks", draw_resting_place, 1.0),
    Kind("wet streak", "marks", draw_wet_streak, 2.0, transient=True),
    Kind("sparse patch", "marks", draw_sparse_patch, 1.0),
)
