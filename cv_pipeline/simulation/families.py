"""The families of craters that were measured or seen, and how a strike of one is drawn for a spot of ground.

Table families follow ``datasets/crater_appearance`` (K-means on 1,265 craters); the others are seen by eye.
Contrast is a multiple of the ground's own texture, so craters on smooth fields are faint in DN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.scaling import CRATER_LOG_SD, DEPTH_RATIO, blast_circle_radius_m, crater_diameter_m
from cv_pipeline.simulation.strike import NO_CHANGE, ColourDelta, Strike
from cv_pipeline.types import Float64Array

LUMINANCE = np.array([0.299, 0.587, 0.114])
_VISIBLE_RING_Z = 0.5
"""A pattern weaker than this is not called visible, as in the reference table."""
_MAX_RING_DN = 48.0
_SNOW_CONTRAST_DN = (-165.0, -70.0)


class Spread(NamedTuple):
    """A log-normal quantity: its median and the SD of its logarithm."""

    median: float
    log_sd: float

    def at(self, deviate: float) -> float:
        """The value ``deviate`` SDs above the median."""
        return float(self.median * np.exp(self.log_sd * deviate))


def _deviate(rng: np.random.Generator, shared: float, correlation: float) -> float:
    """A standard normal number that correlates with ``shared``."""
    return float(correlation * shared + np.sqrt(1 - correlation**2) * rng.standard_normal())


_NONE = Spread(0.0, 0.0)
_CREST = Spread(5.5, 0.15)
_EDGE = Spread(8.3, 0.12)


@dataclass(frozen=True, slots=True)
class Family:
    """How one family looks. Lengths are metres at a size factor of 1.

    ``core_z`` is the core's contrast in SDs of the ground (its median is negative where the core is darker),
    ``core_z_sd`` is added to that, not multiplied. ``ring_z`` goes with ``crest_m`` (where the collar is
    brightest) and ``edge_m`` (where it has fallen to half); ``soot_z`` reaches to ``edge_m`` too.
    ``chroma`` 0..1 is how much of the subsoil's hue the core takes on, ``least_hue_dn`` how far that hue differs from
    the ground's at least (length in RGB). ``where`` weights materials.
    """

    name: str
    share: float
    core_m: Spread
    core_z: Spread
    steepness: float = 2.2
    core_z_sd: float = 0.0
    ring_z: Spread = _NONE
    crest_m: Spread = _CREST
    edge_m: Spread = _EDGE
    soot_z: Spread = _NONE
    soot_fraction: float = 0.85
    chroma: float = 0.3
    least_hue_dn: float = 0.0
    raggedness: tuple[float, float] = (0.04, 0.16)
    rays: tuple[float, float] = (0.0, 0.12)
    spikes: tuple[int, int] = (0, 0)
    wing_m: tuple[float, float] = (0.0, 0.0)
    flattening: float = 0.0
    relief: float = 1.0
    where: tuple[tuple[Material, float], ...] = ()

    def weight_on(self, material: Material) -> float:
        """How likely the family is on a material, relative to its share; 1 where nothing is said, 0 on snow."""
        if material is Material.SNOW:
            return dict(self.where).get(material, 0.0)
        return dict(self.where).get(material, 1.0)


_GREEN_ONLY = ((Material.SOIL, 0.0), (Material.SAND, 0.0))
_BARE_ONLY = ((Material.CROP, 0.1), (Material.GRASS, 0.15))

TABLE_FAMILIES = (
    Family(
        "small_core_strong_bright_ring", 0.03, Spread(1.5, 0.25), Spread(-0.35, 0.2), 2.2, 1.15,
        Spread(1.95, 0.5), Spread(3.5, 0.2), Spread(5.9, 0.15),
        chroma=0.2, rays=(0.0, 0.15), raggedness=(0.03, 0.1), relief=0.4,
    ),
    Family(
        "dark_core_weak_bright_ring", 0.2, Spread(2.2, 0.15), Spread(-1.1, 0.65), 2.3, 0.0,
        Spread(0.8, 0.5), Spread(5.0, 0.15), Spread(8.1, 0.1),
    ),
    Family(
        "plain_dark_disc", 0.42, Spread(3.2, 0.1), Spread(-1.9, 0.5), 2.2, 0.0,
        Spread(0.55, 0.35), Spread(6.7, 0.08), Spread(8.2, 0.08), chroma=0.35,
    ),
    Family(
        "wide_dark_soot_or_crop_gap", 0.03, Spread(2.35, 0.2), Spread(-2.6, 0.4), 1.8, 0.0,
        edge_m=Spread(7.5, 0.25), soot_z=Spread(-0.29, 0.45), rays=(0.05, 0.25), chroma=0.2,
    ),
    Family(
        "dark_core_weak_bright_ring_b", 0.32, Spread(2.25, 0.2), Spread(-2.8, 0.38), 2.0, 0.0,
        Spread(0.67, 0.45), Spread(5.0, 0.12), Spread(7.9, 0.1),
    ),
)  # fmt: skip
"""The five families of the reference table. Shares are set so that, with the families below and noise, the nearest
families of all drawn craters come in the table's shares (``realism.compare_fields``)."""

BY_EYE_FAMILIES = (
    Family(
        "crop_wings", 0.22, Spread(2.1, 0.25), Spread(-2.3, 0.4), 2.4, wing_m=(4.0, 8.0), chroma=0.2, relief=0.6,
        where=((Material.CROP, 2.5), (Material.GRASS, 0.6), (Material.SOIL, 0.0), (Material.SAND, 0.0)),
    ),
    Family(
        "chroma_disc", 0.16, Spread(3.0, 0.25), Spread(-0.8, 0.5), 2.6, chroma=0.95, relief=0.5, where=_GREEN_ONLY,
    ),
    Family("pale_disc", 0.05, Spread(2.7, 0.3), Spread(2.2, 0.45), 2.4, chroma=0.8, relief=0.6),
    Family(
        "faint_depression", 0.1, Spread(2.6, 0.25), Spread(-0.7, 0.4), 1.9, chroma=0.0, relief=1.3,
        where=((Material.SOIL, 0.6), (Material.SAND, 0.6)),
    ),
    Family(
        "soot_spider", 0.13, Spread(2.2, 0.25), Spread(-2.6, 0.35), 2.0, edge_m=Spread(8.0, 0.3),
        soot_z=Spread(-1.3, 0.45), chroma=0.1, rays=(0.15, 0.4), spikes=(6, 22), where=_BARE_ONLY,
    ),
    Family(
        "star_in_annulus", 0.1, Spread(2.1, 0.2), Spread(-3.0, 0.3), 2.0, 0.0, Spread(1.9, 0.4), Spread(5.6, 0.15),
        Spread(8.4, 0.12), soot_z=Spread(-0.8, 0.4), soot_fraction=0.45, chroma=0.4, raggedness=(0.12, 0.25),
        rays=(0.1, 0.28), flattening=0.5, where=_GREEN_ONLY,
    ),
    Family(
        "tan_patch_with_streaks", 0.04, Spread(3.6, 0.25), Spread(1.0, 0.5), 3.5, chroma=0.6,
        raggedness=(0.15, 0.3), spikes=(3, 9), relief=0.3,
    ),
    Family(
        "red_disc", 0.06, Spread(1.5, 0.2), Spread(-0.6, 0.6), 3.0, chroma=1.0, relief=0.4,
        where=((Material.SOIL, 0.0), (Material.SAND, 0.0), (Material.CROP, 0.3), (Material.GRASS, 1.5)),
    ),
)  # fmt: skip
"""Families seen by eye (crater_appearance.md, points 3 to 10); shares among themselves are judgements."""

SNOW_FAMILY = Family(
    "snow_soot", 0.0, Spread(2.2, 0.3), Spread(-9.0, 0.3), 2.2, edge_m=Spread(8.5, 0.3), soot_z=Spread(-4.0, 0.5),
    chroma=0.15, raggedness=(0.1, 0.22), rays=(0.05, 0.25), spikes=(0, 9), flattening=0.7,
    where=((Material.SNOW, 1.0),),
)  # fmt: skip
"""Melted to the soil, grey-black ejecta on white."""

HARD_FAMILIES = (
    Family(
        "hue_disc", 0.25, Spread(2.6, 0.25), Spread(-0.1, 0.5), 2.8, 0.15, chroma=1.0, least_hue_dn=14.0, relief=0.4,
    ),
    next(family for family in BY_EYE_FAMILIES if family.name == "pale_disc"),
    Family(
        "sooted", 0.25, Spread(2.3, 0.25), Spread(-2.0, 0.4), 1.9, edge_m=Spread(6.5, 0.25), soot_z=Spread(-1.7, 0.4),
        soot_fraction=0.75, chroma=0.1, raggedness=(0.1, 0.22), rays=(0.1, 0.35), spikes=(0, 9), relief=0.7,
    ),
    Family("small_pit", 0.25, Spread(0.85, 0.15), Spread(-2.6, 0.4), 2.4),
)  # fmt: skip
"""Looks that detectors trained on the others miss (sim_to_real.md), all equally often: hardly any contrast but hue,
pale without a dark core, sooted, below 1.2 m of radius."""

FAMILIES = {family.name: family for family in (*TABLE_FAMILIES, *BY_EYE_FAMILIES, *HARD_FAMILIES, SNOW_FAMILY)}


@dataclass(frozen=True, slots=True)
class SalvoStyle:
    """What the strikes of one salvo in one kind of parcel share.

    ``size_z``, ``contrast_z`` and ``ring_z`` are in SDs of the family's spread. ``subsoil`` is the colour
    (DN) that lies under the surface. ``heading_deg`` is the common heading of wings, cones and flight.
    ``charge_kg`` is None for shells and rockets, whose sizes are those of the table.
    """

    size_factor: float
    contrast_z: float
    ring_z: float
    subsoil: tuple[float, float, float]
    relief_log: float
    heading_deg: float
    directional: float
    charge_kg: float | None


class GroundLook(NamedTuple):
    """The ground about a spot: median colour (3,) and robust SD of its luminance, in DN."""

    level: Float64Array
    sd_dn: float


def draw_salvo_style(config: StrikeConfig, rng: np.random.Generator) -> SalvoStyle:
    """A random style; ``config.large_share`` of them are bombs or missiles."""
    large = rng.random() < config.large_share
    level, warmth = rng.uniform(80, 190), rng.uniform(-0.04, 0.2)
    log_charge = rng.uniform(np.log(config.large_charge_min_kg), np.log(config.large_charge_max_kg))
    return SalvoStyle(
        size_factor=float(config.size_factor * np.exp(rng.normal(0, config.size_log_sd))),
        contrast_z=float(rng.standard_normal()),
        ring_z=float(rng.standard_normal()),
        subsoil=(level * (1 + warmth), level, level * (1 - 1.2 * warmth)),
        relief_log=float(rng.normal(0, 0.4)),
        heading_deg=float(rng.uniform(0, 360)),
        directional=float(rng.choice([0.3, 1.0, 4.0], p=[0.6, 0.25, 0.15])),
        charge_kg=float(np.exp(log_charge)) if large else None,
    )


def look_at(ground: Ground, row_px: float, col_px: float) -> GroundLook:
    """The look of the ground at 8 to 15.5 m from a spot, as the reference table measures it; a 2 DN SD at least."""
    reach = max(round(15.5 / ground.gsd_m), 3)
    row, col = int(row_px), int(col_px)
    rows = slice(max(row - reach, 0), row + reach + 1)
    cols = slice(max(col - reach, 0), col + reach + 1)
    step = max(reach // 16, 1)
    chip = ground.colour[rows, cols][::step, ::step].reshape(-1, 3)
    if not len(chip):
        chip = ground.colour.reshape(-1, 3)[:: max(ground.material.size // 1024, 1)]
    luminance = chip @ LUMINANCE.astype(np.float32)
    level = np.median(chip, axis=0)
    deviation = 1.4826 * float(np.median(np.abs(luminance - np.median(luminance))))
    return GroundLook(level.astype(np.float64), max(deviation, 2.0))


def draw_family(material: Material, config: StrikeConfig, rng: np.random.Generator) -> Family:
    """A random family for this material: a hard one, or in the measured shares, evened out by ``family_balance``."""
    if material is Material.SNOW:
        return SNOW_FAMILY
    if rng.random() < config.hard_share:
        return HARD_FAMILIES[int(rng.integers(len(HARD_FAMILIES)))]
    pool = BY_EYE_FAMILIES if rng.random() < config.by_eye_share else TABLE_FAMILIES
    weights = np.array([family.share ** (1 - config.family_balance) * family.weight_on(material) for family in pool])
    return pool[rng.choice(len(pool), p=weights / weights.sum())]


def _change(luminance_dn: float, level: Float64Array, hue_shift: Float64Array, rng: np.random.Generator) -> ColourDelta:
    """A change of ``luminance_dn`` on ground of this colour, with a shift of hue that leaves luminance alone.

    Half of it keeps the ground's hue, as a shade does, half is grey; no channel falls below a tenth of the ground's.
    """
    hue = hue_shift - hue_shift @ LUMINANCE
    wobble = float(np.clip(luminance_dn, -60, 60)) * rng.normal(0, 0.05, 3)
    tinted = luminance_dn * (0.5 + 0.5 * level / max(float(level @ LUMINANCE), 1.0))
    change = tinted + hue + wobble - wobble @ LUMINANCE
    return ColourDelta(*(float(c) for c in np.maximum(change, -0.9 * level)))


def _subsoil_hue(style: SalvoStyle, look: GroundLook, material: Material) -> Float64Array:
    """How the subsoil's hue differs from the ground's at the same luminance, DN; little on bare ground."""
    brightness = float(look.level @ LUMINANCE)
    subsoil = np.asarray(style.subsoil) * (brightness / (np.asarray(style.subsoil) @ LUMINANCE))
    own = 0.35 if material in (Material.SOIL, Material.SAND, Material.SNOW) else 1.0
    hue: Float64Array = np.clip(own * (subsoil - look.level), -26, 26)
    return hue


def _distinct(hue: Float64Array, least_dn: float) -> Float64Array:
    """The shift of hue without its luminance, lengthened to ``least_dn``; reddish where it were bluish or none."""
    if least_dn <= 0:
        return hue
    pure = hue - hue @ LUMINANCE
    if pure[0] <= max(float(pure[2]), 0.5):
        pure = np.array([1.0, -0.3, -0.7])
        pure = pure - pure @ LUMINANCE
    distinct: Float64Array = pure * max(least_dn / float(np.linalg.norm(pure)), 1.0)
    return distinct


def draw_natural_strike(
    row_px: float,
    col_px: float,
    family: Family,
    look: GroundLook,
    material: Material,
    style: SalvoStyle,
    sun: Sun,
    config: StrikeConfig,
    rng: np.random.Generator,
) -> Strike:
    """A random shell-sized strike of ``family`` on ground of this look; contrasts are its SDs, capped in DN."""
    size = style.size_factor
    wide, strong = float(rng.standard_normal()), _deviate(rng, style.contrast_z, 0.632)
    core_m = family.core_m.at(wide) * size
    spread = np.sqrt(size)
    z = (family.core_z.at(strong) + rng.normal(0, family.core_z_sd)) * config.contrast_factor
    collared = 0.85 * strong + 0.53 * _deviate(rng, style.ring_z, 0.632)
    ring_z = family.ring_z.at(collared) * config.contrast_factor
    soot_z = family.soot_z.at(_deviate(rng, strong, 0.6)) * config.contrast_factor
    edge_m = family.edge_m.at(_deviate(rng, wide, 0.7)) * spread
    crest_m = min(family.crest_m.at(_deviate(rng, wide, 0.7)) * spread, 0.85 * edge_m)
    brightness = float(look.level @ LUMINANCE)
    cap_dn = config.max_contrast_dn if material is not Material.SNOW else -_SNOW_CONTRAST_DN[0]
    core_dn = float(np.clip(z * look.sd_dn, -min(cap_dn, 0.8 * brightness), cap_dn))
    ring_dn = float(np.clip(ring_z * look.sd_dn, 0, _MAX_RING_DN))
    soot_dn = float(np.clip(soot_z * look.sd_dn, -0.6 * cap_dn, 0))
    if material is Material.SNOW:
        core_dn = float(rng.uniform(*_SNOW_CONTRAST_DN)) * min(brightness / 220, 1.0)
        soot_dn = core_dn * float(rng.uniform(0.1, 0.35))
    hue = _distinct(_subsoil_hue(style, look, material), family.least_hue_dn)
    has_ring = ring_dn > 0 and rng.random() < config.collar_share
    has_soot = soot_dn < 0 and rng.random() < config.soot_share
    has_rays = rng.random() < config.rays_share
    has_wings = family.wing_m[1] > 0 and rng.random() < config.wings_share
    visible = (has_ring and ring_z > _VISIBLE_RING_Z) or (has_soot and soot_z < -_VISIBLE_RING_Z)
    pattern_m = edge_m if has_ring or has_soot else 0.0
    spikes = int(rng.integers(family.spikes[0], family.spikes[1] + 1)) if has_rays else 0
    strike = Strike(
        row_px,
        col_px,
        max(core_m, 0.6),
        _change(core_dn, look.level, family.chroma * hue, rng),
        core_steepness=float(family.steepness * np.exp(rng.normal(0, 0.12))),
        core_stretch=float(np.exp(abs(rng.normal(0, 0.1)))),
        core_stretch_azimuth_deg=float((style.heading_deg + rng.normal(0, 25)) % 360),
        blast_radius_m=pattern_m if visible else 0.0,
        faint_radius_m=0.0 if visible else pattern_m,
        soot_delta=_change(soot_dn, look.level, 0.1 * hue, rng) if has_soot else NO_CHANGE,
        ring_delta=_change(ring_dn, look.level, rng.uniform(0.05, 0.3) * hue, rng) if has_ring else NO_CHANGE,
        ring_fraction=float(crest_m / edge_m),
        raggedness=float(rng.uniform(*family.raggedness)),
        ray_strength=float(rng.uniform(*family.rays)) if has_rays else 0.0,
        ray_seed=int(rng.integers(2**31)),
        family=family.name,
        material=material,
        soot_fraction=family.soot_fraction,
        spike_count=spikes,
        spike_length_m=float(edge_m * rng.uniform(0.9, 1.4)) if spikes else 0.0,
        spike_delta=_change(-min(abs(core_dn), 35.0) * 0.6, look.level, 0 * hue, rng) if spikes else NO_CHANGE,
        wing_azimuth_deg=float((style.heading_deg + 90 + rng.normal(0, 9)) % 360),
        wing_length_m=float(rng.uniform(*family.wing_m) * size) if has_wings else 0.0,
        wing_asymmetry=float(rng.choice([0.0, rng.uniform(0.2, 0.8), 1.0], p=[0.4, 0.35, 0.25])),
        wing_delta=_change(core_dn * rng.uniform(0.5, 0.95), look.level, 0.2 * hue, rng) if has_wings else NO_CHANGE,
        flattening=family.flattening,
    )
    return _with_relief(_with_cone(strike, ring_dn, hue, style, config, rng), family, look, style, sun, config, rng)


def _with_cone(
    strike: Strike, ring_dn: float, hue: Float64Array, style: SalvoStyle, config: StrikeConfig, rng: np.random.Generator
) -> Strike:
    """Perhaps a directional cone along the salvo's heading; only a visible pattern has one."""
    chance, azimuth = rng.random(), (style.heading_deg + rng.normal(0, 10)) % 360
    half_width, length, one_sided = rng.uniform(18, 45), rng.uniform(1.3, 2.2), rng.uniform(0.15, 1.0)
    if chance >= min(config.cone_share * style.directional, 1.0) or not strike.has_pattern:
        return strike
    pattern = strike.ring_delta if strike.ring_delta != NO_CHANGE else strike.soot_delta
    strength = 0.8 if ring_dn > 0 else 0.6
    return replace(
        strike,
        cone_azimuth_deg=float(azimuth),
        cone_half_width_deg=float(half_width),
        cone_length_m=float(strike.blast_radius_m * length),
        directionality=float(one_sided),
        cone_delta=ColourDelta(*(float(c) for c in strength * np.asarray(pattern) + 0.08 * hue)),
    )


def _with_relief(
    strike: Strike,
    family: Family,
    look: GroundLook,
    style: SalvoStyle,
    sun: Sun,
    config: StrikeConfig,
    rng: np.random.Generator,
) -> Strike:
    """Bowl and rim, as deep as leaves the measured shading: a first harmonic of about a fifth of the core's contrast.

    A slope s facing a sun at elevation e is brighter by s / tan(e); the bowl's depth follows from that, never
    beyond what a fresh crater's is.
    """
    bowl_ratio, amount = rng.uniform(0.6, 1.1), 0.13 * np.exp(style.relief_log + rng.normal(0, 1.0))
    slump, oblique, rim = rng.uniform(0, 0.5), rng.beta(1.0, 3.0), rng.uniform(0.12, 0.3)
    if rng.random() >= config.relief_share:
        return replace(strike, depth_ratio=0.0, rim_ratio=0.0, bowl_ratio=float(bowl_ratio))
    shading_dn = amount * family.relief * max(abs(float(np.asarray(strike.core_delta) @ LUMINANCE)), 2 * look.sd_dn)
    per_slope_dn = 0.65 * float(look.level @ LUMINANCE) / np.tan(np.deg2rad(max(sun.elevation_deg, 10.0)))
    depth_ratio = float(np.clip(shading_dn / max(per_slope_dn, 1.0), 0.01, DEPTH_RATIO))
    return replace(
        strike,
        depth_ratio=depth_ratio,
        rim_ratio=float(rim * depth_ratio),
        bowl_ratio=float(bowl_ratio),
        slump=float(slump),
        obliquity=float(0.8 * oblique),
    )


def draw_large_strike(
    row_px: float,
    col_px: float,
    look: GroundLook,
    material: Material,
    style: SalvoStyle,
    sun: Sun,
    config: StrikeConfig,
    rng: np.random.Generator,
) -> Strike:
    """A bomb's or missile's crater: sizes by the scaling laws, a swept circle, often dust beyond it.

    Raises:
        ValueError: ``style`` has no charge.
    """
    if style.charge_kg is None:
        raise ValueError("The style of a large strike states a charge.")
    charge_kg = style.charge_kg * float(np.exp(rng.normal(0, 0.1)))
    bowl_m = 0.5 * crater_diameter_m(charge_kg) * float(np.exp(rng.normal(0.3, CRATER_LOG_SD)))
    blast_m = blast_circle_radius_m(charge_kg) * float(np.exp(rng.normal(0, 0.15)))
    star = draw_natural_strike(row_px, col_px, FAMILIES["star_in_annulus"], look, material, style, sun, config, rng)
    core_m, pale = bowl_m * rng.uniform(1.0, 1.5), rng.random() < 0.3
    core_m = float(min(core_m, 0.55 * blast_m))
    sooty, collared = rng.random() < 0.45 * config.soot_share, rng.random() < config.collar_share
    brightness = float(look.level @ LUMINANCE)
    cap_dn = min(config.max_contrast_dn, 0.7 * brightness)
    step_dn = float(np.clip(rng.uniform(1.5, 4.0) * max(look.sd_dn, 5.0), 8, _MAX_RING_DN)) * config.contrast_factor
    hue = _subsoil_hue(style, look, material)
    snow = material is Material.SNOW
    core_dn = star.core_delta if snow or not pale else _change(0.8 * step_dn, look.level, 0.5 * hue, rng)
    soot_dn = -min(0.7 * step_dn, cap_dn) if not snow else -70.0
    secondary = rng.random() < config.secondary_share
    visible_m = float(max(blast_m, 1.5 * core_m))
    large = replace(
        star,
        crater_radius_m=core_m,
        core_delta=core_dn,
        core_steepness=float(rng.uniform(2.5, 5.0)),
        blast_radius_m=visible_m if sooty or collared else 0.0,
        faint_radius_m=0.0,
        ring_delta=_change(step_dn, look.level, 0.35 * hue, rng) if collared and not snow else NO_CHANGE,
        ring_fraction=float(np.clip(1.6 * core_m / visible_m, 0.3, 0.75)),
        soot_delta=_change(soot_dn, look.level, 0 * hue, rng) if sooty or snow else NO_CHANGE,
        soot_fraction=float(rng.uniform(0.6, 1.0)),
        ray_strength=float(rng.uniform(0.0, 0.16)) * float(star.ray_strength > 0),
        raggedness=float(rng.uniform(0.05, 0.16)),
        secondary_radius_m=float(visible_m * rng.uniform(1.25, 1.7)) if secondary else 0.0,
        secondary_delta=_change(rng.choice([-0.25, 0.3]) * step_dn, look.level, 0.1 * hue, rng)
        if secondary
        else NO_CHANGE,
        cone_azimuth_deg=None,
        cone_length_m=0.0,
        family="large",
        flattening=0.5,
    )
    coned = _with_cone(large, step_dn if collared else 0.0, hue, style, config, rng)
    if config.relief_share <= 0 or rng.random() >= config.relief_share:
        return replace(coned, depth_ratio=0.0, rim_ratio=0.0)
    return replace(
        coned,
        bowl_ratio=float(bowl_m / core_m),
        depth_ratio=float(DEPTH_RATIO * rng.uniform(0.5, 1.0)),
        rim_ratio=float(rng.uniform(0.02, 0.06)),
        slump=float(rng.uniform(0, 0.5)),
    )
