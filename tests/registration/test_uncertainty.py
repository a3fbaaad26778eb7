"""The stated SD against fits to ties with planted errors."""

from __future__ import annotations

import math

import numpy as np

from cv_pipeline.registration.similarity import apply, least_squares
from cv_pipeline.registration.uncertainty import sd_px

SHAPE = (1000, 1000)
MATRIX = np.array([[1.01, -0.02, 12.0], [0.02, 1.01, -7.0]])


def ties(rng: np.random.Generator, extent_px: float, n: int, noise_px: float) -> tuple[np.ndarray, np.ndarray]:
    source = rng.uniform(0, extent_px, (n, 2))
    return source, apply(MATRIX, source) + rng.normal(0, noise_px, (n, 2))


def test_sd_of_the_fit_is_that_of_repeated_fits_far_from_the_ties() -> None:
    rng = np.random.default_rng(2)
    axis = np.linspace(0, 1000, 9)
    places = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    errors, stated = [], []
    for _ in range(60):
        source, target = ties(rng, 200.0, 40, 0.5)  # a corner of the scene: extrapolation rules
        errors.append(apply(least_squares(source, target), places) - apply(MATRIX, places))
        stated.append(sd_px(source, target, None, SHAPE))
    true = math.sqrt(np.mean(np.square(errors)) + 0.5**2)
    assert 0.8 < np.sqrt(np.mean(np.square(stated))) / true < 1.3


def test_sd_is_at_least_the_misfit_and_grows_away_from_the_ties() -> None:
    rng = np.random.default_rng(3)
    wide = sd_px(*ties(rng, 1000.0, 100, 0.4), None, SHAPE)
    narrow = sd_px(*ties(rng, 150.0, 100, 0.4), None, SHAPE)
    assert 0.35 < wide < 0.5
    assert narrow > 1.5 * wide


def test_too_few_ties_say_nothing() -> None:
    rng = np.random.default_rng(4)
    assert sd_px(*ties(rng, 1000.0, 3, 0.1), None, SHAPE) == math.inf
