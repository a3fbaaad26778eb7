"""Water on the ground: ponds, puddles, pools."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.lookalikes.base import Kind, block, local_colour, offset_px, spot

_WATERS = ((36, 46, 50), (52, 62, 54), (74, 78, 64), (88, 92, 84), (48, 66, 72))


def draw_pond(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A pond of 4-30 m with reeds or a trodden shore; lobed, so that it is no flooded crater."""
    radius_m = float(np.exp(rng.uniform(np.log(5.0), np.log(28.0))))
    turn = float(rng.uniform(0, np.pi))
    squash = float(rng.uniform(0.35, 0.75))
    colour = np.array(_WATERS[rng.integers(len(_WATERS))]) * rng.uniform(0.8, 1.2)
    shore = ((84, 98, 58), (140, 126, 102), (70, 78, 50))[rng.integers(3)]
    lobe = offset_px(ground, row_px, col_px, turn + rng.uniform(-0.8, 0.8), 0.7 * radius_m)
    for grow, tone, opacity, made in ((1.25, shore, 0.7, None), (1.0, colour, 0.95, Material.WATER)):
        for centre, size in (((row_px, col_px), radius_m), (lobe, 0.6 * radius_m)):
            spot(
                ground,
                *centre,
                size * grow,
                tone,
                opacity,
                rng,
                squash=squash,
                azimuth_rad=turn,
                softness=0.08,
                material=made,
            )
    return 1.6 * radius_m


def draw_puddles(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Puddles in a wheel rut or hollow: a row of thin long shapes, mirror-pale or dark."""
    azimuth = float(rng.uniform(0, np.pi))
    pale = rng.random() < 0.4
    colour = np.array([168, 174, 180]) if pale else np.array(_WATERS[rng.integers(len(_WATERS))])
    local = local_colour(ground, row_px, col_px)
    count = int(rng.integers(1, 6))
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth, (k - count / 2) * rng.uniform(3, 8))
        radius_m, squash = float(rng.uniform(0.8, 3.5)), float(rng.uniform(0.15, 0.45))
        turn = azimuth + float(rng.normal(0, 0.15))
        spot(ground, row, col, 1.4 * radius_m, local * 0.75, 0.5, rng, squash=squash, azimuth_rad=turn, softness=0.5)
        spot(ground, row, col, radius_m, colour, 0.8, rng, squash=squash, azimuth_rad=turn, ragged=0.25)
    return 3.0 * count


def draw_pool(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A swimming pool with a paved edge; in gardens, also a round one."""
    colour = np.array([96, 178, 196]) * rng.uniform(0.75, 1.1)
    if rng.random() < 0.4:
        radius_m = float(rng.uniform(1.5, 3.5))
        spot(ground, row_px, col_px, radius_m + 0.3, (200, 198, 192), 0.9, rng, ragged=0.0)
        spot(ground, row_px, col_px, radius_m, colour, 0.95, rng, ragged=0.0, material=Material.WATER)
        return radius_m
    azimuth, size = float(rng.uniform(0, np.pi)), (float(rng.uniform(6, 12)), float(rng.uniform(3, 5)))
    block(ground, row_px, col_px, azimuth, (size[0] + 3, size[1] + 3), 0.0, (198, 190, 176), rng)
    block(ground, row_px, col_px, azimuth, size, 0.0, colour, rng, material=Material.WATER)
    return size[0] / 2


def draw_emptied_pool(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A pool without water, round or rectangular: pale or dirty liner, a dark puddle with leaves off its middle."""
    liner = np.array(((172, 192, 198), (142, 152, 150), (196, 196, 190), (104, 110, 100))[rng.integers(4)])
    liner = liner * rng.uniform(0.8, 1.1)
    depth_m = float(rng.uniform(0.3, 1.6))
    if rng.random() < 0.65:
        radius_m = float(rng.uniform(1.5, 4.0))
        spot(ground, row_px, col_px, radius_m + 0.3, (202, 200, 194), 0.85, rng, ragged=0.0, softness=0.05)
        spot(ground, row_px, col_px, radius_m, liner, 0.95, rng, ragged=0.0, softness=0.05, height_m=-0.3 * depth_m)
    else:
        azimuth, radius_m = float(rng.uniform(0, np.pi)), float(rng.uniform(3.0, 5.5))
        block(ground, row_px, col_px, azimuth, (2 * radius_m + 2, radius_m + 2), 0.0, (190, 182, 170), rng)
        block(ground, row_px, col_px, azimuth, (2 * radius_m, radius_m), -depth_m, liner, rng)
    if rng.random() < 0.7:
        puddle = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), 0.3 * radius_m)
        murk = np.array(_WATERS[rng.integers(len(_WATERS))]) * rng.uniform(0.8, 1.2)
        spot(ground, *puddle, float(rng.uniform(0.2, 0.55)) * radius_m, murk, 0.8, rng, squash=0.7, ragged=0.2)
    return radius_m


def draw_basin(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A round garden pond, fountain or tank open at the top: dark or green water in a stone edge."""
    radius_m = float(np.exp(rng.uniform(np.log(0.8), np.log(6.0))))
    edge = ((196, 190, 180), (140, 136, 128), (92, 104, 70))[rng.integers(3)]
    colour = np.array((*_WATERS, (58, 84, 66), (76, 140, 156))[rng.integers(len(_WATERS) + 2)]) * rng.uniform(0.8, 1.2)
    spot(ground, row_px, col_px, radius_m + float(rng.uniform(0.2, 0.6)), edge, 0.9, rng, ragged=0.0, softness=0.05)
    spot(ground, row_px, col_px, radius_m, colour, 0.95, rng, ragged=0.01, softness=0.05, material=Material.WATER)
    return radius_m


KINDS = (
    Kind("pond", "water", draw_pond, 1.5),
    Kind("puddles", "water", draw_puddles, 2.0, transient=True),
    Kind("pool", "water", draw_pool, 0.5),
    Kind("emptied pool", "water", draw_emptied_pool, 0.5),
    Kind("basin", "water", draw_basin, 0.5),
)
