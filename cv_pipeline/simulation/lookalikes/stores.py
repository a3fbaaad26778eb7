"""Things put down on a field or in a yard: bales, stacks, tanks, silos, wells, manholes, salt licks."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground
from cv_pipeline.simulation.lookalikes.base import Kind, block, cylinder, local_colour, offset_px, spot

_STRAW = np.array([164, 144, 108], np.float32)


def _straw(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.15:
        return np.array([222, 224, 222], np.float32) * rng.uniform(0.85, 1.0)  # wrapped in film
    return _STRAW * rng.uniform(0.75, 1.2)


def draw_round_bales(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Round bales (1.2-1.6 m) dropped one by one along the swaths."""
    azimuth, colour = float(rng.uniform(0, np.pi)), _straw(rng)
    radius_m, step_m, apart_m = float(rng.uniform(0.6, 0.85)), float(rng.uniform(9, 30)), float(rng.uniform(7, 20))
    rows, lines = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    for k in range(rows):
        for line in range(lines):
            row, col = offset_px(ground, row_px, col_px, azimuth, (k - rows / 2) * step_m + rng.normal(0, 0.2 * step_m))
            row, col = offset_px(
                ground, row, col, azimuth + np.pi / 2, (line - lines / 2) * apart_m + rng.normal(0, 0.4)
            )
            turn = float(rng.uniform(0, np.pi))
            block(
                ground, row, col, turn, (2 * radius_m, 1.2), 1.3 * radius_m * 1.2, colour * rng.uniform(0.9, 1.1), rng
            )
    return 0.5 * rows * step_m


def draw_square_bales(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Large square bales (2.4 x 1.2 x 0.9 m) along one swath."""
    azimuth, colour = float(rng.uniform(0, np.pi)), _straw(rng)
    step_m, count = float(rng.uniform(8, 30)), int(rng.integers(2, 8))
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth, (k - count / 2) * step_m + rng.normal(0, 1.5))
        block(ground, row, col, azimuth + rng.normal(0, 0.1), (2.4, 1.2), 0.9, colour, rng)
    return 0.5 * count * step_m


def draw_bale_stack(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A stack of bales at the field's edge."""
    size = float(rng.uniform(6, 25)), float(rng.uniform(3, 7))
    block(ground, row_px, col_px, float(rng.uniform(0, np.pi)), size, float(rng.uniform(2, 6)), _straw(rng), rng)
    return size[0] / 2


def draw_tanks(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """One to six storage tanks in a line, white, grey or rusty, on a bare pad."""
    radius_m, count = float(np.exp(rng.uniform(np.log(1.5), np.log(12.0)))), int(rng.integers(1, 5))
    azimuth = float(rng.uniform(0, np.pi))
    colour = np.array([(226, 226, 222), (180, 182, 182), (150, 112, 88), (120, 132, 118)][rng.integers(4)], np.float32)
    pad = (count * 2.6 * radius_m + 3, 2.8 * radius_m + 3)
    block(ground, row_px, col_px, azimuth, pad, 0.0, (150, 144, 134), rng, 0.7)
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth, (k - (count - 1) / 2) * 2.5 * radius_m)
        cylinder(ground, row, col, radius_m, float(rng.uniform(0.6, 1.6)) * min(radius_m, 9.0), colour, rng)
    return pad[0] / 2


def draw_silo(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A tall grain silo."""
    radius_m = float(rng.uniform(1.8, 5.0))
    cylinder(ground, row_px, col_px, radius_m, float(rng.uniform(6, 18)), (198, 200, 200), rng)
    spot(ground, row_px, col_px, 0.25 * radius_m, (120, 120, 120), 0.6, rng, ragged=0.0)
    return radius_m


def draw_well(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A well: a concrete ring around a dark mouth, trodden ground about it."""
    radius_m = float(rng.uniform(0.5, 1.1))
    spot(ground, row_px, col_px, 4 * radius_m, local_colour(ground, row_px, col_px) * 1.2, 0.4, rng, softness=0.6)
    cylinder(ground, row_px, col_px, radius_m, 0.8, (186, 182, 174), rng)
    spot(ground, row_px, col_px, 0.55 * radius_m, (26, 26, 28), 0.9, rng, ragged=0.0)
    return radius_m


def draw_manhole(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A manhole cover in a road or yard, often in a lighter collar."""
    if rng.random() < 0.5:
        spot(ground, row_px, col_px, 0.75, (150, 148, 144), 0.7, rng, ragged=0.0)
    spot(ground, row_px, col_px, 0.4, (48, 46, 46), 0.9, rng, ragged=0.0)
    return 0.4


def draw_cover_disc(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A flat disc in a yard or lawn: the lid of a cistern or septic tank, a hatch, a trampoline."""
    radius_m = float(np.exp(rng.uniform(np.log(0.4), np.log(2.2))))
    tone = ((44, 44, 46), (150, 148, 142), (188, 184, 176), (60, 70, 84))[rng.integers(4)]
    if rng.random() < 0.5:
        spot(ground, row_px, col_px, 1.25 * radius_m, (128, 122, 112), 0.8, rng, ragged=0.0, softness=0.05)
    raised_m = float(rng.choice((0.05, 0.3, 0.9)))
    cylinder(ground, row_px, col_px, radius_m, raised_m, tone, rng)
    return radius_m


def draw_salt_lick(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A trough or salt lick: a small bright box, trodden ground, and paths that lead to it from all sides."""
    local = local_colour(ground, row_px, col_px)
    worn = (0.6 * local * 1.25 + 0.4 * np.array([140, 122, 98])).astype(np.float32)
    reach_m = float(rng.uniform(3, 7))
    spot(
        ground, row_px, col_px, reach_m, worn, 0.5, rng, softness=0.7, ragged=0.25, squash=float(rng.uniform(0.5, 0.9))
    )
    for _ in range(int(rng.integers(3, 8))):
        azimuth, length_m = float(rng.uniform(0, 6.3)), float(rng.uniform(12, 40))
        end = offset_px(ground, row_px, col_px, azimuth, length_m / 2)
        block(ground, *end, azimuth, (length_m, 0.5), 0.0, worn, rng, 0.5)
    block(ground, row_px, col_px, float(rng.uniform(0, np.pi)), (2.5, 0.8), 0.6, (196, 196, 192), rng)
    return reach_m


KINDS = (
    Kind("round bales", "stores", draw_round_bales, 2.0, transient=True),
    Kind("square bales", "stores", draw_square_bales, 1.0, transient=True),
    Kind("bale stack", "stores", draw_bale_stack, 0.25, transient=True),
    Kind("tanks", "stores", draw_tanks, 0.7),
    Kind("silo", "stores", draw_silo, 0.5),
    Kind("well", "stores", draw_well, 0.8),
    Kind("manhole", "stores", draw_manhole, 1.5, needs="paved"),
    Kind("cover disc", "stores", draw_cover_disc, 0.8),
    Kind("salt lick", "stores", draw_salt_lick, 0.8, needs="grass"),
)
