"""Where buildings stand: villages of streets and plots, farms, rows of shelters, single ones on plain ground."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from cv_pipeline.simulation.buildings import ROOF_COLOURS, Building, Covering, draw_building, make_building
from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.ground import Ground, Material, blend
from cv_pipeline.simulation.plots import BARE_YARDS, YARDS, Plot, draw_garden_tree, draw_yard, fill_plot, scatter_junk
from cv_pipeline.simulation.roads import draw_road
from cv_pipeline.simulation.shapes import local_point, local_points, polygon_cover, rectangle, smooth_noise, touches


def draw_settlements(ground: Ground, config: BuiltConfig, rng: np.random.Generator) -> list[Building]:
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
            _draw_village(ground, centre, dense, config, rng, buildings)
    return buildings


def draw_single_buildings(ground: Ground, count: int, config: BuiltConfig, rng: np.random.Generator) -> list[Building]:
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


def _is_free(ground: Ground, window: tuple[slice, slice]) -> bool:
    """Whether a window carries nothing drawn and looks plain."""
    if ground.height_m[window].size == 0 or np.abs(ground.height_m[window]).max() > 0.3:
        return False
    if np.isin(ground.material[window], (Material.ROOF, Material.WATER, Material.TREE)).mean() > 0.02:
        return False
    grey = cv2.blur(ground.colour[window].mean(axis=2), (3, 3))
    return float(grey.std()) < 22.0


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


def _draw_village(
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
    palette = BARE_YARDS if dense else YARDS
    yard = np.array(palette[rng.integers(len(palette))], np.float32)
    plots: list[Plot] = []
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
                plot = Plot(row, col, azimuth_deg + 90 * side, wide_m, depth_m)
                reach_px = 0.5 * (depth_m + wide_m) / gsd_m
                near = -reach_px < row < ground.shape[0] + reach_px and -reach_px < col < ground.shape[1] + reach_px
                if near and touches(ground.shape, plot.corners(gsd_m)):
                    plots.append(plot)
                at_m += wide_m + (rng.uniform(4, 9) if rng.random() < 0.12 else 0.0)
    for plot in plots:
        draw_yard(ground, plot, yard, dense, rng)
    for offset_m in streets:
        half_m = np.sqrt(max(radius_m**2 - offset_m**2, 0)) + 10
        ends = np.array([[-half_m, offset_m], [0.0, offset_m + rng.normal(0, 0.8)], [half_m, offset_m]]) / gsd_m
        draw_road(ground, local_points(*centre, azimuth_deg, ends), road_m, material, rng)
    for at_m in np.arange(-radius_m, radius_m, rng.uniform(80, 160)) + rng.uniform(0, 80):
        half_m = np.sqrt(max(radius_m**2 - at_m**2, 0))
        ends = np.array([[at_m, -half_m], [at_m, half_m]]) / gsd_m
        draw_road(ground, local_points(*centre, azimuth_deg, ends), road_m, material, rng)
    scatter_junk(ground, plots, dense, rng)
    for plot in plots:
        fill_plot(ground, plot, dense, config, rng, buildings)


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
        colour = np.array(YARDS[rng.integers(len(YARDS))], np.float32) + (9 * noise + 5 * fine)[..., None]
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
        draw_garden_tree(ground, *local_point(*centre, azimuth_deg, along_px, right_px), rng)
