"""The ground of one sample: parcels of real and synthetic ground with borders, tracks, trees and buildings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from scipy import ndimage

from cv_pipeline.simulation.background import Backgrounds, Tile, fits
from cv_pipeline.simulation.buildings import Building
from cv_pipeline.simulation.config import BuiltConfig, GroundConfig
from cv_pipeline.simulation.fields import FARMLAND, FieldKind
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.noise import mottle, streaks
from cv_pipeline.simulation.openland import DESERT, DUNES, MARSH, MEADOW, SNOW, STEPPE
from cv_pipeline.simulation.parcels import Parcels, divide
from cv_pipeline.simulation.pavement import draw_pavement
from cv_pipeline.simulation.roads import draw_road
from cv_pipeline.simulation.settlements import draw_settlements, draw_single_buildings
from cv_pipeline.simulation.shapes import beside
from cv_pipeline.simulation.tile_ground import tile_ground
from cv_pipeline.simulation.tracks import (
    bend,
    draw_ditch,
    draw_line,
    draw_track,
    line_mask,
    mean_colour,
    wander,
)
from cv_pipeline.simulation.trees import draw_canopy, leaf_colour
from cv_pipeline.types import BoolArray, Float64Array

_TILLED = {kind.name for kind in FARMLAND}
_OPEN_TILES = ("agricultural", "chaparral", "golfcourse", "forest", "tile")


class Parcel(NamedTuple):
    """One piece of land: what kind of ground (a tile's class or a synthetic kind) and which place it came from.

    ``place`` is "" for synthetic ground. ``heading_rad`` is the rows' direction there, clockwise from image up.
    """

    label: int
    kind: str
    place: str
    heading_rad: float


@dataclass(frozen=True)
class Setting:
    """The ground before any strike, its drawn buildings, and its parcels (``parcel_of`` (h, w) gives their labels)."""

    ground: Ground
    buildings: tuple[Building, ...]
    parcels: tuple[Parcel, ...]
    parcel_of: np.ndarray
    heading_rad: float


def draw_setting(
    backgrounds: Backgrounds,
    ground_config: GroundConfig,
    built_config: BuiltConfig,
    shape: tuple[int, int],
    gsd_m: float,
    rng: np.random.Generator,
) -> Setting:
    """A ground of ``shape`` at ``gsd_m``: the same for the same backgrounds, configuration and generator state.

    Without backgrounds all ground is synthetic.
    """
    region, real_share = _draw_region(ground_config, rng)
    ragged = streaks(shape, gsd_m, 4.0, 4.0, 0.5, rng, float(rng.uniform(0.1, 0.7)))
    width_m, length_m = ground_config.parcel_width_m, ground_config.parcel_length_m
    land = divide(shape, gsd_m, width_m, length_m, ragged, rng)
    ground = Ground(np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.uint8), gsd_m)
    parcels = _fill_parcels(ground, land, backgrounds, ground_config, region, real_share, rng)
    closed = _closed_land(land, parcels, ground)
    kept = ground.copy() if closed is not None else ground
    _draw_borders(ground, land, ground_config, rng)
    _draw_tracks(ground, ground_config, rng)
    if closed is not None:
        for layer, original in zip(_layers(ground), _layers(kept), strict=True):
            layer[closed] = original[closed]
    buildings = _draw_built(ground, land, built_config, rng)
    np.clip(ground.colour, 0, 255, out=ground.colour)
    return Setting(ground, tuple(buildings), parcels, land.label, land.heading_rad)


def _closed_land(land: Parcels, parcels: tuple[Parcel, ...], ground: Ground) -> BoolArray | None:
    """Where no field track or shelter belt may run: towns, pavements and water; None where there are none."""
    labels = [p.label for p in parcels if p.place and p.kind not in _OPEN_TILES]
    closed = np.isin(land.label, labels) if labels else np.zeros(ground.shape, bool)
    closed |= ground.material == Material.WATER
    return closed if closed.any() else None


def _layers(ground: Ground) -> tuple[np.ndarray, ...]:
    return ground.colour, ground.height_m, ground.material


def _draw_region(config: GroundConfig, rng: np.random.Generator) -> tuple[tuple[FieldKind, ...], float]:
    """The kinds of synthetic ground that occur together in one landscape, and the share of real tiles in it.

    The tiles are green and temperate, so desert and snow hold few of them.
    """
    regions = (
        (config.farmland_weight, (*FARMLAND, MEADOW._replace(weight=1.2), STEPPE._replace(weight=0.6))),
        (config.grassland_weight, (MEADOW, STEPPE, FARMLAND[0], FARMLAND[5])),
        (config.arid_weight, (DESERT, DUNES, STEPPE._replace(weight=0.7))),
        (config.snow_weight, (SNOW,)),
        (config.wet_weight, (MARSH, MEADOW)),
    )
    weights = np.array([weight for weight, _ in regions])
    index = _choose(weights, rng)
    return regions[index][1], config.real_share * (0.25 if index in (2, 3) else 1.1)


def _choose(weights: Sequence[float] | np.ndarray, rng: np.random.Generator) -> int:
    cumulative = np.cumsum(weights)
    return min(int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")), len(cumulative) - 1)


def _fill_parcels(
    ground: Ground,
    land: Parcels,
    backgrounds: Backgrounds,
    config: GroundConfig,
    region: tuple[FieldKind, ...],
    real_share: float,
    rng: np.random.Generator,
) -> tuple[Parcel, ...]:
    """Draw each parcel on its bounding box and join them with edges one pixel soft."""
    present = np.bincount(land.label.ravel()) > 0
    numbers = np.flatnonzero(present)
    label = (np.cumsum(present, dtype=np.int32) - 1)[land.label]
    whole = len(numbers) == 1
    parcels = []
    for index, box in enumerate(ndimage.find_objects(label + 1)):
        window = tuple(slice(max(s.start - 2, 0), min(s.stop + 2, n)) for s, n in zip(box, ground.shape, strict=True))
        inside = label[window] == index
        size = inside.shape[0], inside.shape[1]
        across = 0.0 if rng.random() < 0.75 else np.pi / 2
        heading = land.heading_rad + across + float(rng.normal(0, 0.02))
        tile = _draw_tile(backgrounds, size, ground.gsd_m, rng) if rng.random() < real_share else None
        if tile is not None:
            part = tile_ground(backgrounds, tile, size, ground.gsd_m, rng)
            parcel = Parcel(int(numbers[index]), tile.kind or "tile", tile.place, heading)
        else:
            kind = region[_choose([k.weight for k in region], rng)]
            part = _synthetic(kind, inside, heading, ground.gsd_m, config, rng)
            parcel = Parcel(int(numbers[index]), kind.name, "", heading)
        share = np.ones(size, np.float32) if whole else cv2.blur(inside.astype(np.float32), (3, 3))
        ground.colour[window] += share[..., None] * part.colour
        ground.height_m[window][inside] = part.height_m[inside]
        ground.material[window][inside] = part.material[inside]
        parcels.append(parcel)
    return tuple(parcels)


def _draw_tile(backgrounds: Backgrounds, shape: tuple[int, int], gsd_m: float, rng: np.random.Generator) -> Tile | None:
    """A tile that may fill ``shape``; None where some draws found none, or there are no tiles."""
    for _ in range(6 if backgrounds.tiles else 0):
        tile = backgrounds.draw(rng)
        if fits(tile, shape, gsd_m):
            return tile
    return None


def _synthetic(
    kind: FieldKind,
    inside: np.ndarray,
    heading_rad: float,
    gsd_m: float,
    config: GroundConfig,
    rng: np.random.Generator,
) -> Ground:
    """A synthetic parcel, perhaps with a headland, an orchard or a wood on it."""
    size = inside.shape[0], inside.shape[1]
    seed = int(rng.integers(2**31))
    part = kind.draw(size, gsd_m, heading_rad, np.random.default_rng(seed))
    if kind.name in _TILLED and not inside.all() and rng.random() < config.headland_share:
        # The same seed gives the same field, worked at right angles.
        turned = kind.draw(size, gsd_m, heading_rad + np.pi / 2, np.random.default_rng(seed))
        edge_m = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3) * np.float32(gsd_m)
        strip = np.clip((np.float32(rng.uniform(6, 24)) - edge_m) / (2 * gsd_m) + 0.5, 0, 1)[..., None]
        part.colour += strip * (turned.colour * np.float32(rng.uniform(0.93, 1.07)) - part.colour)
    draw = rng.random()
    if draw < config.wood_share:
        _plant_wood(part, rng)
    elif draw < config.wood_share + config.orchard_share:
        crown_m = float(rng.uniform(1.8, 3.4))
        ones = np.ones(size, np.float32)
        fill = float(rng.uniform(0.6, 1.0))
        draw_canopy(part, ones, crown_m, 1.5 * crown_m, leaf_colour(rng), rng, heading_rad, fill)
    return part


def _plant_wood(part: Ground, rng: np.random.Generator) -> None:
    """A wood or scrub over all of a parcel or in lobes, with clearings and single trees at its edge."""
    cover = mottle(part.shape, part.gsd_m, 60.0, 4.0, 0.8, rng) + rng.uniform(-0.8, 1.6)
    crown_m = float(np.exp(rng.uniform(np.log(0.9), np.log(4.0))))
    region = np.clip(cover + 0.5, 0, 1).astype(np.float32)
    fill = float(rng.uniform(0.85, 1.4))
    draw_canopy(part, region, crown_m, float(crown_m * rng.uniform(1.6, 3.2)), leaf_colour(rng), rng, fill=fill)


def _draw_borders(ground: Ground, land: Parcels, config: GroundConfig, rng: np.random.Generator) -> None:
    """Verges, field roads, ditches and shelter belts along borders of parcels."""
    for border in land.borders:
        draw = rng.random()
        if draw < config.belt_share:
            _draw_belt(ground, border, rng)
        elif draw < config.belt_share + config.border_track_share:
            _draw_verge(ground, border, float(rng.uniform(2.5, 6)), rng)
            draw_track(ground, border, rng)
        elif draw < config.belt_share + config.border_track_share + config.ditch_share:
            draw_ditch(ground, border, rng)
        elif rng.random() < config.verge_share:
            _draw_verge(ground, border, float(np.exp(rng.uniform(np.log(0.6), np.log(5.0)))), rng)


def _draw_verge(ground: Ground, border: Float64Array, width_m: float, rng: np.random.Generator) -> None:
    tones = ((86, 100, 66), (128, 118, 92), (150, 140, 116), (76, 74, 66), (104, 106, 78))
    colour = 0.6 * np.array(tones[rng.integers(len(tones))]) * rng.uniform(0.75, 1.15)
    colour = colour + 0.4 * mean_colour(ground, border)
    draw_line(ground, border, width_m, colour.astype(np.float32), float(rng.uniform(0.25, 0.75)), rng, Material.GRASS)


def _draw_belt(ground: Ground, border: Float64Array, rng: np.random.Generator) -> None:
    """A shelter belt of one to four rows of trees with gaps, on a grassy strip, often with a track beside it."""
    width_m = float(rng.uniform(3, 22))
    _draw_verge(ground, border, width_m + 3.0, rng)
    if rng.random() < 0.5:
        draw_track(ground, beside(border, -(width_m / 2 + 3.5) / ground.gsd_m), rng)
    reach = int(1.5 * width_m / ground.gsd_m) + 12
    low = np.maximum(border.min(axis=0) - reach, 0).astype(int)
    high = np.minimum(border.max(axis=0) + reach, ground.shape).astype(int)
    if (low >= high).any():
        return
    window = slice(low[0], high[0]), slice(low[1], high[1])
    size = int(high[0] - low[0]), int(high[1] - low[1])
    strip = line_mask(size, border - low, width_m / ground.gsd_m)
    gaps = mottle(size, ground.gsd_m, 30.0, 4.0, 0.5, rng) < rng.uniform(0.7, 2.5)
    part = Ground(ground.colour[window], ground.height_m[window], ground.material[window], ground.gsd_m)
    crown_m = float(min(rng.uniform(1.2, 3.2), 0.6 * width_m))
    draw_canopy(part, strip * gaps, crown_m, float(rng.uniform(4, 14)), leaf_colour(rng), rng, fill=rng.uniform(1, 1.4))


def _draw_tracks(ground: Ground, config: GroundConfig, rng: np.random.Generator) -> None:
    """Tracks across the land from edge to edge; more than one cross each other."""
    side_m = max(ground.shape) * ground.gsd_m
    for _ in range(min(rng.poisson(config.tracks_per_km * side_m / 1000), 30)):
        start, middle, end = rng.uniform(-0.15, 1.15, (3, 2)) * ground.shape
        edge = int(rng.integers(4))
        start[edge % 2] = ground.shape[edge % 2] * 1.1 * (edge // 2) - 5
        end[edge % 2] = ground.shape[edge % 2] * 1.1 * (1 - edge // 2) - 5
        middle = 0.7 * (start + end) / 2 + 0.3 * middle
        curve = wander(bend(start, middle, end), float(rng.uniform(0.2, 2.5)) / ground.gsd_m, rng)
        draw_track(ground, curve, rng)


def _draw_built(ground: Ground, land: Parcels, config: BuiltConfig, rng: np.random.Generator) -> list[Building]:
    """At most one of each: a settlement, a pavement, a road, a few single buildings."""
    buildings: list[Building] = []
    if rng.random() < config.road_share:
        start, end = rng.uniform(0, 1, (2, 2)) * ground.shape
        side = int(rng.integers(2))
        start[side], end[side] = -20, ground.shape[side] + 20
        if land.borders and rng.random() < 0.6:
            points = land.borders[int(rng.integers(len(land.borders)))]
        else:
            points = bend(start, (start + end) / 2 + rng.normal(0, 0.06, 2) * ground.shape, end)
        material = (Material.ASPHALT, Material.CONCRETE, Material.SOIL)[_choose([0.55, 0.1, 0.35], rng)]
        width_m = float(rng.uniform(2.4, 4.5) if material == Material.SOIL else rng.uniform(3.5, 9.0))
        draw_road(ground, points, width_m, material, rng)
    if rng.random() < config.pavement_share:
        draw_pavement(ground, config, rng)
    if rng.random() < config.village_share:
        buildings += draw_settlements(ground, config, rng)
    if rng.random() < config.single_building_share:
        buildings += draw_single_buildings(ground, int(rng.integers(1, 4)), config, rng)
    return buildings
