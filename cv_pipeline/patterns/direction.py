"""Towards which side a pattern extends: densities over azimuth from several kinds of evidence, and their product.

A pattern extends to a side; that is all. Nothing here says where anything came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.types import Float64Array

CONCENTRATIONS = (0.7, 2.0, 5.0, 14.0)
"""Of the lobes that are tried: from half the circle to a fan of 15 degrees on either side."""

REACH_INDEPENDENT = SECTORS / 5
"""Neighbouring rays end at the same clods: the edges of drawn patterns wander over about 25 degrees."""

COLOUR_INDEPENDENT = SECTORS / 2
"""Colours along neighbouring rays share pixels and texture, a metre or two wide."""

BEHIND = (0.0, 0.5)
"""Heights of a second lobe behind the centre, relative to the first: none, or a shorter wing."""

_lag = AZIMUTHS_RAD[None, :] - AZIMUTHS_RAD[:, None]
_LOBES = np.stack([np.exp(k * (np.cos(_lag) - 1)) for k in CONCENTRATIONS])
_OPPOSITE = np.roll(_LOBES, SECTORS // 2, axis=-1)
_ONE_SIDED = np.concatenate([_LOBES + b * _OPPOSITE for b in BEHIND])
"""(shapes, axis, sector): von Mises lobes about every axis."""
_TWO_SIDED = _LOBES + _OPPOSITE


class Axis(NamedTuple):
    """A direction and its spread; ``log_density`` (SECTORS,) is over the sectors' azimuths, its greatest value 0."""

    azimuth_deg: float
    sd_deg: float
    log_density: Float64Array


def lobe_log_density(values: Float64Array, weight: Float64Array, noise_sd: float, independent: float) -> Float64Array:
    """Log-density (SECTORS,) over the axis of a one-sided pattern in a quantity of each sector, against none.

    For every axis a level and a lobe exp(k cos(azimuth - axis)) of positive height, with none or half of it on the
    opposite side, are fitted by least squares; the noise's variance is integrated out, which leaves Student's form, and
    the shapes are averaged (Mardia and Jupp, Directional Statistics, doi:10.1002/9780470316979, for the von Mises
    distribution). Against that stand a level alone and two equal lobes, equally likely: two equal wings have no
    direction. The maximum says how directional the sectors are; it is 0 or less where one-sidedness explains nothing.

    Args:
        values: (SECTORS,) for instance the reach relative to the mean one.
        weight: (SECTORS,) 1 for sectors to be used, 0 for those left out.
        noise_sd: a floor of the values' scatter about the lobe, lest smooth values seem exact.
        independent: as how many sectors all of them count.

    Returns:
        All 0 where fewer than a third of the sectors are used.
    """
    if float(weight.sum()) < SECTORS / 3:
        return np.zeros(SECTORS)
    one, two = (_log_gain(s, values, weight, noise_sd, independent) for s in (_ONE_SIDED, _TWO_SIDED))
    without = np.logaddexp(0.0, np.logaddexp.reduce(two, axis=None) - np.log(two.size)) - np.log(2)
    return np.asarray(np.logaddexp.reduce(one, axis=0) - np.log(len(one)) - without)


def _log_gain(
    shapes: Float64Array, values: Float64Array, weight: Float64Array, noise_sd: float, independent: float
) -> Float64Array:
    """Log-likelihood (shapes, axis) that each shape of positive height gains over a level alone."""
    total = float(weight.sum())
    centred = np.where(weight > 0, values - (weight @ values) / total, 0.0)
    scatter = float(weight @ centred**2)
    weighted = shapes * weight
    mean = weighted.sum(axis=-1) / total
    covariance = weighted @ centred
    variance = (weighted * shapes).sum(axis=-1) - total * mean**2
    gain = np.where(covariance > 0, covariance, 0.0) ** 2 / np.maximum(variance, 1e-9)
    left = np.maximum(scatter - gain, total * max(noise_sd, 1e-6) ** 2)
    return np.asarray(0.5 * independent * total / SECTORS * np.log1p(gain / left))


def vector_log_density(east: float, north: float, concentration: float) -> Float64Array:
    """Log-density (SECTORS,) of a vector whose direction is von Mises about the truth; 0 at right angles to it.

    The concentration grows with the vector's length, so a short vector says little.
    """
    return np.asarray(concentration * (east * np.sin(AZIMUTHS_RAD) + north * np.cos(AZIMUTHS_RAD)))


def combined_axis(log_densities: Sequence[Float64Array], exponents: Sequence[float]) -> Axis:
    """Direction and circular SD, sqrt(-2 ln R), of the product of densities, each raised to its exponent.

    An exponent below 1 says that evidence is correlated or less sure than it claims. Densities that are flat
    everywhere give an SD above 180 degrees.
    """
    total = np.sum([e * d for e, d in zip(exponents, log_densities, strict=True)], axis=0)
    total = total - total.max()
    density = np.exp(total)
    resultant = (density * np.exp(1j * AZIMUTHS_RAD)).sum() / density.sum()
    length = min(max(abs(resultant), 1e-12), 1 - 1e-12)
    return Axis(float(np.rad2deg(np.angle(resultant)) % 360), float(np.rad2deg(np.sqrt(-2 * np.log(length)))), total)
