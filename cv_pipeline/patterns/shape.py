"""Size, kind and direction of blast patterns from their reach in each sector.

Every function takes many patterns at once: arrays are (n, SECTORS) in, (n,) out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.rays import AZIMUTHS_RAD, DIRECTIONS, SECTORS, Extents
from cv_pipeline.types import BoolArray, Float64Array, PatternKind

DIRECTION_THRESHOLD = 0.12
"""Least resultant length, from 0 to 1, at which a direction is given.

With exact masks of simulated strikes the ragged but round ones stay below 0.04, while those with a fan
of 50 to 90 degrees reaching 1.5 to 2.2 times the radius start at 0.10 (median 0.21); a half disc has 0.64.
:func:`least_resultant` raises it where the centre is uncertain.
"""

MAX_DIRECTION_SD_DEG = 30.0
"""No direction is given when its standard deviation is larger than this."""

SECONDARY_RATIO = 1.3
_MIN_FREE_SECTORS = SECTORS // 3
_MIN_BLAST_SECTORS = SECTORS // 12
_CIRCLE_SPREAD = 0.25
_DRAWS = 200
_SEED = 0  # fixed: one pattern has one SD, whatever else is in the scene
_INDEPENDENT = SECTORS // 2  # neighbouring rays see the same edge, so a draw has half as many sectors


class Radii(NamedTuple):
    """Blast radii, each (n,) metres; NaN where there is no pattern or no secondary one."""

    primary_m: Float64Array
    secondary_m: Float64Array


class Direction(NamedTuple):
    """Axis of one-sided patterns, each (n,); NaN azimuth and SD where the pattern is not directional."""

    azimuth_deg: Float64Array
    sd_deg: Float64Array
    resultant: Float64Array


def has_pattern(blast: Extents, crater: Extents, step_m: float) -> BoolArray:
    """(n,) whether the blast reaches more than a step past the crater in a twelfth of the sectors."""
    beyond = blast.extent_m > crater.extent_m + step_m
    return np.asarray(beyond.sum(axis=1) >= _MIN_BLAST_SECTORS)


def blast_radii(blast: Extents, exists: BoolArray, fallback_m: Float64Array) -> Radii:
    """Primary and secondary radius.

    Args:
        blast: reach per sector.
        exists: (n,) from :func:`has_pattern`.
        fallback_m: (n,) radius to use where neighbours or the image's border hide two thirds of the
            sectors or more; 0 where unknown, and then the hidden extents themselves are used.

    Returns:
        Primary: median over free sectors that the pattern enters. Secondary: 95th percentile of the
        same, where it is beyond 1.3 times the primary.
    """
    entered = blast.extent_m > 0
    free = entered & ~blast.censored
    enough = free.sum(axis=1) >= _MIN_FREE_SECTORS
    used = np.where(np.where(enough[:, None], free, entered), blast.extent_m, np.nan)
    used[~exists] = np.nan
    primary, outer = _nan_quantile(used, 0.5), _nan_quantile(used, 0.95)
    primary = np.where(exists & ~enough & (fallback_m > 0), np.fmax(primary, fallback_m), primary)
    return Radii(primary, np.where(outer > SECONDARY_RATIO * primary, outer, np.nan))


def _nan_quantile(values: Float64Array, q: float) -> Float64Array:
    """Quantile over the last axis without NaN, (n,); NaN where all are."""
    result = np.full(len(values), np.nan)
    some = ~np.isnan(values).all(axis=1)
    if some.any():
        result[some] = np.nanquantile(values[some], q, axis=1)
    return result


def filled_extents(blast: Extents, primary_m: Float64Array) -> Float64Array:
    """(n, SECTORS) extents with hidden sectors raised to the primary radius.

    A pattern cut by its neighbour or by the image's border would otherwise seem to point away from it.
    """
    raised = np.fmax(blast.extent_m, primary_m[:, None])
    return np.asarray(np.where(blast.censored, raised, blast.extent_m))


def least_resultant(centre_sd_m: Float64Array, primary_m: Float64Array) -> Float64Array:
    """(n,) resultant below which a pattern may be round and only its centre misplaced.

    A disc seen from a point off its centre by d has the resultant d / radius, so two standard
    deviations of the centre are asked for. NaN radii give the general threshold.
    """
    return np.asarray(np.fmax(DIRECTION_THRESHOLD, 2 * centre_sd_m / np.maximum(primary_m, 1e-6)))


def direction(filled_m: Float64Array, censored: BoolArray, exists: BoolArray, least: Float64Array) -> Direction:
    """Azimuth of the side to which a pattern extends.

    The sectors' areas (extent squared) are summed as vectors; the resultant is the length of the sum
    over the sum of lengths (Mardia and Jupp, Directional Statistics, doi:10.1002/9780470316979). The
    azimuth's SD is circular, sqrt(-2 ln R) over bootstrap draws of sectors, without the isotropic part
    that all sectors share and that carries no direction.

    Args:
        filled_m: (n, SECTORS) from :func:`filled_extents`.
        censored: (n, SECTORS) hidden sectors; no direction is given when more than half are.
        exists: (n,) whether there is a pattern.
        least: (n,) from :func:`least_resultant`.

    Returns:
        Azimuths in [0, 360) from true north. NaN below ``least``, above
        :data:`MAX_DIRECTION_SD_DEG`, and where the pattern is absent or mostly hidden.
    """
    area = filled_m**2
    unit = np.exp(1j * AZIMUTHS_RAD)
    total = area.sum(axis=1)
    vector = area @ unit
    resultant = np.where(exists & (total > 0), np.abs(vector) / np.maximum(total, 1e-12), 0.0)
    excess = area - np.quantile(area, 0.25, axis=1, keepdims=True).clip(min=0)
    draws = np.random.default_rng(_SEED).multinomial(_INDEPENDENT, np.full(SECTORS, 1 / SECTORS), size=_DRAWS)
    drawn = (np.maximum(excess, 0) * unit) @ draws.T
    length = np.abs((drawn / np.maximum(np.abs(drawn), 1e-12)).mean(axis=1)).clip(1e-9, 1.0)
    sd_deg = np.rad2deg(np.sqrt(-2 * np.log(length)))
    sd_deg = np.hypot(sd_deg, 360 / SECTORS / np.sqrt(12))
    seen = censored.mean(axis=1) <= 0.5
    told = exists & seen & (resultant >= least) & (sd_deg <= MAX_DIRECTION_SD_DEG)
    azimuth = np.rad2deg(np.angle(vector)) % 360
    return Direction(np.where(told, azimuth, np.nan), np.where(told, sd_deg, np.nan), resultant)


def kinds(filled_m: Float64Array, exists: BoolArray, azimuth_deg: Float64Array) -> list[PatternKind]:
    """Kind of each pattern: none, cone (has a direction), circle (even reach all round), irregular.

    A ring is not told from a circle here: the blast mask covers its inside as well.
    """
    mean = np.maximum(filled_m.mean(axis=1), 1e-9)
    even = (filled_m.std(axis=1) / mean <= _CIRCLE_SPREAD) & ((filled_m > 0).mean(axis=1) >= 0.75)
    names = np.where(even, PatternKind.CIRCLE, PatternKind.IRREGULAR)
    names = np.where(np.isnan(azimuth_deg), names, PatternKind.CONE)
    return [PatternKind(name) for name in np.where(exists, names, PatternKind.NONE)]


def outlines(centres_m: Float64Array, extent_m: Float64Array, crater_radius_m: Float64Array) -> Float64Array:
    """(n, SECTORS, 2) outline points in local metres, clockwise from north.

    Sectors without a pattern lie on the crater's edge, so that the outline never crosses itself.
    """
    reach = np.maximum(extent_m, np.maximum(crater_radius_m, 0.1)[:, None])
    return np.asarray(centres_m[:, None, :] + reach[..., None] * DIRECTIONS)
