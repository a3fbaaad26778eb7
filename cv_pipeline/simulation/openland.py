"""Synthetic ground that nobody tills: meadow, steppe, desert, dunes, snow and marsh.

Every function returns a level :class:`Ground` as those in :mod:`cv_pipeline.simulation.fields` do;
``heading_rad`` is the direction of the wind, of mowing or of the sheep tracks.
"""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.fields import FieldKind, draw_level, draw_roughness, painted, tone, unit
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.noise import across, mottle, streaks
from cv_pipeline.types import Float32Array

_GRASS = ((88, 104, 66), (104, 112, 74), (118, 112, 80), (96, 104, 84), (76, 92, 58))
_DRY = ((140, 122, 88), (128, 112, 86), (120, 108, 90), (134, 124, 98), (112, 96, 74))
_SAND = ((196, 172, 132), (182, 160, 128), (204, 184, 152), (176, 148, 116), (190, 176, 156))
_SNOW = ((208, 214, 222), (214, 216, 220), (200, 208, 220))
_MUD = ((92, 86, 76), (80, 78, 70), (104, 98, 84))


def _wandering_lines(
    shape: tuple[int, int], gsd_m: float, heading_rad: float, spacing_m: float, rng: np.random.Generator
) -> Float32Array:
    """Thin bending lines 0..1 about ``spacing_m`` apart: level lines of a broad field, as trodden paths run."""
    place = across(shape, gsd_m, heading_rad) / np.float32(spacing_m)
    place += 0.9 * streaks(shape, gsd_m, 3 * spacing_m, 5 * spacing_m, heading_rad, rng)
    off = np.abs(place - np.round(place)) * spacing_m
    width_m = max(0.35, 0.6 * gsd_m)
    line = np.exp(-((off / width_m) ** 2)).astype(np.float32) * np.float32(min(0.35 / width_m, 1.0))
    worn: Float32Array = line * np.clip(0.4 + streaks(shape, gsd_m, spacing_m, 20.0, heading_rad, rng), 0, 1.5)
    return worn


def meadow(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Meadow or pasture: tufts, soft patches of other plants, mowing stripes or cattle paths."""
    level = draw_level(rng, 0.95)
    colour, dry = tone(_GRASS, level, rng), tone(_DRY, level * rng.uniform(1.05, 1.3), rng)
    pattern = mottle(shape, gsd_m, rng.uniform(3, 9), 0.5, rng.uniform(0.0, 0.6), rng)
    pattern += rng.uniform(0.2, 0.9) * mottle(shape, gsd_m, 18.0, 5.0, 0.6, rng)
    if rng.random() < 0.35:
        stripe = np.sin(across(shape, gsd_m, heading_rad) * np.float32(2 * np.pi / rng.uniform(4, 9)))
        pattern += rng.uniform(0.2, 0.7) * stripe
    if rng.random() < 0.35:
        pattern += rng.uniform(1.0, 2.5) * _wandering_lines(shape, gsd_m, heading_rad, rng.uniform(8, 30), rng)
    broad = np.float32(rng.uniform(0.02, 0.09)) * mottle(shape, gsd_m, 80.0, 20.0, 0.6, rng)
    image = painted(colour, dry, unit(pattern), draw_roughness(rng, 0.95), broad)
    return level_ground(image, Material.GRASS, gsd_m)


def steppe(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Dry grassland: bare soil between tussocks, patches of shrub colour, sheep tracks."""
    level = draw_level(rng, 1.1)
    colour, other = tone(_DRY, level, rng), tone(_DRY + _GRASS, level * rng.uniform(0.7, 1.3), rng)
    pattern = mottle(shape, gsd_m, rng.uniform(2, 6), 0.5, rng.uniform(-0.2, 0.4), rng)
    pattern += rng.uniform(0.4, 1.2) * mottle(shape, gsd_m, 25.0, 5.0, 0.5, rng)
    if rng.random() < 0.5:
        pattern += rng.uniform(1.0, 2.5) * _wandering_lines(shape, gsd_m, heading_rad, rng.uniform(5, 25), rng)
    broad = np.float32(rng.uniform(0.03, 0.10)) * mottle(shape, gsd_m, 90.0, 20.0, 0.6, rng)
    image = painted(colour, other, unit(pattern), draw_roughness(rng, 1.05), broad)
    return level_ground(image, Material.GRASS, gsd_m)


def desert(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Desert floor: gravel, wind streaks, dry wadis with pale sand and darker banks."""
    level = draw_level(rng, 1.5)
    colour, stone = tone(_SAND, level, rng), tone(_SAND + _DRY, level * rng.uniform(0.75, 0.95), rng)
    pattern = mottle(shape, gsd_m, rng.uniform(1.5, 6), 0.5, rng.uniform(-0.3, 0.4), rng)
    pattern += rng.uniform(0.1, 0.8) * streaks(shape, gsd_m, 2.0, 20.0, heading_rad, rng)
    pattern += rng.uniform(0.2, 0.9) * mottle(shape, gsd_m, 25.0, 6.0, 0.6, rng)
    broad = np.float32(rng.uniform(0.02, 0.07)) * mottle(shape, gsd_m, 100.0, 25.0, 0.6, rng)
    image = painted(colour, stone, unit(pattern), draw_roughness(rng, 0.9), broad)
    if rng.random() < 0.4:
        course = streaks(shape, gsd_m, 45.0, 160.0, heading_rad, rng) + 0.3 * streaks(
            shape, gsd_m, 9.0, 25.0, heading_rad, rng
        )
        bed = np.exp(-((course / rng.uniform(0.08, 0.3)) ** 2))[..., None].astype(np.float32)
        image += np.float32(rng.uniform(0.06, 0.16)) * bed * image
    return level_ground(image, Material.SAND, gsd_m)


def dunes(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Sand sheet with ripples or low dunes; the dunes are relief, so the sun shades them."""
    level = draw_level(rng, 1.6)
    colour = tone(_SAND, level, rng)
    spacing_m = float(np.exp(rng.uniform(np.log(3.0), np.log(45.0))))
    place = across(shape, gsd_m, heading_rad) / np.float32(spacing_m)
    place += 0.5 * streaks(shape, gsd_m, 2.5 * spacing_m, 4 * spacing_m, heading_rad, rng)
    place += 0.12 * streaks(shape, gsd_m, 0.8 * spacing_m, spacing_m, heading_rad, rng)
    wave = np.sin(2 * np.pi * place) + 0.25 * np.sin(4 * np.pi * place + 0.8)
    pattern = mottle(shape, gsd_m, 4.0, 0.5, 0.2, rng)
    image = painted(colour, colour * 0.9, unit(pattern), draw_roughness(rng, 0.5), (0.02 * wave).astype(np.float32))
    ground = level_ground(image, Material.SAND, gsd_m)
    strength = np.clip(0.6 + 0.5 * streaks(shape, gsd_m, 3 * spacing_m, 5 * spacing_m, heading_rad, rng), 0.1, 1.5)
    ground.height_m += np.maximum(np.float32(0.022 * spacing_m) * strength * wave, 0).astype(np.float32)
    return ground


def snow(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Snow cover: drifts, wind streaks, stubble or clods showing through, bare patches."""
    level = draw_level(rng, 1.0) * 0.35 + 160
    colour, bare = tone(_SNOW, level, rng), tone(_DRY, rng.uniform(70, 120), rng)
    pattern = 0.6 * mottle(shape, gsd_m, 6.0, 0.5, 0.3, rng) + streaks(shape, gsd_m, 2.5, 14.0, heading_rad, rng)
    pattern += rng.uniform(0.0, 1.2) * streaks(shape, gsd_m, 0.6, 40.0, heading_rad + np.pi / 2, rng)
    broad = np.float32(0.02) * mottle(shape, gsd_m, 80.0, 20.0, 0.6, rng)
    image = painted(colour, bare, unit(pattern), draw_roughness(rng, 0.8), broad)
    if rng.random() < 0.5:
        cover = mottle(shape, gsd_m, 20.0, 0.8, 0.7, rng) + 0.6 * streaks(shape, gsd_m, 1.0, 20.0, heading_rad, rng)
        thawed = np.clip(1.6 * (cover - rng.uniform(0.8, 1.9)), 0, 1)[..., None]
        image += np.float32(rng.uniform(0.4, 0.85)) * thawed * (bare - image)
    return level_ground(image, Material.SNOW, gsd_m)


def marsh(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Marsh or flood meadow: reed clumps, mud and open water in lobes."""
    level = draw_level(rng, 0.85)
    colour, mud = tone(_GRASS, level, rng), tone(_MUD, level * 0.8, rng)
    cover = mottle(shape, gsd_m, 30.0, 1.0, 0.8, rng) + 0.3 * streaks(shape, gsd_m, 6.0, 25.0, heading_rad, rng)
    pattern = mottle(shape, gsd_m, 5.0, 0.5, 0.2, rng)
    image = painted(colour, mud, unit(pattern), draw_roughness(rng, 1.1), np.float32(0.1) * np.clip(cover, -1.5, 1.5))
    wet = np.clip(5 * (cover - rng.uniform(0.9, 1.8)), 0, 1)
    water = np.array([38, 48, 50], np.float32) * np.float32(rng.uniform(0.8, 1.6))
    image += wet[..., None] * 0.9 * (water - image)
    ground = level_ground(image, Material.GRASS, gsd_m)
    ground.material[wet > 0.5] = Material.WATER
    return ground


MEADOW = FieldKind("meadow", meadow, 1.0)
STEPPE = FieldKind("steppe", steppe, 1.0)
DESERT = FieldKind("desert", desert, 1.0)
DUNES = FieldKind("dunes", dunes, 0.4)
SNOW = FieldKind("snow", snow, 1.0)
MARSH = FieldKind("marsh", marsh, 1.0)
