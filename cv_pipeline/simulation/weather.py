"""What is in the air at one date: haze, clouds and their shadows, smoke and dust."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from scipy.special import ndtri

from cv_pipeline.simulation.config import WeatherConfig
from cv_pipeline.simulation.light import Sun
from cv_pipeline.types import BoolArray, Float32Array

_HAZE_RGB = (148.0, 158.0, 172.0)  # air light, bluish (Rayleigh and fine aerosol), DN
_CLOUD_RGB = (236.0, 238.0, 242.0)
_CLOUD_SHADE_RGB = (0.42, 0.46, 0.55)  # light left under a thick cloud: diffuse and bluish
_HIDDEN_ALPHA = 0.6  # above this the ground under a cloud or plume cannot be judged


class Plume(NamedTuple):
    """Smoke or dust drifting from a source; positions as shares of the scene's height and width, sizes in m."""

    source: tuple[float, float]
    azimuth_deg: float
    length_m: float
    width_m: float
    alpha: float
    rgb: tuple[float, float, float]


class Weather(NamedTuple):
    """The air at one date. ``haze`` is the share of air light 0..1, ``haze_patchiness`` how much it varies.

    ``cloud_cover`` is the share of a large area under cloud, ``cloud_alpha`` how opaque clouds are,
    ``cloud_height_m`` their height above the ground.
    """

    haze: float
    haze_patchiness: float
    cloud_cover: float
    cloud_alpha: float
    cloud_height_m: float
    plumes: tuple[Plume, ...]
    seed: int


CLEAR = Weather(0.0, 0.0, 0.0, 0.0, 1.0, (), 0)


def draw_weather(rng: np.random.Generator, config: WeatherConfig) -> Weather:
    """The random weather of one date. Everything is drawn whether used or not, so that elements do not shift others."""
    haze, hazy = rng.uniform(*config.haze), rng.random() < config.haze_share
    patchiness, patchy = rng.uniform(0.3, 1.0), rng.random() < config.patchy_share
    cover, kind, height_m = rng.uniform(*config.cloud_cover), rng.random(), rng.uniform(*config.cloud_height_m)
    thin_alpha, thick_alpha = rng.uniform(0.12, 0.5), rng.uniform(0.85, 1.0)
    plumes = tuple(_draw_plume(rng, config) for _ in range(3))
    number = int(rng.integers(1, 4)) if rng.random() < config.smoke_share else 0
    thin = kind < config.thin_cloud_share
    thick = not thin and kind < config.thin_cloud_share + config.thick_cloud_share
    return Weather(
        float(haze) if hazy else 0.0,
        float(patchiness) if patchy else 0.0,
        float(cover) if thin or thick else 0.0,
        float(thin_alpha if thin else thick_alpha),
        float(height_m),
        plumes[:number],
        int(rng.integers(2**31)),
    )


def _draw_plume(rng: np.random.Generator, config: WeatherConfig) -> Plume:
    row, col = rng.uniform(-0.1, 1.1, 2)
    tones = ((202.0, 203.0, 206.0), (66.0, 64.0, 64.0), (178.0, 160.0, 132.0))  # white smoke, black smoke, dust
    tone = tones[int(rng.choice(3, p=(0.45, 0.2, 0.35)))]
    length_m = rng.uniform(*config.plume_length_m)
    return Plume(
        (float(row), float(col)),
        float(rng.uniform(0, 360)),
        float(length_m),
        float(length_m * rng.uniform(0.15, 0.5)),
        float(rng.uniform(0.2, 0.85)),
        tone,
    )


def apply_weather(scene: Float32Array, weather: Weather, sun: Sun, gsd_m: float) -> BoolArray:
    """Lay the weather over ``scene`` (height, width, 3) DN in place; True where it hides the ground.

    A cloud's shadow falls away from the sun by the cloud's height over the tangent of the sun's elevation.
    """
    shape = scene.shape[:2]
    hidden = np.zeros(shape, bool)
    rng = np.random.default_rng(weather.seed)
    place = rng.uniform(0, 1e6, 2)
    if weather.cloud_cover > 0:
        hidden |= _add_clouds(scene, weather, sun, gsd_m, place)
    for plume in weather.plumes:
        hidden |= _add_plume(scene, plume, gsd_m, weather.seed, place)
    if weather.haze > 0:
        haze: float | Float32Array = weather.haze
        if weather.haze_patchiness > 0:
            field = smooth_field(shape, gsd_m, weather.seed + 1, place, 160.0, octaves=2)
            haze = np.clip(weather.haze * (1 + weather.haze_patchiness * field), 0, 0.9)[..., None]
        scene += haze * (np.asarray(_HAZE_RGB, np.float32) - scene)
    return hidden


def _add_clouds(scene: Float32Array, weather: Weather, sun: Sun, gsd_m: float, place: np.ndarray) -> BoolArray:
    shape = scene.shape[:2]
    away_m = weather.cloud_height_m / np.tan(np.deg2rad(sun.elevation_deg))
    azimuth = np.deg2rad(sun.azimuth_deg)
    towards_sun_m = away_m * np.array([-np.cos(azimuth), np.sin(azimuth)])
    overhead = _cloud_density(shape, weather, gsd_m, place)
    shading = _cloud_density(shape, weather, gsd_m, place + towards_sun_m)  # the cloud between here and the sun
    scene *= 1.0 - (weather.cloud_alpha * shading)[..., None] * (1.0 - np.asarray(_CLOUD_SHADE_RGB, np.float32))
    alpha = weather.cloud_alpha * overhead
    scene += alpha[..., None] * (np.asarray(_CLOUD_RGB, np.float32) - scene)
    return np.asarray(alpha > _HIDDEN_ALPHA)


def _cloud_density(shape: tuple[int, int], weather: Weather, gsd_m: float, place: np.ndarray) -> Float32Array:
    """How much cloud is over each pixel, 0..1, covering ``cloud_cover`` of a large area."""
    field = smooth_field(shape, gsd_m, weather.seed, place, 220.0, octaves=5)
    threshold = np.float32(ndtri(1.0 - weather.cloud_cover))
    return np.asarray(np.clip((field - threshold) / 0.5 + 0.5, 0, 1), np.float32)


def _add_plume(scene: Float32Array, plume: Plume, gsd_m: float, seed: int, place: np.ndarray) -> BoolArray:
    shape = scene.shape[:2]
    down = ((np.arange(shape[0], dtype=np.float32) - plume.source[0] * shape[0]) * gsd_m)[:, None]
    right = ((np.arange(shape[1], dtype=np.float32) - plume.source[1] * shape[1]) * gsd_m)[None, :]
    azimuth = np.deg2rad(plume.azimuth_deg)
    along = (right * np.sin(azimuth) - down * np.cos(azimuth)) / np.float32(plume.length_m)
    field = smooth_field(shape, gsd_m, seed + 2, place, max(plume.width_m, 8.0), octaves=3)
    across = (right * np.cos(azimuth) + down * np.sin(azimuth)) / np.float32(plume.width_m) + 0.25 * field
    widening = 0.12 + np.clip(along, 0, 1.3)
    density = np.exp(-((across / widening) ** 2)) / (1.0 + 2.0 * np.clip(along, 0, None))
    density *= np.clip(along / 0.05 + 0.5, 0, 1) * np.clip((1.2 - along) / 0.5, 0, 1) * np.clip(1.0 + 0.6 * field, 0, 2)
    alpha = np.clip(1.6 * plume.alpha * density, 0, 0.95).astype(np.float32)
    scene += alpha[..., None] * (np.asarray(plume.rgb, np.float32) - scene)
    return np.asarray(alpha > _HIDDEN_ALPHA)


def smooth_field(
    shape: tuple[int, int],
    gsd_m: float,
    seed: int,
    place: np.ndarray | tuple[float, float] = (0.0, 0.0),
    wavelength_m: float = 100.0,
    octaves: int = 1,
) -> Float32Array:
    """A random field (height, width) of mean 0 and SD about 1 on an endless plane, seen from ``place`` (row, col) in m.

    The same ``seed`` is the same plane: two windows that overlap on it agree. Octaves halve the wavelength and
    lose 45 % of the amplitude each.
    """
    field = np.zeros(shape, np.float32)
    amplitudes = 0.55 ** np.arange(octaves)
    amplitudes /= np.sqrt((amplitudes**2).sum())
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for octave, amplitude in enumerate(amplitudes):
        cell_m = wavelength_m / 2 / 2**octave
        start = np.asarray(place) / cell_m
        first = np.floor(start).astype(int) - 3
        knots = [int(side * gsd_m / cell_m) + 8 for side in shape]
        lattice = _lattice(first, knots, seed + 101 * octave)
        # Blurring the lattice rounds the creases that linear interpolation leaves; 3.5 restores the SD.
        lattice = np.asarray(cv2.GaussianBlur(lattice, (5, 5), 0.9), np.float32) * np.float32(3.5 * amplitude)
        step = gsd_m / cell_m
        matrix = np.array([[step, 0.0, start[1] - first[1]], [0.0, step, start[0] - first[0]]])
        if step < 0.02:  # OpenCV interpolates in 1/32 px, which a long wavelength would show as steps
            lattice = np.asarray(cv2.resize(lattice, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC), np.float32)
            matrix = 8 * matrix + np.array([[0, 0, 3.5], [0, 0, 3.5]])
        field += cv2.warpAffine(lattice, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)
    return field


def _lattice(first: np.ndarray, knots: list[int], seed: int) -> Float32Array:
    """Independent standard normal values at integer places, the same for a place however it is reached."""
    rows = (np.arange(knots[0]) + first[0]).astype(np.uint64)[:, None]
    cols = (np.arange(knots[1]) + first[1]).astype(np.uint64)[None, :]
    total = np.zeros((knots[0], knots[1]), np.float32)
    with np.errstate(over="ignore"):
        mixed = rows * np.uint64(0x9E3779B97F4A7C15) + cols * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(seed)
        # SplitMix64 (Steele et al. 2014, doi:10.1145/2714064.2660195)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    for part in range(4):  # four 16-bit uniforms make a near normal value
        total += ((mixed >> np.uint64(16 * part)) & np.uint64(0xFFFF)).astype(np.float32)
    return (total / np.float32(65535) - np.float32(2.0)) * np.float32(np.sqrt(3.0))
