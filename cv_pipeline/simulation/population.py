"""Draws strikes with the sizes, contrasts and patterns that real craters were measured to have.

The families and their numbers follow a survey of 1,265 craters (three in ten a plain dark disc, half
with a bright ring at about twice the core's radius, one in six with wide soot, a few pale ones);
contrast is a multiple of the ground's own texture, so craters on smooth fields are faint in DN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cv_pipeline.simulation.strike import NO_CHANGE, ColourDelta, Strike
from cv_pipeline.simulation.surface import Sun
from cv_pipeline.types import Float32Array

MAX_CONTRAST_DN = 65.0
FAMILIES = ("dark_disc", "weak_ring", "strong_ring", "wide_soot", "star_in_ring", "pale_disc", "chroma_disc")
FAMILY_SHARES = (0.22, 0.38, 0.08, 0.14, 0.07, 0.05, 0.06)


@dataclass(frozen=True, slots=True)
class SceneStyle:
    """What the strikes of one scene share: light, munition size, age and soil.

    ``contrast`` scales every layer (fresh = 1), ``subsoil`` is the colour (DN) that lies under the
    surface, ``relief`` scales crater depth, ``wind_azimuth_deg`` is a common heading of thrown soil.
    """

    sun: Sun
    median_radius_m: float
    contrast: float
    subsoil: tuple[float, float, float]
    relief: float
    wind_azimuth_deg: float
    cone_share: float
    family_weights: tuple[float, ...]


def draw_style(rng: np.random.Generator) -> SceneStyle:
    """A random scene style; one in five scenes holds bomb or missile craters instead of shells."""
    large = rng.random() < 0.22
    level = rng.uniform(70, 190)
    warmth = rng.uniform(-0.06, 0.22)
    weights = rng.dirichlet(np.array(FAMILY_SHARES) * 4 + 0.02)
    return SceneStyle(
        sun=Sun(float(rng.uniform(0, 360)), float(rng.uniform(25, 68))),
        median_radius_m=float(np.exp(rng.uniform(np.log(3.0), np.log(11.0))))
        if large
        else float(rng.uniform(1.8, 3.3)),
        contrast=float(np.exp(rng.normal(0.0, 0.28))),
        subsoil=(level * (1 + warmth), level, level * (1 - warmth)),
        relief=float(rng.uniform(0.03, 0.5)),
        wind_azimuth_deg=float(rng.uniform(0, 360)),
        cone_share=float(rng.choice([0.08, 0.3, 0.85], p=[0.7, 0.2, 0.1])),
        family_weights=tuple(float(w) for w in weights),
    )


def ground_statistics(image: Float32Array, row_px: float, col_px: float, gsd_m: float) -> tuple[Float32Array, float]:
    """(mean colour (3,), robust SD of luminance) of the ground within 15 m of a position, in DN."""
    reach = max(int(15.0 / gsd_m), 4)
    row, col = int(row_px), int(col_px)
    chip = image[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1]
    luminance = chip.mean(axis=2)
    deviation = 1.4826 * float(np.median(np.abs(luminance - np.median(luminance))))
    return np.median(chip.reshape(-1, 3), axis=0).astype(np.float32), max(deviation, 3.0)


def _delta(z: float, sd_dn: float, rng: np.random.Generator, limit: float = MAX_CONTRAST_DN) -> ColourDelta:
    """A nearly neutral colour change of ``z`` texture SDs, capped at ``limit`` DN."""
    amount = float(np.clip(z * sd_dn, -limit, limit))
    return ColourDelta(*(amount * np.array([1.0, 1.0, 0.9]) * (1 + rng.normal(0, 0.12, 3))))


def _towards(colour: tuple[float, float, float], ground: Float32Array, share: float) -> ColourDelta:
    """The change that moves ``ground`` towards ``colour`` by ``share``, capped per channel."""
    change = share * (np.asarray(colour) - ground)
    return ColourDelta(*(float(c) for c in np.clip(change, -MAX_CONTRAST_DN, MAX_CONTRAST_DN)))


def draw_strike_at(
    image: Float32Array, row_px: float, col_px: float, gsd_m: float, style: SceneStyle, rng: np.random.Generator
) -> Strike:
    """A random strike for this spot of ``image``, its contrast set by the texture found there."""
    ground, sd_dn = ground_statistics(image, row_px, col_px, gsd_m)
    family = FAMILIES[rng.choice(len(FAMILIES), p=style.family_weights)]
    radius_m = float(np.clip(style.median_radius_m * np.exp(rng.normal(0, 0.27)), 0.9, 16.0))
    z = style.contrast * float(np.exp(rng.normal(np.log(3.5), 0.45)))
    core, ring, soot = _delta(-z, sd_dn, rng), NO_CHANGE, NO_CHANGE
    blast_ratio = 0.0
    if family == "weak_ring":
        ring = _ring(rng.uniform(0.8, 2.6), sd_dn, ground, style, rng)
        blast_ratio = rng.uniform(2.4, 3.4)
    elif family == "strong_ring":
        core = _delta(-0.5 * z + rng.uniform(0, 1.2), sd_dn, rng)
        ring = _ring(rng.uniform(1.6, 4.5), sd_dn, ground, style, rng)
        blast_ratio, radius_m = rng.uniform(2.6, 4.5), radius_m * rng.uniform(0.5, 0.9)
    elif family == "wide_soot":
        soot = _delta(-z * rng.uniform(0.25, 0.7), sd_dn, rng)
        blast_ratio = rng.uniform(1.9, 3.8)
    elif family == "star_in_ring":
        soot = _delta(-z * rng.uniform(0.1, 0.4), sd_dn, rng)
        ring = _ring(rng.uniform(1.0, 3.5), sd_dn, ground, style, rng)
        blast_ratio = rng.uniform(3.0, 4.2)
    elif family == "pale_disc":
        core = _towards(style.subsoil, ground, rng.uniform(0.4, 0.9))
        if max(abs(c) for c in core) < 2.5 * sd_dn:
            core = _delta(abs(z), sd_dn, rng)
    elif family == "chroma_disc":
        grey = float(ground.mean()) * rng.uniform(0.75, 0.95)
        core = _towards((grey * 1.06, grey * 0.98, grey * 1.0), ground, rng.uniform(0.6, 1.0))
        if max(abs(c) for c in core) < 1.5 * sd_dn:
            core = _delta(-z, sd_dn, rng)
    return _with_shape(
        Strike(row_px, col_px, max(radius_m, 0.8), core, ring_delta=ring, soot_delta=soot), blast_ratio, style, rng
    )


def _ring(z: float, sd_dn: float, ground: Float32Array, style: SceneStyle, rng: np.random.Generator) -> ColourDelta:
    """A bright ring: neutral, or of subsoil where that is brighter than the ground."""
    plain = _delta(z * style.contrast, sd_dn, rng, limit=48.0)
    soil = np.asarray(_towards(style.subsoil, ground, 0.5))
    if soil.mean() <= 0 or rng.random() < 0.5:
        return plain
    scale = np.mean(plain) / max(soil.mean(), 1.0)
    return ColourDelta(*(float(c) for c in np.clip(soil * min(scale, 2.0), -48, 60)))


def _with_shape(strike: Strike, blast_ratio: float, style: SceneStyle, rng: np.random.Generator) -> Strike:
    """``strike`` with its geometry drawn: ellipse, relief, raggedness and perhaps a cone."""
    cone, length_m, ring_fraction = None, 0.0, rng.uniform(0.6, 0.78)
    if blast_ratio > 0 and rng.random() < style.cone_share:
        shared = rng.random() < 0.7
        cone = float((style.wind_azimuth_deg + rng.normal(0, 12)) % 360 if shared else rng.uniform(0, 360))
        length_m = strike.crater_radius_m * blast_ratio * rng.uniform(1.5, 2.8)
    return replace(
        strike,
        core_steepness=float(rng.uniform(3.0, 6.5)),
        core_stretch=float(np.exp(abs(rng.normal(0, 0.1)))),
        core_stretch_azimuth_deg=float(rng.uniform(0, 180)),
        depth_ratio=float(style.relief * rng.uniform(0.05, 0.22)),
        rim_ratio=float(style.relief * rng.uniform(0.0, 0.05)),
        blast_radius_m=float(strike.crater_radius_m * blast_ratio),
        ring_fraction=float(ring_fraction),
        raggedness=float(rng.uniform(0.03, 0.16)),
        ray_strength=float(rng.choice([0.0, rng.uniform(0.05, 0.3)])),
        ray_seed=int(rng.integers(2**31)),
        cone_azimuth_deg=cone,
        cone_half_width_deg=float(rng.uniform(18, 48)),
        cone_length_m=float(length_m),
    )


def draw_positions(
    shape: tuple[int, int], gsd_m: float, count: int, rng: np.random.Generator, spacing_m: float
) -> list[tuple[float, float]]:
    """Up to ``count`` (row_px, col_px) positions at least ``spacing_m`` apart, half of them in clusters.

    Clusters and the short minimum spacing give the close pairs (4–10 m) that detectors miss most.
    """
    positions: list[tuple[float, float]] = []
    for _ in range(6 * count):
        if len(positions) == count:
            break
        if positions and rng.random() < 0.5:
            near = positions[rng.integers(len(positions))]
            offset = rng.normal(0, 10.0 / gsd_m, 2)
            row, col = near[0] + offset[0], near[1] + offset[1]
        else:
            row, col = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        inside = 0 <= row < shape[0] and 0 <= col < shape[1]
        if inside and all(np.hypot(row - r, col - c) * gsd_m >= spacing_m for r, c in positions):
            positions.append((float(row), float(col)))
    return positions
