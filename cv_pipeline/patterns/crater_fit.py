"""A crater's profile fitted to the image: centre, radius, ellipse and their covariance, many craters at once.

The picture is the sum of a core that falls from its centre as ``2 ** -(distance ** steepness)`` in elliptical
distance (one half at the edge, the crater's radius), a shading of the bowl that is antisymmetric about the centre, a
level plane, and collars around with a first harmonic each, as thrown soil and shadows lie unevenly. The core is
symmetric, so neither a lit and a shaded side nor an uneven collar drags the centre.

Maximum a posteriori by Gauss-Newton (Nocedal and Wright 2006, doi:10.1007/978-0-387-40065-5), residuals weighted by
Huber's function (doi:10.1214/aoms/1177703732). The priors are the network's centre and radius with their SDs: where the
image says nothing the network's answer stays, with its SD. Neighbouring samples are not independent, so the
noise is raised by their measured correlation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.chips import OFFSETS, SIDE
from cv_pipeline.types import BoolArray, Float32Array, Float64Array

_EAST, _NORTH = OFFSETS.astype(np.float32).T
_LN2 = np.float32(np.log(2))
_STEEPNESS = 2.1
"""Prior median of the steepness: 2 is a Gaussian, table families have 1.8 to 2.3 (datasets/crater_appearance), drawn
craters 2.2 with a log SD of 0.17 before they are blurred."""
_STEEPNESS_LOG_SD = 0.2
_STRETCH_SD = 0.08
"""Prior SD of each component of the ellipse, ln(half axis / radius); drawn craters have |N(0, 0.1)|."""
_SHADING_SD = 0.4
"""Prior SD of the shading relative to the core: a bowl that a low sun lights is as bright on one side as it is dark."""
_CORE_UNITS, _WHOLE, _CUT_SHADING = 1.2, 0.95, 0.1
"""Where less than this share of the core is seen, shading's prior is as much tighter."""
_SHADE_FALL = np.float32(0.95**-3.5)
"""Shading ends at the rim, within which a bowl slopes: the mean first harmonic towards the sun of simulated craters."""
_PLANE_SD, _LEVEL_SD, _COLLAR_SD = 1.5, 3.0, 0.4
_ITERATIONS = 4
_HUBER = 2.0
_LARGEST_STEP = np.array([0.3, 0.3, 0.25, 0.15, 0.15, 0.3])
_BOUNDS = np.array([[-0.9, 0.9], [-0.9, 0.9], [-0.6, 0.6], [-0.4, 0.4], [-0.4, 0.4], [np.log(1.1), np.log(7.0)]])
_SHAPE, _CORE = 6, 6  # shape parameters come first, then the core's amplitude, two shadings, what lies around
_INFLATION = 3.0
"""Times the square root of the correlation area: gives SDs that hold on simulation (scripts/check_craters.py)."""


def _surroundings() -> Float32Array:
    """What lies around, fixed to the chip (9, samples): level, plane, two collars with a first harmonic each."""
    distance = np.hypot(_EAST, _NORTH)
    unit = np.maximum(distance, 1e-6)
    collars = [np.exp(-(((distance - at) / 0.5) ** 2)) for at in (1.9, 2.7)]
    parts: list[np.ndarray] = [np.ones_like(_EAST), _EAST / 3, _NORTH / 3]
    for collar in collars:
        parts += [collar, collar * _EAST / unit, collar * _NORTH / unit]
    return np.stack(parts).astype(np.float32)


_AROUND = _surroundings()
_COUNT = _SHAPE + 3 + len(_AROUND)


class Profile(NamedTuple):
    """Fitted profiles, n of them; lengths in the chip's unit.

    ``centre`` (n, 2) is the shift east and north from the chip's middle. ``log_radius`` (n,) is of the circle with the
    ellipse's area, ``stretch`` (n, 2) the ellipse: half axes are radius * exp(+-|stretch|), and the longer one lies at
    the angle atan2(stretch[1], stretch[0]) / 2 from east towards north. ``core``, ``shading`` (n, 2) and ``collar``
    (n, 6) are amplitudes in SDs of the ground. ``covariance`` (n, 6, 6) is of centre, log radius, stretch and log
    steepness. ``noise`` (n,) is the variance left, ``explained`` (n,) the share of the squared signal within 1.5 units
    that core and shading take away.
    """

    centre: Float64Array
    log_radius: Float64Array
    stretch: Float64Array
    log_steepness: Float64Array
    core: Float64Array
    shading: Float64Array
    collar: Float64Array
    covariance: Float64Array
    noise: Float64Array
    explained: Float64Array
    template: Float32Array
    """(n, samples) the fitted core at amplitude 1."""


def fit_profiles(
    value: Float32Array,
    seen: BoolArray,
    amplitude: Float64Array,
    centre_sd: Float64Array,
    log_radius: Float64Array,
    log_radius_sd: Float64Array,
) -> Profile:
    """Fit n pictures.

    Args:
        value: (n, samples) in SDs of the ground.
        seen: (n, samples) which of them are known.
        amplitude: (n,) first guess of the core's amplitude.
        centre_sd: (n,) prior SD of the centre per axis, in units.
        log_radius: (n,) prior logarithm of the radius in units, 0 where the unit is the radius.
        log_radius_sd: (n,) its prior SD.

    Returns:
        Where nothing is seen, the priors.
    """
    n = len(value)
    mean = np.zeros((n, _COUNT))
    mean[:, 2], mean[:, 5], mean[:, _CORE] = log_radius, np.log(_STEEPNESS), amplitude
    sd = np.empty((n, _COUNT))
    sd[:, :2], sd[:, 2], sd[:, 3:5], sd[:, 5] = centre_sd[:, None], log_radius_sd, _STRETCH_SD, _STEEPNESS_LOG_SD
    sd[:, _CORE] = np.maximum(10 * np.abs(amplitude), 5)
    sd[:, 9:12], sd[:, 12:] = (_LEVEL_SD, _PLANE_SD, _PLANE_SD), _COLLAR_SD
    at = mean.copy()
    noise = np.ones(n)
    weight = seen.astype(np.float32)
    core = np.hypot(_EAST, _NORTH) < _CORE_UNITS
    # Shading and a shift cannot be told apart in a part of a crater.
    whole = np.where(seen[:, core].mean(axis=1) < _WHOLE, _CUT_SHADING, 1.0)
    for step in range(_ITERATIONS + 1):
        sd[:, 7:9] = (_SHADING_SD * whole * np.maximum(np.abs(at[:, _CORE]), 0.5))[:, None]
        columns = _columns(at)
        residual = value - np.matmul(at[:, None, _SHAPE:].astype(np.float32), columns[:, _SHAPE:])[:, 0]
        inflation = np.ones(n)
        if step:
            robust = np.abs(residual) / np.sqrt(noise)[:, None].astype(np.float32)
            weight = seen / np.maximum(1, robust / np.float32(_HUBER))
            noise = 1.1 * np.maximum((weight * residual**2).sum(axis=1) / np.maximum(weight.sum(axis=1), 1), 0.05)
            inflation = np.maximum(_INFLATION * np.sqrt(_correlation_area(residual * weight)), 1.0)
        precision = 1 / (noise * inflation)
        weighted = columns * weight[:, None, :].astype(np.float32)
        normal = np.matmul(weighted, columns.transpose(0, 2, 1)) * precision[:, None, None]
        normal[:, np.arange(_COUNT), np.arange(_COUNT)] += 1 / sd**2
        if step == _ITERATIONS:  # only the covariance and what is left at the final place
            break
        pull = np.matmul(weighted, residual[..., None])[..., 0] * precision[:, None] + (mean - at) / sd**2
        move = np.linalg.solve(normal, pull[..., None])[..., 0]
        move[:, :_SHAPE] = np.clip(move[:, :_SHAPE], -_LARGEST_STEP, _LARGEST_STEP)
        at = at + move
        at[:, :_SHAPE] = np.clip(at[:, :_SHAPE], *_BOUNDS.T)
    covariance = np.linalg.inv(normal)[:, :_SHAPE, :_SHAPE]
    template = columns[:, _CORE]
    own = np.matmul(at[:, None, _CORE:9].astype(np.float32), columns[:, _CORE:9])[:, 0]
    return Profile(
        at[:, :2], at[:, 2], at[:, 3:5], at[:, 5], at[:, _CORE], at[:, 7:9], at[:, 12:],
        covariance, noise, _explained(residual, own, seen), template,
    )  # fmt: skip


def _explained(residual: Float32Array, own: Float32Array, seen: BoolArray) -> Float64Array:
    """Share (n,) of the squared signal within 1.5 units that the crater's own terms take away; 0..1."""
    near = seen & (np.hypot(_EAST, _NORTH) <= 1.5)
    left, with_own = ((near * part**2).sum(axis=1) for part in (residual, residual + own))
    return np.asarray(np.clip(1 - left / np.maximum(with_own, 1e-9), 0, 1), np.float64)


def _columns(at: Float64Array) -> Float32Array:
    """The model's derivatives (n, parameters, samples); those of the amplitudes are the model's terms themselves."""
    east, north, scale, a, b, log_k = (at[:, i, None].astype(np.float32) for i in range(_SHAPE))
    dx, dy = _EAST - east, _NORTH - north
    size2 = a * a + b * b
    size = np.sqrt(size2) + np.float32(1e-6)
    wide, ratio = np.cosh(2 * size), np.sinh(2 * size) / size
    bend = np.where(size2 > 1e-4, (2 * wide - ratio) / np.maximum(size2, 1e-9), np.float32(8 / 3))
    round2, plus, cross = dx * dx + dy * dy, dx * dx - dy * dy, 2 * dx * dy
    shrink = np.exp(-2 * scale)
    lean = a * plus + b * cross
    relative2 = np.maximum(shrink * (wide * round2 - ratio * lean), np.float32(1e-3))
    half_k = np.exp(log_k) / 2
    log2 = np.log(relative2)
    power = np.exp(half_k * log2)
    core = np.exp(-_LN2 * np.minimum(power, 40))
    slope = (-_LN2) * half_k * power * core * at[:, _CORE, None].astype(np.float32)  # times relative2, its derivative
    per_area = slope / relative2
    shade = np.exp(-np.minimum(_SHADE_FALL * relative2**1.75, 40))
    columns = np.empty((len(at), _COUNT, len(_EAST)), np.float32)
    columns[:, 0] = per_area * (-2 * shrink) * (wide * dx - ratio * (a * dx + b * dy))
    columns[:, 1] = per_area * (-2 * shrink) * (wide * dy - ratio * (b * dx - a * dy))
    columns[:, 2] = -2 * slope
    columns[:, 3] = per_area * shrink * (2 * ratio * a * round2 - bend * a * lean - ratio * plus)
    columns[:, 4] = per_area * shrink * (2 * ratio * b * round2 - bend * b * lean - ratio * cross)
    columns[:, 5] = slope * log2
    columns[:, _CORE], columns[:, 7], columns[:, 8] = core, dx * shade, dy * shade
    columns[:, 9:] = _AROUND
    return columns


def _correlation_area(residual: Float32Array) -> Float64Array:
    """How many samples say the same (n,), from the correlation of neighbours along both axes of the chip."""
    picture = residual.reshape(-1, SIDE, SIDE)
    variance = (picture**2).mean(axis=(1, 2)) + 1e-9
    area = np.ones(len(picture))
    for first, second in ((picture[:, :, 1:], picture[:, :, :-1]), (picture[:, 1:], picture[:, :-1])):
        correlation = np.clip((first * second).mean(axis=(1, 2)) / variance, 0.0, 0.93)
        area *= (1 + correlation) / (1 - correlation)
    return area
