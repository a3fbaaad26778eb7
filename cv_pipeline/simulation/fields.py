"""Synthetic farmland: crops at many stages, stubble, ploughed and harrowed soil.

Every function returns a level :class:`Ground` of any shape and GSD whose rows run along ``heading_rad``
(clockwise from image up). The same generator state with another heading gives the same field with turned
rows, which is how headlands are made.

Roughness and level follow what real crater fields show in an 8-15.5 m annulus at 0.25-0.5 m GSD:
robust SD 4.0 / 6.5 / 14.2 DN and level 76 / 96 / 132 DN at the 10th / 50th / 90th percentile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cv_pipeline.simulation.ground import LUMINANCE, Ground, Material, level_ground
from cv_pipeline.simulation.noise import (
    across,
    along_profile,
    machine_passes,
    mottle,
    profile_step_m,
    streaks,
    wheel_lines,
)
from cv_pipeline.types import Float32Array


class FieldKind(NamedTuple):
    """A kind of ground: its name, what draws it, and how often it is drawn."""

    name: str
    draw: Callable[[tuple[int, int], float, float, np.random.Generator], Ground]
    weight: float


def draw_level(rng: np.random.Generator, brightness: float = 1.0) -> float:
    """Mean luminance of a field in DN: 76 / 96 / 132 at the 10th / 50th / 90th percentile."""
    z = rng.standard_normal()
    return float(np.clip(96.0 * np.exp((0.18 if z < 0 else 0.25) * z) * brightness, 38, 225))


def draw_roughness(rng: np.random.Generator, factor: float = 1.0) -> float:
    """Local SD of a field in DN: about 4 / 6.5 / 14 once blurred by a sensor."""
    z = rng.standard_normal()
    return float(np.clip(7.1 * np.exp((0.36 if z < 0 else 0.70) * z) * factor, 2.0, 28.0))


def tone(hues: tuple[tuple[int, int, int], ...], level: float, rng: np.random.Generator) -> Float32Array:
    """A colour (3,) of luminance ``level`` between two of ``hues``, with a slight cast."""
    first, second = rng.integers(len(hues), size=2)
    mix = rng.random()
    colour = (1 - mix) * np.array(hues[first], float) + mix * np.array(hues[second], float)
    # Haze, sensor and white balance take colour away more often than they add it.
    colour = colour + rng.uniform(0.1, 0.65) * (colour @ LUMINANCE - colour)
    colour = colour * (1 + rng.normal(0, 0.015, 3))
    result: Float32Array = (colour * level / (colour @ LUMINANCE)).astype(np.float32)
    return result


def unit(pattern: Float32Array) -> Float32Array:
    """``pattern`` with mean 0 and SD 1."""
    pattern = pattern - pattern.mean()
    result: Float32Array = (pattern / (pattern.std() + 1e-6)).astype(np.float32, copy=False)
    return result


def painted(
    colour: Float32Array,
    other: Float32Array,
    pattern: Float32Array,
    roughness_dn: float,
    broad: Float32Array | float,
) -> Float32Array:
    """Colour (h, w, 3): ``pattern`` (unit SD) moves each pixel from ``colour`` towards ``other`` and back.

    Its luminance SD is ``roughness_dn``; ``broad`` (relative) changes brightness over tens of metres.
    """
    # Shadowed clods and pale straw keep within what one exposure shows of a field.
    roughness_dn = min(roughness_dn, 0.17 * float(colour @ LUMINANCE))
    towards = other - colour
    contrast = float(towards @ LUMINANCE)
    # Part of the texture changes hue (crop against soil), the rest only brightness.
    hue = towards / (contrast if abs(contrast) > 8 else np.copysign(8.0, contrast or 1.0))
    direction = np.clip(0.65 * colour / float(colour @ LUMINANCE) + 0.35 * np.clip(hue, 0.2, 2.0), 0.65, 1.35)
    direction = direction / float(direction @ LUMINANCE)
    image = colour + (np.float32(roughness_dn) * pattern)[..., None] * direction.astype(np.float32)
    image *= np.atleast_3d(np.asarray(1 + np.asarray(broad), np.float32))
    result: Float32Array = np.clip(image, 4, 252).astype(np.float32, copy=False)
    return result


def _broad(shape: tuple[int, int], gsd_m: float, rng: np.random.Generator, amplitude: float = 0.06) -> Float32Array:
    """Relative brightness over 25-120 m: soil types, dampness, growth."""
    return np.float32(amplitude * rng.uniform(0.3, 1.5)) * mottle(shape, gsd_m, 100.0, 25.0, 0.6, rng)


def _grain(shape: tuple[int, int], gsd_m: float, rng: np.random.Generator) -> Float32Array:
    """Fine isotropic texture from 0.4 to 6 m: clods, plants, gaps."""
    return mottle(shape, gsd_m, float(rng.uniform(2.5, 7.0)), 0.5, float(rng.uniform(-0.1, 0.5)), rng)


def _passes(
    shape: tuple[int, int], gsd_m: float, heading_rad: float, width_m: float, seam: float, rng: np.random.Generator
) -> Float32Array:
    """Machine passes with slight meander that fade in and out along their length."""
    step_m, _ = profile_step_m(shape, gsd_m)
    place = across(shape, gsd_m, heading_rad)
    place += np.float32(rng.uniform(0.05, 0.35)) * streaks(shape, gsd_m, 40.0, 60.0, heading_rad, rng)
    marks = along_profile(machine_passes(shape, gsd_m, width_m, seam, rng), step_m, place)
    return marks * (0.75 + 0.35 * streaks(shape, gsd_m, 4 * width_m, 40.0, heading_rad, rng))


def _tramlines(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Float32Array:
    """Wheel marks of the sprayer, 0..1: pairs every 12 to 36 m, worn unevenly."""
    step_m, _ = profile_step_m(shape, gsd_m)
    place = across(shape, gsd_m, heading_rad)
    place += np.float32(rng.uniform(0.05, 0.3)) * streaks(shape, gsd_m, 60.0, 60.0, heading_rad, rng)
    profile = wheel_lines(
        shape, gsd_m, float(rng.choice([12, 15, 18, 21, 24, 28, 36])), float(rng.uniform(1.6, 2.2)), rng
    )
    wear = np.clip(0.7 + 0.4 * streaks(shape, gsd_m, 12.0, 25.0, heading_rad, rng), 0.1, 1.4)
    marks: Float32Array = along_profile(profile, step_m, place) * wear
    return marks


_GREENS = ((62, 92, 52), (74, 100, 58), (84, 106, 78), (70, 98, 84), (96, 112, 74), (58, 82, 60))
_SOILS = ((92, 82, 88), (104, 92, 86), (98, 80, 72), (112, 98, 88), (118, 104, 92), (88, 80, 84))
_STRAW = ((158, 132, 88), (146, 130, 100), (132, 120, 100), (150, 138, 114), (120, 112, 98))
_RIPE = ((150, 126, 76), (140, 122, 82), (134, 126, 90), (120, 116, 78))


def cereal(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Young to full green cereal or rape: soft seeder streaks, tramlines, thin patches, lodged patches."""
    stage = rng.random()
    level = draw_level(rng, 0.94)
    colour, soil = tone(_GREENS, level, rng), tone(_SOILS, level * rng.uniform(0.9, 1.25), rng)
    colour = (colour + (0.35 * (1 - stage)) * (soil - colour)).astype(np.float32)
    pattern = rng.uniform(0.5, 1.2) * _grain(shape, gsd_m, rng)
    pattern += rng.uniform(0.2, 1.0) * streaks(
        shape, gsd_m, rng.uniform(0.4, 1.2), rng.uniform(8, 40), heading_rad, rng
    )
    if rng.random() < 0.7:
        width_m = float(rng.choice([3.0, 4.0, 6.0, 8.0]))
        pattern += rng.uniform(0.2, 0.9) * _passes(shape, gsd_m, heading_rad, width_m, rng.uniform(-1.0, 1.6), rng)
    if rng.random() < 0.55:
        pattern += rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 3.0) * _tramlines(shape, gsd_m, heading_rad, rng)
    if rng.random() < 0.25:
        thin = mottle(shape, gsd_m, 35.0, 4.0, 0.8, rng)
        pattern += rng.uniform(0.6, 1.6) * np.clip(thin - 0.9, 0, 1.5)
    image = painted(colour, soil, unit(pattern), draw_roughness(rng, 0.85), _broad(shape, gsd_m, rng))
    if rng.random() < 0.2:
        lodged = np.clip(3 * (mottle(shape, gsd_m, 30.0, 7.0, 0.7, rng) - 1.3), 0, 1)[..., None]
        swirl = streaks(shape, gsd_m, 1.0, 6.0, heading_rad + float(rng.normal(0, 0.8)), rng)[..., None]
        image += lodged * np.float32(rng.uniform(0.03, 0.10)) * image * (1 + 0.7 * swirl)
    return level_ground(image, Material.CROP, gsd_m)


def ripe_crop(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Ripe grain or drying sunflower: pale, fine speckle, faint rows broken by gaps."""
    level = draw_level(rng, 1.2)
    colour, gaps = tone(_RIPE, level, rng), tone(_SOILS + _GREENS, level * rng.uniform(0.75, 0.95), rng)
    pattern = rng.uniform(0.6, 1.2) * _grain(shape, gsd_m, rng)
    pattern += rng.uniform(0.5, 1.2) * streaks(shape, gsd_m, 0.7, rng.uniform(4, 15), heading_rad, rng)
    pattern += rng.uniform(0.0, 0.6) * _passes(shape, gsd_m, heading_rad, float(rng.uniform(4, 9)), -0.8, rng)
    if rng.random() < 0.5:
        pattern -= rng.uniform(0.8, 2.2) * _tramlines(shape, gsd_m, heading_rad, rng)
    image = painted(colour, gaps, unit(pattern), draw_roughness(rng), _broad(shape, gsd_m, rng))
    return level_ground(image, Material.CROP, gsd_m)


def row_crop(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Maize, sunflower, beet or vegetables: rows 0.7-3 m apart with soil between, seen or aliased into a shimmer."""
    level = draw_level(rng, 0.9)
    colour, soil = tone(_GREENS, level, rng), tone(_SOILS, level * rng.uniform(1.05, 1.4), rng)
    spacing_m = float(np.exp(rng.uniform(np.log(0.7), np.log(3.0))))
    place = across(shape, gsd_m, heading_rad)
    place += np.float32(0.12) * streaks(shape, gsd_m, 30.0, 50.0, heading_rad, rng)
    seen = np.exp(-((0.9 * gsd_m / spacing_m) ** 2) * 2)
    pattern = seen * rng.uniform(0.5, 1.4) * np.sin(place * np.float32(2 * np.pi / spacing_m))
    pattern += rng.uniform(0.5, 1.0) * _grain(shape, gsd_m, rng)
    pattern += rng.uniform(0.2, 0.8) * _passes(shape, gsd_m, heading_rad, 8 * max(spacing_m, 0.7), 0.8, rng)
    image = painted(colour, soil, unit(pattern), draw_roughness(rng, 0.95), _broad(shape, gsd_m, rng))
    return level_ground(image, Material.CROP, gsd_m)


def stubble(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Stubble after harvest: combine passes, swaths of straw, strips already tilled, green regrowth."""
    level = draw_level(rng, 1.22)
    colour, soil = tone(_STRAW, level, rng), tone(_SOILS, level * rng.uniform(0.6, 0.85), rng)
    pattern = rng.uniform(0.4, 0.9) * _grain(shape, gsd_m, rng)
    pattern += rng.uniform(0.4, 1.0) * streaks(shape, gsd_m, 0.8, rng.uniform(10, 40), heading_rad, rng)
    width_m = float(rng.uniform(4.5, 9.0))
    pattern += rng.uniform(0.4, 1.2) * _passes(shape, gsd_m, heading_rad, width_m, rng.uniform(0.5, 2.2), rng)
    if rng.random() < 0.4:
        swath = wheel_lines(shape, gsd_m, width_m, 0.4, rng) * 2
        step_m, _ = profile_step_m(shape, gsd_m)
        place = across(shape, gsd_m, heading_rad) + 0.4 * streaks(shape, gsd_m, 8.0, 12.0, heading_rad, rng)
        pattern += rng.uniform(0.8, 1.8) * along_profile(swath, step_m, place)
    image = painted(colour, soil, unit(pattern), draw_roughness(rng), _broad(shape, gsd_m, rng))
    if rng.random() < 0.3:
        tilled = np.clip(4 * (streaks(shape, gsd_m, rng.uniform(4, 10), 120.0, heading_rad, rng) - 0.9), 0, 1)
        tilled = tilled * np.clip(1 + 0.5 * streaks(shape, gsd_m, 0.9, 15.0, heading_rad, rng), 0.2, 1)
        image += np.float32(rng.uniform(0.4, 0.8)) * tilled[..., None] * (soil - image)
    return level_ground(image, Material.CROP, gsd_m)


def ploughed(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Ploughed soil: furrow stripes, clods, pale ridge lines of residue, damp mottling, rills."""
    level = draw_level(rng, 0.92)
    colour, dry = tone(_SOILS, level, rng), tone(_SOILS + _STRAW, level * rng.uniform(1.2, 1.6), rng)
    pattern = rng.uniform(0.5, 1.0) * _grain(shape, gsd_m, rng)
    furrow = streaks(shape, gsd_m, rng.uniform(0.5, 1.5), rng.uniform(15, 60), heading_rad, rng)
    pattern += rng.uniform(0.6, 1.6) * furrow
    ridge = np.clip(streaks(shape, gsd_m, rng.uniform(0.8, 1.6), rng.uniform(15, 50), heading_rad, rng) - 1.2, 0, 2)
    pattern += rng.uniform(0.0, 1.6) * ridge
    pattern += rng.uniform(0.2, 1.0) * _passes(
        shape, gsd_m, heading_rad, float(rng.uniform(2, 9)), rng.uniform(-1.5, 2), rng
    )
    broad = _broad(shape, gsd_m, rng, 0.08)
    image = painted(colour, dry, unit(pattern), draw_roughness(rng), broad)
    if rng.random() < 0.2:
        image *= 1 + np.float32(rng.uniform(0.06, 0.16)) * _rills(shape, gsd_m, rng)[..., None]
    return level_ground(image, Material.SOIL, gsd_m)


def harrowed(shape: tuple[int, int], gsd_m: float, heading_rad: float, rng: np.random.Generator) -> Ground:
    """Harrowed or drilled soil, dark chernozem to pale loam: smooth, faint passes at two headings, wheel marks."""
    level = draw_level(rng, float(rng.choice([0.78, 0.95, 1.15])))
    colour, dry = tone(_SOILS, level, rng), tone(_SOILS, level * 1.3, rng)
    pattern = rng.uniform(0.5, 1.2) * _grain(shape, gsd_m, rng)
    pattern += rng.uniform(0.2, 0.9) * streaks(
        shape, gsd_m, rng.uniform(0.5, 2.0), rng.uniform(20, 90), heading_rad, rng
    )
    pattern += rng.uniform(0.2, 0.9) * _passes(
        shape, gsd_m, heading_rad, float(rng.uniform(3, 12)), rng.uniform(-1, 1.5), rng
    )
    if rng.random() < 0.4:
        second = heading_rad + float(rng.choice([np.pi / 2, rng.uniform(0.2, 0.9)]))
        pattern += rng.uniform(0.2, 0.6) * streaks(
            shape, gsd_m, rng.uniform(0.6, 2.0), rng.uniform(20, 70), second, rng
        )
    if rng.random() < 0.35:
        pattern += rng.choice([-1, 1]) * rng.uniform(0.8, 2.0) * _tramlines(shape, gsd_m, heading_rad, rng)
    image = painted(colour, dry, unit(pattern), draw_roughness(rng, 0.75), _broad(shape, gsd_m, rng, 0.07))
    if rng.random() < 0.12:
        image *= 1 + np.float32(rng.uniform(0.05, 0.14)) * _rills(shape, gsd_m, rng)[..., None]
    return level_ground(image, Material.SOIL, gsd_m)


def _rills(shape: tuple[int, int], gsd_m: float, rng: np.random.Generator) -> Float32Array:
    """Erosion rills, pale fans and damp channels: thin bending lines where two broad fields cross zero."""
    downhill = float(rng.uniform(0, np.pi))
    broad = streaks(shape, gsd_m, 18.0, 70.0, downhill, rng) + 0.35 * streaks(shape, gsd_m, 5.0, 14.0, downhill, rng)
    line: Float32Array = np.exp(-((broad / 0.05) ** 2)).astype(np.float32)
    return line * np.clip(streaks(shape, gsd_m, 30.0, 60.0, downhill, rng), 0, 1.5)


FARMLAND: tuple[FieldKind, ...] = (
    FieldKind("cereal", cereal, 3.0),
    FieldKind("ripe crop", ripe_crop, 1.5),
    FieldKind("row crop", row_crop, 1.2),
    FieldKind("stubble", stubble, 2.0),
    FieldKind("ploughed", ploughed, 2.0),
    FieldKind("harrowed", harrowed, 2.5),
)
