"""Things that are not craters but look like them, drawn on purpose so that a model learns to pass them by."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.surface import Sun
from cv_pipeline.types import Float32Array


def _blob(radius_px: float, rng: np.random.Generator) -> Float32Array:
    """A ragged disc with soft edge, values 0..1, on its own square patch."""
    half = int(np.ceil(radius_px * 1.6)) + 2
    rows, cols = np.mgrid[-half : half + 1, -half : half + 1]
    azimuth = np.arctan2(cols, -rows)
    edge = np.ones_like(azimuth, dtype=np.float64)
    for order in range(2, 7):
        edge += rng.normal(0, 0.16 / order**0.5) * np.cos(order * azimuth + rng.uniform(0, 2 * np.pi))
    softness = rng.uniform(0.06, 0.25)
    distance = np.hypot(rows, cols) / (radius_px * edge)
    blob: Float32Array = (1 / (1 + np.exp((distance - 1) / softness))).astype(np.float32)
    return blob


def _blend(image: Float32Array, alpha: Float32Array, colour: Float32Array, row: float, col: float) -> None:
    """Blend ``colour`` into ``image`` where ``alpha`` (centred at row, col) says so, in place."""
    height, width = image.shape[:2]
    top, left = round(row) - alpha.shape[0] // 2, round(col) - alpha.shape[1] // 2
    r0, c0 = max(top, 0), max(left, 0)
    r1, c1 = min(top + alpha.shape[0], height), min(left + alpha.shape[1], width)
    if r0 >= r1 or c0 >= c1:
        return
    part = alpha[r0 - top : r1 - top, c0 - left : c1 - left, None]
    image[r0:r1, c0:c1] = image[r0:r1, c0:c1] * (1 - part) + part * colour


def draw_bush(image: Float32Array, row: float, col: float, gsd_m: float, sun: Sun, rng: np.random.Generator) -> None:
    """A tree or bush: green-black lobed crown with its shadow on the side away from the sun."""
    radius_m = float(np.exp(rng.uniform(np.log(0.8), np.log(5.0))))
    height_m = radius_m * rng.uniform(0.8, 2.5)
    length_px = height_m / np.tan(np.deg2rad(sun.elevation_deg)) / gsd_m
    away_row, away_col = np.cos(np.deg2rad(sun.azimuth_deg)), -np.sin(np.deg2rad(sun.azimuth_deg))
    radius_px = radius_m / gsd_m
    shadow = _blob(radius_px, rng) * rng.uniform(0.5, 0.85)
    for share in (0.35, 0.7, 1.0):
        _blend(
            image,
            shadow,
            np.array([22, 25, 32], np.float32),
            row + away_row * length_px * share,
            col + away_col * length_px * share,
        )
    level = rng.uniform(30, 95)
    crown = np.array(
        [level * rng.uniform(0.7, 1.05), level * rng.uniform(1.0, 1.3), level * rng.uniform(0.6, 0.9)], np.float32
    )
    alpha = _blob(radius_px, rng)
    alpha *= np.clip(1 + 0.15 * rng.standard_normal(alpha.shape, dtype=np.float32), 0, 1)
    _blend(image, alpha, crown, row, col)
    lit = _blob(max(radius_px * 0.5, 0.8), rng) * 0.5
    _blend(image, lit, crown * 1.6, row - away_row * radius_px * 0.35, col - away_col * radius_px * 0.35)


def draw_box(image: Float32Array, row: float, col: float, gsd_m: float, sun: Sun, rng: np.random.Generator) -> None:
    """A vehicle, shed, bale or tent: a rectangle of any colour with a cast shadow."""
    length_m, width_m, height_m = rng.uniform(2, 9), rng.uniform(1.5, 5), rng.uniform(1, 4)
    azimuth = rng.uniform(0, 180)
    reach = height_m / np.tan(np.deg2rad(sun.elevation_deg)) / gsd_m
    away = np.array([-np.sin(np.deg2rad(sun.azimuth_deg)), np.cos(np.deg2rad(sun.azimuth_deg))])
    corners = cv2.boxPoints(((col, row), (length_m / gsd_m, width_m / gsd_m), azimuth))
    shadow = cv2.convexHull(np.vstack([corners, corners + away * reach]).astype(np.float32))
    mask = np.zeros(image.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.round(shadow * 8).astype(np.int32)], 0.7, lineType=cv2.LINE_AA, shift=3)
    image[:] = image * (1 - mask[..., None]) + mask[..., None] * np.array([25, 27, 33], np.float32)
    mask[:] = 0
    cv2.fillPoly(mask, [np.round(corners * 8).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=3)
    grey = rng.uniform(40, 245)
    colour = np.clip(grey + rng.normal(0, 12, 3), 10, 255).astype(np.float32)
    image[:] = image * (1 - mask[..., None]) + mask[..., None] * colour


def draw_blotch(image: Float32Array, row: float, col: float, gsd_m: float, rng: np.random.Generator) -> None:
    """Damp soil, a puddle, burnt stubble or bare patch: an irregular soft stain, often elongated."""
    radius_px = float(np.exp(rng.uniform(np.log(2.0), np.log(14.0)))) / gsd_m
    alpha = _blob(radius_px, rng) * rng.uniform(0.15, 0.6)
    side = alpha.shape[0]
    squash = rng.uniform(0.25, 0.8)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 180), 1.0)
    squeeze = np.array([[1, 0, 0], [0, squash, side * (1 - squash) / 2], [0, 0, 1]])
    turned = (np.vstack([turn, [0, 0, 1]]) @ squeeze)[:2]
    alpha = cv2.warpAffine(alpha, turned, (side, side)).astype(np.float32, copy=False)
    ground = image[int(np.clip(row, 0, image.shape[0] - 1)), int(np.clip(col, 0, image.shape[1] - 1))]
    _blend(image, alpha, np.clip(ground * rng.uniform(0.4, 1.5), 0, 255).astype(np.float32), row, col)


def draw_track(image: Float32Array, gsd_m: float, rng: np.random.Generator) -> None:
    """A dirt track, path or tramline pair: a curved line across the image, paler or darker."""
    height, width = image.shape[:2]
    ends = rng.uniform(-0.2, 1.2, (3, 2)) * [width, height]
    t = np.linspace(0, 1, 40)[:, None]
    curve = (1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * ends[1] + t**2 * ends[2]
    mask = np.zeros((height, width), np.float32)
    thickness = max(round(rng.uniform(0.5, 4.0) / gsd_m), 1)
    offsets = (0.0,) if rng.random() < 0.6 else (-1.2 / gsd_m, 1.2 / gsd_m)
    for offset in offsets:
        points = np.round((curve + offset) * 8).astype(np.int32)
        cv2.polylines(mask, [points], False, 1.0, thickness, cv2.LINE_AA, 3)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.7) * rng.uniform(0.2, 0.8)
    tone = image.mean(axis=(0, 1)) * rng.uniform(0.6, 1.5)
    image[:] = image * (1 - mask[..., None]) + mask[..., None] * np.clip(tone, 0, 255)


def draw_distractors(image: Float32Array, gsd_m: float, sun: Sun, rng: np.random.Generator, mean_count: float) -> None:
    """A Poisson number of random distractors at random places, in place."""
    for _ in range(rng.poisson(mean_count)):
        row, col = rng.uniform(0, image.shape[0]), rng.uniform(0, image.shape[1])
        kind = rng.random()
        if kind < 0.4:
            draw_bush(image, row, col, gsd_m, sun, rng)
        elif kind < 0.6:
            draw_box(image, row, col, gsd_m, sun, rng)
        elif kind < 0.85:
            draw_blotch(image, row, col, gsd_m, rng)
        else:
            draw_track(image, gsd_m, rng)
