"""A bomb's or missile's crater, sized by the scaling laws of its charge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.contrast import MAX_RING_DN, GroundLook, colour_change, subsoil_hue
from cv_pipeline.simulation.families import FAMILIES
from cv_pipeline.simulation.ground import LUMINANCE, Material
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.natural_strike import draw_natural_strike, with_cone
from cv_pipeline.simulation.salvo_style import SalvoStyle
from cv_pipeline.simulation.scaling import CRATER_LOG_SD, DEPTH_RATIO, blast_circle_radius_m, crater_diameter_m
from cv_pipeline.simulation.strike import NO_CHANGE, Strike


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
    step_dn = float(np.clip(rng.uniform(1.5, 4.0) * max(look.sd_dn, 5.0), 8, MAX_RING_DN)) * config.contrast_factor
    hue = subsoil_hue(style, look, material)
    snow = material is Material.SNOW
    core_dn = star.core_delta if snow or not pale else colour_change(0.8 * step_dn, look.level, 0.5 * hue, rng)
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
        ring_delta=colour_change(step_dn, look.level, 0.35 * hue, rng) if collared and not snow else NO_CHANGE,
        ring_fraction=float(np.clip(1.6 * core_m / visible_m, 0.3, 0.75)),
        soot_delta=colour_change(soot_dn, look.level, 0 * hue, rng) if sooty or snow else NO_CHANGE,
        soot_fraction=float(rng.uniform(0.6, 1.0)),
        ray_strength=float(rng.uniform(0.0, 0.16)) * float(star.ray_strength > 0),
        raggedness=float(rng.uniform(0.05, 0.16)),
        secondary_radius_m=float(visible_m * rng.uniform(1.25, 1.7)) if secondary else 0.0,
        secondary_delta=colour_change(rng.choice([-0.25, 0.3]) * step_dn, look.level, 0.1 * hue, rng)
        if secondary
        else NO_CHANGE,
        cone_azimuth_deg=None,
        cone_length_m=0.0,
        family="large",
        flattening=0.5,
    )
    coned = with_cone(large, step_dn if collared else 0.0, hue, style, config, rng)
    if config.relief_share <= 0 or rng.random() >= config.relief_share:
        return replace(coned, depth_ratio=0.0, rim_ratio=0.0)
    return replace(
        coned,
        bowl_ratio=float(bowl_m / core_m),
        depth_ratio=float(DEPTH_RATIO * rng.uniform(0.5, 1.0)),
        rim_ratio=float(rng.uniform(0.02, 0.06)),
        slump=float(rng.uniform(0, 0.5)),
    )
