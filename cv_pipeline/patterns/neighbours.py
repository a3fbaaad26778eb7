"""Which ground around a crater is its neighbour's: touching craters are each fitted on their own side.

Left to themselves two fits of touching craters draw together, because each explains the other's core as well.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from cv_pipeline.patterns.chips import OFFSETS, REACH
from cv_pipeline.types import BoolArray, Float64Array

_CRATER_RADII = 1.5
"""A neighbour's crater is what lies within this many of its radii: to there its core is still to be seen."""
_LEAST_SHARE = 0.5
"""A peak of less than this share of one's own score is no neighbour but, more likely, a second peak of one crater."""


def touching(centres_m: Float64Array, radius_m: Float64Array, score: Float64Array, unit_m: Float64Array) -> np.ndarray:
    """Ordered pairs (k, 2): the second's crater reaches into the first's chip and is a candidate in its own right.

    Args:
        centres_m: (n, 2) candidates.
        radius_m: (n,) their radii.
        score: (n,) of their peaks.
        unit_m: (n,) units of their chips.
    """
    if len(centres_m) < 2:
        return np.zeros((0, 2), dtype=np.intp)
    reach_m = np.sqrt(2) * REACH * unit_m + _CRATER_RADII * radius_m.max()
    near = cKDTree(centres_m).query_ball_point(centres_m, reach_m)
    pairs = np.array([(i, j) for i, others in enumerate(near) for j in others if i != j], dtype=np.intp).reshape(-1, 2)
    first, second = pairs.T
    away_m = np.hypot(*(centres_m[first] - centres_m[second]).T)
    within = away_m < np.sqrt(2) * REACH * unit_m[first] + _CRATER_RADII * radius_m[second]
    return np.asarray(pairs[within & (score[second] >= _LEAST_SHARE * score[first])])


def foreign(
    pairs: np.ndarray, index: np.ndarray, centres_m: Float64Array, radius_m: Float64Array, unit_m: Float64Array
) -> BoolArray:
    """(m, samples) which samples of the chips of candidates ``index`` (m,) lie in a neighbour's crater.

    Of two that both claim a sample it is that one's from whose centre it is fewer radii away.

    Args:
        pairs: from :func:`touching`.
        index: candidates, each at most once.
        centres_m: (n, 2) of all candidates.
        radius_m: (n,) of all.
        unit_m: (n,) of all.
    """
    place = np.full(len(centres_m), -1)
    place[index] = np.arange(len(index))
    mine = pairs[place[pairs[:, 0]] >= 0]
    taken = np.zeros((len(index), len(OFFSETS)), dtype=bool)
    for own, other in mine:
        at_m = centres_m[own] + OFFSETS * unit_m[own] - centres_m[other]
        theirs = np.hypot(at_m[:, 0], at_m[:, 1]) / radius_m[other]
        ours = np.hypot(OFFSETS[:, 0], OFFSETS[:, 1]) * unit_m[own] / radius_m[own]
        taken[place[own]] |= (theirs < _CRATER_RADII) & (theirs < ours)
    return taken
