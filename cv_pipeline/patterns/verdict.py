"""Is it a crater, and is it new: the network's probability and the images' evidence, weighed by logistic regression.

The weights are fitted on simulated scenes by ``python scripts/fit_verdicts.py`` and kept in the model's folder
(:mod:`cv_pipeline.patterns.weights_file`). There is no list of what is no crater: a tree differs from a crater
in its colour, its shape, the shadow on one side of it and its presence before, and those are what the weights are on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.patterns.closeup.answers import CloseUp
from cv_pipeline.patterns.evidence import Evidence
from cv_pipeline.types import Float64Array

_LIMIT = 1e-4

SCORE_TERMS = (
    "peak", "radius", "core", "explained", "steepness", "elongation", "shift", "growth", "shading",
    "collar", "one_sided", "noise", "greener", "browner", "darker", "brighter", "before", "before_gone", "closeup",
)  # fmt: skip
NEW_TERMS = ("network", "before", "before_core", "gained", "closeup")
_MOST_ODDS = 8.0
_MOST_SD = 3.0  # a core that stands out more is there for certain


class Weights(NamedTuple):
    """Of a logistic regression: middle and scale by which each term is made comparable, and its weight."""

    middle: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    intercept: float


class PeakErrors(NamedTuple):
    """How far a model's peaks, and the fits that start from them, are off on simulated craters.

    Factors on the SDs of centre and radius that :mod:`~cv_pipeline.patterns.craters` states of a peak, and on those
    that :mod:`~cv_pipeline.patterns.crater_fit` states of a fit; ``close_*`` on those of the close-up network, which
    where there is one take the peaks' place.
    """

    centre: float
    radius: float
    fitted_centre: float = 1.0
    fitted_radius: float = 1.0
    close_centre: float = 1.0
    close_radius: float = 1.0


def logit(probability: Float64Array) -> Float64Array:
    """Log odds, of probabilities kept off 0 and 1."""
    p = np.clip(probability, _LIMIT, 1 - _LIMIT)
    return np.asarray(np.log(p / (1 - p)))


def score_terms(peak: Float64Array, prior: Evidence, found: Evidence, close: CloseUp | None) -> Float64Array:
    """Terms (n, len(SCORE_TERMS)) of candidates whose image was usable.

    Args:
        peak: (n,) the network's score.
        prior: what was known before the image was looked at.
        found: what the image says.
        close: what the close-up network says; None without one, which makes its term 0.
    """
    moved = found.centre_m - prior.centre_m
    return np.column_stack(
        [
            logit(peak),
            np.log(found.radius_m),
            np.log1p(np.maximum(found.core, 0)),
            found.explained,
            found.steepness,
            np.hypot(*found.stretch.T),
            np.hypot(*moved.T) / prior.centre_sd_m,
            np.log(found.radius_m / prior.radius_m) * prior.radius_m / prior.radius_sd_m,
            np.minimum(found.shading, 1.0),
            np.clip(found.collar, -1.0, 1.0),
            np.minimum(found.one_sided, 1.0),
            np.log(found.noise + 0.02),
            np.maximum(found.green, 0),
            np.maximum(-found.green, 0),
            np.maximum(-found.grey, 0),
            np.maximum(found.grey, 0),
            found.before * found.before_known,
            np.minimum(np.abs(found.before_core), 4.0) * found.before_known,
            _odds(None if close is None else close.crater, len(peak)),
        ]
    )


def new_terms(network: Float64Array, found: Evidence, close: CloseUp | None) -> Float64Array:
    """Terms (n, len(NEW_TERMS)) of craters whose before image was usable.

    ``network`` (n,) says how probably new, ``close`` what the close-up network says; None makes its term 0. What
    the before image says is in shares of the core and in SDs of its ground: a share of a faint core says little.
    """
    strength = 1 / (1 + np.exp(2 * (1.5 - found.core)))
    return np.column_stack(
        [
            logit(network),
            found.before * strength,
            np.clip(found.before_core, -_MOST_SD, _MOST_SD),
            np.clip(found.core - np.maximum(found.before_core, 0), 0, 2 * _MOST_SD),
            _odds(None if close is None else close.new, len(network)),
        ]
    )


def _odds(close: Float64Array | None, count: int) -> Float64Array:
    """Log odds of the close-up network within bounds; 0 without it."""
    return np.zeros(count) if close is None else np.clip(close, -_MOST_ODDS, _MOST_ODDS)


def probability(terms: Float64Array, weights: Weights) -> Float64Array:
    """Probabilities (n,) of terms (n, k)."""
    standard = (terms - np.array(weights.middle)) / np.array(weights.scale)
    odds = np.clip(standard @ np.array(weights.weight) + weights.intercept, -30, 30)
    return np.asarray(1 / (1 + np.exp(-odds)))


def fit(terms: Float64Array, truth: Float64Array, strength: float = 1.0, steps: int = 50) -> Weights:
    """Logistic regression by iteratively reweighted least squares, with a ridge on the weights.

    Args:
        terms: (n, k), n > k.
        truth: (n,) 0 or 1, both present.
        strength: of the ridge, on terms divided by their SD; the intercept has none.
        steps: most iterations; it stops when nothing moves.
    """
    middle, scale = terms.mean(axis=0), np.maximum(terms.std(axis=0), 1e-6)
    design = np.column_stack([(terms - middle) / scale, np.ones(len(terms))])
    ridge = np.append(np.full(terms.shape[1], strength), 0.0)
    weight = np.zeros(design.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ weight, -30, 30)))
        normal = (design * (p * (1 - p))[:, None]).T @ design + np.diag(ridge + 1e-9)
        move = np.linalg.solve(normal, design.T @ (truth - p) - ridge * weight)
        weight = weight + move
        if np.abs(move).max() < 1e-8:
            break
    return Weights(_floats(middle), _floats(scale), _floats(weight[:-1]), float(weight[-1]))


def _floats(values: Float64Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
