"""A plot along a street of a settlement: yard, house, huts and sheds, wall, trees, and what lies about."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.simulation.buildings import Building, draw_building, make_building
from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.debris import scatter
from cv_pipeline.simulation.ground import Ground, Material, blend
from cv_pipeline.simulation.shapes import (
    line_cover,
    local_metres,
    local_point,
    local_points,
    polygon_cover,
    rectangle,
    smooth_noise,
    touches,
)
from cv_pipeline.simulation.trees import draw_tree, leaf_colour
from cv_pipeline.types import Float32Array, Float64Array

YARDS = ((158, 128, 96), (150, 136, 112), (104, 116, 74), (92, 108, 66), (124, 112, 84), (172, 164, 150))
"""RGB in DN of yards with lawn or garden; those of dense blocks are bare."""
BARE_YARDS = ((158, 128, 96), (150, 136, 112), (134, 112, 88), (172, 164, 150), (164, 110, 78))
_JUNK = np.array(
    [(210, 208, 204), (60, 58, 56), (120, 84, 60), (150, 146, 140), (60, 96, 160), (96, 70, 52)], np.float32
)


class Plot(NamedTuple):
    """A yard along a street: its middle, the azimuth from the street inwards, front and depth in metres."""

    row_px: float
    col_px: float
    azimuth_deg: float
    front_m: float
    depth_m: float

    def corners(self, gsd_m: float) -> Float64Array:
        """Corners (4, 2) in pixels."""
        return rectangle(self.row_px, self.col_px, self.azimuth_deg, self.depth_m / gsd_m, self.front_m / gsd_m)


def draw_yard(ground: Ground, plot: Plot, yard: Float32Array, dense: bool, rng: np.random.Generator) -> None:
    """The plot's own ground: trodden soil, lawn, or garden beds behind the house."""
    gsd_m = ground.gsd_m
    cover = polygon_cover(ground.shape, plot.corners(gsd_m))
    if cover is None:
        return
    shape = cover.share.shape
    palette = BARE_YARDS if dense else YARDS
    own = np.array(palette[rng.integers(len(palette))], np.float32)
    noise = 7 * smooth_noise(shape, 4.0 / gsd_m, rng) + 5 * smooth_noise(shape, 0.8 / gsd_m, rng)
    colour = (0.5 * (yard + own) + noise[..., None]).astype(np.float32)
    worn = np.clip(smooth_noise(shape, 5.0 / gsd_m, rng) - 0.3, 0, 1)[..., None]
    colour += 0.7 * worn * (np.array(YARDS[0], np.float32) - colour)
    along, across = local_metres(cover, plot.row_px, plot.col_px, plot.azimuth_deg, gsd_m)
    if not dense and rng.random() < 0.5:  # vegetable beds at the back
        bed = np.clip((along - rng.uniform(0.0, 0.15) * plot.depth_m) / gsd_m, 0, 1)
        rows = 10 * np.sin(2 * np.pi * across / rng.uniform(0.9, 1.6)) if gsd_m < 0.6 else 0.0
        beds = np.array([(96, 82, 62), (82, 98, 56), (116, 104, 72)][rng.integers(3)], np.float32)
        strips = 9 * rng.standard_normal(41)[np.floor(across / rng.uniform(1.5, 5.0)).astype(int) % 41]
        colour += bed[..., None] * (beds + np.asarray(rows + strips + 0.6 * noise)[..., None] - colour)
    blend(ground, cover.rows, cover.cols, cover.share * np.float32(0.9), colour, Material.SOIL)
    ground.height_m[cover.rows, cover.cols][cover.share > 0.5] = 0.0


def fill_plot(
    ground: Ground,
    plot: Plot,
    dense: bool,
    config: BuiltConfig,
    rng: np.random.Generator,
    buildings: list[Building],
) -> None:
    """House, sheds, trees and fence of one plot."""
    gsd_m = ground.gsd_m

    def at(along_m: float, right_m: float) -> tuple[float, float]:
        return local_point(plot.row_px, plot.col_px, plot.azimuth_deg, along_m / gsd_m, right_m / gsd_m)

    def build(place: tuple[float, float], azimuth_deg: float, size_m: tuple[float, float], top_m: float) -> None:
        building = make_building(len(buildings), *place, azimuth_deg, size_m, gsd_m, rng, (config.eaves_m[0], top_m))
        if touches(ground.shape, building.corners_px):
            draw_building(ground, building)
            buildings.append(building)

    if not dense and rng.random() < 0.5:
        corner_m = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * (plot.depth_m, plot.front_m)
        corner_m = corner_m[: rng.integers(2, 5)]
        fence = local_points(plot.row_px, plot.col_px, plot.azimuth_deg, corner_m / gsd_m)
        brick = rng.random() < 0.4
        colour = (186.0, 172.0, 156.0) if brick else (104.0, 92.0, 78.0)
        draw_wall(ground, fence, 0.3 if brick else 0.15, rng.uniform(1.2, 2.2), colour)
    trees = 0.3 * config.yard_trees if dense else config.yard_trees
    for _ in range(rng.poisson(trees)):
        place = at(rng.uniform(-0.48, 0.48) * plot.depth_m, _side(rng) * rng.uniform(0.2, 0.5) * plot.front_m)
        draw_garden_tree(ground, *place, rng)
    if rng.random() < 0.06:
        return  # an empty plot
    turn = plot.azimuth_deg + rng.normal(0, 6.0 if dense else 2.0)
    if dense and rng.random() < 0.5:  # two or three huts one behind the other, wall to wall
        parts = int(rng.integers(2, 4))
        for part in range(parts):
            size = rng.uniform(0.8, 1.0) * plot.depth_m / parts, rng.uniform(0.75, 1.05) * plot.front_m
            place = at(((part + 0.5) / parts - 0.5) * plot.depth_m, rng.uniform(-0.08, 0.08) * plot.front_m)
            build(place, turn + 90 * (size[0] < size[1]), (max(size), min(size)), 0.5 * sum(config.eaves_m))
    elif dense:
        size = rng.uniform(0.6, 0.95) * plot.depth_m, rng.uniform(0.7, 0.97) * plot.front_m
        build(at(rng.uniform(-0.1, 0.1) * plot.depth_m, 0.0), turn, size, 1.3 * config.eaves_m[1])
    else:
        length_m = min(rng.uniform(*config.house_length_m), 0.85 * plot.front_m)
        width_m = min(rng.uniform(*config.house_width_m), length_m)
        sideways = rng.random() < 0.5
        back_m = -plot.depth_m / 2 + rng.uniform(2, 6) + (width_m if sideways else length_m) / 2
        if rng.random() < 0.5:
            drive_m = rng.uniform(0.3, 0.7) * plot.depth_m
            strip = rectangle(
                *at(drive_m / 2 - plot.depth_m / 2, _side(rng) * rng.uniform(0.25, 0.4) * plot.front_m),
                plot.azimuth_deg,
                drive_m / gsd_m,
                rng.uniform(2.0, 3.5) / gsd_m,
            )
            cover = polygon_cover(ground.shape, strip)
            if cover is not None:
                paving = ((178, 172, 162), (150, 146, 140), (166, 142, 112))[rng.integers(3)]
                blend(ground, cover.rows, cover.cols, np.float32(0.85) * cover.share, paving)
        build(
            at(back_m, rng.uniform(-0.1, 0.1) * plot.front_m),
            turn + (90 if sideways else 0),
            (length_m, width_m),
            config.eaves_m[1],
        )
    for _ in range(rng.poisson(0.3 if dense else 0.9)):
        size = rng.uniform(3, 7), rng.uniform(2.2, 4)
        place = at(rng.uniform(0.0, 0.42) * plot.depth_m, _side(rng) * rng.uniform(0.25, 0.4) * plot.front_m)
        build(place, turn, size, 3.0)


def draw_wall(
    ground: Ground, points_px: Float64Array, width_m: float, height_m: float, colour: tuple[float, float, float]
) -> None:
    """A wall or fence along a polyline (n, 2), in place."""
    # A wall thinner than a pixel still throws its whole shadow: height is at least a pixel wide, colour is not.
    wide_px = max(width_m / ground.gsd_m, 1.0)
    cover = line_cover(ground.shape, points_px, wide_px)
    if cover is None:
        return
    blend(ground, cover.rows, cover.cols, cover.share * np.float32(width_m / ground.gsd_m / wide_px), colour)
    height = ground.height_m[cover.rows, cover.cols]
    np.maximum(height, height_m * np.clip(1.6 * cover.share, 0, 1), out=height, where=cover.share > 0.1)


def draw_garden_tree(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> None:
    """A tree of a yard, of any common size."""
    radius_m = float(np.clip(rng.lognormal(0.8, 0.45), 0.8, 5.5))
    draw_tree(ground, row_px, col_px, radius_m, radius_m * rng.uniform(1.4, 2.6), leaf_colour(rng), rng)


def scatter_junk(ground: Ground, plots: list[Plot], dense: bool, rng: np.random.Generator) -> None:
    """Barrels, boards, washing, heaps of sand: what lies about in yards, 0.2 to 1.6 m across."""
    if not plots:
        return
    per_m2 = 0.06 if dense else 0.02
    area_m2 = plots[0].depth_m * float(np.mean([plot.front_m for plot in plots])) * len(plots)
    count = rng.poisson(min(per_m2 * area_m2, 4000.0))
    chosen = rng.integers(len(plots), size=count)
    along_m, right_m = rng.uniform(-0.5, 0.5, (2, count))
    places = [
        local_point(p.row_px, p.col_px, p.azimuth_deg, a * p.depth_m / ground.gsd_m, r * p.front_m / ground.gsd_m)
        for p, a, r in zip([plots[i] for i in chosen], along_m, right_m, strict=True)
    ]
    if not places:
        return
    rows, cols = np.array(places).T
    colours = _JUNK[rng.integers(len(_JUNK), size=count)]
    scatter(ground, rows, cols, np.minimum(0.2 + rng.exponential(0.35, count), 1.6), colours)


def _side(rng: np.random.Generator) -> float:
    """Left (-1) or right (1)."""
    return 1.0 if rng.random() < 0.5 else -1.0
