"""A whole simulated training sample: before, after and truth, from one seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from cv_pipeline.simulation.background import Tile, fractal_noise, parcels, read_rgb, real_ground, synthetic_field
from cv_pipeline.simulation.distractors import draw_distractors
from cv_pipeline.simulation.population import SceneStyle, draw_positions, draw_strike_at, draw_style
from cv_pipeline.simulation.render import TruthRasters, truth_rasters
from cv_pipeline.simulation.render import draw_strike_on_image as draw_strike
from cv_pipeline.simulation.sensor import acquire, draw_sensor
from cv_pipeline.simulation.strike import Strike
from cv_pipeline.simulation.surface import Sun
from cv_pipeline.types import Float32Array, Status, UInt8Array

_MARGIN_PX = 12


@dataclass(frozen=True, slots=True)
class SimulatedPair:
    """``before`` and ``after`` (size, size, 3) uint8, exact truth on the same grid, and the strikes."""

    before: UInt8Array
    after: UInt8Array
    truth: TruthRasters
    strikes: tuple[Strike, ...]
    gsd_m: float


@lru_cache(maxsize=4096)
def _cached_rgb(path: Path) -> UInt8Array:
    return read_rgb(path)


def _one_ground(
    tiles: Sequence[Tile], weights: np.ndarray, size_px: int, gsd_m: float, rng: np.random.Generator
) -> Float32Array:
    if rng.random() < 0.3:
        return synthetic_field(size_px, gsd_m, rng)
    tile = tiles[rng.choice(len(tiles), p=weights)]
    return real_ground(_cached_rgb(tile.path), tile.gsd_m, size_px, gsd_m, rng)


def _ground(
    tiles: Sequence[Tile], weights: np.ndarray, size_px: int, gsd_m: float, rng: np.random.Generator
) -> Float32Array:
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))
    grounds = [_one_ground(tiles, weights, size_px, gsd_m, rng) for _ in range(count)]
    return parcels(grounds, rng, gsd_m) if count > 1 else grounds[0]


def _seasonal_change(ground: Float32Array, gsd_m: float, rng: np.random.Generator) -> Float32Array:
    """The same ground at the other date: growth, drying, perhaps one parcel mown or ploughed."""
    size = ground.shape[0]
    changed = ground * (1 + rng.uniform(0, 0.08) * fractal_noise(size, rng, 1.5)[..., None])
    if rng.random() < 0.3:
        other = synthetic_field(size, gsd_m, rng)
        changed = parcels([changed.astype(np.float32), other], rng, gsd_m)
    return np.clip(changed, 0, 255).astype(np.float32)


def _misalign(image: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Residual misregistration after alignment: mostly under one pixel, sometimes two."""
    shift = rng.normal(0, 0.5 if rng.random() < 0.85 else 1.5, 2)
    turn = np.deg2rad(rng.normal(0, 0.15))
    matrix = np.array([[np.cos(turn), -np.sin(turn), shift[0]], [np.sin(turn), np.cos(turn), shift[1]]])
    size = image.shape[:2][::-1]
    moved = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return moved.astype(np.float32, copy=False)


def _strike_count(rng: np.random.Generator) -> int:
    if rng.random() < 0.2:
        return 0
    return int(min(1 + rng.geometric(0.28), 16))


def _strikes(after: Float32Array, style: SceneStyle, gsd_m: float, rng: np.random.Generator) -> list[Strike]:
    """Strikes for this ground; those far smaller than a pixel or bigger than the image are not drawn."""
    count = _strike_count(rng)
    if style.median_radius_m > 4.5:
        count = min(count, 3)
    spacing_m = float(rng.uniform(1.2, 2.2)) * style.median_radius_m
    positions = draw_positions(after.shape[:2], gsd_m, count, rng, spacing_m)
    strikes = [draw_strike_at(after, row, col, gsd_m, style, rng) for row, col in positions]
    old_share = float(rng.choice([0.0, 0.3, 1.0], p=[0.6, 0.3, 0.1]))
    return [replace(s, status=Status.OLD) if rng.random() < old_share else s for s in strikes]


def simulate_pair(
    tiles: Sequence[Tile], seed: tuple[int, ...], size_px: int = 128, gsd_m: float = 0.6
) -> SimulatedPair:
    """A before/after pair with truth, the same for the same ``seed`` and tiles.

    Args:
        tiles: Background tiles, at least one.
        seed: Any non-negative integers, for instance (run seed, sample number).
        size_px: Side of the square.
        gsd_m: Metres per pixel.
    """
    rng = np.random.default_rng(seed)
    weights = np.array([t.weight for t in tiles])
    full = size_px + 2 * _MARGIN_PX
    ground = _ground(tiles, weights / weights.sum(), full, gsd_m, rng)
    style = draw_style(rng)
    draw_distractors(ground, gsd_m, style.sun, rng, mean_count=float(rng.choice([0.0, 1.5, 8.0], p=[0.3, 0.45, 0.25])))
    after, before = ground, _seasonal_change(ground, gsd_m, rng)
    if rng.random() < 0.5:
        after, before = before, after
    before_sun = Sun(float(rng.uniform(0, 360)), float(rng.uniform(25, 68)))
    strikes = _strikes(after, style, gsd_m, rng)
    before, after = before.copy(), after.copy()
    for strike in strikes:
        if strike.status is Status.OLD:
            draw_strike(before, strike, gsd_m, before_sun)
        draw_strike(after, strike, gsd_m, style.sun)
    draw_distractors(after, gsd_m, style.sun, rng, mean_count=0.6)
    draw_distractors(before, gsd_m, before_sun, rng, mean_count=0.6)
    before = _misalign(before, rng)
    crop = slice(_MARGIN_PX, _MARGIN_PX + size_px)
    before_image = acquire(before, draw_sensor(rng, gsd_m))[crop, crop]
    after_image = acquire(after, draw_sensor(rng, gsd_m))[crop, crop]
    shifted = tuple(s.at(s.row_px - _MARGIN_PX, s.col_px - _MARGIN_PX) for s in strikes)
    return SimulatedPair(before_image, after_image, truth_rasters(shifted, (size_px, size_px), gsd_m), shifted, gsd_m)
