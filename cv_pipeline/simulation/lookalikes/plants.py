"""Trees and bushes where craters are looked for: single, in clumps, rows and along roads."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.lookalikes.base import Kind, local_colour, offset_px, spot
from cv_pipeline.simulation.trees import draw_tree, leaf_colour


def draw_lone_tree(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A tree in the field with uncropped ground under it."""
    radius_m = float(np.exp(rng.uniform(np.log(1.5), np.log(5.0))))
    if rng.random() < 0.5:
        spot(
            ground, row_px, col_px, 1.3 * radius_m, local_colour(ground, row_px, col_px) * 0.85, 0.5, rng, softness=0.5
        )
    draw_tree(ground, row_px, col_px, radius_m, radius_m * float(rng.uniform(1.5, 3.5)), leaf_colour(rng), rng)
    return radius_m


def draw_bush(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """An isolated bush, as low as wide."""
    radius_m = float(np.exp(rng.uniform(np.log(0.6), np.log(2.2))))
    draw_tree(ground, row_px, col_px, radius_m, radius_m * float(rng.uniform(0.8, 2.0)), leaf_colour(rng), rng)
    return radius_m


def draw_bush_clump(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Three to a dozen bushes of one sort scattered over a rough patch."""
    colour, reach_m = leaf_colour(rng), float(rng.uniform(4, 18))
    for _ in range(int(rng.integers(3, 13))):
        row, col = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), reach_m * rng.random() ** 0.7)
        radius_m = float(np.exp(rng.uniform(np.log(0.6), np.log(2.0))))
        draw_tree(ground, row, col, radius_m, radius_m * float(rng.uniform(1.0, 2.0)), colour, rng)
    return reach_m


def draw_tree_row(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A row of single trees, evenly spaced, some missing: their shadows make a fan on the field or road."""
    azimuth, colour = float(rng.uniform(0, np.pi)), leaf_colour(rng)
    radius_m, gap_m = float(rng.uniform(0.9, 3.2)), float(rng.uniform(1.2, 3.5))
    height_m = radius_m * float(rng.uniform(1.5, 5.0))
    count = int(rng.integers(4, 16))
    for k in range(count):
        if rng.random() < 0.12:
            continue
        along_m = (k - count / 2) * (2 * radius_m + gap_m) + rng.normal(0, 0.3)
        row, col = offset_px(ground, row_px, col_px, azimuth, along_m)
        scale = float(rng.uniform(0.75, 1.2))
        draw_tree(ground, row, col, radius_m * scale, height_m * scale, colour, rng)
    return count * (radius_m + gap_m / 2)


def draw_hedge(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A short hedge or scrub line: bushes that touch, in a bent line."""
    azimuth, colour, turn = float(rng.uniform(0, 2 * np.pi)), leaf_colour(rng), float(rng.normal(0, 0.06))
    row, col = row_px, col_px
    count = int(rng.integers(6, 24))
    for _ in range(count):
        radius_m = float(rng.uniform(0.7, 1.8))
        draw_tree(ground, row, col, radius_m, radius_m * float(rng.uniform(1.0, 2.2)), colour, rng)
        azimuth += turn + rng.normal(0, 0.08)
        row, col = offset_px(ground, row, col, azimuth, 1.4 * radius_m)
    return 0.8 * count


def draw_roadside_trees(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Tall trees beside pavement, so that their shadows fan out over it."""
    colour = leaf_colour(rng)
    reach_px = 10 / ground.gsd_m
    drawn = 0
    for _ in range(40):
        row, col = row_px + rng.uniform(-4, 4) * reach_px, col_px + rng.uniform(-4, 4) * reach_px
        at = int(row), int(col)
        if not (0 <= at[0] < ground.shape[0] and 0 <= at[1] < ground.shape[1]):
            continue
        if ground.material[at] in (Material.GRASS, Material.SOIL, Material.CROP):
            radius_m = float(rng.uniform(1.2, 3.5))
            draw_tree(ground, row, col, radius_m, radius_m * float(rng.uniform(2.0, 4.0)), colour, rng)
            drawn += 1
        if drawn > 6:
            break
    return 40.0


def draw_felled(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A stump or felled crown: a pale or brown stub with twigs around it."""
    radius_m = float(rng.uniform(0.4, 0.9))
    spot(ground, row_px, col_px, 2.5 * radius_m, (112, 98, 82), 0.35, rng, ragged=0.4, squash=0.5)
    spot(ground, row_px, col_px, radius_m, (160, 138, 108), 0.8, rng, height_m=0.4)
    return 2.5 * radius_m


KINDS = (
    Kind("tree", "plants", draw_lone_tree, 3.0),
    Kind("bush", "plants", draw_bush, 4.0),
    Kind("bush clump", "plants", draw_bush_clump, 1.5),
    Kind("tree row", "plants", draw_tree_row, 1.2),
    Kind("hedge", "plants", draw_hedge, 0.8),
    Kind("roadside trees", "plants", draw_roadside_trees, 1.5, needs="paved"),
    Kind("stump", "plants", draw_felled, 0.3),
)
