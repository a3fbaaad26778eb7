"""Dug and heaped earth: excavations, spoil, trenches, revetments, stones, molehills."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground
from cv_pipeline.simulation.lookalikes.base import Kind, block, local_colour, offset_px, spot

_EARTH = ((128, 106, 84), (104, 90, 76), (150, 130, 104), (88, 78, 72), (168, 156, 138))
_STONE = ((170, 166, 158), (140, 136, 130), (196, 190, 180))


def _pick(colours: tuple[tuple[int, int, int], ...], rng: np.random.Generator) -> np.ndarray:
    return np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.85, 1.15)


def _earth(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> np.ndarray:
    """Dug earth: between some subsoil and the soil that lies here."""
    share = float(rng.uniform(0.2, 0.7))
    return share * _pick(_EARTH, rng) + (1 - share) * local_colour(ground, row_px, col_px) * rng.uniform(0.9, 1.2)


def draw_excavation(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A building pit: straight walls, tracked ground, a long heap of spoil on one side."""
    azimuth, earth = float(rng.uniform(0, 2 * np.pi)), _earth(ground, row_px, col_px, rng)
    length_m, width_m = float(rng.uniform(5, 30)), float(rng.uniform(3, 14))
    spot(ground, row_px, col_px, 0.8 * length_m, earth * 1.1, 0.6, rng, squash=0.7, azimuth_rad=azimuth, softness=0.4)
    block(ground, row_px, col_px, azimuth, (length_m, width_m), -float(rng.uniform(0.8, 3.0)), earth * 0.85, rng)
    row, col = offset_px(ground, row_px, col_px, azimuth + np.pi / 2, width_m / 2 + 3.5)
    for k in range(int(rng.integers(2, 6))):
        heap = offset_px(ground, row, col, azimuth, (k - 2) * 0.22 * length_m)
        radius_m = float(rng.uniform(1.5, 4.0))
        spot(ground, *heap, radius_m, earth, 0.9, rng, squash=0.7, ragged=0.2, height_m=0.5 * radius_m)
    return 0.7 * length_m


def draw_spoil_heaps(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Heaps of soil, manure or lime tipped in a row or as a field heap: raised, not dug."""
    azimuth, count = float(rng.uniform(0, np.pi)), int(rng.integers(1, 8))
    earth = _pick((*_EARTH, (58, 48, 40), (214, 210, 202)), rng)
    radius_m, step_m = float(rng.uniform(0.9, 2.6)), float(rng.uniform(5, 12))
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth, (k - count / 2) * step_m + rng.normal(0, 0.6))
        size = radius_m * float(rng.uniform(0.75, 1.25))
        squash = float(rng.uniform(0.5, 0.85))
        spot(ground, row, col, size, earth, 0.9, rng, squash=squash, ragged=0.2, height_m=0.45 * size)
    return max(0.5 * count * step_m, radius_m)


def draw_trench(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A zigzag trench with thrown-up earth along both sides."""
    azimuth, earth = float(rng.uniform(0, 2 * np.pi)), _earth(ground, row_px, col_px, rng)
    row, col, count = row_px, col_px, int(rng.integers(3, 12))
    for k in range(count):
        leg_m = float(rng.uniform(4, 9))
        turn = azimuth + (0.5 if k % 2 else -0.5)
        middle = offset_px(ground, row, col, turn, leg_m / 2)
        for side in (-1.4, 1.4):
            bank = offset_px(ground, *middle, turn + np.pi / 2, side)
            block(ground, *bank, turn, (leg_m, 1.2), 0.45, earth * 1.08, rng, 0.8)
        block(ground, *middle, turn, (leg_m + 0.6, 1.1), -1.4, earth * 0.6, rng, 0.9)
        row, col = offset_px(ground, row, col, turn, leg_m)
    return 5.0 * count


def draw_foxholes(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A line of rectangular foxholes with the earth heaped on one side only."""
    azimuth, earth, count = (
        float(rng.uniform(0, 2 * np.pi)),
        _earth(ground, row_px, col_px, rng),
        int(rng.integers(2, 7)),
    )
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth, (k - count / 2) * rng.uniform(6, 12))
        heap = offset_px(ground, row, col, azimuth + np.pi / 2, 1.1)
        block(ground, *heap, azimuth, (2.2, 0.9), 0.4, earth * 1.1, rng, 0.8)
        block(ground, row, col, azimuth, (1.8, 0.8), -1.0, earth * 0.55, rng, 0.9)
    return 4.5 * count


def draw_revetment(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A vehicle position: a ramped rectangular pit within a bank of three sides."""
    azimuth, earth = float(rng.uniform(0, 2 * np.pi)), _earth(ground, row_px, col_px, rng)
    length_m, width_m = float(rng.uniform(6, 14)), float(rng.uniform(4, 7))
    overgrown = rng.random() < 0.4
    tone = 0.5 * (earth + local_colour(ground, row_px, col_px)) if overgrown else earth
    spot(ground, row_px, col_px, 0.8 * length_m, tone, 0.5, rng, softness=0.5, squash=0.8, azimuth_rad=azimuth)
    height_m = float(rng.uniform(0.6, 1.8))
    for turn, out_m, span_m in (
        (0.0, length_m / 2, width_m + 3),
        (-1.57, width_m / 2, length_m),
        (1.57, width_m / 2, length_m),
    ):
        bank = offset_px(ground, row_px, col_px, azimuth + turn, out_m + 1.0)
        block(ground, *bank, azimuth + turn + np.pi / 2, (span_m, 2.0), height_m, tone * 1.1, rng, 0.85)
    block(ground, row_px, col_px, azimuth, (length_m, width_m), -0.6, tone * 0.8, rng, 0.8)
    return 0.7 * length_m


def draw_bunker(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A long mound with a dark entrance at one end and a path to it."""
    azimuth, earth = float(rng.uniform(0, 2 * np.pi)), _earth(ground, row_px, col_px, rng)
    length_m, width_m = float(rng.uniform(5, 16)), float(rng.uniform(4, 8))
    tone = 0.6 * local_colour(ground, row_px, col_px) + 0.4 * earth
    squash = width_m / length_m if width_m < length_m else 0.8
    spot(
        ground,
        row_px,
        col_px,
        length_m / 2,
        tone,
        0.8,
        rng,
        squash=squash,
        azimuth_rad=azimuth,
        height_m=float(rng.uniform(1, 2.5)),
    )
    door = offset_px(ground, row_px, col_px, azimuth, length_m / 2)
    block(ground, *door, azimuth, (1.6, 1.4), 0.0, (38, 36, 34), rng)
    path = offset_px(ground, *door, azimuth, 6.0)
    block(ground, *path, azimuth, (10, 1.4), 0.0, earth * 1.15, rng, 0.6)
    return length_m / 2


def draw_stones(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Boulders or a reading heap of stones."""
    stone, reach_m = _pick(_STONE, rng), float(rng.uniform(0.5, 14))
    for _ in range(int(rng.integers(1, 12))):
        row, col = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), reach_m * rng.random())
        radius_m = float(np.exp(rng.uniform(np.log(0.3), np.log(1.6))))
        squash = float(rng.uniform(0.55, 0.95))
        tone = stone * rng.uniform(0.85, 1.1)
        spot(
            ground,
            row,
            col,
            radius_m,
            tone,
            0.95,
            rng,
            squash=squash,
            ragged=0.2,
            softness=0.1,
            height_m=0.8 * radius_m,
        )
    return reach_m


def draw_molehills(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Molehills or ant hills: many small dots of raised earth in a meadow."""
    earth, reach_m = _earth(ground, row_px, col_px, rng) * 0.85, float(rng.uniform(4, 20))
    for _ in range(int(rng.integers(8, 40))):
        row, col = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), reach_m * rng.random() ** 0.6)
        radius_m = float(rng.uniform(0.15, 0.5))
        spot(ground, row, col, radius_m, earth, 0.8 * min(1.0, radius_m / ground.gsd_m), rng, height_m=0.2)
    return reach_m


KINDS = (
    Kind("excavation", "earthworks", draw_excavation, 0.6, transient=True),
    Kind("spoil heaps", "earthworks", draw_spoil_heaps, 1.5, transient=True),
    Kind("trench", "earthworks", draw_trench, 0.8),
    Kind("foxholes", "earthworks", draw_foxholes, 0.5),
    Kind("revetment", "earthworks", draw_revetment, 0.8),
    Kind("bunker", "earthworks", draw_bunker, 0.6),
    Kind("stones", "earthworks", draw_stones, 1.2),
    Kind("molehills", "earthworks", draw_molehills, 0.8, needs="grass"),
)
