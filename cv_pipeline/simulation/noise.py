"""Random texture in metres: soft mottling, streaks along a heading, and the marks of machine passes."""

from __future__ import annotations

import math

import cv2
import numpy as np

from cv_pipeline.types import Float32Array

_CUBIC_SD = 0.80
"""SD of unit white noise after OpenCV's bicubic interpolation, averaged over the cell (measured)."""


def streaks(
    shape: tuple[int, int],
    gsd_m: float,
    across_m: float,
    along_m: float,
    heading_rad: float,
    rng: np.random.Generator,
    sd: float = 1.0,
) -> Float32Array:
    """Noise (h, w) of about ``sd`` with features ``across_m`` wide and ``along_m`` long.

    ``heading_rad`` is the direction of the long side, clockwise from image up. Features finer than a pixel
    are averaged as a sensor does, so the SD falls with a coarser GSD. Any canvas costs one interpolation.
    """
    cell_across, cell_along = max(across_m, gsd_m), max(along_m, gsd_m)
    averaged = math.sqrt(across_m / cell_across * along_m / cell_along)
    height, width = shape
    sin, cos = math.sin(heading_rad), math.cos(heading_rad)
    span_across = (height * abs(sin) + width * abs(cos)) * gsd_m / cell_across
    span_along = (height * abs(cos) + width * abs(sin)) * gsd_m / cell_along
    grid = rng.standard_normal((int(span_along) + 6, int(span_across) + 6), dtype=np.float32)
    grid *= np.float32(sd * averaged / _CUBIC_SD)
    # Canvas (col, row) to grid (across, along): across is to the right of the heading, along is against it.
    per_across, per_along = gsd_m / cell_across, gsd_m / cell_along
    from_col = cos * per_across, -sin * per_along
    from_row = sin * per_across, cos * per_along
    jitter = rng.random(2)
    centre = (grid.shape[1] - 2) / 2 + jitter[0], (grid.shape[0] - 2) / 2 + jitter[1]
    shift = [centre[k] - from_col[k] * width / 2 - from_row[k] * height / 2 for k in (0, 1)]
    matrix = np.array([[from_col[0], from_row[0], shift[0]], [from_col[1], from_row[1], shift[1]]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    noise = cv2.warpAffine(grid, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    result: Float32Array = noise.astype(np.float32, copy=False)
    return result


def mottle(
    shape: tuple[int, int], gsd_m: float, largest_m: float, smallest_m: float, slope: float, rng: np.random.Generator
) -> Float32Array:
    """Noise (h, w) of about unit SD with features from ``smallest_m`` to ``largest_m``, amplitude ~ size ** slope."""
    sizes = largest_m / 2.0 ** np.arange(max(int(np.log2(largest_m / smallest_m)) + 1, 1))
    amplitude = sizes**slope
    amplitude = amplitude / np.sqrt((amplitude**2).sum())
    total = np.zeros(shape, np.float32)
    for size_m, weight in zip(sizes, amplitude, strict=True):
        if size_m > 0.6 * gsd_m:
            # A turned grid per octave keeps the cells of the octaves from lining up.
            total += streaks(shape, gsd_m, size_m, size_m, float(rng.uniform(0, np.pi)), rng, float(weight))
    return total


def across(shape: tuple[int, int], gsd_m: float, heading_rad: float) -> Float32Array:
    """Distance (h, w) in metres to the right of a line through the canvas' centre along ``heading_rad``."""
    rows = ((np.arange(shape[0]) + 0.5 - shape[0] / 2) * gsd_m * np.sin(heading_rad)).astype(np.float32)
    cols = ((np.arange(shape[1]) + 0.5 - shape[1] / 2) * gsd_m * np.cos(heading_rad)).astype(np.float32)
    distance: Float32Array = rows[:, None] + cols[None, :]
    return distance


def along_profile(profile: Float32Array, step_m: float, across_m: Float32Array) -> Float32Array:
    """Values (h, w) of a 1-D ``profile``, sampled every ``step_m`` and centred on 0, at each distance across."""
    position = across_m * np.float32(1 / step_m) + np.float32(len(profile) / 2)
    line = profile[None, :].astype(np.float32)
    rows = np.zeros_like(position)
    values = cv2.remap(line, position, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    result: Float32Array = values.astype(np.float32, copy=False)
    return result


def profile_step_m(shape: tuple[int, int], gsd_m: float) -> tuple[float, int]:
    """Sampling step of a profile across the whole canvas, and how many samples that takes."""
    step_m = gsd_m / 3
    return step_m, int(np.hypot(*shape) * 3 * 1.15) + 8


def machine_passes(
    shape: tuple[int, int], gsd_m: float, width_m: float, seam: float, rng: np.random.Generator
) -> Float32Array:
    """1-D profile of passes of a machine ``width_m`` wide: a level per pass and a line of weight ``seam`` between."""
    step_m, count = profile_step_m(shape, gsd_m)
    passes = int(count * step_m / width_m) + 2
    edges = np.cumsum(width_m * (1 + 0.06 * rng.standard_normal(passes)))
    place = np.arange(count) * step_m
    index = np.searchsorted(edges, place)
    level = rng.standard_normal(passes + 1)
    # Out and back: machines lay the crop one way and then the other.
    level += np.where(np.arange(passes + 1) % 2, 0.7, -0.7)
    nearest = np.abs(place - edges[np.clip(index, 0, passes - 1)])
    line = np.exp(-((nearest / max(0.35, 0.5 * gsd_m)) ** 2)) * rng.uniform(0.3, 1.0, passes + 1)[index]
    profile: Float32Array = (0.6 * level[index] + seam * line).astype(np.float32)
    result: Float32Array = cv2.GaussianBlur(profile[None], (0, 0), 1.5)[0].astype(np.float32, copy=False)
    return result


def wheel_lines(
    shape: tuple[int, int], gsd_m: float, spacing_m: float, gauge_m: float, rng: np.random.Generator
) -> Float32Array:
    """1-D profile of pairs of wheel marks, 1 on a mark: tramlines every ``spacing_m``, ``gauge_m`` between the two."""
    step_m, count = profile_step_m(shape, gsd_m)
    place = np.arange(count) * step_m + rng.uniform(0, spacing_m)
    off = (place + spacing_m / 2) % spacing_m - spacing_m / 2
    width_m = 0.45
    blurred = np.hypot(width_m / 2, 0.5 * gsd_m)
    profile = np.exp(-(((np.abs(off) - gauge_m / 2) / blurred) ** 2)) * (width_m / 2 / blurred)
    result: Float32Array = profile.astype(np.float32)
    return result
