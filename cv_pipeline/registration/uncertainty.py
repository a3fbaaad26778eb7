"""How far off a registration may be at a place of the scene, and how far all of it."""

from __future__ import annotations

import math

import numpy as np

from cv_pipeline.registration.local import Bend, patches
from cv_pipeline.registration.similarity import apply, least_squares
from cv_pipeline.types import Float64Array

_NODES = 9
_MIN_GROUPS, _MIN_TIES = 3, 3
_COMMON_SD_PX = 0.05
"""What all windows may be off by together (light, sensor), which no residual shows."""
_LEAN_REACH_PX = 4.0
"""A match farther off is wrong rather than high."""
_HEIGHT_PER_SPREAD = 2.0
"""How high roofs stand on average, in SDs of their heights: houses of 3 to 9 m."""
_QUARTILES_PER_SD = 1.349
_CHANCE = 8.0
"""Of n matches alike in all directions the logarithm of the variances' ratio has an SD of about 3.3 / sqrt(n)."""


def sd_px(source: Float64Array, target: Float64Array, bend: Bend | None, shape: tuple[int, int]) -> float:
    """Standard deviation per axis of where the registration puts one place, root mean square over the scene, px.

    Three parts. The fit's own error, by leaving out a part of the scene at a time (delete-a-group jackknife): it grows
    away from the ties, and includes that neighbouring windows share noise. What the ties are off by: relief that
    was not followed, and the lean and shadows of what stands on the ground, do not average out at one place; the noise
    of the matching is in it, which errs on the large side. And what all windows have in common.
    ``scripts/check_registration.py simulated`` counts how often the truth lies within.

    Args:
        source: used ties (n, 2) in the before image as given, (col, row) px.
        target: the same in the after image.
        bend: the local correction that was made, if any.
        shape: (height, width) of the scene in px.

    Returns:
        Infinity where too few ties are left to say.
    """
    patch = patches(target)
    kept = [patch != number for number in np.unique(patch)]
    kept = [keep for keep in kept if keep.sum() >= _MIN_TIES]
    if len(kept) < _MIN_GROUPS:
        return math.inf
    nodes = np.stack(np.meshgrid(*(np.linspace(0, size, _NODES) for size in shape[::-1])), axis=-1).reshape(-1, 2)
    placed = np.array([_placed(source[keep], target[keep], bend, nodes) for keep in kept])
    fit_square = (len(kept) - 1) * float(placed.var(axis=0).mean())
    misfit_square = float(((target - _placed(source, target, bend, source)) ** 2).mean())
    return math.sqrt(fit_square + misfit_square + _COMMON_SD_PX**2)


def lean_px(left: Float64Array) -> float:
    """How far the ground may be off because the matches are on what stands on it and leans, px along one line; or 0.

    Two views see what is high displaced along one line, in proportion to height. Matches at many heights are therefore
    spread along that line and not across it. By how much the matches as a whole are above the ground no residual says;
    as heights start from 0, it is about the spread of the heights itself, and of roofs alone twice that. The spread is
    that of the middle half, so that a few roofs among many matches on the ground count for nothing.

    Args:
        left: (n, 2) what the registration leaves at all matches, used or not; empty and single ones give 0.
    """
    near = left[np.linalg.norm(left, axis=1) <= _LEAN_REACH_PX]
    if len(near) < _MIN_GROUPS:
        return 0.0
    _, directions = np.linalg.eigh(np.cov(near.T))
    low, high = np.percentile(near @ directions, [25, 75], axis=0)
    across, along = ((high - low) / _QUARTILES_PER_SD) ** 2
    by_chance = across * math.exp(_CHANCE / math.sqrt(len(near)))
    return _HEIGHT_PER_SPREAD * math.sqrt(along - across) if along > by_chance else 0.0


def _placed(source: Float64Array, target: Float64Array, bend: Bend | None, points: Float64Array) -> Float64Array:
    """Where points (m, 2) of the before image are put by these ties alone."""
    matrix = least_squares(source, target)
    put = apply(matrix, points)
    if bend is None:
        return put
    return np.asarray(put + Bend(target, target - apply(matrix, source), bend.stiffness).at(put))
