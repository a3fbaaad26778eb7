"""What differs over the whole ground: the state of plants and soils, snow, light, damp and flooded hollows."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.change.base import (
    BARE,
    DRY,
    GREEN,
    PLANTS,
    Change,
    Pair,
    covered_by,
    field_part,
    luminance,
    one_date,
    recolour,
)
from cv_pipeline.simulation.ground import OPEN, Material, blend
from cv_pipeline.simulation.noise import across, mottle, streaks

_SNOW = (226.0, 230.0, 238.0)
_FLOOD = np.array([[92, 96, 84], [112, 104, 84], [70, 80, 82]], np.float32)


def vegetation(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Plants greener, drier or gone on one date, field by field; soils wetter or drier."""
    date, ground = one_date(pair, rng)
    # Materials of real imagery are guessed in blocks; a soft border keeps these from showing.
    reach_px = 2 * max(round(1.5 / ground.gsd_m), 1) + 1
    plants = cv2.blur(covered_by(ground, PLANTS).astype(np.float32), (reach_px, reach_px))
    parcel, _heading = field_part(pair, rng)
    patchy = 1.0 + 0.25 * mottle(ground.shape, ground.gsd_m, 40.0, 20.0, 0.5, rng)
    targets, strengths = [], rng.uniform(0.2, 0.85, 2).astype(np.float32)
    for _turn in range(2):
        palette = (GREEN, DRY, BARE)[int(rng.choice(3, p=(0.45, 0.35, 0.2)))]
        targets.append(palette[rng.integers(len(palette))] * np.float32(rng.uniform(0.85, 1.15)))
    target = targets[1] + parcel[..., None] * (targets[0] - targets[1])
    strength = strengths[1] + parcel * (strengths[0] - strengths[1])
    recolour(ground, np.clip(strength * plants * patchy, 0, 1), target)
    moisture = np.float32(rng.uniform(0.78, 1.18))
    ground.colour[covered_by(ground, (Material.SOIL, Material.SAND))] *= moisture
    trees = covered_by(ground, (Material.TREE,))
    # Leaves turn paler and browner together, or deeper and greener.
    ground.colour[trees] *= np.asarray(np.exp(rng.normal(0, 0.1) * np.array([1.2, 0.6, 0.3])), np.float32)
    return [Change("season", date)]


def snow(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Snow on one date, thin or closed, less of it on roofs, roads and crowns."""
    date, ground = one_date(pair, rng)
    depth = rng.uniform(0.4, 1.6) + 0.45 * mottle(ground.shape, ground.gsd_m, 30.0, 2.0, 0.3, rng)
    hold = np.ones(256, np.float32)
    hold[[Material.ROOF, Material.ASPHALT, Material.CONCRETE]] = rng.uniform(0.1, 1.0, 3)
    hold[[Material.TREE, Material.WATER]] = 0.2, 0.0
    alpha = np.clip(depth, 0, 0.96).astype(np.float32) * hold[ground.material]
    recolour(ground, alpha, np.asarray(_SNOW, np.float32), texture=0.15)
    ground.material[(alpha > 0.6) & covered_by(ground, OPEN)] = Material.SNOW
    return [Change("snow", date)]


def growth(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Plants never stand twice alike: broad and fine mottling, of one date against the other."""
    date, ground = one_date(pair, rng)
    amplitude, fine_dn = rng.uniform(*pair.config.mottle), rng.uniform(0.5, 2.5)
    natural = covered_by(ground, (*OPEN, Material.TREE)).astype(np.float32)
    broad = mottle(ground.shape, ground.gsd_m, rng.uniform(15, 70), 12.0, 0.6, rng)
    broad = np.clip(1.0 + np.float32(amplitude) * natural * broad, 0.6, 1.5)
    fine = streaks(ground.shape, ground.gsd_m, 1.2, 1.2, 0.0, rng)
    ground.colour *= broad[..., None]
    ground.colour += (np.float32(fine_dn) * natural * fine)[..., None]
    return [Change("growth", date)]


def baked_light(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Another light on imagery that brought its own: paler or deeper shadows, a slope of brightness."""
    date, ground = one_date(pair, rng)
    light = luminance(ground.colour)
    small = cv2.resize(light, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.GaussianBlur(small, (0, 0), max(3.0 / ground.gsd_m, 1.0)), light.shape[::-1])
    dark = np.clip(1.0 - light / np.maximum(0.75 * np.asarray(around, np.float32), 1.0), 0, 0.6)
    heading, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.1)
    extent_m = float(np.hypot(*ground.shape)) * ground.gsd_m
    tilt = across(ground.shape, ground.gsd_m, heading) * np.float32(slope / extent_m)
    ground.colour *= (1.0 + tilt + np.float32(rng.uniform(-0.7, 0.8)) * dark)[..., None].astype(np.float32)
    return [Change("light", date)]


def damp(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Damp hollows, or standing water in them, on one date."""
    date, ground = one_date(pair, rng)
    field = mottle(ground.shape, ground.gsd_m, rng.uniform(15.0, 90.0), 4.0, 1.0, rng)
    level = rng.uniform(0.8, 2.0)
    open_ground = covered_by(ground, OPEN)
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
