"""The exact radius of a bivariate normal with the sample's mean and covariance.

About the mean this is the quantile of Hoyt's distribution (1947, Bell Syst. Tech. J. 26(2), 318-359),
about the aim point that of an offset correlated normal (DiDonato and Jarnagin 1961, Math. Comp. 15(76),
375-382). The probability is integrated numerically to about 1e-14 and
inverted to rounding, so the result scales with the unit; published implementations that stop at an
absolute tolerance do not.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from cv_pipeline.accuracy.cep.sample import About, Sample, UndefinedError, need_spread
from cv_pipeline.types import Float64Array

REACH = 12.0
"""Standard deviations beyond which the normal density is nothing to double precision."""


def correlated_normal(sample: Sample, level: float, about: About) -> float:
    """Radius for any level in (0, 1); n >= 3.

    Collinear points give the half-normal limit. Two points are always collinear and say nothing of
    the second axis, so they are refused.
    """
    need_spread(sample, 3)
    scale = math.sqrt(sample.variances[0])
    sds = np.sqrt(sample.variances) / scale
    mean = np.abs(sample.mean_on_axes) / scale if about is About.AIM else np.zeros(2)
    return scale * quantile(level, mean, sds)


def quantile(level: float, mean: Float64Array, sds: Float64Array) -> float:
    """Radius that holds ``level`` of a normal with independent axes; ``sds`` (2,) greater first, lesser may be 0."""
    from scipy.optimize import brentq

    # The radius is at most |mean| + that of a circle with the greater SD, by the triangle inequality.
    highest = float(np.hypot(*mean) + sds[0] * math.sqrt(-2 * math.log1p(-level)))
    lowest = float(mean[1]) if sds[1] == 0 else 0.0
    if probability(highest, mean, sds) <= level:
        return highest
    found = brentq(lambda r: probability(r, mean, sds) - level, lowest, highest, xtol=1e-15 * highest, rtol=1e-14)
    if not math.isfinite(found):
        raise UndefinedError("the probability could not be inverted")
    return float(found)


def probability(radius: float, mean: Float64Array, sds: Float64Array) -> float:
    """Share of a normal with independent axes within ``radius`` of the origin.

    Integrates over the axis of the lesser SD, ``y = r sin t``, so that neither the ends of the chord
    nor a vanishing SD makes a corner: the inner factor varies no faster than the outer density.
    """
    from scipy.special import ndtr

    if radius <= 0:
        return 0.0
    (m1, m2), (s1, s2) = mean, sds
    if s2 == 0:
        chord = math.sqrt(max(0.0, radius**2 - m2**2))
        return float(ndtr((chord - m1) / s1) - ndtr((-chord - m1) / s1)) if radius >= m2 else 0.0
    low, high = np.clip(np.array([m2 - REACH * s2, m2 + REACH * s2]) / radius, -1.0, 1.0)
    start, stop = math.asin(low), math.asin(high)
    if stop <= start:
        return 0.0
    # Far from the origin the inner factor switches within s1 / radius of t: more nodes there.
    nodes, weights = _gauss_legendre(min(20_000, 300 + math.ceil(12 * (stop - start) * radius / s1)))
    t = start + (stop - start) * (nodes + 1) / 2
    half_chord = radius * np.cos(t)
    inner = ndtr((half_chord - m1) / s1) - ndtr((-half_chord - m1) / s1)
    density = np.exp(-0.5 * ((radius * np.sin(t) - m2) / s2) ** 2) / (s2 * math.sqrt(2 * math.pi))
    return float((weights * density * inner * half_chord).sum() * (stop - start) / 2)


@cache
def _panel() -> tuple[Float64Array, Float64Array]:
    """Gauss-Legendre nodes and weights on (-1, 1); one rule of thousands of nodes would be slow to make."""
    return np.polynomial.legendre.leggauss(100)


def _gauss_legendre(count: int) -> tuple[Float64Array, Float64Array]:
    """At least ``count`` nodes and weights on (-1, 1), in panels."""
    nodes, weights = _panel()
    panels = -(-count // 100)
    starts = np.arange(panels)[:, None]
    return ((2 * starts + 1 + nodes) / panels - 1).ravel(), np.tile(weights / panels, panels)
