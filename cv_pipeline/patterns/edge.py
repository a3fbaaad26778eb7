"""The blast circle's edge in the colours around a centre."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.rays import SECTORS
from cv_pipeline.patterns.surroundings import GROUPS, Change
from cv_pipeline.types import Float64Array

_SMOOTH_M = 1.5
_FARTHEST = 2.0  # times the first guess


class Edge(NamedTuple):
    """Where the change of colour has fallen to half of its crest, and how surely it is there.

    ``profile`` (steps,) is the mean change over the sectors in use, in SDs of the surroundings. ``strength`` is the
    signal-to-noise ratio of the whole collar; below about 3 it may be chance. ``radius_m`` is NaN where nothing
    stands out.
    """

    radius_m: float
    strength: float
    crest: float
    profile: Float64Array


def profile_edge(change: Change, reach_m: Float64Array, crater_m: float, prior_m: float) -> Edge:
    """The edge of the collar.

    The circle that is likeliest for a collar of the crest's height against level ground is where the profile crosses
    half of it, found from all pixels within and beyond at once rather than at one step: the likelihood of an edge at
    ``e`` is the sum of ``A c(r) - A^2 / 2`` over all pixels within ``e``.

    Args:
        change: from :func:`cv_pipeline.patterns.surroundings.colour_change`; groups that something cuts are left out.
        reach_m: (steps,) distances of the samples.
        crater_m: the crater's radius; its inside is not looked at.
        prior_m: first guess; edges from just outside the crater to twice this are tried.
    """
    like = np.repeat(change.like, SECTORS // GROUPS)
    used = change.known & like[:, None]
    count = used.sum(axis=0)
    profile = np.where(count > 0, np.where(used, change.collar, 0.0).sum(axis=0) / np.maximum(count, 1), 0.0)
    step_m = float(reach_m[1] - reach_m[0])
    width = max(round(_SMOOTH_M / step_m), 1)
    smooth = np.convolve(profile, np.ones(width) / width, mode="same")
    inner = 1.25 * crater_m + 0.5
    crest_zone = (reach_m >= inner) & (reach_m <= 1.3 * prior_m) & (count > 0)
    tried = (reach_m >= inner) & (reach_m <= _FARTHEST * prior_m) & (count > 0)
    if not crest_zone.any():
        return Edge(np.nan, 0.0, 0.0, profile)
    crest = float(smooth[crest_zone].max())
    if crest <= 0:
        return Edge(np.nan, 0.0, crest, profile)
    # Rays lie closer than pixels near the centre, and neighbouring pixels say the same.
    pixels = count * np.minimum(1.0, reach_m * (2 * np.pi / SECTORS) / step_m) / change.texture**2
    gained = np.cumsum(np.where(tried, pixels * (crest * profile - 0.5 * crest**2), 0.0))
    gained = np.where(tried, gained, -np.inf)
    best = int(np.argmax(gained))
    radius_m = float(reach_m[best]) + 0.5 * step_m
    if best + 1 < len(reach_m) and smooth[best] > smooth[best + 1]:
        part = (smooth[best] - 0.5 * crest) / (smooth[best] - smooth[best + 1])
        radius_m = float(reach_m[best]) + step_m * float(np.clip(part, 0.0, 1.0))
    return Edge(radius_m, float(np.sqrt(max(gained[best], 0.0))), crest, profile)
