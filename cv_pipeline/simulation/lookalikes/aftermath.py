"""What storms, fires, clearing up and digging leave behind: damage and disorder without a single strike.

None comes from above: pits have straight sides, trees leave a root plate and a trunk, roofs are torn off along rafters.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.debris import (
    RUBBLE_COLOURS,
    draw_rubble,
    draw_tarpaulin,
    draw_uprooted_tree,
    scatter,
)
from cv_pipeline.simulation.ground import Ground, Material, blend, patch_around
from cv_pipeline.simulation.lookalikes.base import Kind, block, local_colour, offset_px, spot
from cv_pipeline.simulation.lookalikes.lawns import tint
from cv_pipeline.simulation.shapes import line_cover, local_metres, polygon_cover, rectangle

_EARTH = ((120, 98, 76), (98, 82, 66), (142, 120, 94), (84, 72, 62))
_FLOORS = ((186, 178, 166), (150, 118, 84), (92, 82, 74), (128, 122, 116), (62, 58, 56), (172, 142, 108))


def _around(ground: Ground, row_px: float, col_px: float, reach_m: float, count: int, rng: np.random.Generator) -> None:
    """Loose pieces about a place, thinning outwards."""
    azimuth, distance_px = rng.uniform(0, 2 * np.pi, count), np.abs(rng.normal(0, reach_m, count)) / ground.gsd_m
    scatter(
        ground,
        row_px - distance_px * np.cos(azimuth),
        col_px + distance_px * np.sin(azimuth),
        np.minimum(0.2 + rng.exponential(0.35, count), 1.6),
        RUBBLE_COLOURS[rng.integers(len(RUBBLE_COLOURS), size=count)],
    )


def draw_fallen_tree(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """An uprooted tree: pit, upright root plate, trunk, wilted crown."""
    draw_uprooted_tree(ground, row_px, col_px, rng)
    return 6.0


def draw_felled_tree(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A tree cut into lengths: a pale stump in sawdust, logs side by side, a heap of brushwood."""
    spot(ground, row_px, col_px, float(rng.uniform(1.0, 2.2)), (186, 164, 128), 0.35, rng, ragged=0.3, softness=0.6)
    spot(ground, row_px, col_px, float(rng.uniform(0.3, 0.6)), (182, 156, 120), 0.95, rng, ragged=0.05, height_m=0.4)
    azimuth = float(rng.uniform(0, 2 * np.pi))
    for k in range(int(rng.integers(2, 6))):
        row, col = offset_px(ground, row_px, col_px, azimuth, 1.8 + 0.6 * k)
        size = float(rng.uniform(1.5, 4.0)), 0.45
        block(ground, row, col, azimuth + np.pi / 2 + rng.normal(0, 0.1), size, 0.45, (116, 96, 76), rng)
    heap = offset_px(ground, row_px, col_px, azimuth + rng.uniform(1.5, 4.5), rng.uniform(2.5, 5.0))
    twigs = np.array([96, 92, 62]) * rng.uniform(0.7, 1.2)
    spot(ground, *heap, float(rng.uniform(1.0, 2.2)), twigs, 0.85, rng, squash=0.6, ragged=0.3, height_m=1.0)
    return 4.0


def draw_debris_heap(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A heap of household goods, boards and rubble, as put out by a kerb."""
    radius_m = float(rng.uniform(1.2, 4.0))
    draw_rubble(ground, row_px, col_px, radius_m, rng)
    return radius_m


def draw_dark_heap(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """One dark or brown heap of tyres, brushwood or burnt goods with pieces around it: raised, casting its shadow."""
    radius_m = float(rng.uniform(0.7, 2.2))
    tone = np.array(((44, 42, 40), (78, 62, 48), (92, 84, 58), (64, 66, 70))[rng.integers(4)]) * rng.uniform(0.8, 1.2)
    _around(ground, row_px, col_px, 1.6 * radius_m, int(4 + 5 * radius_m), rng)
    squash = float(rng.uniform(0.45, 0.8))
    spot(ground, row_px, col_px, radius_m, tone, 0.9, rng, squash=squash, ragged=0.3, height_m=0.7 * radius_m)
    return radius_m


def draw_sheet(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A tarpaulin, on the ground or over a torn roof."""
    draw_tarpaulin(ground, row_px, col_px, rng)
    return 4.0


def draw_torn_roof(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A roof partly blown off: straight-edged openings with bare boards or dark rooms between pale rafters."""
    azimuth_deg = float(rng.uniform(0, 180))
    length_m, width_m = float(rng.uniform(2.5, 9.0)), float(rng.uniform(2.0, 5.0))
    corners = rectangle(row_px, col_px, azimuth_deg, length_m / ground.gsd_m, width_m / ground.gsd_m)
    cover = polygon_cover(ground.shape, corners)
    if cover is None:
        return 0.0
    on_roof = cover.share * (ground.material[cover.rows, cover.cols] == Material.ROOF)
    along_m, _ = local_metres(cover, row_px, col_px, azimuth_deg, ground.gsd_m)
    dark = rng.random() < 0.5
    tone = np.array(((48, 44, 42), (168, 134, 94))[int(not dark)]) * rng.uniform(0.8, 1.15)
    rafters = 0.5 + 0.5 * np.cos(2 * np.pi * along_m / max(float(rng.uniform(0.8, 1.6)), 2 * ground.gsd_m))
    colour = tone + (rafters**4)[..., None] * (np.array([176, 146, 106]) - tone) * 0.7
    blend(ground, cover.rows, cover.cols, on_roof.astype(np.float32), colour.astype(np.float32))
    height = ground.height_m[cover.rows, cover.cols]
    height[on_roof > 0.5] *= np.float32(0.75 if dark else 0.97)
    _around(ground, row_px, col_px, 0.7 * length_m, 12, rng)
    return length_m / 2


def draw_ruin(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """What is left of a house: its slab, rooms of different floors between low walls, rubble in and about it."""
    azimuth = float(rng.uniform(0, np.pi))
    length_m, width_m = float(rng.uniform(8, 16)), float(rng.uniform(6, 10))
    _around(ground, row_px, col_px, 0.7 * length_m, 60, rng)
    block(ground, row_px, col_px, azimuth, (length_m, width_m), 0.2, (176, 170, 160), rng, 0.95)
    across, down = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    cell_m = length_m / across, width_m / down
    for k in range(across * down):
        along = (k % across + 0.5) * cell_m[0] - length_m / 2
        row, col = offset_px(ground, row_px, col_px, azimuth, along)
        row, col = offset_px(ground, row, col, azimuth + np.pi / 2, (k // across + 0.5) * cell_m[1] - width_m / 2)
        floor = np.array(_FLOORS[rng.integers(len(_FLOORS))]) * rng.uniform(0.8, 1.15)
        if rng.random() < 0.7:
            block(ground, row, col, azimuth, (cell_m[0] - 0.2, cell_m[1] - 0.2), 0.2, floor, rng, 0.9)
        if rng.random() < 0.6:
            wall = offset_px(ground, row, col, azimuth, cell_m[0] / 2)
            block(
                ground, *wall, azimuth + np.pi / 2, (cell_m[1], 0.3), float(rng.uniform(0.8, 2.6)), (198, 188, 174), rng
            )
    draw_rubble(ground, row_px, col_px, float(rng.uniform(1.5, 0.35 * length_m)), rng)
    return length_m / 2


def draw_straight_pit(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A small dug pit with straight sides, for a pipe or a foundation: earth in one bank on one side, boards about."""
    azimuth = float(rng.uniform(0, 2 * np.pi))
    earth = 0.6 * np.array(_EARTH[rng.integers(len(_EARTH))]) + 0.4 * local_colour(ground, row_px, col_px)
    length_m, width_m = float(rng.uniform(1.2, 6.0)), float(rng.uniform(0.9, 3.0))
    bank = offset_px(ground, row_px, col_px, azimuth + np.pi / 2, width_m / 2 + 1.1)
    spot(
        ground, *bank, 0.5 * length_m + 0.5, earth * 1.12, 0.9, rng,
        squash=min(1.0 / (0.5 * length_m + 0.5), 1.0), azimuth_rad=azimuth, ragged=0.15, height_m=0.7,
    )  # fmt: skip
    block(ground, row_px, col_px, azimuth, (length_m, width_m), -float(rng.uniform(0.6, 2.0)), earth * 0.65, rng)
    if rng.random() < 0.4:
        board = offset_px(ground, row_px, col_px, azimuth - np.pi / 2, width_m / 2 + 0.4)
        block(ground, *board, azimuth, (length_m, 0.25), 0.1, (206, 178, 130), rng)
    return max(length_m, width_m) / 2


def draw_patched_trench(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A pavement cut open for a pipe and patched: a dark straight-edged rectangle without any thrown fragments."""
    length_m, width_m = float(np.exp(rng.uniform(np.log(1.0), np.log(9.0)))), float(rng.uniform(0.8, 2.2))
    tone = local_colour(ground, row_px, col_px) * rng.choice([rng.uniform(0.5, 0.75), rng.uniform(1.15, 1.35)])
    block(ground, row_px, col_px, float(rng.uniform(0, np.pi)), (length_m, width_m), 0.0, tone, rng, 0.9)
    return length_m / 2


def draw_rubbish_fire(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Where rubbish was burnt: black scorch drawn out by wind, ash and unburnt pieces in it, no pit."""
    radius_m, turn = float(rng.uniform(0.9, 3.5)), float(rng.uniform(0, np.pi))
    squash = float(rng.uniform(0.45, 0.85))
    spot(
        ground, row_px, col_px, 1.3 * radius_m, (58, 52, 48), 0.45, rng,
        squash=0.8 * squash, azimuth_rad=turn, ragged=0.3, softness=0.6,
    )  # fmt: skip
    spot(ground, row_px, col_px, 0.8 * radius_m, (36, 34, 33), 0.85, rng, squash=squash, azimuth_rad=turn, ragged=0.3)
    for _ in range(int(rng.integers(1, 4))):
        row, col = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), rng.uniform(0, 0.5 * radius_m))
        spot(ground, row, col, 0.35 * radius_m, (164, 160, 154), 0.75, rng, squash=0.6, ragged=0.4)
    _around(ground, row_px, col_px, 0.7 * radius_m, int(3 + 3 * radius_m), rng)
    return radius_m


def draw_wet_patch(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Where water ran out or stood: the ground darker, its texture kept, drawn out downhill."""
    radius_m = float(np.exp(rng.uniform(np.log(1.2), np.log(6.0))))
    factor = np.full(3, rng.uniform(0.62, 0.85)) * rng.uniform(0.97, 1.03, 3)
    squash, softness = float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.08, 0.4))
    tint(ground, row_px, col_px, radius_m, factor, rng, softness=softness, squash=squash)
    azimuth = float(rng.uniform(0, 2 * np.pi))
    trail = offset_px(ground, row_px, col_px, azimuth, 1.3 * radius_m)
    tint(ground, *trail, radius_m * float(rng.uniform(0.6, 1.2)), 0.5 + 0.5 * factor, rng, softness=0.4, squash=0.3)
    return 1.3 * radius_m


def draw_ruts(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Ground churned by a machine clearing up: short crossing wheel marks and a scraped spot."""
    earth = 0.5 * np.array(_EARTH[rng.integers(len(_EARTH))]) + 0.5 * local_colour(ground, row_px, col_px)
    reach_m = float(rng.uniform(3, 9))
    patch = patch_around(ground.shape, row_px, col_px, 1.0, ground.gsd_m)
    if patch is None:
        return 0.0
    for _ in range(int(rng.integers(2, 5))):
        azimuth = float(rng.uniform(0, np.pi))
        for side_m in (-0.9, 0.9):
            middle = offset_px(ground, row_px, col_px, azimuth + np.pi / 2, side_m + rng.normal(0, 1.0))
            ends = [offset_px(ground, *middle, azimuth, end * reach_m) for end in (-0.6, 0.0, 0.6)]
            cover = line_cover(ground.shape, np.array(ends), 0.5 / ground.gsd_m)
            if cover is not None:
                blend(ground, cover.rows, cover.cols, cover.share * np.float32(0.7), tuple(earth * 0.85))
    spot(ground, row_px, col_px, 0.4 * reach_m, earth, 0.5, rng, squash=0.6, ragged=0.4, softness=0.6)
    return reach_m


KINDS = (
    Kind("fallen tree", "aftermath", draw_fallen_tree, 2.5, transient=True),
    Kind("felled tree", "aftermath", draw_felled_tree, 1.0, transient=True),
    Kind("debris heap", "aftermath", draw_debris_heap, 1.2, transient=True),
    Kind("dark heap", "aftermath", draw_dark_heap, 1.2, transient=True),
    Kind("tarpaulin", "aftermath", draw_sheet, 0.8, transient=True, needs="any"),
    Kind("torn roof", "aftermath", draw_torn_roof, 1.5, transient=True, needs="roof"),
    Kind("ruin", "aftermath", draw_ruin, 0.4, transient=True),
    Kind("straight pit", "aftermath", draw_straight_pit, 1.0, transient=True),
    Kind("patched trench", "aftermath", draw_patched_trench, 1.0, transient=True, needs="paved"),
    Kind("rubbish fire", "aftermath", draw_rubbish_fire, 1.2, transient=True),
    Kind("wet patch", "aftermath", draw_wet_patch, 2.0, transient=True),
    Kind("machine ruts", "aftermath", draw_ruts, 0.7, transient=True),
)
