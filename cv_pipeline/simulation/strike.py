"""One simulated strike: its exact geometry and how it changes the ground's colour.

Lengths are metres, angles degrees clockwise from image up, colour changes 8-bit DN per channel
(red, green, blue). A strike is drawn by :mod:`cv_pipeline.simulation.render`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cv_pipeline.simulation.ground import PAVED, Material
from cv_pipeline.types import Float64Array


class ColourDelta(NamedTuple):
    """A change of colour in 8-bit DN; negative is darker."""

    red: float
    green: float
    blue: float

    def scaled(self, factor: float) -> ColourDelta:
        """The same change, ``factor`` times as strong."""
        return ColourDelta(self.red * factor, self.green * factor, self.blue * factor)


NO_CHANGE = ColourDelta(0.0, 0.0, 0.0)


class StrikeStatus(StrEnum):
    """On which of the two dates a strike can be seen; what the model may answer is :class:`cv_pipeline.types.Status`.

    GONE strikes are on the before image only: filled, repaired or ploughed over in between.
    """

    NEW = "new"
    OLD = "old"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Strike:
    """A crater, its blast pattern and (where it has one) its directional cone.

    ``crater_radius_m`` is where the dark core has fallen to half its depth, which on imagery is what
    a reader marks as the crater's edge; the bowl itself is ``bowl_ratio`` times as wide.
    ``blast_radius_m`` is the mean outer radius of the visible pattern and 0 where none is visible;
    ``faint_radius_m`` is that of a collar that is there but too weak to see. All irregularity is
    drawn from ``ray_seed``, so that a strike renders the same anywhere.

    ``wing_*`` is crop laid flat or burnt to both sides of the crater across ``wing_azimuth_deg``'s line;
    ``wing_asymmetry`` 0 has two equal wings, 1 a single tail towards that azimuth. ``directionality``
    0..1 says how much of the pattern behind the centre, seen from the cone, is missing.
    ``age`` 0..1 is how far a strike has weathered, ``regrowth``, ``water`` and ``ploughed`` 0..1 how much
    of it is overgrown, of the bowl's depth filled with water, and smeared by ploughing.
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
    status: StrikeStatus = StrikeStatus.NEW
    family: str = "plain_dark_disc"
    material: Material = Material.SOIL
    bowl_ratio: float = 1.0
    slump: float = 0.0
    obliquity: float = 0.0
    faint_radius_m: float = 0.0
    soot_fraction: float = 0.85
    spike_count: int = 0
    spike_length_m: float = 0.0
    spike_delta: ColourDelta = NO_CHANGE
    secondary_radius_m: float = 0.0
    secondary_delta: ColourDelta = NO_CHANGE
    directionality: float = 0.0
    cone_delta: ColourDelta = NO_CHANGE
    wing_azimuth_deg: float = 0.0
    wing_length_m: float = 0.0
    wing_asymmetry: float = 0.0
    wing_delta: ColourDelta = NO_CHANGE
    flattening: float = 0.0
    texture_damping: float = 0.6
    age: float = 0.0
    water: float = 0.0
    regrowth: float = 0.0
    ploughed: float = 0.0
    plough_azimuth_deg: float = 0.0

    @property
    def bowl_radius_m(self) -> float:
        """Radius of the bowl at its rim."""
        return self.bowl_ratio * self.crater_radius_m

    @property
    def pattern_radius_m(self) -> float:
        """Mean outer radius of the drawn pattern, visible or not; 0 where there is none."""
        return max(self.blast_radius_m, self.faint_radius_m)

    @property
    def reach_m(self) -> float:
        """Distance from the centre beyond which the strike changes nothing visible."""
        return max(
            2.6 * self.crater_radius_m,
            1.7 * self.pattern_radius_m,
            1.3 * self.cone_length_m,
            1.4 * self.secondary_radius_m,
            1.1 * self.spike_length_m,
            1.1 * self.wing_length_m,
        )

    @property
    def has_pattern(self) -> bool:
        """Whether a blast pattern is visible around the crater."""
        return self.blast_radius_m > 0.0

    @property
    def direction(self) -> tuple[float, float] | None:
        """(azimuth from image up in degrees, directionality 0..1) of the side towards which the drawn pattern extends.

        That of a cone of a visible pattern, else that of the longer wing or tail; None for a round pattern, two equal
        wings, and none.
        """
        if self.cone_azimuth_deg is not None and self.cone_length_m > 0 and self.has_pattern:
            return self.cone_azimuth_deg, self.directionality
        if self.wing_length_m > 0 and self.wing_asymmetry > 0:
            return self.wing_azimuth_deg, self.wing_asymmetry
        return None

    def on_surface(self, material: Material) -> Strike:
        """The strike without what a surface does not show.

        Pavements take soot and thrown soil, of which a cone is a part; roofs neither, only dust and rubble all around.
        """
        if material not in (Material.ROOF, *PAVED):
            return self
        bare = replace(self, wing_length_m=0.0, secondary_radius_m=0.0)
        return bare if material is not Material.ROOF else replace(bare, cone_azimuth_deg=None, cone_length_m=0.0)

    def at(self, row_px: float, col_px: float) -> Strike:
        """The same strike with its centre moved to another pixel position."""
        return replace(self, row_px=row_px, col_px=col_px)


_TABLE_STEPS = 1440


@lru_cache(maxsize=4096)
def _noise_table(seed: int, lowest: int, highest: int) -> Float64Array:
    rng = np.random.default_rng(seed)
    orders = np.arange(lowest, highest + 1)
    amplitude = rng.normal(size=orders.size) / np.sqrt(orders)
    phase = rng.uniform(0, 2 * np.pi, orders.size)
    amplitude /= np.sqrt(0.5 * np.sum(amplitude**2)) + 1e-12
    spectrum = np.zeros(_TABLE_STEPS // 2 + 1, np.complex128)
    spectrum[orders] = 0.5 * _TABLE_STEPS * amplitude * np.exp(1j * (phase - np.pi * orders))  # starts at azimuth -pi
    turn = np.fft.irfft(spectrum, _TABLE_STEPS)
    table: Float64Array = np.append(turn, turn[0])
    table.setflags(write=False)
    return table


def periodic_noise(azimuth_rad: Float64Array, seed: int, lowest: int, highest: int) -> Float64Array:
    """Smooth noise over azimuth with unit standard deviation, same shape as ``azimuth_rad``.

    A sum of harmonics ``lowest..highest`` with random phases and amplitudes falling as ``k**-0.5``.
    """
    # A look-up to a quarter of a degree: several times faster than interpolation, and this is called for every layer.
    steps = (azimuth_rad * (_TABLE_STEPS / (2 * np.pi)) + (_TABLE_STEPS / 2 + 0.5)).astype(np.intp)
    noise: Float64Array = _noise_table(seed, lowest, highest).take(steps, mode="clip")
    return noise


def azimuth_difference_rad(azimuth_rad: Float64Array, reference_deg: float) -> Float64Array:
    """Signed difference to ``reference_deg``, wrapped to [-pi, pi)."""
    difference: Float64Array = (azimuth_rad - np.deg2rad(reference_deg) + np.pi) % (2 * np.pi) - np.pi
    return difference


def core_edge_m(strike: Strike, azimuth_rad: Float64Array) -> Float64Array:
    """Exact edge of the dark core (half its depth) in metres at each azimuth: an ellipse with slight lumps."""
    along = np.cos(azimuth_difference_rad(azimuth_rad, strike.core_stretch_azimuth_deg)) ** 2
    ellipse = np.sqrt(along / strike.core_stretch**2 + (1 - along) * strike.core_stretch**2)
    lumps = periodic_noise(azimuth_rad, strike.ray_seed + 2, 2, 6)
    edge: Float64Array = strike.crater_radius_m * (1 + 0.35 * strike.raggedness * lumps) / ellipse
    return edge


def _circle_extent_m(strike: Strike, azimuth_rad: Float64Array, radius_m: float) -> Float64Array:
    """A ragged, rayed circle, cut back behind the centre as far as the strike is directional."""
    lumps = periodic_noise(azimuth_rad, strike.ray_seed, 2, 7)
    factor = 1.0 + strike.raggedness * lumps
    if strike.ray_strength > 0:
        factor = factor + strike.ray_strength * np.clip(periodic_noise(azimuth_rad, strike.ray_seed + 1, 9, 26), 0, 3)
    extent: Float64Array = radius_m * np.clip(factor, 0.55, 1.55)
    if strike.cone_azimuth_deg is not None and strike.directionality > 0:
        behind = 0.5 - 0.5 * np.cos(azimuth_difference_rad(azimuth_rad, strike.cone_azimuth_deg))
        extent = extent * (1 - 0.7 * strike.directionality * behind)
    return extent


def cone_extent_m(strike: Strike, azimuth_rad: Float64Array) -> Float64Array:
    """Exact reach of the directional cone in metres at each azimuth; 0 where there is none."""
    if strike.cone_azimuth_deg is None or strike.cone_length_m <= 0:
        return np.zeros_like(azimuth_rad)
    off_axis = azimuth_difference_rad(azimuth_rad, strike.cone_azimuth_deg)
    fan = np.exp(-((np.abs(off_axis) / np.deg2rad(strike.cone_half_width_deg)) ** 4))
    lumps = periodic_noise(azimuth_rad, strike.ray_seed, 2, 7)
    reach: Float64Array = strike.cone_length_m * fan * (1 + 0.5 * strike.raggedness * lumps)
    return reach


def drawn_extent_m(strike: Strike, azimuth_rad: Float64Array) -> Float64Array:
    """Outer edge of the drawn pattern (visible or faint, without the cone) at each azimuth; 0 without one."""
    if strike.pattern_radius_m <= 0:
        return np.zeros_like(azimuth_rad)
    return _circle_extent_m(strike, azimuth_rad, strike.pattern_radius_m)


def pattern_extent_m(strike: Strike, azimuth_rad: Float64Array) -> Float64Array:
    """Exact outer edge of the visible blast pattern in metres at each azimuth; 0 where there is no pattern."""
    if not strike.has_pattern:
        return np.zeros_like(azimuth_rad)
    extent = _circle_extent_m(strike, azimuth_rad, strike.blast_radius_m)
    if strike.cone_azimuth_deg is None:
        return extent
    reach: Float64Array = np.maximum(extent, cone_extent_m(strike, azimuth_rad))
    return reach


def secondary_extent_m(strike: Strike, azimuth_rad: Float64Array) -> Float64Array:
    """Exact outer edge of the secondary pattern in metres at each azimuth; 0 where there is none."""
    if strike.secondary_radius_m <= 0:
        return np.zeros_like(azimuth_rad)
    return _circle_extent_m(strike, azimuth_rad, strike.secondary_radius_m)
