"""Wings and tails: crop laid over or burnt in two lobes to the sides of a crater, or in one."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.strike import Strike, azimuth_difference_rad, core_edge_m
from cv_pipeline.types import BoolArray, Float64Array


def wing_cover(strike: Strike, radius_m: Float64Array, azimuth_rad: Float64Array) -> Float64Array:
    """Strength 0..1 of a strike's wings at polar positions from its centre, same shape; 0 where it has none.

    The wing towards ``wing_azimuth_deg`` is ``wing_length_m`` long, measured where it has fallen to half; the one
    behind is shorter as ``wing_asymmetry`` says and is missing at 1.
    """
    if strike.wing_length_m <= 0:
        return np.zeros_like(radius_m)
    off_axis = azimuth_difference_rad(azimuth_rad, strike.wing_azimuth_deg)
    along_m, across_m = radius_m * np.cos(off_axis), radius_m * np.sin(off_axis)
    rng = np.random.default_rng(strike.ray_seed + 9)
    bend, wobble, behind = rng.normal(0, 0.12), rng.normal(0, 0.15), rng.uniform(0.7, 1.0)
    length_m = strike.wing_length_m * np.where(along_m > 0, 1.0, behind * (1 - strike.wing_asymmetry) + 1e-3)
    relative = np.abs(along_m) / length_m
    half_width_m = strike.crater_radius_m * np.clip(0.85 - 0.5 * relative + wobble * np.sign(along_m), 0.25, 1.2)
    middle_m = bend * along_m * np.clip(relative, 0, 1)
    end = 1 / (1 + np.exp(np.clip((relative - 1) / 0.1, -30, 30)))
    cover: Float64Array = np.exp(-(((across_m - middle_m) / half_width_m) ** 2)) * end
    return cover


def in_wings(strike: Strike, radius_m: Float64Array, azimuth_rad: Float64Array) -> BoolArray:
    """Where the wings are at least half as strong as in their middle, same shape as ``radius_m``."""
    inside: BoolArray = wing_cover(strike, radius_m, azimuth_rad) >= 0.5
    return inside


def mean_pattern_radius_m(strike: Strike) -> float:
    """Mean outer radius of what surrounds a crater visibly; 0 where nothing does.

    Of a blast circle it is the circle's, without cone and wings. Wings alone count as the circle of their area
    together with the crater's, for an outline of two narrow lobes has no radius of its own.
    """
    if strike.has_pattern or strike.wing_length_m <= 0:
        return strike.blast_radius_m
    reach_m = 1.2 * strike.wing_length_m + 2 * strike.crater_radius_m
    step_m = reach_m / 60
    right_m, up_m = np.meshgrid(*(np.arange(-reach_m, reach_m, step_m),) * 2)
    radius_m, azimuth_rad = np.hypot(right_m, up_m), np.arctan2(right_m, up_m)
    inside = in_wings(strike, radius_m, azimuth_rad) | (radius_m <= core_edge_m(strike, azimuth_rad))
    return float(step_m * np.sqrt(inside.sum() / np.pi))
