"""A smooth local correction on top of the similarity, for relief and bent mosaics, where the matches support it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from cv_pipeline.registration.similarity import MAX_MISFIT_PX, Fit
from cv_pipeline.registration.windows import Matches
from cv_pipeline.types import BoolArray, Float64Array

MAX_LOCAL_PX = 8.0
"""What a match may lie off the similarity at most and still be relief."""
_MIN_TIES = 40
_STIFFNESS = (1.0, 0.1, 0.03, 0.01, 0.003)
"""Tried, for coordinates in units of the ties' extent: from features of a tenth of the scene to an affine."""
_GROWING = 1e-3
_ROUNDS = 6
_NEIGHBOUR_SIDES = 2.0
_FOLDS = 4
"""Along each axis: every fourth window is left out at a time, and those that overlap it by more than half."""
_OVERLAP = 0.4
_PATCHES = 5
_AS_GOOD = 1.05
"""The stiffest surface is taken whose error is within this factor of the least."""
_WORTH = 0.75
"""The cross-validated mean square residual must fall to this share, at least, for a correction to be made."""
_WORTH_PX = 0.05
"""And its root by this much."""
_HOLDS_STEPS = 3.0
"""A tie holds the surface for this many steps between ties around it; at twice as many it has no say."""
_CERTAIN_SE = 2.0


class Bend(NamedTuple):
    """A thin-plate spline near the residuals ``left`` (n, 2) of ``ties`` (n, 2), (col, row) px of the after image."""

    ties: Float64Array
    left: Float64Array
    stiffness: float

    def at(self, points: Float64Array) -> Float64Array:
        """Displacement (n, 2) at points (n, 2), falling to none where no tie is near: a spline runs away there."""
        low, extent = self.ties.min(axis=0), _extent(self.ties)
        spline = RBFInterpolator((self.ties - low) / extent, self.left, smoothing=self.stiffness, degree=1)
        inside = np.clip(points, low, self.ties.max(axis=0))
        far = np.asarray(cKDTree(self.ties).query(points)[0])
        held = np.clip(2 - far / (_HOLDS_STEPS * _step_px(self.ties)), 0, 1)
        return np.asarray(spline((inside - low) / extent) * held[:, None])


def find_bend(matches: Matches, fit: Fit, left: Float64Array) -> tuple[Bend | None, BoolArray]:
    """A local correction, if cross-validation says that it helps, and the matches (n,) that hold it.

    Matches that lie off the similarity but on a smooth surface with their neighbours are taken in. The stiffness is
    that with the least error at matches left out. Windows half a side apart share a sixth of their noise, as both are
    tapered; what is gained must be more than that.

    Args:
        matches: the local matches.
        fit: the similarity fitted to them.
        left: (n, 2) as (col, row), what the similarity leaves at each.

    Returns:
        None and the matches that the similarity uses where a correction is not certain to be worth it.
    """
    used = _grown(matches, fit.used, left)
    if used.sum() < _MIN_TIES:
        return None, fit.used
    ties, gone = matches.target[used], left[used]
    fold, patch = _folds(ties), patches(ties)
    # Judged by the matches that the similarity holds: others that agree among themselves may be roofs that lean.
    judged = fit.used[used]
    without = (gone**2).sum(axis=1)
    errors_of = {stiffness: _left_out(ties, gone, fold, stiffness, matches.side_px) for stiffness in _STIFFNESS}
    least = min(float(errors[judged].mean()) for errors in errors_of.values())
    stiffness, errors = next((k, e) for k, e in errors_of.items() if e[judged].mean() <= _AS_GOOD * least)
    gains = np.array([(without - errors)[judged & (patch == number)].mean() for number in np.unique(patch[judged])])
    certain = len(gains) > 2 and gains.mean() > _CERTAIN_SE * gains.std(ddof=1) / np.sqrt(len(gains))
    before, bent = float(without[judged].mean()), float(errors[judged].mean())
    if bent > _WORTH * before or np.sqrt(before) - np.sqrt(bent) < _WORTH_PX or not certain:
        return None, fit.used
    return Bend(ties, gone, stiffness), used


def _grown(matches: Matches, used: BoolArray, left: Float64Array) -> BoolArray:
    """The used matches and those that lie on one smooth surface with them, taken in from the border outwards."""
    small = np.linalg.norm(left, axis=1) <= MAX_LOCAL_PX
    used = used & small
    for _ in range(_ROUNDS):
        if used.sum() < _MIN_TIES:
            return used
        surface = Bend(matches.target[used], left[used], _GROWING).at(matches.target)
        reach = np.asarray(cKDTree(matches.target[used]).query(matches.target)[0])
        fits = np.linalg.norm(left - surface, axis=1) <= MAX_MISFIT_PX
        grown = small & fits & (reach <= _NEIGHBOUR_SIDES * matches.side_px)
        if (grown == used).all():
            break
        used = grown
    return used


def _left_out(ties: Float64Array, left: Float64Array, fold: np.ndarray, stiffness: float, side_px: int) -> Float64Array:
    """Square error (n,) at each tie of a surface made without its fold and what overlaps that by more than half."""
    errors = (left**2).sum(axis=1)
    for number in np.unique(fold):
        test = fold == number
        apart = np.asarray(cKDTree(ties[test]).query(ties, p=np.inf)[0])
        train = apart >= _OVERLAP * side_px
        if train.sum() < _MIN_TIES / 4:
            continue
        surface = Bend(ties[train], left[train], stiffness).at(ties[test])
        errors[test] = ((left[test] - surface) ** 2).sum(axis=1)
    return np.asarray(errors)


def _folds(ties: Float64Array) -> np.ndarray:
    """The fold of each tie (n,): those of one fold lie four windows apart."""
    at = ((ties - ties.min(axis=0)) / _step_px(ties) + 0.5).astype(int) % _FOLDS
    return np.asarray(at[:, 0] + at[:, 1] * _FOLDS)


def patches(ties: Float64Array) -> np.ndarray:
    """The part of the scene, of five by five, that each tie (n,) lies in: what happens in two is independent."""
    low = ties.min(axis=0)
    at = np.minimum((ties - low) / np.maximum(np.ptp(ties, axis=0), 1e-9) * _PATCHES, _PATCHES - 1).astype(int)
    return np.asarray(at[:, 0] + at[:, 1] * _PATCHES)


def _step_px(ties: Float64Array) -> float:
    """How far apart neighbouring ties lie, px."""
    nearest = np.asarray(cKDTree(ties).query(ties, k=2, p=np.inf)[0])
    return max(float(np.median(nearest[:, 1])), 1.0)


def _extent(ties: Float64Array) -> float:
    return max(float(np.ptp(ties, axis=0).max()), 1e-9)
