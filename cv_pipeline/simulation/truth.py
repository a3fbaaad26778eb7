"""Exact truth of a simulated pair, as rasters on the after image's grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cv_pipeline.simulation.ground import patch_around
from cv_pipeline.simulation.strike import (
    Strike,
    StrikeStatus,
    cone_extent_m,
    core_edge_m,
    pattern_extent_m,
    secondary_extent_m,
)
from cv_pipeline.simulation.wings import in_wings, mean_pattern_radius_m
from cv_pipeline.types import BoolArray, Float32Array

CENTRE_SIGMA_M = 1.0
"""Width of the centre heat map's Gaussian: 0.8–1 m keeps neighbours at 4 m apart (sim_to_real.md)."""


@dataclass(frozen=True, slots=True)
class TruthRasters:
    """Exact truth on the image grid, each (height, width).

    ``crater``, ``blast``, ``secondary`` and ``cone`` are masks; ``blast`` is the primary pattern with the crater, the
    cone, wings and tails, ``secondary`` all of them where there is a secondary pattern. ``new`` marks craters absent
    from the before image, ``centre`` is 1 at each centre and falls as a Gaussian.

    At pixels nearest to a strike within 1.3 crater radii stand its radii in metres and its axis: a vector
    to the right and up in the image, as long as the pattern is one-sided (0 round, 1 a narrow cone).
    Elsewhere these are 0.

    ``structure`` marks what is built, as the before image shows it, where ``structure_known``; real imagery
    brings buildings that nobody mapped. ``damage`` is the part of it that strikes broke. ``visible`` is False
    where a cloud hides the ground, and at strikes too faint to be seen.
    """

    crater: BoolArray
    blast: BoolArray
    secondary: BoolArray
    cone: BoolArray
    new: BoolArray
    centre: Float32Array
    crater_radius_m: Float32Array
    blast_radius_m: Float32Array
    axis_right: Float32Array
    axis_up: Float32Array
    structure: BoolArray
    damage: BoolArray
    structure_known: BoolArray
    visible: BoolArray


def axis_vector(strike: Strike) -> tuple[float, float]:
    """(right, up) of the side towards which a strike's pattern extends, its length the directionality 0..1."""
    azimuth_deg, length = strike.direction or (0.0, 0.0)
    turn = np.deg2rad(azimuth_deg)
    return float(length * np.sin(turn)), float(length * np.cos(turn))


def truth_rasters(
    strikes: Sequence[Strike],
    gsd_m: float,
    *,
    structure: BoolArray,
    damage: BoolArray,
    structure_known: BoolArray,
    visible: BoolArray,
) -> TruthRasters:
    """Truth of ``strikes`` on the grid of the given masks (height, width). No strikes give empty masks and zeros.

    GONE strikes are not there any more and count as nothing. Where craters overlap, each pixel belongs to
    the strike whose centre is nearest in crater radii.
    """
    shape = visible.shape
    crater, blast, new, secondary, cone = (np.zeros(shape, bool) for _ in range(5))
    centre, crater_m, blast_m, axis_right, axis_up = (np.zeros(shape, np.float32) for _ in range(5))
    nearest = np.full(shape, np.inf)
    for strike in strikes:
        patch = patch_around(shape, strike.row_px, strike.col_px, max(strike.reach_m, 4 * CENTRE_SIGMA_M), gsd_m)
        if patch is None or strike.status == StrikeStatus.GONE:
            continue
        where = (patch.rows, patch.cols)
        relative = patch.radius_m / core_edge_m(strike, patch.azimuth_rad)
        inside = relative <= 1.0
        primary = inside | (patch.radius_m <= pattern_extent_m(strike, patch.azimuth_rad))
        primary |= in_wings(strike, patch.radius_m, patch.azimuth_rad)
        crater[where] |= inside
        blast[where] |= primary
        if strike.secondary_radius_m > 0:
            secondary[where] |= primary | (patch.radius_m <= secondary_extent_m(strike, patch.azimuth_rad))
        if strike.cone_azimuth_deg is not None and strike.has_pattern:
            cone[where] |= patch.radius_m <= cone_extent_m(strike, patch.azimuth_rad)
        peak = np.exp(-0.5 * (patch.radius_m / CENTRE_SIGMA_M) ** 2).astype(np.float32)
        centre[where] = np.maximum(centre[where], peak)
        mine = (relative <= 1.3) & (relative < nearest[where])
        nearest[where][mine] = relative[mine]
        new[where][mine] = strike.status == StrikeStatus.NEW
        crater_m[where][mine] = strike.crater_radius_m
        blast_m[where][mine] = max(mean_pattern_radius_m(strike), strike.crater_radius_m)
        axis_right[where][mine], axis_up[where][mine] = axis_vector(strike)
    return TruthRasters(
        crater,
        blast,
        secondary,
        cone,
        new & crater,
        centre,
        crater_m,
        blast_m,
        axis_right,
        axis_up,
        structure & structure_known,
        damage & structure_known,
        structure_known,
        visible,
    )
