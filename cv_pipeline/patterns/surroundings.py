"""How the ground around a centre differs in colour from the surroundings, sector by sector.

Every sector has a surrounding level of its own, and every group of sectors its own sign and hue of change: bright soil
on a dark field and soot on bright ground may lie on two sides of one crater. Changes are in standard deviations of
the surroundings' texture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.polar import Polar
from cv_pipeline.patterns.rays import SECTORS
from cv_pipeline.types import BoolArray, Float64Array

GROUPS = 12
"""Sectors are judged in groups of 30 degrees: a single ray holds too few pixels."""

_PER_GROUP = SECTORS // GROUPS
_FLOOR_DN = 2.0  # compression and rounding: flatter ground than this is not known to be flat
_CLIP_SD = 4.0  # a tree or a car is one outlier, however bright
_UNLIKE = 2.5  # a group whose residuals are so many times the median group's is no part of the same picture
_WEAKEST = 1e-6
_GREY_SD = 6.0  # a hue as clear as this many SDs of correlated noise is believed
_RIDGE = 4.0  # DN squared: the before image's own noise
_LONGEST_LAG, _FEWEST_PAIRS, _NO_CORRELATION = 8, 50, 0.1


class Change(NamedTuple):
    """Change of colour along rays, in SDs of the surroundings; 0 where unknown.

    ``collar`` (SECTORS, steps) is the change along each group's own hue, positive inside the pattern;
    ``core`` (SECTORS, steps) is that along the hue of the crater itself. ``sign_dn`` (GROUPS,) is the brightness of the
    change in each group: below 0 darker than the surroundings. ``like`` (GROUPS,) is False for a group that something
    else cuts. ``texture`` is how many steps along a ray count for one, as texture is correlated.
    """

    collar: Float64Array
    core: Float64Array
    known: BoolArray
    sign_dn: Float64Array
    like: BoolArray
    texture: float


def colour_change(polar: Polar, crater_m: float, prior_m: float) -> Change | None:
    """The change of colour around one centre.

    Args:
        polar: colours along the rays, to at least twice ``prior_m``.
        crater_m: the crater's radius; its inside tells the hue of the core and is no part of the collar.
        prior_m: a first guess of the blast radius: surroundings begin well beyond it.

    Returns:
        None where fewer than a third of the groups of sectors show any surroundings.
    """
    reach, known = polar.reach_m, polar.known
    beyond = known & (reach >= max(1.6 * prior_m, prior_m + 2.0, 1.8 * crater_m + 2.0))
    counts = beyond.reshape(GROUPS, -1).sum(axis=1)
    if (counts >= _PER_GROUP).sum() < GROUPS // 3:
        return None
    colour = polar.colour.astype(np.float64)
    level = _levels(colour, beyond, counts)
    residual = colour - np.repeat(level, _PER_GROUP, axis=0)[:, None, :]
    middle = known & (reach <= max(0.7 * crater_m, 0.6))
    whitening = _whitening(residual[beyond])
    white = residual @ whitening
    if polar.earlier is not None:
        fresh = _without_earlier(residual, polar.earlier.astype(np.float64), beyond, counts)
        other = _whitening(fresh[beyond])
        if _strength(fresh @ other, middle) > _strength(white, middle):
            white, whitening = fresh @ other, other
    white /= np.maximum(np.sqrt((white**2).sum(axis=-1, keepdims=True)) / _CLIP_SD, 1.0)
    white[~known] = 0.0
    inner = 1.3 * crater_m + 0.3
    ring = known & (reach >= inner) & (reach <= max(0.95 * prior_m, inner + 1.5))
    hue = _hues(white, ring, _unit(np.ones(3) @ whitening))
    collar = np.matmul(white, np.repeat(hue, _PER_GROUP, axis=0)[:, :, None])[..., 0]
    core_hue = white[middle].sum(axis=0)
    core = white @ _unit(core_hue)
    in_ring = ring.reshape(GROUPS, -1)
    brightness = residual.mean(axis=-1).reshape(GROUPS, -1)
    sign_dn = (brightness * in_ring).sum(axis=1) / np.maximum(in_ring.sum(axis=1), 1)
    return Change(collar, core, known, sign_dn, _like(collar, known), _texture(collar, beyond))


def _levels(colour: Float64Array, beyond: BoolArray, counts: Float64Array) -> Float64Array:
    """Median colour (GROUPS, 3) of the surroundings over a group and its two neighbours.

    The whole circle's where they show too little.
    """
    first = int(beyond.any(axis=0).argmax())
    values = np.where(beyond[:, first:, None], colour[:, first:], np.inf).reshape(GROUPS, -1, 3)
    wide = np.concatenate([np.roll(values, 1, 0), values, np.roll(values, -1, 0)], axis=1)
    wide.sort(axis=1)
    number = counts + np.roll(counts, 1) + np.roll(counts, -1)
    level = np.take_along_axis(wide, (np.maximum(number - 1, 0) // 2)[:, None, None].astype(int), axis=1)[:, 0]
    overall = np.median(colour[beyond], axis=0)
    return np.where((number >= 3 * _PER_GROUP)[:, None], level, overall)


def _whitening(residual: Float64Array) -> Float64Array:
    """(3, 3) matrix that gives residuals (n, 3) unit variance and no correlation between channels."""
    limit = 3 * 1.4826 * np.median(np.abs(residual), axis=0) + _FLOOR_DN
    held = np.clip(residual, -limit, limit)
    covariance = held.T @ held / len(held) + _FLOOR_DN**2 * np.eye(3)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)).T)


def _without_earlier(
    residual: Float64Array, earlier: Float64Array, beyond: BoolArray, counts: Float64Array
) -> Float64Array:
    """What the before image does not explain: its colours times the (3, 3) matrix that fits the surroundings best."""
    known = earlier - np.repeat(_levels(earlier, beyond, counts), _PER_GROUP, axis=0)[:, None, :]
    held = np.clip(known[beyond], -60, 60)
    weight = np.linalg.solve(
        held.T @ held + _RIDGE * len(held) * np.eye(3), held.T @ np.clip(residual[beyond], -60, 60)
    )
    return np.asarray(residual - known @ weight)


def _unit(vector: Float64Array) -> Float64Array:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), _WEAKEST))


def _strength(white: Float64Array, middle: BoolArray) -> float:
    """How far the crater itself stands out."""
    return float(np.linalg.norm(white[middle].mean(axis=0))) if middle.any() else 0.0


def _apart() -> Float64Array:
    steps = np.abs(np.arange(GROUPS)[:, None] - np.arange(GROUPS))
    steps = np.minimum(steps, GROUPS - steps)
    return np.asarray(np.where(steps > 0, np.exp(-((steps / 2.0) ** 2)) + 0.1, 0.0))


_TOLD_BY = _apart()
"""(GROUPS, GROUPS) how far each group's hue is told by the others, the near ones most; 0 on the diagonal."""


def _hues(white: Float64Array, ring: BoolArray, grey: Float64Array) -> Float64Array:
    """Unit hue of change (GROUPS, 3) in each group, told by the others: noise would look like a change otherwise.

    A weak change is taken to be one of brightness, as thrown soil and soot mostly are: ``grey`` (3,) is that hue.
    """
    sums = (white * ring[..., None]).reshape(GROUPS, -1, 3).sum(axis=1)
    counts = ring.reshape(GROUPS, -1).sum(axis=1)
    told = (_TOLD_BY @ sums) / np.sqrt(np.maximum(_TOLD_BY**2 @ counts, 1.0))[:, None]
    brighter = np.where(told @ grey >= 0, 1.0, -1.0)
    told = told + _GREY_SD * brighter[:, None] * grey
    return np.asarray(told / np.maximum(np.linalg.norm(told, axis=1, keepdims=True), _WEAKEST))


def _like(collar: Float64Array, known: BoolArray) -> BoolArray:
    """(GROUPS,) False where the surroundings or the profile of a group are unlike those of the rest."""
    steps = collar.shape[1]
    counts = known.reshape(GROUPS, _PER_GROUP, steps).sum(axis=1)
    profiles = collar.reshape(GROUPS, _PER_GROUP, steps).sum(axis=1) / np.maximum(counts, 1)
    middle = np.median(profiles, axis=0)
    seen = counts > 0
    rms = np.sqrt(np.where(seen, (profiles - middle) ** 2, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))
    enough = seen.mean(axis=1) >= 0.3
    typical = float(np.median(rms[enough])) if enough.any() else 0.0
    return np.asarray(enough & (rms <= _UNLIKE * typical + 0.2))


def _texture(collar: Float64Array, beyond: BoolArray) -> float:
    """How many steps along a ray count for one: the sum of the surroundings' correlations.

    It ends at the first that is small.
    """
    seen = np.where(beyond, collar, 0.0)
    power = float((seen**2).sum()) / max(int(beyond.sum()), 1)
    count = 1.0
    for lag in range(1, _LONGEST_LAG + 1):
        both = int((beyond[:, lag:] & beyond[:, :-lag]).sum())
        if both < _FEWEST_PAIRS:
            break
        r = float((seen[:, lag:] * seen[:, :-lag]).sum()) / both / max(power, _WEAKEST)
        if r < _NO_CORRELATION:
            break
        count += 2 * r
    return count
