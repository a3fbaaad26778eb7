"""What stands and grows on lawns, parks and courses: single crowns, mulch, round patches of other grass, bunkers.

A patch of other grass keeps the lawn's own texture and its green; it has no relief, no bare soil and no debris.
That is what tells it from a crater, whose earth hides the grass.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground, blend, patch_around
from cv_pipeline.simulation.lookalikes.base import Kind, local_colour, offset_px, spot
from cv_pipeline.simulation.noise import mottle
from cv_pipeline.simulation.trees import draw_tree, leaf_colour
from cv_pipeline.types import Float32Array

_CROWNS = ((34, 44, 30), (40, 54, 34), (78, 48, 42), (98, 62, 50), (126, 128, 92), (150, 146, 116), (92, 104, 62))
"""Conifers and yews, copper beech and plum, olive, willow and blossom; by eye off UC Merced training tiles (0.3 m)."""
_MULCH = ((74, 56, 44), (96, 66, 48), (112, 92, 74), (58, 48, 42))
_BUNKERS = ((226, 218, 200), (206, 192, 170), (188, 178, 164))


def _crown(rng: np.random.Generator) -> Float32Array:
    """Colour (3,) of a garden's tree or shrub."""
    if rng.random() < 0.35:
        return leaf_colour(rng)
    colour: Float32Array = (np.array(_CROWNS[rng.integers(len(_CROWNS))]) * rng.uniform(0.8, 1.2)).astype(np.float32)
    return colour


def draw_lawn_tree(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A single tree: low and round or tall and slim, so that its shadow is short or long; some on a mulched ring."""
    radius_m = float(np.exp(rng.uniform(np.log(1.2), np.log(4.5))))
    if rng.random() < 0.35:
        mulch = np.array(_MULCH[rng.integers(len(_MULCH))]) * rng.uniform(0.85, 1.25)
        spot(ground, row_px, col_px, radius_m * float(rng.uniform(0.7, 1.4)), mulch, 0.8, rng, ragged=0.05)
    slimness = float(np.exp(rng.uniform(np.log(0.7), np.log(3.5))))
    draw_tree(ground, row_px, col_px, radius_m, radius_m * slimness, _crown(rng), rng)
    return radius_m


def draw_round_bush(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """One to four clipped bushes in a bed."""
    radius_m, colour = float(np.exp(rng.uniform(np.log(0.6), np.log(1.8)))), _crown(rng)
    azimuth, count = float(rng.uniform(0, 2 * np.pi)), int(rng.choice((1, 1, 1, 2, 3, 4)))
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth, k * 2.4 * radius_m + rng.normal(0, 0.2))
        size = radius_m * float(rng.uniform(0.8, 1.2))
        draw_tree(ground, row, col, size, size * float(rng.uniform(0.7, 1.6)), colour, rng)
    return radius_m if count == 1 else 2.4 * count * radius_m


def draw_mulch_ring(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A round bed of bark with a stump or sapling in it: a sharp cut edge, no relief."""
    radius_m = float(rng.uniform(0.7, 2.2))
    mulch = np.array(_MULCH[rng.integers(len(_MULCH))]) * rng.uniform(0.85, 1.3)
    spot(ground, row_px, col_px, radius_m, mulch, 0.85, rng, ragged=0.03, softness=0.05)
    row, col = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), 0.15 * radius_m)
    if rng.random() < 0.5:
        spot(ground, row, col, float(rng.uniform(0.25, 0.5)), (172, 148, 116), 0.9, rng, ragged=0.05, height_m=0.3)
    else:
        draw_tree(ground, row, col, 0.4 * radius_m, radius_m * float(rng.uniform(0.8, 2.0)), _crown(rng), rng)
    return radius_m


def tint(
    ground: Ground,
    row_px: float,
    col_px: float,
    radius_m: float,
    factor: np.ndarray,
    rng: np.random.Generator,
    *,
    softness: float,
    squash: float = 1.0,
    ring: float = 0.0,
) -> None:
    """Multiply a blotchy round patch by ``factor`` (3,), keeping the ground's own texture, in place.

    The edge is soft over ``softness`` of the radius; ``ring`` above 0 leaves a ring of that relative width.
    """
    patch = patch_around(ground.shape, row_px, col_px, 1.5 * radius_m, ground.gsd_m)
    if patch is None:
        return
    off = patch.azimuth_rad - float(rng.uniform(0, np.pi))
    distance = patch.radius_m * np.hypot(np.cos(off), np.sin(off) / squash) / radius_m
    for order in (2, 3, 5):
        distance = distance * (1 + rng.normal(0, 0.05) * np.cos(order * off + rng.uniform(0, 6.3)))
    soft = max(softness, ground.gsd_m / radius_m)
    share = np.clip((1 - distance) / soft + 0.5, 0, 1)
    if ring:
        share = share * np.clip((distance - 1 + max(ring, 1.5 * soft)) / soft + 0.5, 0, 1)
    share = share * (1 + 0.25 * mottle(share.shape, ground.gsd_m, max(0.8 * radius_m, 1.0), 0.6, 0.5, rng))
    window = ground.colour[patch.rows, patch.cols]
    tinted = (window * factor).astype(np.float32)
    blend(ground, patch.rows, patch.cols, np.clip(share, 0, 1).astype(np.float32), np.clip(tinted, 0, 255))


def draw_lush_patch(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A round patch of lusher, darker grass: over a tank or drain, round a sprinkler, where a pool or ring was."""
    radius_m = float(np.exp(rng.uniform(np.log(1.2), np.log(7.0))))
    strength = float(rng.uniform(0.5, 1.3))
    factor = 1 - strength * np.array([0.34, 0.16, 0.34]) * rng.uniform(0.8, 1.2, 3)
    squash, softness = float(rng.uniform(0.65, 1.0)), float(rng.uniform(0.15, 0.7))
    tint(ground, row_px, col_px, radius_m, factor, rng, softness=softness, squash=squash)
    return radius_m


def draw_faded_patch(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A round patch or ring of yellowed grass, such as a paddling pool or trampoline leaves."""
    radius_m = float(np.exp(rng.uniform(np.log(1.2), np.log(5.0))))
    factor = 1 + float(rng.uniform(0.5, 1.3)) * np.array([0.42, 0.22, 0.1])
    ring = float(rng.uniform(0.12, 0.35)) if rng.random() < 0.3 else 0.0
    tint(ground, row_px, col_px, radius_m, factor, rng, softness=float(rng.uniform(0.08, 0.4)), ring=ring)
    return radius_m


def draw_bunker(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A lobed bunker of pale sand, a little sunk, with a lip of rough grass."""
    radius_m, turn = float(rng.uniform(2.5, 8.0)), float(rng.uniform(0, np.pi))
    sand = np.array(_BUNKERS[rng.integers(len(_BUNKERS))]) * rng.uniform(0.85, 1.05)
    lip = local_colour(ground, row_px, col_px, 4.0) * np.array([0.82, 0.92, 0.8])
    lobes = [(row_px, col_px, radius_m)]
    for _ in range(int(rng.integers(0, 3))):
        place = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), 0.7 * radius_m)
        lobes.append((*place, radius_m * float(rng.uniform(0.45, 0.8))))
    for tone, wider_m, depth_m in ((lip, 0.7, 0.0), (sand, 0.0, -float(rng.uniform(0.1, 0.6)))):
        for row, col, size in lobes:
            spot(
                ground, row, col, size + wider_m, tone, 0.9, rng,
                squash=0.7, azimuth_rad=turn, ragged=0.1, softness=0.06, height_m=depth_m,
            )  # fmt: skip
    return 1.5 * radius_m


def draw_green(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A putting green or tee: a smooth brighter oval in a darker collar."""
    radius_m, squash = float(rng.uniform(5.0, 13.0)), float(rng.uniform(0.55, 0.9))
    state = rng.bit_generator.state
    tint(ground, row_px, col_px, 1.25 * radius_m, np.array([0.84, 0.92, 0.84]), rng, softness=0.1, squash=squash)
    rng.bit_generator.state = state  # the same outline, smaller
    tint(ground, row_px, col_px, radius_m, np.array([1.25, 1.28, 1.25]), rng, softness=0.06, squash=squash)
    return 1.25 * radius_m


KINDS = (
    Kind("lawn tree", "lawns", draw_lawn_tree, 4.0),
    Kind("round bush", "lawns", draw_round_bush, 2.0),
    Kind("mulch ring", "lawns", draw_mulch_ring, 1.0, needs="grass"),
    Kind("lush patch", "lawns", draw_lush_patch, 1.5, needs="grass"),
    Kind("faded patch", "lawns", draw_faded_patch, 1.0, needs="grass"),
    Kind("sand bunker", "lawns", draw_bunker, 0.3, needs="grass"),
    Kind("green", "lawns", draw_green, 0.2, needs="grass"),
)
