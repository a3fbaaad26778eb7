"""The local correction follows planted relief, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.registration.local import Bend, find_bend
from cv_pipeline.registration.similarity import Fit, apply, fit_similarity
from cv_pipeline.registration.windows import Matches

SIDE = 128


def ties(relief_px: float, wavelength_px: float, noise_px: float, seed: int = 0) -> tuple[Matches, Fit, np.ndarray]:
    """Matches over 1024 px, what the fit leaves without noise (n, 2), an eighth of the matches being wrong."""
    rng = np.random.default_rng(seed)
    axis = np.linspace(64, 960, 14)
    target = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    wave = np.sin(2 * np.pi * target[:, 0] / wavelength_px + 1) * np.cos(2 * np.pi * target[:, 1] / wavelength_px)
    relief = relief_px * wave[:, None] * (0.8, 0.6)
    noise = rng.normal(0, noise_px, target.shape)
    wrong = rng.random(len(target)) < 0.12
    noise[wrong] = rng.uniform(-30, 30, (wrong.sum(), 2))
    matches = Matches(target - relief - noise, target, len(target), SIDE)
    fit = fit_similarity(matches.source, matches.target)
    assert fit is not None
    return matches, fit, target - apply(fit.matrix, target - relief)


def rms(left: np.ndarray) -> float:
    return float(np.sqrt((left**2).sum(axis=1).mean()))


@pytest.mark.parametrize(
    ("relief_px", "wavelength_px", "noise_px"), [(1.0, 600, 0.15), (3.0, 600, 0.15), (4.0, 1500, 0.3)]
)
def test_planted_relief_is_followed(relief_px: float, wavelength_px: float, noise_px: float) -> None:
    matches, fit, true = ties(relief_px, wavelength_px, noise_px)
    bend, used = find_bend(matches, fit, matches.target - apply(fit.matrix, matches.source))
    assert bend is not None
    assert used.mean() > 0.8
    assert rms(true - bend.at(matches.target)) < 0.4 * rms(true)


@pytest.mark.parametrize("noise_px", [0.1, 0.5])
def test_noise_is_not_followed(noise_px: float) -> None:
    for seed in range(2):
        matches, fit, _ = ties(0.0, 600, noise_px, seed)
        bend, used = find_bend(matches, fit, matches.target - apply(fit.matrix, matches.source))
        assert bend is None
        np.testing.assert_array_equal(used, fit.used)


def test_roofs_that_lean_are_no_relief() -> None:
    matches, _, _ = ties(0.0, 600, 0.1)
    village = (matches.target < 350).all(axis=1)
    leaning = matches._replace(source=matches.source - np.where(village, 3.0, 0.0)[:, None] * (1.0, 0.0))
    found = fit_similarity(leaning.source, leaning.target)
    assert found is not None
    bend, _ = find_bend(leaning, found, leaning.target - apply(found.matrix, leaning.source))
    assert bend is None


def test_a_bend_ends_where_no_tie_is_near() -> None:
    matches, _, _ = ties(0.0, 600, 0.1)
    bend = Bend(matches.target, np.tile([2.0, -1.0], (len(matches.target), 1)), 0.1)
    np.testing.assert_allclose(bend.at(np.array([[500.0, 500.0]])), [[2.0, -1.0]], atol=1e-6)
    np.testing.assert_allclose(bend.at(np.array([[5000.0, 500.0]])), [[0.0, 0.0]], atol=1e-9)
