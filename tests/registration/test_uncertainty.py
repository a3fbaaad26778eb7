"""The stated SD against fits to ties with planted errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cv_pipeline.registration.similarity import apply, least_squares
from cv_pipeline.registration.uncertainty import lean_px, sd_px

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


def leaning(rng: np.random.Generator, heights_px: np.ndarray, azimuth_deg: float = 25.0) -> np.ndarray:
    """What a fit to their mean leaves at matches so high, seen from two sides."""
    turn = math.radians(azimuth_deg)
    line = np.array([math.cos(turn), math.sin(turn)])
    return (heights_px - heights_px.mean())[:, None] * line + rng.normal(0, 0.1, (len(heights_px), 2))


def test_matches_on_roofs_alone_say_how_far_the_ground_may_be() -> None:
    rng = np.random.default_rng(5)
    found, true = [], []
    for azimuth_deg in np.linspace(0, 175, 30):
        heights_px = rng.gamma(4.0, 0.4, 90)  # mean 1.6, SD 0.8
        found.append(lean_px(leaning(rng, heights_px, azimuth_deg)))
        true.append(heights_px.mean())
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.15)


def test_a_few_roofs_among_ground_count_for_nothing() -> None:
    rng = np.random.default_rng(6)
    heights_px = np.r_[np.zeros(80), rng.uniform(1, 4, 15)]
    assert lean_px(leaning(rng, heights_px)) < 0.2


def test_noise_alike_in_all_directions_is_no_lean() -> None:
    rng = np.random.default_rng(7)
    found = [lean_px(rng.normal(0, 0.5, (n, 2))) for n in (8, 30, 100, 400) for _ in range(50)]
    assert np.mean(np.array(found) > 0) < 0.1
    assert lean_px(np.zeros((0, 2))) == lean_px(np.zeros((40, 2))) == 0.0
