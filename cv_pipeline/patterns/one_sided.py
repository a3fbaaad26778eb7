"""Whether a pattern extends to one side, and to which: mask, colours and the network's own vector together.

Each gives a density over the axis, or a vector; their weighted product gives the axis. What they say along that axis,
five numbers that can be looked at, gives the probability that the pattern is one-sided at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.direction import (
    COLOUR_INDEPENDENT,
    REACH_INDEPENDENT,
    Axis,
    combined_axis,
    lobe_log_density,
    vector_log_density,
)
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.patterns.surroundings import GROUPS, Change
from cv_pipeline.patterns.weights import PLAIN, DirectionWeights
from cv_pipeline.types import BoolArray, Float64Array, SectorUse

AXES = ("mask", "colours", "core's hue", "network")
"""Names of the witnesses of an axis."""

_EDGE_NOISE = 0.06  # of a reach relative to the radius: clods, and half a working pixel
_FARTHER = 1.1  # a ray cut off by a neighbour tells something once it is so much longer than the others
_CUT_WEIGHT = 0.5  # and then it counts half: the pattern out there may be the neighbour's
_SIDE = np.exp(4 * (np.cos(AZIMUTHS_RAD[None, :] - AZIMUTHS_RAD[:, None]) - 1))
"""(axis, sector): weights of the sectors within about 30 degrees of an axis."""
_LEAST_SEEN = 0.25  # of a side's sectors, by weight


class Sides(NamedTuple):
    """What every sector tells of one-sidedness, each (SECTORS,), and what the network says.

    ``reach`` is the mask's reach relative to a first guess of the radius, ``colour`` the mean change of colour in SDs
    of the surroundings; their weights are 0 where nothing is known. ``densities`` are those of the axis from mask,
    collar and core, ``east`` and ``north`` the network's vector: the close-up network's, as long as it is concentrated,
    or that of the maps, 0 to 1 long. ``odds`` are the close-up network's log odds of one-sidedness, 0 without it.
    """

    reach: Float64Array
    reach_weight: Float64Array
    colour: Float64Array
    colour_weight: Float64Array
    densities: tuple[Float64Array, Float64Array, Float64Array]
    east: float
    north: float
    odds: float = 0.0


def sides(
    relative_reach: Float64Array,
    use: Float64Array,
    noise: float,
    zone: tuple[Change, BoolArray] | None,
    vector: tuple[float, float, float],
) -> Sides:
    """All witnesses of one pattern.

    Args:
        relative_reach: (SECTORS,) reach of the mask relative to a first guess of the radius; 0 where there is none.
        use: (SECTORS,) :class:`SectorUse` as the mask tells it.
        noise: what else a relative reach is off by, beside the edge's own raggedness.
        zone: the change of colour and the steps (mask over them) that may belong to the pattern; None without colours.
        vector: the network's, east and north, and its log odds, as in :class:`Sides`.
    """
    nothing = np.zeros(SECTORS)
    weight = reach_weight(relative_reach, use)
    by_mask = nothing
    if relative_reach.any():
        by_mask = lobe_log_density(relative_reach, weight, _EDGE_NOISE + noise, REACH_INDEPENDENT)
    if zone is None:
        return Sides(relative_reach, weight, nothing, nothing, (by_mask, nothing, nothing), *vector)
    change, steps = zone
    known = change.known[:, steps]
    count = np.maximum(known.sum(axis=1), 1)
    seen = (known.mean(axis=1) > 0.6) * np.repeat(change.like, SECTORS // GROUPS).astype(float)
    texture = 0.5 * float(np.sqrt(change.texture / max(int(steps.sum()), 1)))
    collar, core = ((v[:, steps] * known).sum(axis=1) / count for v in (change.collar, change.core))
    by_collar, by_core = (lobe_log_density(v, seen, texture, COLOUR_INDEPENDENT) for v in (collar, core))
    return Sides(relative_reach, weight, collar, seen, (by_mask, by_collar, by_core), *vector)


def reach_weight(relative_reach: Float64Array, use: Float64Array) -> Float64Array:
    """(SECTORS,) how far each ray's reach is to be believed.

    A ray that meets a neighbour's ground is a lower bound: it counts, by half, where that is longer than the others.
    """
    free = use == SectorUse.USED
    usual = float(np.median(relative_reach[free])) if free.any() else 1.0
    longer = (use == SectorUse.NEIGHBOUR) & (relative_reach > _FARTHER * usual)
    return np.where(free, 1.0, np.where(longer, _CUT_WEIGHT, 0.0))


def weigh_axis(found: Sides, weights: DirectionWeights = PLAIN.direction) -> tuple[Axis, float]:
    """The axis of a pattern, were it one-sided, and the probability that it is."""
    w = weights
    head = vector_log_density(found.east, found.north, 1.0)
    exponents = (w.mask_exponent, w.ring_exponent, w.core_exponent, w.head_concentration)
    axis = combined_axis((*found.densities, head), exponents)
    logit = w.intercept + direction_terms(found, axis, w) @ np.array(logistic_weights(w))
    return axis, float(1 / (1 + np.exp(-logit)))


def logistic_weights(weights: DirectionWeights) -> tuple[float, float, float, float, float]:
    """Those of :func:`direction_terms`, in their order."""
    w = weights
    return w.evidence_weight, w.reach_weight, w.colour_weight, w.head_weight, w.odds_weight


def direction_terms(found: Sides, axis: Axis, weights: DirectionWeights) -> Float64Array:
    """(5,) what speaks for one-sidedness along an axis; 0 where nothing is known.

    The logarithm of 1 plus the weighted log-density of mask and colours; how much farther the mask reaches in front
    than behind, relative to the radius; how much more the colours change there, in SDs; the network's vector along it;
    the close-up network's log odds.
    """
    w, at = weights, int(axis.log_density.argmax())
    exponents = np.array([w.mask_exponent, w.ring_exponent, w.core_exponent])
    evidence = float(exponents @ np.array([d[at] for d in found.densities]))
    head = found.east * np.sin(AZIMUTHS_RAD[at]) + found.north * np.cos(AZIMUTHS_RAD[at])
    reach = front_minus_back(found.reach, found.reach_weight, at)
    colour = front_minus_back(found.colour, found.colour_weight, at)
    evidence = float(np.log1p(max(evidence, 0.0)))
    return np.array([evidence, np.clip(reach, -1, 1), np.clip(colour, -2, 2), max(float(head), 0.0), found.odds])


def front_minus_back(values: Float64Array, weight: Float64Array, at: int) -> float:
    """Weighted mean of values (SECTORS,) about sector ``at`` less that about the opposite one.

    0 where either side is mostly unknown.
    """
    means = []
    for axis in (at, (at + SECTORS // 2) % SECTORS):
        share = _SIDE[axis] * weight
        if share.sum() < _LEAST_SEEN * _SIDE[axis].sum():
            return 0.0
        means.append(float(share @ values / share.sum()))
    return means[0] - means[1]
