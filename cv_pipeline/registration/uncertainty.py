"""How far off a registration may be at a place of the scene."""

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


def _placed(source: Float64Array, target: Float64Array, bend: Bend | None, points: Float64Array) -> Float64Array:
    """Where points (m, 2) of the before image are put by these ties alone."""
    matrix = least_squares(source, target)
    put = apply(matrix, points)
    if bend is None:
        return put
    return np.asarray(put + Bend(target, target - apply(matrix, source), bend.stiffness).at(put))
