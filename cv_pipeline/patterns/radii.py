"""Blast radii from several estimates: the network's map of radii, the edge of its mask, the edge in the colours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.patterns.weights import RadiusWeights
from cv_pipeline.types import BoolArray, Float64Array

_LEAST_STRENGTH = 0.3
_LEAST_SECTORS = SECTORS // 6


class Radius(NamedTuple):
    """A radius and its standard deviation in metres; both NaN where there is nothing to measure."""

    radius_m: float
    sd_m: float


class Head(NamedTuple):
    """What a network says of a radius; ``log_sd`` is the SD of its logarithm where it states one, else 0."""

    radius_m: float
    log_sd: float = 0.0


NO_RADIUS = Radius(float("nan"), float("nan"))


def mask_radius_m(reach_m: Float64Array, used: BoolArray) -> float:
    """Median reach over the sectors in use (SECTORS,); NaN where fewer than a sixth of them are.

    The median, so that a road or a wall that cuts a few sectors short moves it little.
    """
    return float(np.median(reach_m[used])) if used.sum() >= _LEAST_SECTORS else float("nan")


def combined_radius(
    head: Head, mask_m: float, edge_m: float, edge_strength: float, gsd_m: float, weights: RadiusWeights
) -> Radius:
    """The mean of the logarithms of the estimates, each weighted by its precision.

    NaN or non-positive estimates are left out. The SD grows where the estimates disagree, and is never below what a
    pixel leaves.
    """
    w = weights
    noise = w.edge_variance + w.edge_noise / max(edge_strength, _LEAST_STRENGTH) ** 2
    table = np.array(
        [
            (head.radius_m, w.head_bias, w.head_variance + head.log_sd**2),
            (mask_m, w.mask_bias, w.mask_variance),
            (edge_m, w.edge_bias, noise),
        ]
    )
    table = table[np.isfinite(table[:, 0]) & (table[:, 0] > 0)]
    if not len(table):
        return NO_RADIUS
    logs, precision = np.log(table[:, 0]) - table[:, 1], 1 / table[:, 2]
    mean = float(precision @ logs / precision.sum())
    scatter = float(precision @ (logs - mean) ** 2 / precision.sum())
    radius_m = float(np.exp(mean))
    relative = np.sqrt(1 / precision.sum() + w.disagreement * scatter + (gsd_m / radius_m) ** 2 / 12)
    return Radius(radius_m, float(radius_m * w.sd_scale * relative))


def outer_radius(reach_m: Float64Array, used: BoolArray, primary_m: float, gsd_m: float) -> Radius:
    """Radius of the secondary pattern: the median reach of its mask over the sectors in use.

    NaN where it reaches a pixel past the primary radius in fewer than a third of those. The SD is that of a median of
    sectors of which five count for one, and of the pixel.
    """
    beyond = used & (reach_m > primary_m + gsd_m)
    if used.sum() < _LEAST_SECTORS or beyond.sum() < used.sum() / 3:
        return NO_RADIUS
    values = reach_m[beyond]
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    sd_m = np.sqrt(1.57 * spread**2 / max(len(values) / 5, 1.0) + gsd_m**2 / 12)
    return Radius(float(np.median(values)), float(sd_m))


def area_m2(reach_m: Float64Array) -> float:
    """Area of the polygon whose corners lie ``reach_m`` (SECTORS,) from the centre."""
    angle = float(AZIMUTHS_RAD[1] - AZIMUTHS_RAD[0])
    return float(0.5 * np.sin(angle) * (reach_m @ np.roll(reach_m, -1)))
