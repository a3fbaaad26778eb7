"""Whether there is a blast pattern, what kind it is, and its outline, from its reach in each sector."""

from __future__ import annotations

import numpy as np

from cv_pipeline.patterns.rays import DIRECTIONS, SECTORS, Extents
from cv_pipeline.types import BoolArray, Float64Array, PatternKind

_MIN_BLAST_SECTORS = SECTORS // 12
_CIRCLE_SPREAD = 0.25
_HOLLOW = 0.5
"""A ring's inside, between crater and crest, has at most this share of the crest's change of colour."""
_NARROWEST_M = 1.5  # between crater and crest there must be ground enough to be seen
_CLEAR_SD = 0.4  # of the mean over the sectors: below this a crest may be chance


def has_pattern(blast: Extents, crater: Extents, step_m: float) -> BoolArray:
    """(n,) whether the blast reaches more than a step past the crater in a twelfth of the sectors."""
    beyond = blast.extent_m > crater.extent_m + step_m
    return np.asarray(beyond.sum(axis=1) >= _MIN_BLAST_SECTORS)


def kind(reach_m: Float64Array, directional: bool, ring: bool) -> PatternKind:
    """Kind of a pattern that exists: cone (has a direction), ring, circle (even reach all round), irregular.

    Args:
        reach_m: (SECTORS,) with hidden sectors filled in.
        directional: whether a direction is given.
        ring: from :func:`is_ring`.
    """
    if directional:
        return PatternKind.CONE
    even = reach_m.std() <= _CIRCLE_SPREAD * max(reach_m.mean(), 1e-9) and (reach_m > 0).mean() >= 0.75
    if not even:
        return PatternKind.IRREGULAR
    return PatternKind.RING if ring else PatternKind.CIRCLE


def is_ring(profile: Float64Array, reach_m: Float64Array, crater_m: float, radius_m: float) -> bool:
    """Whether the change of colour is hollow: a crest in the outer half of the pattern, little inside it.

    Args:
        profile: (steps,) mean change in SDs of the surroundings.
        reach_m: (steps,) where.
        crater_m: radius of the crater, which is no part of the profile.
        radius_m: blast radius.
    """
    outside = (reach_m > 1.25 * crater_m) & (reach_m <= radius_m)
    if outside.sum() < 4:
        return False
    where, change = reach_m[outside], profile[outside]
    crest = int(change.argmax())
    inner = change[where < where[crest] - _NARROWEST_M / 2]
    wide = where[crest] - 1.25 * crater_m >= _NARROWEST_M and where[crest] >= 0.5 * radius_m
    return bool(wide and change[crest] >= _CLEAR_SD and len(inner) and np.median(inner) <= _HOLLOW * change[crest])


def outline(centre_m: Float64Array, reach_m: Float64Array) -> Float64Array:
    """(SECTORS, 2) points of an outline in local metres about a centre (2,), clockwise from north."""
    return np.asarray(centre_m + reach_m[:, None] * DIRECTIONS)
