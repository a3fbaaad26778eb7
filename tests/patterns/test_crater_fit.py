"""Planted profiles come back; shading and one-sided collars do not drag them; where nothing is seen the prior stays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cv_pipeline.patterns.chips import OFFSETS
from cv_pipeline.patterns.crater_fit import Profile, fit_profiles
from cv_pipeline.types import Float64Array

EAST, NORTH = OFFSETS.T
BOWL = 0.85
"""Radius of the bowl relative to the core's: simulated ones have 0.6 to 1.1."""


def planted(
    centre: tuple[float, float] = (0.2, -0.15),
    radius: float = 1.1,
    stretch: tuple[float, float] = (0.0, 0.0),
    steepness: float = 2.3,
    core: float = 6.0,
    shading: tuple[float, float] = (0.0, 0.0),
    one_sided: float = 0.0,
) -> Float64Array:
    """A profile drawn by half axes and angle, which is not how the fit has it."""
    dx, dy = EAST - centre[0], NORTH - centre[1]
    size, angle = np.hypot(*stretch), np.arctan2(stretch[1], stretch[0]) / 2
    along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    distance = np.hypot(along / (radius * np.exp(size)), across / (radius * np.exp(-size)))
    far = np.hypot(EAST, NORTH)
    picture = core * 0.5 ** (distance**steepness) + 0.4 + 0.2 * EAST
    # A bowl slopes up to its rim and no farther. Shading that fell as the core does would be a shift, to any method.
    picture += core * (shading[0] * dx + shading[1] * dy) / (1 + (distance / BOWL) ** 6)
    return picture + one_sided * np.exp(-(((far - 2.3) / 0.4) ** 2)) * EAST / np.maximum(far, 1e-6)


def fitted(pictures: Float64Array, noise: float = 0.05, centre_sd: float = 0.3, seed: int = 0) -> Profile:
    rng = np.random.default_rng(seed)
    value = (np.atleast_2d(pictures) + rng.normal(0, noise, np.atleast_2d(pictures).shape)).astype(np.float32)
    n = len(value)
    seen = np.ones(value.shape, dtype=bool)
    return fit_profiles(value, seen, np.full(n, 5.0), np.full(n, centre_sd), np.zeros(n), np.full(n, 0.15))


@pytest.mark.parametrize("stretch", [(0.0, 0.0), (0.15, 0.0), (-0.1, 0.12)])
def test_profile_is_recovered(stretch: tuple[float, float]) -> None:
    found = fitted(planted(stretch=stretch), centre_sd=0.5)  # a prior that hardly holds the centre back
    np.testing.assert_allclose(found.centre[0], (0.2, -0.15), atol=0.02)
    np.testing.assert_allclose(found.stretch[0], stretch, atol=0.025)
    assert np.exp(found.log_radius[0]) == pytest.approx(1.1, rel=0.02)
    assert np.exp(found.log_steepness[0]) == pytest.approx(2.3, rel=0.08)
    assert found.core[0] == pytest.approx(6.0, rel=0.05)
    assert found.explained[0] > 0.9


def test_centroid_is_dragged_by_a_collar_and_the_fit_is_not() -> None:
    picture = planted(centre=(0.0, 0.0), one_sided=1.5)
    weight = np.clip(picture - 0.4 - 0.2 * EAST, 0, None)
    dragged = (weight * EAST).sum() / weight.sum()
    assert dragged > 0.2
    assert np.hypot(*fitted(picture).centre[0]) < 0.4 * dragged


@pytest.mark.parametrize("noise", [0.05, 1.0])
def test_shading_drags_less_than_half_of_what_it_would(noise: float) -> None:
    """A lit and a shaded side look much like a shift; the shading's term takes most of it."""
    lit = planted(centre=(0.0, 0.0), shading=(0.4, 0.0))
    weight = np.clip(lit - 0.4 - 0.2 * EAST, 0, None) * (np.hypot(EAST, NORTH) < 2)
    dragged = (weight * EAST).sum() / weight.sum()
    assert dragged > 0.08
    found = fitted(np.stack([lit] * 30), noise=noise)
    assert abs(found.centre[:, 0].mean()) < 0.5 * dragged


def test_nothing_seen_leaves_the_prior_and_its_sd() -> None:
    value, seen = np.zeros((1, len(EAST)), np.float32), np.zeros((1, len(EAST)), dtype=bool)
    found = fit_profiles(value, seen, np.array([0.0]), np.array([0.2]), np.array([0.1]), np.array([0.12]))
    np.testing.assert_allclose(found.centre[0], (0, 0), atol=1e-6)
    assert found.log_radius[0] == pytest.approx(0.1)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance[0])[:3]), (0.2, 0.2, 0.12), rtol=1e-6)


def test_noise_alone_hardly_moves_it_and_a_strong_crater_is_known_better() -> None:
    rng = np.random.default_rng(1)
    noise = fitted(np.zeros((40, len(EAST))) + rng.normal(0, 1, (40, len(EAST))), noise=0.0)
    strong = fitted(np.stack([planted()] * 40), noise=1.0)
    sd_noise, sd_strong = (np.sqrt(found.covariance[:, 0, 0]) for found in (noise, strong))
    assert np.median(sd_strong) < 0.5 * np.median(sd_noise)
    pull = (strong.centre - (0.2, -0.15)) / np.sqrt(strong.covariance[:, [0, 1], [0, 1]])
    assert 0.3 < pull.std() < 1.3  # the noise is raised on purpose, so pulls below 1 are expected of white noise


@pytest.mark.parametrize("azimuth_deg", [0.0, 35.0, 90.0, 150.0])
def test_an_ellipse_in_an_image_with_noise(azimuth_deg: float) -> None:
    """Axis ratio and azimuth of an ellipse painted in pixels of an image, under noise a fifth of the core's depth."""
    gsd_m, radius_m, ratio, side = 0.4, 2.6, 1.5, 61
    rng = np.random.default_rng(int(azimuth_deg))
    rows, cols = np.indices((side, side)) + 0.5
    east, north = (cols - side / 2) * gsd_m, (side / 2 - rows) * gsd_m
    turn = np.deg2rad(azimuth_deg)
    along, across = east * np.sin(turn) + north * np.cos(turn), east * np.cos(turn) - north * np.sin(turn)
    half_m = radius_m * np.sqrt(ratio), radius_m / np.sqrt(ratio)
    core = np.exp2(-(np.hypot(along / half_m[0], across / half_m[1]) ** 2.2))
    pictures = []
    for _ in range(20):
        image = 120 - 40 * core + rng.normal(0, 8, core.shape)
        at = [side / 2 - 0.5 - NORTH * radius_m / gsd_m, side / 2 - 0.5 + EAST * radius_m / gsd_m]
        pictures.append((120 - map_coordinates(image, at, order=1)) / 8)
    found = fitted(np.array(pictures), noise=0.0)
    size = np.hypot(*found.stretch.T)
    azimuths_deg = 90 - np.rad2deg(np.arctan2(found.stretch[:, 1], found.stretch[:, 0])) / 2
    off_deg = (azimuths_deg - azimuth_deg + 90) % 180 - 90
    assert np.median(np.abs(off_deg)) < 4
    # The prior holds ellipses back towards the circle, the more the less is seen of them.
    assert np.sqrt(ratio) * 0.94 < np.median(np.exp(size)) < np.sqrt(ratio) * 1.03
    assert np.median(np.exp(found.log_radius)) == pytest.approx(1.0, rel=0.02)
