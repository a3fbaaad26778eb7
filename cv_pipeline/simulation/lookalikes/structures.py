"""Small built things: poles, pylons, solar panels, roof gear, playgrounds, greenhouses."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground
from cv_pipeline.simulation.lookalikes.base import Kind, block, cylinder, local_colour, offset_px, spot


def draw_poles(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A line of poles: hardly seen, but each with a long thin shadow and uncropped ground at its foot."""
    azimuth, step_m = float(rng.uniform(0, np.pi)), float(rng.uniform(30, 60))
    height_m = float(rng.uniform(7, 12))
    local = local_colour(ground, row_px, col_px)
    for k in range(-2, 3):
        row, col = offset_px(ground, row_px, col_px, azimuth, k * step_m)
        spot(
            ground, row, col, float(rng.uniform(0.6, 1.4)), local * 0.85, 0.5, rng, squash=0.5, ragged=0.3, softness=0.6
        )
        block(ground, row, col, azimuth, (0.4, 0.4), 0.0, (110, 100, 92), rng)
        _mast(ground, row, col, height_m)
    return step_m


def _mast(ground: Ground, row_px: float, col_px: float, height_m: float) -> None:
    """One pixel that stands up: the narrowest shadow the canvas can cast."""
    at = int(row_px), int(col_px)
    if 0 <= at[0] < ground.shape[0] and 0 <= at[1] < ground.shape[1]:
        ground.height_m[at] = height_m


def draw_pylon(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A lattice pylon: four feet, a square of rough grass, thin members."""
    foot_m, height_m = float(rng.uniform(4, 8)), float(rng.uniform(18, 40))
    turn = float(rng.uniform(0, np.pi))
    block(
        ground,
        row_px,
        col_px,
        turn,
        (foot_m + 2, foot_m + 2),
        0.0,
        local_colour(ground, row_px, col_px) * 0.8,
        rng,
        0.6,
    )
    for k in range(4):
        row, col = offset_px(ground, row_px, col_px, turn + 0.785 + 1.571 * k, 0.7 * foot_m)
        block(ground, row, col, turn, (0.8, 0.8), 0.0, (186, 184, 180), rng)
        for share in (0.25, 0.5, 0.8):
            inner = offset_px(ground, row_px, col_px, turn + 0.785 + 1.571 * k, 0.7 * foot_m * (1 - share))
            _mast(ground, *inner, height_m * share)
    _mast(ground, row_px, col_px, height_m)
    return foot_m


def draw_solar_panels(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Rows of tilted dark-blue panels on grass."""
    azimuth, rows = float(rng.normal(np.pi / 2, 0.1)), int(rng.integers(2, 8))
    length_m, apart_m = float(rng.uniform(12, 60)), float(rng.uniform(5, 9))
    colour = np.array([52, 62, 88]) * rng.uniform(0.8, 1.3)
    for k in range(rows):
        row, col = offset_px(ground, row_px, col_px, azimuth - np.pi / 2, (k - rows / 2) * apart_m)
        block(ground, row, col, azimuth, (length_m, 3.2), 1.6, colour, rng)
    return length_m / 2


def draw_roof_gear(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Things on a flat roof: vents, water tanks, dishes, dark hatches."""
    base_m = float(ground.height_m[int(row_px), int(col_px)])
    dark = rng.random() < 0.5
    radius_m = float(rng.uniform(0.4, 1.2))
    colour = (44, 44, 46) if dark else (214, 214, 210)
    if rng.random() < 0.5:
        cylinder(ground, row_px, col_px, radius_m, base_m + 1.2, colour, rng)
    else:
        block(
            ground,
            row_px,
            col_px,
            float(rng.uniform(0, np.pi)),
            (2 * radius_m, 1.5 * radius_m),
            base_m + 1.0,
            colour,
            rng,
        )
    return radius_m


def draw_playground(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A sand bed with an edge and coloured gear, or a ball court."""
    size = float(rng.uniform(6, 20)), float(rng.uniform(5, 14))
    turn = float(rng.uniform(0, np.pi))
    block(ground, row_px, col_px, turn, (size[0] + 0.8, size[1] + 0.8), 0.0, (150, 146, 138), rng)
    surface = ((206, 186, 150), (168, 96, 80), (96, 128, 96))[rng.integers(3)]
    block(ground, row_px, col_px, turn, size, 0.0, surface, rng)
    for _ in range(int(rng.integers(2, 7))):
        row, col = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), rng.uniform(0, 0.4 * size[1]))
        block(
            ground, row, col, rng.uniform(0, 3), (1.6, 0.8), float(rng.uniform(0.8, 2.2)), rng.uniform(40, 230, 3), rng
        )
    return size[0] / 2


def draw_tunnels(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Plastic greenhouses side by side."""
    turn, count = float(rng.uniform(0, np.pi)), int(rng.integers(1, 7))
    length_m, width_m = float(rng.uniform(15, 50)), float(rng.uniform(5, 9))
    white = np.array([218, 222, 224]) * rng.uniform(0.75, 1.0)
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, turn + np.pi / 2, (k - count / 2) * (width_m + 1.5))
        block(ground, row, col, turn, (length_m, width_m), 2.6, white, rng)
        block(ground, row, col, turn, (length_m, 0.4 * width_m), 3.2, white * 1.04, rng)
    return length_m / 2


KINDS = (
    Kind("poles", "built", draw_poles, 1.5),
    Kind("pylon", "built", draw_pylon, 0.7),
    Kind("solar panels", "built", draw_solar_panels, 0.7),
    Kind("roof gear", "built", draw_roof_gear, 3.0, needs="roof"),
    Kind("playground", "built", draw_playground, 0.5),
    Kind("plastic tunnels", "built", draw_tunnels, 0.5),
)
