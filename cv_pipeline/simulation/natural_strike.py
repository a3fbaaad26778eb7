"""A strike of a family on natural ground, of a shell's or rocket's size: contrasts, pattern, cone, relief."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.contrast import MAX_RING_DN, GroundLook, colour_change, distinct_hue, subsoil_hue
from cv_pipeline.simulation.families import Family
from cv_pipeline.simulation.ground import LUMINANCE, Material
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.salvo_style import SalvoStyle
from cv_pipeline.simulation.scaling import DEPTH_RATIO
from cv_pipeline.simulation.strike import NO_CHANGE, ColourDelta, Strike
from cv_pipeline.types import Float64Array

_VISIBLE_RING_Z = 0.5
"""A pattern weaker than this is not called visible, as in the reference table."""
_SNOW_CONTRAST_DN = (-165.0, -70.0)


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
    ring_dn = float(np.clip(ring_z * look.sd_dn, 0, MAX_RING_DN))
    soot_dn = float(np.clip(soot_z * look.sd_dn, -0.6 * cap_dn, 0))
    if material is Material.SNOW:
        core_dn = float(rng.uniform(*_SNOW_CONTRAST_DN)) * min(brightness / 220, 1.0)
        soot_dn = core_dn * float(rng.uniform(0.1, 0.35))
    hue = distinct_hue(subsoil_hue(style, look, material), family.least_hue_dn)
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
        colour_change(core_dn, look.level, family.chroma * hue, rng),
        core_steepness=float(family.steepness * np.exp(rng.normal(0, 0.12))),
        core_stretch=float(np.exp(abs(rng.normal(0, 0.1)))),
        core_stretch_azimuth_deg=float((style.heading_deg + rng.normal(0, 25)) % 360),
        blast_radius_m=pattern_m if visible else 0.0,
        faint_radius_m=0.0 if visible else pattern_m,
        soot_delta=colour_change(soot_dn, look.level, 0.1 * hue, rng) if has_soot else NO_CHANGE,
        ring_delta=colour_change(ring_dn, look.level, rng.uniform(0.05, 0.3) * hue, rng) if has_ring else NO_CHANGE,
        ring_fraction=float(crest_m / edge_m),
        raggedness=float(rng.uniform(*family.raggedness)),
        ray_strength=float(rng.uniform(*family.rays)) if has_rays else 0.0,
        ray_seed=int(rng.integers(2**31)),
        family=family.name,
        material=material,
        soot_fraction=family.soot_fraction,
        spike_count=spikes,
        spike_length_m=float(edge_m * rng.uniform(0.9, 1.4)) if spikes else 0.0,
        spike_delta=colour_change(-min(abs(core_dn), 35.0) * 0.6, look.level, 0 * hue, rng) if spikes else NO_CHANGE,
        wing_azimuth_deg=float((style.heading_deg + 90 + rng.normal(0, 9)) % 360),
        wing_length_m=float(rng.uniform(*family.wing_m) * size) if has_wings else 0.0,
        wing_asymmetry=float(rng.choice([0.0, rng.uniform(0.2, 0.8), 1.0], p=[0.4, 0.35, 0.25])),
        wing_delta=colour_change(core_dn * rng.uniform(0.5, 0.95), look.level, 0.2 * hue, rng)
        if has_wings
        else NO_CHANGE,
        flattening=family.flattening,
    )
    return _with_relief(with_cone(strike, ring_dn, hue, style, config, rng), family, look, style, sun, config, rng)


def with_cone(
    strike: Strike, ring_dn: float, hue: Float64Array, style: SalvoStyle, config: StrikeConfig, rng: np.random.Generator
) -> Strike:
    """Perhaps a directional cone along the salvo's heading; only a visible pattern has one."""
    chance, azimuth = rng.random(), (style.heading_deg + rng.normal(0, 10)) % 360
    half_width, length, one_sided = rng.uniform(18, 45), rng.uniform(1.3, 2.2), rng.uniform(0.15, 1.0)
    if chance >= min(config.cone_share * style.directional, 1.0) or not strike.has_pattern:
        return strike
    pattern = strike.ring_delta if strike.ring_delta != NO_CHANGE else strike.soot_delta
    # Of a stream of its own, so that it changes nothing else.
    spread = np.random.default_rng((strike.ray_seed, 5)).uniform(*np.log(config.cone_strength))
    strength = (0.8 if ring_dn > 0 else 0.6) * np.exp(spread)
    return replace(
        strike,
        cone_azimuth_deg=float(azimuth),
        cone_half_width_deg=float(half_width),
        cone_length_m=float(strike.blast_radius_m * length),
        directionality=float(one_sided),
        cone_delta=_within(strength * np.asarray(pattern) + 0.08 * hue, config.max_contrast_dn),
    )


def _within(change_dn: Float64Array, most_dn: float) -> ColourDelta:
    """A change of colour (3,) whose luminance is at most ``most_dn``, either way."""
    share = min(most_dn / max(abs(float(change_dn @ LUMINANCE)), 1e-6), 1.0)
    return ColourDelta(*(float(c) for c in change_dn * share))


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


def _deviate(rng: np.random.Generator, shared: float, correlation: float) -> float:
    """A standard normal number that correlates with ``shared``."""
    return float(correlation * shared + np.sqrt(1 - correlation**2) * rng.standard_normal())
