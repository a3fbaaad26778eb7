"""One simulated strike: its exact geometry and how it changes the ground's colour.

Lengths are metres, angles degrees clockwise from image up, colour changes 8-bit DN per channel
(red, green, blue). A strike is drawn by :mod:`cv_pipeline.simulation.render`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from cv_pipeline.types import Float64Array, Status


class ColourDelta(NamedTuple):
    """A change of colour in 8-bit DN; negative is darker."""

    red: float
    green: float
    blue: float


NO_CHANGE = ColourDelta(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Strike:
    """A crater, its blast pattern and (where it has one) its directional cone.

    ``crater_radius_m`` is where the dark core has fallen to half its depth, which on imagery is what
    a reader marks as the crater's edge. ``blast_radius_m`` is 0 where no pattern is visible. The
    raggedness of the edge is drawn from ``ray_seed``, so that a strike renders the same anywhere.
    """

    row_px: float
    col_px: float
    crater_radius_m: float
    core_delta: ColourDelta
    core_steepness: float = 4.0
    core_stretch: float = 1.0
    core_stretch_azimuth_deg: float = 0.0
    depth_ratio: float = 0.15
    rim_ratio: float = 0.03
    blast_radius_m: float = 0.0
    soot_delta: ColourDelta = NO_CHANGE
    ring_delta: ColourDelta = NO_CHANGE
    ring_fraction: float = 0.7
    raggedness: float = 0.1
    ray_strength: float = 0.0
    ray_seed: int = 0
    cone_azimuth_deg: float | None = None
    cone_half_width_deg: float = 35.0
    cone_length_m: float = 0.0
    status: Status = Status.NEW

    @property
    def reach_m(self) -> float:
        """Distance from the centre beyond which the strike changes nothing visible."""
        return max(3.0 * self.crater_radius_m, 1.6 * self.blast_radius_m, 1.3 * self.cone_length_m)

    @property
    def has_pattern(self) -> bool:
        """Whether a blast pattern is visible around the crater."""
        return self.blast_radius_m > 0.0

    def at(self, row_px: float, col_px: float) -> Strike:
        """The same strike with its centre moved to another pixel position."""
        return replace(self, row_px=row_px, col_px=col_px)


def periodic_noise(azimuth_rad: Float64Array, seed: int, lowest: int, highest: int) -> Float64Array:
    """Smooth noise over azimuth with unit standard deviation, same shape as ``azimuth_rad``.

    A sum of harmonics ``lowest..highest`` with random phases and amplitudes falling as ``k**-0.5``.
    """
    rng = np.random.default_rng(seed)
    orders = np.arange(lowest, highest + 1)
    amplitude = rng.normal(size=orders.size) / np.sqrt(orders)
    phase = rng.uniform(0, 2 * np.pi, orders.size)
    amplitude /= np.sqrt(0.5 * np.sum(amplitude**2)) + 1e-12
    table_azimuth = np.linspace(-np.pi, np.pi, 361)
    table = (amplitude[:, None] * np.cos(orders[:, None] * table_azimuth + phase[:, None])).sum(axis=0)
    noise: Float64Array = np.interp(azimuth_rad, table_azimuth, table)
    return noise


def azimuth_difference_rad(azimuth_rad: Float64Array, reference_deg: float) -> Float64Array:
    """Signed difference to ``reference_deg``, wrapped to [-pi, pi)."""
    difference: Float64Array = (azimuth_rad - np.deg2rad(reference_deg) + np.pi) % (2 * np.pi) - np.pi
    return difference


def pattern_extent_m(strike: Strike, azimuth_rad: Float64Array) -> Float64Array:
    """Exact outer edge of the blast pattern in metres at each azimuth; 0 where there is no pattern."""
    if not strike.has_pattern:
        return np.zeros_like(azimuth_rad)
    lumps = periodic_noise(azimuth_rad, strike.ray_seed, 2, 7)
    rays = np.clip(periodic_noise(azimuth_rad, strike.ray_seed + 1, 9, 26), 0, 3)
    extent = strike.blast_radius_m * np.clip(1.0 + strike.raggedness * lumps + strike.ray_strength * rays, 0.55, 1.55)
    if strike.cone_azimuth_deg is None:
        return extent
    off_axis = azimuth_difference_rad(azimuth_rad, strike.cone_azimuth_deg)
    fan = np.exp(-((np.abs(off_axis) / np.deg2rad(strike.cone_half_width_deg)) ** 4))
    reach: Float64Array = np.maximum(extent, strike.cone_length_m * fan * (1 + 0.5 * strike.raggedness * lumps))
    return reach
