"""What differs between the two dates apart from strikes: season, farm work, building, traffic, storms, water.

Every element draws from a random stream of its own, so that leaving one out changes nothing in the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np

from cv_pipeline.simulation.config import BuiltConfig, ChangeConfig
from cv_pipeline.simulation.debris import draw_rubble, draw_tarpaulin, draw_uprooted_tree
from cv_pipeline.simulation.ground import Ground, Material, blend
from cv_pipeline.simulation.noise import across, along_profile, machine_passes, mottle, streaks, wheel_lines
from cv_pipeline.simulation.roads import draw_road
from cv_pipeline.simulation.setting import Setting
from cv_pipeline.simulation.settlements import draw_single_buildings
from cv_pipeline.simulation.trees import draw_tree
from cv_pipeline.simulation.vehicles import draw_tents, draw_vehicles
from cv_pipeline.types import BoolArray, Float32Array

Date = Literal["before", "after"]
_LUMINANCE = np.array([[0.30, 0.59, 0.11]], np.float32)
_GREEN = np.array([[76, 96, 52], [62, 84, 48], [98, 118, 62], [84, 100, 72]], np.float32)
_DRY = np.array([[168, 150, 104], [150, 136, 100], [184, 168, 126], [138, 128, 98]], np.float32)
_BARE = np.array([[128, 108, 86], [104, 90, 76], [146, 124, 98], [88, 80, 72]], np.float32)
_STUBBLE = np.array([[182, 164, 116], [164, 148, 108], [196, 180, 138]], np.float32)
_SNOW = (226.0, 230.0, 238.0)
_FLOOD = np.array([[92, 96, 84], [112, 104, 84], [70, 80, 82]], np.float32)
_AREA_M2 = 3e5  # on a large scene, local changes come again for every so much ground
_PLANTS = (Material.CROP, Material.GRASS)
_FIELD = (Material.CROP, Material.GRASS, Material.SOIL)
_OPEN = (*_FIELD, Material.SAND)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: its kind, on which date it was drawn, and where (None: over the whole ground)."""

    kind: str
    date: Date
    centre_px: tuple[float, float] | None = None
    radius_m: float | None = None


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """Everything that was changed between the dates, in the order in which it was drawn."""

    changes: tuple[Change, ...]

    def kinds(self) -> set[str]:
        """The kinds of change that occur."""
        return {change.kind for change in self.changes}


class _Pair(NamedTuple):
    """What every element of change works on."""

    before: Ground
    after: Ground
    config: ChangeConfig
    built: BuiltConfig
    setting: Setting | None


_Element = tuple[float, Callable[[_Pair, np.random.Generator], list[Change]]]


def change_between(
    before: Ground,
    after: Ground,
    config: ChangeConfig,
    built: BuiltConfig,
    rng: np.random.Generator,
    setting: Setting | None = None,
) -> ChangeRecord:
    """Make two copies of one ground differ as two dates do, both in place; the record says what and where.

    Farm work and seasons keep to the parcels of ``setting`` where it is given, otherwise to parts cut off by
    straight lines. Nothing here looks at strikes: call it before they are drawn.
    """
    whole: tuple[_Element, ...] = (
        (config.season_share, _season),
        (config.snow_share, _snow),
        (config.mottle_share, _growth),
        (config.light_share, _baked_light),
        (config.damp_share, _damp),
    )
    local: tuple[_Element, ...] = (
        (config.farm_work_share, _farm_work),
        (config.track_share, _new_track),
        (config.construction_share, _construction),
        (config.tree_cut_share, _trees_cut),
        (config.storm_share, _storm),
        (config.vehicles_share, _traffic),
        (config.tents_share, _tents),
    )
    pair = _Pair(before, after, config, built, setting)
    repeats = after.shape[0] * after.shape[1] * after.gsd_m**2 / _AREA_M2
    changes: list[Change] = []
    for (share, element), own in zip((*whole, *local), rng.spawn(len(whole) + len(local)), strict=True):
        if own.random() >= share:
            continue
        changes += element(pair, own)
        if (share, element) in local:
            for _ in range(own.poisson(repeats)):
                changes += element(pair, own)
    return ChangeRecord(tuple(changes))


def _one_date(pair: _Pair, rng: np.random.Generator, after_share: float = 0.5) -> tuple[Date, Ground]:
    return ("after", pair.after) if rng.random() < after_share else ("before", pair.before)


def _of(ground: Ground, materials: tuple[Material, ...]) -> BoolArray:
    """True where the ground is one of these materials."""
    table = np.zeros(256, bool)
    table[list(materials)] = True
    return np.asarray(table[ground.material])


def _luminance(colour: Float32Array) -> Float32Array:
    return np.asarray(cv2.transform(colour, _LUMINANCE), np.float32)


def _recolour(ground: Ground, alpha: Float32Array, target: Float32Array, texture: float = 0.8) -> None:
    """Pull the colour towards ``target`` ((3,) or (h, w, 3)) by ``alpha`` (h, w), keeping ``texture`` of its relief."""
    light = _luminance(ground.colour)
    level = float((light * alpha).sum()) / max(float(alpha.sum()), 1e-3)
    relative = light * np.float32(texture / max(level, 10.0)) + np.float32(1.0 - texture)
    ground.colour += alpha[..., None] * (relative[..., None] * target.astype(np.float32, copy=False) - ground.colour)


def _parcel(pair: _Pair, rng: np.random.Generator) -> tuple[Float32Array, float]:
    """A field's part of the ground (h, w) 0..1 and the heading of its rows in rad.

    One of the setting's parcels, mostly; otherwise what one or two straight lines cut off, or all of it.
    """
    row, col, lines = rng.random(), rng.random(), int(rng.choice(3, p=(0.3, 0.4, 0.3)))
    heading, own = float(rng.uniform(0, np.pi)), rng.random() < 0.7
    shape, gsd_m = pair.after.shape, pair.after.gsd_m
    if pair.setting is not None and own:
        label = int(pair.setting.parcel_of[int(row * shape[0]), int(col * shape[1])])
        headings = {parcel.label: parcel.heading_rad for parcel in pair.setting.parcels}
        mask = (pair.setting.parcel_of == label).astype(np.float32)
        return np.asarray(cv2.blur(mask, (3, 3)), np.float32), headings.get(label, heading)
    mask = np.ones(shape, np.float32)
    for turn in (0.0, np.pi / 2)[:lines]:
        side = rng.choice([-1.0, 1.0])
        offset_m = rng.uniform(-0.35, 0.35) * min(shape) * gsd_m
        distance = across(shape, gsd_m, heading + turn + rng.normal(0, 0.03)) - np.float32(offset_m)
        mask *= np.clip(side * distance / gsd_m + 0.5, 0, 1).astype(np.float32)
    return mask, heading


def _season(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Plants greener, drier or gone on one date, field by field; soils wetter or drier."""
    date, ground = _one_date(pair, rng)
    # Materials of real imagery are guessed in blocks; a soft border keeps these from showing.
    reach_px = 2 * max(round(1.5 / ground.gsd_m), 1) + 1
    plants = cv2.blur(_of(ground, _PLANTS).astype(np.float32), (reach_px, reach_px))
    parcel, _heading = _parcel(pair, rng)
    patchy = 1.0 + 0.25 * mottle(ground.shape, ground.gsd_m, 40.0, 20.0, 0.5, rng)
    targets, strengths = [], rng.uniform(0.2, 0.85, 2).astype(np.float32)
    for _turn in range(2):
        palette = (_GREEN, _DRY, _BARE)[int(rng.choice(3, p=(0.45, 0.35, 0.2)))]
        targets.append(palette[rng.integers(len(palette))] * np.float32(rng.uniform(0.85, 1.15)))
    target = targets[1] + parcel[..., None] * (targets[0] - targets[1])
    strength = strengths[1] + parcel * (strengths[0] - strengths[1])
    _recolour(ground, np.clip(strength * plants * patchy, 0, 1), target)
    moisture = np.float32(rng.uniform(0.78, 1.18))
    ground.colour[_of(ground, (Material.SOIL, Material.SAND))] *= moisture
    trees = _of(ground, (Material.TREE,))
    # Leaves turn paler and browner together, or deeper and greener.
    ground.colour[trees] *= np.asarray(np.exp(rng.normal(0, 0.1) * np.array([1.2, 0.6, 0.3])), np.float32)
    return [Change("season", date)]


def _snow(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Snow on one date, thin or closed, less of it on roofs, roads and crowns."""
    date, ground = _one_date(pair, rng)
    depth = rng.uniform(0.4, 1.6) + 0.45 * mottle(ground.shape, ground.gsd_m, 30.0, 2.0, 0.3, rng)
    hold = np.ones(256, np.float32)
    hold[[Material.ROOF, Material.ASPHALT, Material.CONCRETE]] = rng.uniform(0.1, 1.0, 3)
    hold[[Material.TREE, Material.WATER]] = 0.2, 0.0
    alpha = np.clip(depth, 0, 0.96).astype(np.float32) * hold[ground.material]
    _recolour(ground, alpha, np.asarray(_SNOW, np.float32), texture=0.15)
    ground.material[(alpha > 0.6) & _of(ground, _OPEN)] = Material.SNOW
    return [Change("snow", date)]


def _growth(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Plants never stand twice alike: broad and fine mottling, of one date against the other."""
    date, ground = _one_date(pair, rng)
    amplitude, fine_dn = rng.uniform(*pair.config.mottle), rng.uniform(0.5, 2.5)
    natural = _of(ground, (*_OPEN, Material.TREE)).astype(np.float32)
    broad = mottle(ground.shape, ground.gsd_m, rng.uniform(15, 70), 12.0, 0.6, rng)
    broad = np.clip(1.0 + np.float32(amplitude) * natural * broad, 0.6, 1.5)
    fine = streaks(ground.shape, ground.gsd_m, 1.2, 1.2, 0.0, rng)
    ground.colour *= broad[..., None]
    ground.colour += (np.float32(fine_dn) * natural * fine)[..., None]
    return [Change("growth", date)]


def _baked_light(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Another light on imagery that brought its own: paler or deeper shadows, a slope of brightness."""
    date, ground = _one_date(pair, rng)
    light = _luminance(ground.colour)
    small = cv2.resize(light, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.GaussianBlur(small, (0, 0), max(3.0 / ground.gsd_m, 1.0)), light.shape[::-1])
    dark = np.clip(1.0 - light / np.maximum(0.75 * np.asarray(around, np.float32), 1.0), 0, 0.6)
    heading, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.1)
    extent_m = float(np.hypot(*ground.shape)) * ground.gsd_m
    tilt = across(ground.shape, ground.gsd_m, heading) * np.float32(slope / extent_m)
    ground.colour *= (1.0 + tilt + np.float32(rng.uniform(-0.7, 0.8)) * dark)[..., None].astype(np.float32)
    return [Change("light", date)]


def _farm_work(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Ploughing, harvest or mowing of one field between the dates; on the before image it is what grew over since."""
    date, ground = _one_date(pair, rng, 0.7)
    parcel, heading = _parcel(pair, rng)
    parcel *= _of(ground, _FIELD)
    work = (_plough, _harvest, _mow)[int(rng.choice(3, p=pair.config.farm_work_kinds))]
    distance = across(ground.shape, ground.gsd_m, heading)
    if parcel.max() == 0:
        return []
    work(ground, parcel, distance, heading, rng)
    rows, cols = np.nonzero(parcel > 0.5)
    if rows.size == 0:
        return []
    radius_m = float(np.sqrt(rows.size / np.pi)) * ground.gsd_m
    return [Change(work.__name__.strip("_"), date, (float(rows.mean()) + 0.5, float(cols.mean()) + 0.5), radius_m)]


def _plough(
    ground: Ground, parcel: Float32Array, distance: Float32Array, heading: float, rng: np.random.Generator
) -> None:
    """Turned soil in passes, clods and all."""
    shape, gsd_m = ground.shape, ground.gsd_m
    soil = _BARE[rng.integers(len(_BARE))] * np.float32(rng.uniform(0.7, 1.15))
    passes = along_profile(machine_passes(shape, gsd_m, rng.uniform(2.5, 9.0), 0.8, rng), gsd_m / 3, distance)
    clods = streaks(shape, gsd_m, 0.6, 4.0, heading, rng)
    tone = 1 + rng.uniform(0.02, 0.07) * passes + rng.uniform(0.02, 0.06) * clods
    tone += 0.05 * mottle(shape, gsd_m, 40.0, 10.0, 0.5, rng)
    colour = tone[..., None].astype(np.float32) * soil
    blend(ground, slice(None), slice(None), parcel * np.float32(rng.uniform(0.85, 1.0)), colour, Material.SOIL)


def _harvest(
    ground: Ground, parcel: Float32Array, distance: Float32Array, heading: float, rng: np.random.Generator
) -> None:
    """Stubble with swaths of straw and wheel marks."""
    shape, gsd_m = ground.shape, ground.gsd_m
    width_m = rng.uniform(5.0, 12.0)
    _recolour(ground, parcel * np.float32(rng.uniform(0.6, 0.95)), _STUBBLE[rng.integers(len(_STUBBLE))], 0.5)
    swaths = along_profile(wheel_lines(shape, gsd_m, width_m, 0.9, rng), gsd_m / 3, distance)
    passes = along_profile(machine_passes(shape, gsd_m, width_m, 0.4, rng), gsd_m / 3, distance)
    ragged = np.clip(1 + 0.4 * streaks(shape, gsd_m, 1.0, 6.0, heading, rng), 0, 2)
    lines_dn = rng.uniform(-14, 26)  # straw left lying shines, straw taken away leaves dark wheel marks
    ground.colour += (parcel * (np.float32(lines_dn) * swaths * ragged + np.float32(4.0) * passes))[..., None]


def _mow(
    ground: Ground, parcel: Float32Array, distance: Float32Array, _heading: float, rng: np.random.Generator
) -> None:
    """Paler stripes, each pass laid the other way."""
    shape, gsd_m = ground.shape, ground.gsd_m
    target = 0.5 * (_GREEN[rng.integers(len(_GREEN))] + _DRY[rng.integers(len(_DRY))])
    _recolour(ground, parcel * np.float32(rng.uniform(0.2, 0.6)), target)
    width_m = rng.uniform(2.2, 7.0)
    passes = along_profile(machine_passes(shape, gsd_m, width_m, rng.uniform(-1, 1), rng), gsd_m / 3, distance)
    ground.colour *= (1 + np.float32(rng.uniform(0.03, 0.09)) * parcel * passes)[..., None]


def _damp(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Damp hollows, or standing water in them, on one date."""
    date, ground = _one_date(pair, rng)
    field = mottle(ground.shape, ground.gsd_m, rng.uniform(15.0, 90.0), 4.0, 1.0, rng)
    level = rng.uniform(0.8, 2.0)
    open_ground = _of(ground, _OPEN)
    wet = np.clip((field - np.float32(level)) / 0.6, 0, 1) * open_ground
    ground.colour *= (1 - np.float32(rng.uniform(0.2, 0.45)) * wet)[..., None].astype(np.float32)
    changes = [Change("damp", date)] if wet.any() else []
    if rng.random() < pair.config.flood_share and wet.any():
        water = np.clip((field - np.float32(level + 0.5)) / 0.15, 0, 1) * open_ground
        colour = _FLOOD[rng.integers(len(_FLOOD))] * np.float32(rng.uniform(0.7, 1.2))
        blend(ground, slice(None), slice(None), 0.92 * water.astype(np.float32), tuple(colour), Material.WATER)
        ground.height_m[water > 0.5] = 0.0
        changes.append(Change("flood", date))
    return changes


def _new_track(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Wheel marks across a field, or a worn track."""
    date, ground = _one_date(pair, rng, 0.7)
    height, width = ground.shape
    start, heading = rng.uniform(0, 1, 2) * (height, width), rng.uniform(0, 2 * np.pi)
    reach_px = float(np.hypot(height, width))
    bend = rng.normal(0, 0.25)
    share = np.linspace(-1, 1, 24)
    turn = heading + bend * share
    points = start + reach_px * share[:, None] * np.stack([-np.cos(turn), np.sin(turn)], axis=1)
    if rng.random() < 0.4:
        draw_road(ground, points, float(rng.uniform(2.2, 3.8)), Material.SOIL, rng)
    else:
        _draw_ruts(ground, points, rng)
    return [Change("track", date, (float(start[0]), float(start[1])), None)]


def _draw_ruts(ground: Ground, points: np.ndarray, rng: np.random.Generator) -> None:
    """Two wheel marks, darker or paler than the field, on open ground only."""
    gauge_px, width_px = rng.uniform(1.6, 2.2) / ground.gsd_m, rng.uniform(0.3, 0.6) / ground.gsd_m
    direction = np.gradient(points, axis=0)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    right = np.stack([direction[:, 1], -direction[:, 0]], axis=1)
    marks = np.zeros(ground.shape, np.uint8)
    thickness = max(round(width_px), 1)
    for side in (-0.5, 0.5):
        line = np.round((points + side * gauge_px * right - 0.5)[:, ::-1] * 16).astype(np.int32)
        cv2.polylines(marks, [line], False, 255, thickness, cv2.LINE_AA, 4)
    strength = min(width_px / thickness, 1.0) * rng.uniform(0.5, 1.0)
    share = marks.astype(np.float32) * np.float32(strength / 255) * _of(ground, _OPEN)
    ground.colour *= (1 + np.float32(rng.choice([-0.35, -0.25, 0.3])) * share)[..., None]


def _construction(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Buildings put up (after) or pulled down (before), some of them leaving rubble without any crater."""
    date, ground = _one_date(pair, rng)
    changes = []
    for building in draw_single_buildings(ground, int(rng.integers(1, 3)), pair.built, rng):
        row, col = building.centre_px
        corners = np.asarray(building.corners_px)
        radius_m = float(np.hypot(*(corners - corners.mean(axis=0)).T).max()) * ground.gsd_m
        changes.append(Change("built" if date == "after" else "demolished", date, (row, col), radius_m))
        if date == "before" and rng.random() < pair.config.demolition_rubble_share:
            draw_rubble(pair.after, row, col, 0.6 * radius_m, rng)
            changes.append(Change("rubble", "after", (row, col), 0.6 * radius_m))
    return changes


def _trees_cut(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """One to six trees that stand only on the before image; a pale spot or nothing remains of them."""
    changes = []
    middle = rng.uniform(0, 1, 2) * pair.before.shape
    colour = np.array([66, 78, 48], np.float32) * np.float32(rng.uniform(0.7, 1.25))
    for _ in range(int(rng.integers(1, 7))):
        row, col = (float(value) for value in middle + rng.normal(0, 8.0, 2) / pair.before.gsd_m)
        radius_m = float(np.clip(rng.lognormal(0.8, 0.4), 1.0, 5.0))
        place = int(row), int(col)
        if not (0 <= place[0] < pair.before.shape[0] and 0 <= place[1] < pair.before.shape[1]):
            continue
        if pair.before.material[place] not in _OPEN:
            continue
        draw_tree(pair.before, row, col, radius_m, radius_m * float(rng.uniform(1.4, 2.6)), colour, rng)
        changes.append(Change("tree_cut", "before", (row, col), radius_m))
    return changes


def _storm(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Rubble, tarpaulins and fallen trees after a storm: damage without any crater."""
    changes = []
    for _ in range(int(rng.integers(1, 4))):
        row, col = (float(value) for value in rng.uniform(0, 1, 2) * pair.after.shape)
        kind, radius_m = int(rng.choice(3, p=(0.5, 0.25, 0.25))), float(rng.uniform(3.0, 10.0))
        if kind == 0:
            draw_rubble(pair.after, row, col, radius_m, rng)
        elif kind == 1:
            draw_tarpaulin(pair.after, row, col, rng)
        else:
            draw_uprooted_tree(pair.after, row, col, rng)
        changes.append(Change(("rubble", "tarpaulin", "fallen_tree")[kind], "after", (row, col), radius_m))
    return changes


def _traffic(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """Vehicles, none of which stands in the same place on both dates."""
    changes = []
    dates: tuple[tuple[Date, Ground], ...] = (("before", pair.before), ("after", pair.after))
    for date, ground in dates:
        for vehicle in draw_vehicles(ground, pair.built, rng, int(rng.poisson(pair.config.vehicle_groups))):
            where = float(vehicle.row_px), float(vehicle.col_px)
            changes.append(Change(vehicle.kind, date, where, vehicle.length_m / 2))
    return changes


def _tents(pair: _Pair, rng: np.random.Generator) -> list[Change]:
    """A camp put up or taken down."""
    date, ground = _one_date(pair, rng)
    return [
        Change("tent", date, (float(tent.row_px), float(tent.col_px)), tent.length_m / 2)
        for tent in draw_tents(ground, rng)
    ]
