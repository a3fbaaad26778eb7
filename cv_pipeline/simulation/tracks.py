"""Lines on the ground: dirt tracks, paths, ditches and field roads, as curves in pixels."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.shapes import beside
from cv_pipeline.types import Float32Array, Float64Array, UInt8Array

_SUB = 4
"""Binary places of a pixel that OpenCV draws lines with."""


def bend(start: Float64Array, middle: Float64Array, end: Float64Array, points: int = 32) -> Float64Array:
    """A quadratic curve (points, 2) in (row, col) pixels."""
    t = np.linspace(0, 1, points)[:, None]
    curve: Float64Array = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    return curve


def wander(curve: Float64Array, amplitude_px: float, rng: np.random.Generator) -> Float64Array:
    """``curve`` with smooth sideways deviations, as drivers steer."""
    t = np.linspace(0, 1, len(curve))
    off = sum(rng.normal(0, 1 / k) * np.sin(np.pi * k * t + rng.uniform(0, 6.3)) for k in (2, 3, 5, 7))
    return beside(curve, -amplitude_px * np.asarray(off))


def line_mask(shape: tuple[int, int], curve: Float64Array, width_px: float) -> Float32Array:
    """Coverage (h, w) 0..1 of a line of ``width_px``; a line thinner than a pixel covers part of it."""
    mask, scale = _line_levels(shape, curve, width_px)
    return mask.astype(np.float32) * np.float32(scale)


def _line_levels(shape: tuple[int, int], curve: Float64Array, width_px: float) -> tuple[UInt8Array, float]:
    """A line's coverage as 0..255 (h, w), and the factor that makes it a share."""
    mask = np.zeros(shape, np.uint8)
    # OpenCV's anti-aliased lines cover about 1.35 px at thickness 1 and 1.4 px more than an even thickness.
    thickness = 1 if width_px < 2.4 else max(2 * round((width_px - 1.4) / 2), 2)
    covered_px = 1.35 if thickness == 1 else thickness + 1.4
    points = np.round((curve[:, ::-1] - 0.5) * 2**_SUB).astype(np.int32)
    cv2.polylines(mask, [points], False, 255, thickness, cv2.LINE_AA, _SUB)
    return mask, min(width_px / covered_px, 1.0) / 255


def _window(shape: tuple[int, int], curve: Float64Array, reach_px: float) -> tuple[slice, slice] | None:
    top, left = np.maximum(np.floor(curve.min(axis=0) - reach_px), 0).astype(int)
    bottom, right = np.minimum(np.ceil(curve.max(axis=0) + reach_px), shape).astype(int)
    if top >= bottom or left >= right:
        return None
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def draw_line(
    ground: Ground,
    curve: Float64Array,
    width_m: float,
    colour: Float32Array | Float64Array | tuple[float, float, float],
    opacity: float,
    rng: np.random.Generator,
    material: Material | None = None,
    height_m: float = 0.0,
) -> None:
    """A line of ``width_m`` along ``curve`` with ragged edges and uneven wear, in place; may be raised or sunk."""
    width_px = width_m / ground.gsd_m
    window = _window(ground.shape, curve, width_px + 2)
    if window is None:
        return
    rows, cols = window
    shape = rows.stop - rows.start, cols.stop - cols.start
    mask, scale = _line_levels(shape, curve - [rows.start, cols.start], width_px)
    if width_px > 2.5:
        mask = cv2.GaussianBlur(mask, (0, 0), 0.12 * width_px).astype(np.uint8, copy=False)
    coarse = rng.uniform(0.55, 1.25, (shape[0] // 6 + 2, shape[1] // 6 + 2)).astype(np.float32)
    wear = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    # A line touches few pixels of its window.
    at = np.nonzero(mask)
    share = mask[at] * np.float32(scale)
    part = ground.colour[rows, cols]
    old = part[at]
    part[at] = old + np.clip(share * wear[at] * opacity, 0, 1)[:, None] * (np.asarray(colour, np.float32) - old)
    if material is not None:
        hit = share > 0.5
        ground.material[rows, cols][at[0][hit], at[1][hit]] = material
    if height_m:
        hit = share > 0.05
        ground.height_m[rows, cols][at[0][hit], at[1][hit]] = height_m * share[hit]


def draw_track(ground: Ground, curve: Float64Array, rng: np.random.Generator, opacity: float | None = None) -> None:
    """A dirt track: two wheel lines and often a grown middle, or one worn path, paler or darker than the field."""
    local = mean_colour(ground, curve)
    pale = rng.random() < 0.75
    dust = np.array([150, 138, 118]) if rng.random() < 0.5 else local * 1.35
    colour = (0.5 * dust + 0.5 * local * 1.25 if pale else local * rng.uniform(0.6, 0.8)).astype(np.float32)
    opacity = float(rng.uniform(0.35, 0.9)) if opacity is None else opacity
    kind = rng.random()
    if kind < 0.45:
        gauge_px = rng.uniform(0.75, 1.0) / ground.gsd_m
        for side in (gauge_px, -gauge_px):
            draw_line(ground, beside(curve, side), rng.uniform(0.4, 0.7), colour, opacity, rng)
    elif kind < 0.85:
        draw_line(ground, curve, rng.uniform(2.2, 4.5), colour, opacity, rng)
        if rng.random() < 0.5:
            draw_line(ground, curve, 0.7, local * 0.85, 0.5 * opacity, rng)
    else:
        draw_line(ground, curve, rng.uniform(0.5, 1.2), colour, opacity, rng)


def draw_ditch(ground: Ground, curve: Float64Array, rng: np.random.Generator) -> None:
    """A ditch 1-3 m wide and 0.5-1.5 m deep with lush or muddy banks, sometimes holding water."""
    local = mean_colour(ground, curve)
    width_m = float(rng.uniform(1.2, 3.0))
    bank = np.array([70, 84, 54]) if rng.random() < 0.6 else local * 0.75
    draw_line(ground, curve, width_m + 2.0, 0.5 * (bank + local), 0.6, rng)
    if rng.random() < 0.4:
        draw_line(ground, curve, width_m, (44, 52, 52), 0.8, rng, Material.WATER)
    else:
        draw_line(ground, curve, width_m, bank * 0.9, 0.7, rng, height_m=-float(rng.uniform(0.4, 1.2)))


def mean_colour(ground: Ground, curve: Float64Array) -> Float64Array:
    """Mean ground colour (3,) along a curve; grey where it lies outside."""
    index = np.round(curve[::2]).astype(int)
    inside = (index >= 0).all(axis=1) & (index < ground.shape).all(axis=1)
    if not inside.any():
        return np.full(3, 100.0)
    colour: Float64Array = ground.colour[index[inside, 0], index[inside, 1]].mean(axis=0).astype(np.float64)
    return colour
