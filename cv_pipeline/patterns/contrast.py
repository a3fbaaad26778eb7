"""One number per sample: along which mix of colours (and dates) a crater stands out most from the ground around it.

Fisher's linear discriminant (doi:10.1111/j.1469-1809.1936.tb02137.x) between the core and the ground from 1.7 units on.
With a before image in which the crater is not, that image's colours enter as well: what lay there before is then taken
off the noise. Which wins is decided crater by crater.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.chips import OFFSETS, Chips
from cv_pipeline.types import BoolArray, Float32Array, Float64Array

_DISTANCE = np.hypot(OFFSETS[:, 0], OFFSETS[:, 1])
_CORE = np.where(_DISTANCE < 1.2, np.exp(-(_DISTANCE**2)), 0.0)
_GROUND = (_DISTANCE > 1.7).astype(np.float64)
_FLOOR_DN = 1.5  # rounding and compression: no ground is smoother
_SHRINK = 0.02  # towards equal variance of all colours; hundreds of samples, so little is needed
_LEAST_SEEN = 0.5  # share of the core and of the ground that must be seen


class Contrast(NamedTuple):
    """Scalar pictures (n, samples) in SDs of the ground, 0 on average there, and what they are made of.

    ``value`` is of the after image (with the before image taken off where that helps), ``seen`` says where it is known,
    ``amplitude`` (n,) is the core's, never negative. ``before`` is the before image along the mix of colours that shows
    the crater best in the after image, ``before_known`` (n,) whether there is one. ``usable`` (n,) is False where too
    little is seen; values are then 0. ``ground_dn`` and ``core_dn`` are mean colours (n, 3).
    """

    value: Float32Array
    seen: BoolArray
    amplitude: Float64Array
    before: Float32Array
    before_known: BoolArray
    usable: BoolArray
    ground_dn: Float64Array
    core_dn: Float64Array


def contrast(chips: Chips, maybe_new: BoolArray) -> Contrast:
    """Contrast of chips.

    Args:
        chips: colours around n centres.
        maybe_new: (n,) False where the crater is known to be in the before image too, which is then not taken off.
    """
    seen = chips.after_seen
    both = seen & chips.before_seen
    usable = _enough(seen)
    paired = _enough(both)
    alone, alone_amplitude, mix, means = _discriminate(chips.after, seen, 3)
    value, amplitude = alone, alone_amplitude
    if paired.any():
        stacked = np.concatenate([chips.after, chips.before], axis=-1)[paired]
        joint, joint_amplitude, _, _ = _discriminate(stacked, both[paired], 3)
        better = (joint_amplitude > alone_amplitude[paired]) & maybe_new[paired]
        chosen = np.nonzero(paired)[0][better]
        value, amplitude, seen = value.copy(), amplitude.copy(), seen.copy()
        value[chosen], amplitude[chosen], seen[chosen] = joint[better], joint_amplitude[better], both[chosen]
    known = usable[:, None]
    return Contrast(
        np.where(known & seen, value, 0).astype(np.float32),
        known & seen,
        np.where(usable, amplitude, 0.0),
        _along(chips.before, chips.before_seen, mix),
        paired,
        usable,
        *means,
    )


def _enough(seen: BoolArray) -> BoolArray:
    """(n,) whether at least half of the core and half of the ground are seen."""
    return np.asarray((seen @ _CORE >= _LEAST_SEEN * _CORE.sum()) & (seen @ _GROUND >= _LEAST_SEEN * _GROUND.sum()))


def _means(colours: Float32Array, weight: Float64Array) -> Float64Array:
    """Weighted means (n, c) over the samples."""
    total = np.maximum(weight.sum(axis=1), 1e-9)
    return np.asarray(np.matmul(weight[:, None, :].astype(np.float32), colours)[:, 0] / total[:, None], np.float64)


def _covariance(centred: Float32Array, weight: Float64Array) -> Float64Array:
    """Weighted covariance (n, c, c), shrunk."""
    share = (weight / np.maximum(weight.sum(axis=1), 1e-9)[:, None]).astype(np.float32)
    raw = np.matmul((centred * share[..., None]).transpose(0, 2, 1), centred).astype(np.float64)
    size = raw.shape[-1]
    mean_variance = np.trace(raw, axis1=1, axis2=2) / size
    return np.asarray(raw + (_FLOOR_DN**2 + _SHRINK * mean_variance)[:, None, None] * np.eye(size))


def _discriminate(
    colours: Float32Array, seen: BoolArray, signal: int
) -> tuple[Float64Array, Float64Array, Float64Array, tuple[Float64Array, Float64Array]]:
    """Scalar picture, the core's amplitude in it, the mix (n, c), and the means of ground and core.

    Only the first ``signal`` colours are expected to differ in the core.
    """
    ground_weight, core_weight = (np.asarray(seen * part, np.float64) for part in (_GROUND, _CORE))
    ground, core = _means(colours, ground_weight), _means(colours, core_weight)
    centred = (colours - ground[:, None, :]).astype(np.float32)
    covariance = _covariance(centred, ground_weight)
    difference = core - ground
    difference[:, signal:] = 0.0
    mix = np.linalg.solve(covariance, difference[..., None])[..., 0]
    spread = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", mix, covariance, mix), 1e-12))
    mix = mix / spread[:, None]
    picture = np.matmul(centred, mix[..., None].astype(np.float32))[..., 0]
    return picture, np.einsum("ni,ni->n", mix, difference), mix, (ground[:, :3], core[:, :3])


def _along(colours: Float32Array, seen: BoolArray, mix: Float64Array) -> Float32Array:
    """A date's colours along a mix, less the ground's mean, in SDs of that date's ground; 0 where unseen."""
    weight = np.asarray(seen * _GROUND, np.float64)
    centred = (colours - _means(colours, weight)[:, None, :]).astype(np.float32)
    covariance = _covariance(centred, weight)
    spread = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", mix, covariance, mix), 1e-12))
    picture = np.matmul(centred, (mix / spread[:, None])[..., None].astype(np.float32))[..., 0]
    return np.where(seen, picture, 0).astype(np.float32)
