"""What the images say about each candidate: a better centre and radius, and whether it looks like a crater."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np

from cv_pipeline.frame import LocalFrame
from cv_pipeline.patterns.chips import OFFSETS, SIDE, Chips, read_chips, units_m
from cv_pipeline.patterns.contrast import Contrast, contrast
from cv_pipeline.patterns.crater_fit import Profile, fit_profiles
from cv_pipeline.patterns.neighbours import foreign, touching
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.types import AlignedPair, BoolArray, Float32Array, Float64Array

_SHIFTS = [(row, col) for row in (-3, 0, 3) for col in (-3, 0, 3)]
"""Where the crater is looked for in the before image, in samples: registration leaves up to a pixel or two."""
_NEAR = np.hypot(OFFSETS[:, 0], OFFSETS[:, 1]) <= 2.0
_LEAST_AMPLITUDE = 0.5  # in SDs of the ground; below, a ratio of amplitudes says nothing


@dataclass(frozen=True, slots=True)
class Evidence:
    """Fits of n candidates, each (n,) or (n, 2); positions and lengths in metres, x east and y north.

    Where the image could not be used, ``usable`` is False, the first four are what was known before, and all else is 0.
    ``stretch`` is ln(half axis / radius) of the ellipse as in :class:`~cv_pipeline.patterns.crater_fit.Profile`, and
    ``stretch_sd`` its SD. ``core`` is the core's amplitude in SDs of the ground and ``explained`` how much of what is
    seen near the centre the fitted crater is. ``shading``, ``collar`` (mean of both collars) and ``one_sided`` (their
    first harmonic) are relative to the core. ``noise`` is the SD left relative to the core. ``green`` is by how much
    the core is greener than the ground, ``grey`` the logarithm of its brightness relative to it. ``before`` is the
    amplitude of the same profile in the before image relative to that in the after image, ``before_core`` in SDs of
    its ground; 0 without one.
    """

    centre_m: Float64Array
    centre_sd_m: Float64Array
    radius_m: Float64Array
    radius_sd_m: Float64Array
    usable: BoolArray
    stretch: Float64Array
    stretch_sd: Float64Array
    steepness: Float64Array
    core: Float64Array
    explained: Float64Array
    shading: Float64Array
    collar: Float64Array
    one_sided: Float64Array
    noise: Float64Array
    green: Float64Array
    grey: Float64Array
    before: Float64Array
    before_core: Float64Array
    before_known: BoolArray

    def take(self, index: np.ndarray) -> Evidence:
        """The candidates at ``index``, in its order."""
        return Evidence(*(getattr(self, field.name)[index] for field in fields(self)))


def no_evidence(
    centre_m: Float64Array, centre_sd_m: Float64Array, radius_m: Float64Array, radius_sd_m: Float64Array
) -> Evidence:
    """Evidence of n candidates whose images are not there: what is known, and nothing new."""
    n = len(radius_m)
    known: dict[str, Any] = {
        "centre_m": centre_m,
        "centre_sd_m": centre_sd_m,
        "radius_m": radius_m,
        "radius_sd_m": radius_sd_m,
    }
    rest: dict[str, Any] = {field.name: np.zeros(n) for field in fields(Evidence) if field.name not in known}
    rest |= {"stretch": np.zeros((n, 2)), "usable": np.zeros(n, bool), "before_known": np.zeros(n, bool)}
    return Evidence(**rest, **{name: values.copy() for name, values in known.items()})


def look(
    aligned: AlignedPair,
    frame: LocalFrame,
    prior: Evidence,
    peak: Float64Array,
    maybe_new: BoolArray,
    *,
    use_before: bool,
) -> Evidence:
    """Fit every candidate in the images; arguments and errors as of :func:`looks`."""
    return merged(prior, looks(aligned, frame, prior, peak, maybe_new, use_before=use_before))


class Look(NamedTuple):
    """Evidence (m,) of the candidates ``which`` (m,)."""

    which: np.ndarray
    evidence: Evidence


def looks(
    aligned: AlignedPair,
    frame: LocalFrame,
    prior: Evidence,
    peak: Float64Array,
    maybe_new: BoolArray,
    *,
    use_before: bool,
    share: Share = ALL,
) -> Iterator[Look]:
    """Fit candidates in the images, a batch at a time; in all shares together each comes once.

    Args:
        aligned: the images.
        frame: the after image's local frame.
        prior: what is known of the candidates, from :func:`no_evidence`.
        peak: (n,) scores of the candidates' peaks.
        maybe_new: (n,) False where the crater is thought to be in the before image as well.
        use_before: False where there is no before image or it cannot be trusted.
        share: which of the batches to fit; what touches a crater is looked for among all candidates.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    unit_m = units_m(prior.radius_m, aligned.pair.after.grid.gsd_m)
    pairs = touching(prior.centre_m, prior.radius_m, peak, unit_m)
    for read in read_chips(aligned, frame, prior.centre_m, unit_m, use_before=use_before, share=share):
        own = ~foreign(pairs, read.index, prior.centre_m, prior.radius_m, unit_m)
        chips = replace(read, after_seen=read.after_seen & own, before_seen=read.before_seen & own)
        seen = contrast(chips, maybe_new[chips.index])
        here = prior.take(chips.index)
        profile = fit_profiles(
            seen.value,
            seen.seen,
            seen.amplitude,
            here.centre_sd_m / chips.unit_m,
            np.log(here.radius_m / chips.unit_m),
            here.radius_sd_m / here.radius_m,
        )
        yield Look(chips.index, _evidence(here, chips, seen, profile))


def merged(prior: Evidence, found: Iterable[Look]) -> Evidence:
    """What is known of all candidates once they were looked at."""
    whole = prior.take(np.arange(len(prior.radius_m)))
    for which, evidence in found:
        for field in fields(Evidence):
            getattr(whole, field.name)[which] = getattr(evidence, field.name)
    return whole


def widened(found: Evidence, centre: float, radius: float) -> Evidence:
    """The same with the SDs of centre and radius multiplied where the image was usable."""
    factors = (np.where(found.usable, factor, 1.0) for factor in (centre, radius))
    centre_sd_m, radius_sd_m = (sd * f for sd, f in zip((found.centre_sd_m, found.radius_sd_m), factors, strict=True))
    return replace(found, centre_sd_m=centre_sd_m, radius_sd_m=radius_sd_m)


def _evidence(prior: Evidence, chips: Chips, seen: Contrast, profile: Profile) -> Evidence:
    """Evidence of one batch; the prior where it is not usable."""
    core = np.maximum(np.abs(profile.core), _LEAST_AMPLITUDE)
    covariance = profile.covariance
    radius_m = chips.unit_m * np.exp(profile.log_radius)
    harmonics = np.hypot(profile.collar[:, [1, 4]], profile.collar[:, [2, 5]])
    before = _amplitude_before(seen.before, profile.template)
    known = seen.before_known & seen.usable
    fitted = Evidence(
        prior.centre_m + profile.centre * chips.unit_m[:, None],
        chips.unit_m * np.sqrt((covariance[:, 0, 0] + covariance[:, 1, 1]) / 2),
        radius_m,
        radius_m * np.sqrt(covariance[:, 2, 2]),
        seen.usable,
        profile.stretch,
        np.sqrt((covariance[:, 3, 3] + covariance[:, 4, 4]) / 2),
        profile.log_steepness,
        profile.core,
        profile.explained,
        np.hypot(*profile.shading.T) / core,
        profile.collar[:, [0, 3]].mean(axis=1) / core,
        harmonics.mean(axis=1) / core,
        np.sqrt(profile.noise) / core,
        _greenness(seen.core_dn) - _greenness(seen.ground_dn),
        np.log((seen.core_dn.mean(axis=1) + 5) / (seen.ground_dn.mean(axis=1) + 5)),
        np.where(known, np.clip(before / core, -1.0, 2.0), 0.0),
        np.where(known, before, 0.0),
        known,
    )
    merged = []
    for field in fields(Evidence):
        new, old = getattr(fitted, field.name), getattr(prior, field.name)
        merged.append(np.where(seen.usable[:, None] if new.ndim == 2 else seen.usable, new, old))
    return Evidence(*merged)


def _greenness(colour_dn: Float64Array) -> Float64Array:
    """Excess green relative to brightness (n,), of colours (n, 3)."""
    red, green, blue = colour_dn.T
    return np.asarray((2 * green - red - blue) / (red + green + blue + 15))


def _amplitude_before(picture: Float32Array, template: Float32Array) -> Float64Array:
    """Greatest amplitude (n,) of the fitted core in the before image, about its place; its level is taken off."""
    squares = template.reshape(-1, SIDE, SIDE)
    best = np.full(len(picture), -np.inf)
    for shift in _SHIFTS:
        moved = np.roll(squares, shift, axis=(1, 2)).reshape(len(picture), -1)[:, _NEAR]
        moved = moved - moved.mean(axis=1, keepdims=True)
        amplitude = (moved * picture[:, _NEAR]).sum(axis=1) / np.maximum((moved * moved).sum(axis=1), 1e-6)
        best = np.maximum(best, amplitude)
    return best.astype(np.float64)
