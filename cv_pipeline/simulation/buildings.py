"""Buildings, and the settlements that they stand in: streets, yards, walls, trees, sheds, shelters.

Only colour, height and material are written; light and lean come with the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.debris import scatter
from cv_pipeline.simulation.ground import Ground, Material, blend
from cv_pipeline.simulation.roads import draw_road
from cv_pipeline.simulation.shapes import (
    line_cover,
    local_metres,
    local_point,
    local_points,
    pick,
    polygon_cover,
    rectangle,
    smooth_noise,
    stripe,
    touches,
)
from cv_pipeline.simulation.trees import draw_tree, leaf_colour
from cv_pipeline.types import BoolArray, Float32Array, Float64Array

Roof = Literal["flat", "gable", "hip", "shed", "shelter"]
Covering = Literal["metal", "tiles", "concrete", "earth"]


@dataclass(frozen=True, slots=True)
class Building:
    """A footprint with a roof.

    ``corners_px`` are (row_px, col_px) in order; the first side is across the ridge. ``height_m`` is the
    eaves'. ``pitch`` is the roof's rise over run. Texture is drawn from ``seed``: the same wherever drawn.
    """

    building_id: int
    corners_px: tuple[tuple[float, float], ...]
    height_m: float
    roof: Roof
    covering: Covering
    colour: tuple[float, float, float]
    pitch: float = 0.5
    seed: int = 0

    @property
    def centre_px(self) -> tuple[float, float]:
        """Mean of the corners, (row_px, col_px)."""
        row, col = np.mean(self.corners_px, axis=0)
        return float(row), float(col)


ROOF_COLOURS: dict[Covering, tuple[tuple[float, float, float], ...]] = {
    "metal": (
        (196, 196, 192),
        (172, 168, 160),
        (150, 142, 132),
        (152, 108, 86),
        (124, 84, 68),
        (226, 226, 224),
        (184, 180, 170),
        (162, 150, 138),
        (128, 74, 62),
        (118, 134, 118),
        (112, 128, 150),
    ),
    "tiles": ((186, 118, 90), (164, 104, 82), (142, 108, 90), (96, 94, 94), (112, 112, 108), (128, 118, 106)),
    "concrete": ((176, 172, 164), (150, 146, 140), (204, 202, 196), (120, 118, 116), (92, 90, 90)),
    "earth": ((128, 118, 88), (112, 118, 84), (150, 140, 118)),
}
"""RGB in DN of roofs in full light; read by eye off Kampala and UC Merced tiles."""

_BARE_YARDS = ((158, 128, 96), (150, 136, 112), (134, 112, 88), (172, 164, 150), (164, 110, 78))
_JUNK = np.array(
    [(210, 208, 204), (60, 58, 56), (120, 84, 60), (150, 146, 140), (60, 96, 160), (96, 70, 52)], np.float32
)
_ROOFS: tuple[Roof, ...] = ("flat", "gable", "hip", "shed")
_YARDS = ((158, 128, 96), (150, 136, 112), (104, 116, 74), (92, 108, 66), (124, 112, 84), (172, 164, 150))


def make_building(
    building_id: int,
    row_px: float,
    col_px: float,
    azimuth_deg: float,
    size_m: tuple[float, float],
    gsd_m: float,
    rng: np.random.Generator,
    eaves_m: tuple[float, float] = (2.4, 6.5),
) -> Building:
    """A rectangular building of (length, width) in metres whose ridge points to ``azimuth_deg``; the rest is chance."""
    length_m, width_m = size_m
    corners = rectangle(row_px, col_px, azimuth_deg, length_m / gsd_m, width_m / gsd_m)
    large = width_m > 14
    roof = _ROOFS[pick((0.5, 0.3, 0.1, 0.1) if large else (0.12, 0.48, 0.28, 0.12), rng)]
    covering: Covering
    if roof == "flat":
        covering = "concrete"
    elif roof == "shed" or large:
        covering = "metal"
    else:
        covering = "metal" if rng.random() < 0.55 else "tiles"
    palette = ROOF_COLOURS[covering]
    shade = rng.normal(0, 8) + rng.normal(0, 4, 3)
    red, green, blue = np.clip(np.array(palette[rng.integers(len(palette))]) + shade, 25, 240)
    storeys = rng.uniform(*eaves_m) if rng.random() < 0.85 else rng.uniform(eaves_m[1], 2.2 * eaves_m[1])
    return Building(
        building_id,
        tuple((float(r), float(c)) for r, c in corners),
        float(storeys),
        roof,
        covering,
        (float(red), float(green), float(blue)),
        float(rng.uniform(0.12, 0.3) if large else rng.uniform(0.3, 0.75)),
        int(rng.integers(2**31)),
    )


def draw_building(ground: Ground, building: Building) -> None:
    """Write a building's roof: textured colour, height with true slopes, material; nothing outside the canvas."""
    cover = polygon_cover(ground.shape, building.corners_px)
    if cover is None:
        return
    rng = np.random.default_rng(building.seed)
    first, second, third = (np.array(building.corners_px[i]) for i in range(3))
    ridge = second - third  # from the rear corner to the front one
    azimuth_deg = float(np.rad2deg(np.arctan2(ridge[1], -ridge[0])))
    along, across = local_metres(cover, *building.centre_px, azimuth_deg, ground.gsd_m)
    half_m = float(np.hypot(*(second - first))) * ground.gsd_m / 2, float(np.hypot(*ridge)) * ground.gsd_m / 2
    inside = cover.share > 0.5
    rise, facet = _roof_shape(building, along, across, half_m)
    colour = _roof_colour(building, along, across, facet, ground.gsd_m, rng)
    blend(ground, cover.rows, cover.cols, cover.share, colour, Material.ROOF)
    ground.height_m[cover.rows, cover.cols][inside] = (building.height_m + rise)[inside]
    if building.roof == "flat":
        _draw_rooftop_clutter(ground, building, azimuth_deg, half_m, rng)


def _roof_shape(
    building: Building, along: Float32Array, across: Float32Array, half_m: tuple[float, float]
) -> tuple[Float32Array, BoolArray]:
    """Height above the eaves in metres, and where rows of the covering run along (not across) the ridge."""
    half_width_m, half_length_m = half_m
    to_side = np.maximum(half_width_m - np.abs(across), 0)
    to_end = np.maximum(half_length_m - np.abs(along), 0)
    sides = np.ones(along.shape, bool)
    if building.roof == "gable":
        return (building.pitch * to_side).astype(np.float32), sides
    if building.roof == "hip":
        return (building.pitch * np.minimum(to_side, to_end)).astype(np.float32), to_side <= to_end
    if building.roof == "shed":
        return (0.35 * building.pitch * (across + half_width_m)).astype(np.float32), sides
    if building.roof == "shelter":
        round_share = np.sqrt(np.maximum(1 - (across / half_width_m) ** 2, 0))
        return (half_width_m * building.pitch * round_share).astype(np.float32), sides
    parapet = 0.4 * (np.minimum(to_side, to_end) < 0.35)
    return parapet.astype(np.float32), sides


def _roof_colour(
    building: Building,
    along: Float32Array,
    across: Float32Array,
    rows_along: BoolArray,
    gsd_m: float,
    rng: np.random.Generator,
) -> Float32Array:
    """RGB (h, w, 3) of the covering: sheets and rust, courses of tiles, stained concrete, earth."""
    shape = along.shape
    colour = np.broadcast_to(np.array(building.colour, np.float32), (*shape, 3)).copy()
    if building.covering == "metal":
        sheets = rng.normal(0, 7, 64).astype(np.float32)
        sheet = np.floor(along / 0.9).astype(int) % 64
        tone = sheets[sheet] + rng.normal(0, 5) * np.sign(across)
        # Corrugations of 0.15 m are below any sensor here; what shows is the lap every second sheet.
        tone -= 14 * stripe((along + 0.9) % 1.8 - 0.9, 0.08, gsd_m)
        rust = np.clip(smooth_noise(shape, 2.5 / gsd_m, rng) - rng.uniform(0.3, 2.0), 0, 1)[..., None]
        colour += tone[..., None] + rust * np.array([10, -22, -34], np.float32)
        if rng.random() < 0.25:
            replaced = np.abs(along - rng.uniform(-3, 3)) < rng.uniform(0.5, 1.4)
            colour[replaced & (across > 0)] += np.float32(rng.choice([-28, 30]))
    elif building.covering == "tiles":
        course = np.where(rows_along, across, along)
        colour -= (7 * stripe((course + 0.17) % 0.34 - 0.17, 0.06, gsd_m))[..., None]
        colour += (5 * smooth_noise(shape, 0.4 / gsd_m, rng) + 5 * smooth_noise(shape, 2.0 / gsd_m, rng))[..., None]
        if building.roof != "flat":
            ridge = stripe(across, 0.3, gsd_m)
            colour += (ridge * 12)[..., None]
    elif building.covering == "concrete":
        stain = 8 * smooth_noise(shape, 3.0 / gsd_m, rng) + 5 * smooth_noise(shape, 0.8 / gsd_m, rng)
        bay_m = rng.uniform(3, 7)
        stain -= 9 * stripe((across + bay_m / 2) % bay_m - bay_m / 2, 0.12, gsd_m)
        colour += stain[..., None]
    else:
        colour += (9 * smooth_noise(shape, 1.2 / gsd_m, rng))[..., None]
    clipped: Float32Array = np.clip(colour, 8, 248)
    return clipped


def _draw_rooftop_clutter(
    ground: Ground, building: Building, azimuth_deg: float, half_m: tuple[float, float], rng: np.random.Generator
) -> None:
    """Air conditioners, water tanks, stair heads and skylights on a flat roof."""
    area_m2 = 4 * half_m[0] * half_m[1]
    for _ in range(min(rng.poisson(area_m2 / 45), 14)):
        along_px, right_px = rng.uniform(-0.8, 0.8, 2) * (half_m[1], half_m[0]) / ground.gsd_m
        row_px, col_px = local_point(*building.centre_px, azimuth_deg, along_px, right_px)
        kind = rng.random()
        if kind < 0.3:
            cover = polygon_cover(ground.shape, _circle(row_px, col_px, rng.uniform(0.6, 1.1) / ground.gsd_m))
            colour = ((40, 42, 46), (60, 96, 150), (205, 205, 200))[rng.integers(3)]
            rise_m = 1.4
        else:
            box = rectangle(row_px, col_px, azimuth_deg, *(rng.uniform(0.8, 2.2, 2) / ground.gsd_m).tolist())
            cover = polygon_cover(ground.shape, box)
            colour = ((212, 212, 208), (150, 150, 148), (96, 98, 100))[rng.integers(3)]
            rise_m = rng.uniform(0.4, 2.2)
        if cover is not None:
            blend(ground, cover.rows, cover.cols, cover.share, colour)
            ground.height_m[cover.rows, cover.cols] += np.float32(rise_m) * (cover.share > 0.5)


def _circle(row_px: float, col_px: float, radius_px: float) -> Float64Array:
    """Twelve corners of a circle."""
    azimuth = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    return np.stack([row_px - radius_px * np.cos(azimuth), col_px + radius_px * np.sin(azimuth)], axis=1)


def _draw_garden_tree(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> None:
    """A tree of a yard, of any common size."""
    radius_m = float(np.clip(rng.lognormal(0.8, 0.45), 0.8, 5.5))
    draw_tree(ground, row_px, col_px, radius_m, radius_m * rng.uniform(1.4, 2.6), leaf_colour(rng), rng)


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


class _Plot(NamedTuple):
    """A yard along a street: its middle, the azimuth from the street inwards, front and depth in metres."""

    row_px: float
    col_px: float
    azimuth_deg: float
    front_m: float
    depth_m: float

    def corners(self, gsd_m: float) -> Float64Array:
        """Corners (4, 2) in pixels."""
        return rectangle(self.row_px, self.col_px, self.azimuth_deg, self.depth_m / gsd_m, self.front_m / gsd_m)


def draw_village(ground: Ground, config: BuiltConfig, rng: np.random.Generator) -> list[Building]:
    """Draw settlements onto a ground in place, about one per 50 hectares and at least one, and list their buildings.

    Each is a village of streets and yards, dense blocks, one farm, or a row of shelters, by the shares of ``config``.
    Buildings wholly outside the canvas are not listed.
    """
    height, width = ground.shape
    hectares = height * width * ground.gsd_m**2 / 1e4
    buildings: list[Building] = []
    for _ in range(1 + rng.poisson(hectares / 50)):
        centre = float(rng.uniform(0.1, 0.9) * height), float(rng.uniform(0.1, 0.9) * width)
        kind = rng.random()
        if kind < config.farm_share:
            _draw_farm(ground, centre, config, rng, buildings)
        elif kind < config.farm_share + config.shelter_share:
            shelters = draw_shelters(ground, rng)
            buildings += [replace(s, building_id=len(buildings) + i) for i, s in enumerate(shelters)]
        else:
            dense = kind < config.farm_share + config.shelter_share + config.dense_share
            _draw_settlement(ground, centre, dense, config, rng, buildings)
    return buildings


def draw_buildings(ground: Ground, count: int, config: BuiltConfig, rng: np.random.Generator) -> list[Building]:
    """Draw up to ``count`` single buildings where the ground looks plain, and list them.

    Real imagery brings no map of what is built on it: a place counts as free where its colour varies
    little and nothing was drawn. A building that finds no such place in six tries is left out.
    """
    height, width = ground.shape
    gsd_m = ground.gsd_m
    buildings: list[Building] = []
    for _ in range(count):
        large = rng.random() < 0.2
        size_m = (
            (rng.uniform(18, 45), rng.uniform(12, 22))
            if large
            else (rng.uniform(*config.house_length_m), rng.uniform(*config.house_width_m))
        )
        reach_px = int(0.6 * size_m[0] / gsd_m) + 1
        for _ in range(6):
            row, col = rng.uniform(0, height), rng.uniform(0, width)
            window = (
                slice(max(int(row) - reach_px, 0), int(row) + reach_px),
                slice(max(int(col) - reach_px, 0), int(col) + reach_px),
            )
            if not _is_free(ground, window):
                continue
            building = make_building(len(buildings), row, col, rng.uniform(0, 360), size_m, gsd_m, rng, config.eaves_m)
            draw_building(ground, building)
            buildings.append(building)
            break
    return buildings


def draw_shelters(ground: Ground, rng: np.random.Generator) -> list[Building]:
    """Draw a row of two to eight hardened shelters (earth-covered or concrete arches) in place, and list them."""
    row, col = rng.uniform(0.2, 0.8, 2) * ground.shape
    azimuth_deg = rng.uniform(0, 360)
    length_m, width_m = rng.uniform(12, 32), rng.uniform(8, 20)
    gap_m = width_m * rng.uniform(1.3, 2.2)
    covering: Covering = "concrete" if rng.random() < 0.5 else "earth"
    palette = ROOF_COLOURS[covering]
    colour = palette[rng.integers(len(palette))]
    buildings = []
    for index in range(int(rng.integers(2, 9))):
        at_row, at_col = local_point(
            row, col, azimuth_deg, rng.normal(0, 0.5) / ground.gsd_m, index * gap_m / ground.gsd_m
        )
        corners = rectangle(at_row, at_col, azimuth_deg, length_m / ground.gsd_m, width_m / ground.gsd_m)
        building = Building(
            index,
            tuple((float(r), float(c)) for r, c in corners),
            0.3,
            "shelter",
            covering,
            colour,
            float(rng.uniform(0.5, 0.8)),
            int(rng.integers(2**31)),
        )
        if touches(ground.shape, corners):
            draw_building(ground, building)
            buildings.append(building)
    return buildings


def _is_free(ground: Ground, window: tuple[slice, slice]) -> bool:
    """Whether a window carries nothing drawn and looks plain."""
    if ground.height_m[window].size == 0 or np.abs(ground.height_m[window]).max() > 0.3:
        return False
    if np.isin(ground.material[window], (Material.ROOF, Material.WATER, Material.TREE)).mean() > 0.02:
        return False
    grey = cv2.blur(ground.colour[window].mean(axis=2), (3, 3))
    return float(grey.std()) < 22.0


def _draw_settlement(
    ground: Ground,
    centre: tuple[float, float],
    dense: bool,
    config: BuiltConfig,
    rng: np.random.Generator,
    buildings: list[Building],
) -> None:
    """Streets side by side with cross streets, plots along both sides of each."""
    gsd_m = ground.gsd_m
    radius_m = rng.uniform(*config.village_radius_m)
    azimuth_deg = rng.uniform(0, 180)
    depth_m, front_m = rng.uniform(*config.plot_depth_m), rng.uniform(*config.plot_width_m)
    if dense:
        depth_m, front_m = rng.uniform(14, 22), rng.uniform(7, 14)
    road_m = rng.uniform(3.5, 8.0)
    material = Material.ASPHALT if rng.random() < 0.5 else Material.SOIL
    shift_m = rng.uniform(-depth_m, depth_m)
    step_m = 2 * depth_m + road_m + 2.0
    streets = np.arange(-radius_m, radius_m + step_m, step_m) + shift_m
    palette = _BARE_YARDS if dense else _YARDS
    yard = np.array(palette[rng.integers(len(palette))], np.float32)
    plots: list[_Plot] = []
    for offset_m in streets:
        half_m = np.sqrt(max(radius_m**2 - offset_m**2, 0)) * rng.uniform(0.8, 1.1)
        if half_m < 20:
            continue
        for side in (-1, 1):
            at_m = -half_m
            while at_m < half_m:
                wide_m = front_m * rng.uniform(0.75, 1.3)
                inward_m = offset_m + side * (road_m / 2 + 1.0 + depth_m / 2)
                row, col = local_point(*centre, azimuth_deg, (at_m + wide_m / 2) / gsd_m, inward_m / gsd_m)
                plot = _Plot(row, col, azimuth_deg + 90 * side, wide_m, depth_m)
                reach_px = 0.5 * (depth_m + wide_m) / gsd_m
                near = -reach_px < row < ground.shape[0] + reach_px and -reach_px < col < ground.shape[1] + reach_px
                if near and touches(ground.shape, plot.corners(gsd_m)):
                    plots.append(plot)
                at_m += wide_m + (rng.uniform(4, 9) if rng.random() < 0.12 else 0.0)
    for plot in plots:
        _draw_yard(ground, plot, yard, dense, rng)
    for offset_m in streets:
        half_m = np.sqrt(max(radius_m**2 - offset_m**2, 0)) + 10
        ends = np.array([[-half_m, offset_m], [0.0, offset_m + rng.normal(0, 0.8)], [half_m, offset_m]]) / gsd_m
        draw_road(ground, local_points(*centre, azimuth_deg, ends), road_m, material, rng)
    for at_m in np.arange(-radius_m, radius_m, rng.uniform(80, 160)) + rng.uniform(0, 80):
        half_m = np.sqrt(max(radius_m**2 - at_m**2, 0))
        ends = np.array([[at_m, -half_m], [at_m, half_m]]) / gsd_m
        draw_road(ground, local_points(*centre, azimuth_deg, ends), road_m, material, rng)
    _scatter_junk(ground, plots, dense, rng)
    for plot in plots:
        _fill_plot(ground, plot, dense, config, rng, buildings)


def _scatter_junk(ground: Ground, plots: list[_Plot], dense: bool, rng: np.random.Generator) -> None:
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


def _draw_yard(ground: Ground, plot: _Plot, yard: Float32Array, dense: bool, rng: np.random.Generator) -> None:
    """The plot's own ground: trodden soil, lawn, or garden beds behind the house."""
    gsd_m = ground.gsd_m
    cover = polygon_cover(ground.shape, plot.corners(gsd_m))
    if cover is None:
        return
    shape = cover.share.shape
    palette = _BARE_YARDS if dense else _YARDS
    own = np.array(palette[rng.integers(len(palette))], np.float32)
    noise = 7 * smooth_noise(shape, 4.0 / gsd_m, rng) + 5 * smooth_noise(shape, 0.8 / gsd_m, rng)
    colour = (0.5 * (yard + own) + noise[..., None]).astype(np.float32)
    worn = np.clip(smooth_noise(shape, 5.0 / gsd_m, rng) - 0.3, 0, 1)[..., None]
    colour += 0.7 * worn * (np.array(_YARDS[0], np.float32) - colour)
    along, across = local_metres(cover, plot.row_px, plot.col_px, plot.azimuth_deg, gsd_m)
    if not dense and rng.random() < 0.5:  # vegetable beds at the back
        bed = np.clip((along - rng.uniform(0.0, 0.15) * plot.depth_m) / gsd_m, 0, 1)
        rows = 10 * np.sin(2 * np.pi * across / rng.uniform(0.9, 1.6)) if gsd_m < 0.6 else 0.0
        beds = np.array([(96, 82, 62), (82, 98, 56), (116, 104, 72)][rng.integers(3)], np.float32)
        strips = 9 * rng.standard_normal(41)[np.floor(across / rng.uniform(1.5, 5.0)).astype(int) % 41]
        colour += bed[..., None] * (beds + np.asarray(rows + strips + 0.6 * noise)[..., None] - colour)
    blend(ground, cover.rows, cover.cols, cover.share * np.float32(0.9), colour, Material.SOIL)
    ground.height_m[cover.rows, cover.cols][cover.share > 0.5] = 0.0


def _fill_plot(
    ground: Ground,
    plot: _Plot,
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
        _draw_garden_tree(ground, *place, rng)
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


def _draw_farm(
    ground: Ground,
    centre: tuple[float, float],
    config: BuiltConfig,
    rng: np.random.Generator,
    buildings: list[Building],
) -> None:
    """One yard with a house, two to five long sheds side by side, trees and a track to the canvas's edge."""
    gsd_m = ground.gsd_m
    azimuth_deg = rng.uniform(0, 360)
    yard_m = rng.uniform(45, 90), rng.uniform(35, 70)
    yard = rectangle(*centre, azimuth_deg, yard_m[0] / gsd_m, yard_m[1] / gsd_m)
    cover = polygon_cover(ground.shape, yard + rng.normal(0, 2 / gsd_m, yard.shape))
    if cover is not None:
        noise = smooth_noise(cover.share.shape, 6 / gsd_m, rng)
        fine = smooth_noise(cover.share.shape, 0.9 / gsd_m, rng)
        colour = np.array(_YARDS[rng.integers(len(_YARDS))], np.float32) + (9 * noise + 5 * fine)[..., None]
        worn = np.clip(0.75 + 0.3 * noise, 0, 1) * cover.share
        blend(ground, cover.rows, cover.cols, worn, colour, Material.SOIL)
    track = local_points(*centre, azimuth_deg, np.array([[0.0, 0.0], [160.0, rng.normal(0, 10)]]) / gsd_m)
    draw_road(ground, track, rng.uniform(3, 5), Material.SOIL, rng)
    length_m, width_m = rng.uniform(22, 50), rng.uniform(9, 16)
    count = int(rng.integers(2, 6))
    places = [((0.0, (i - count / 2) * (width_m + rng.uniform(4, 9)) + 8), (length_m, width_m)) for i in range(count)]
    house_m = rng.uniform(*config.house_length_m), rng.uniform(*config.house_width_m)
    places.append(((yard_m[0] / 2, -yard_m[1] / 2), house_m))
    for place_m, size_m in places:
        row, col = local_point(*centre, azimuth_deg, place_m[0] / gsd_m, place_m[1] / gsd_m)
        building = make_building(len(buildings), row, col, azimuth_deg, size_m, gsd_m, rng, config.eaves_m)
        if touches(ground.shape, building.corners_px):
            draw_building(ground, building)
            buildings.append(building)
    for _ in range(rng.poisson(10)):
        along_px, right_px = rng.choice([-1, 1], 2) * rng.uniform(0.45, 0.65, 2) * yard_m / gsd_m
        _draw_garden_tree(ground, *local_point(*centre, azimuth_deg, along_px, right_px), rng)
