"""How land is divided: strips of parcels with straight or gently bent borders."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.types import Float32Array, Float64Array


class Parcels(NamedTuple):
    """``label`` (h, w) numbers the parcel of each pixel; ``borders`` are curves (n, 2) in (row, col) pixels.

    ``heading_rad`` is the strips' direction, clockwise from image up.
    """

    label: np.ndarray
    borders: tuple[Float64Array, ...]
    heading_rad: float


def divide(
    shape: tuple[int, int],
    gsd_m: float,
    width_m: tuple[float, float],
    length_m: tuple[float, float],
    ragged: Float32Array,
    rng: np.random.Generator,
) -> Parcels:
    """Divide a canvas into strips ``width_m`` wide, each cut into parcels ``length_m`` long (log-uniform ranges).

    ``ragged`` (h, w) in metres moves the borders locally.
    """
    heading = float(rng.uniform(0, np.pi))
    reach_m = float(np.hypot(*shape)) * gsd_m / 2 + 12.0
    bend_m = float(rng.normal(0, 4.0)) if rng.random() < 0.4 else 0.0
    wave_m, phase = float(rng.uniform(150, 600)), float(rng.uniform(0, 2 * np.pi))
    rows, cols = ((np.arange(side, dtype=np.float32) + 0.5 - side / 2) * np.float32(gsd_m) for side in shape)
    sin, cos = np.float32(np.sin(heading)), np.float32(np.cos(heading))
    along = -rows[:, None] * cos + cols[None, :] * sin
    across: Float32Array = rows[:, None] * sin + cols[None, :] * cos + ragged
    if bend_m:
        across += np.float32(bend_m) * np.sin(along / np.float32(wave_m) + np.float32(phase))
    strip_edges = _cuts(reach_m, width_m, rng)
    strip = np.searchsorted(strip_edges, across.ravel()).reshape(shape)
    lengths = [_cuts(reach_m, length_m, rng) for _ in range(len(strip_edges) + 1)]
    # One sorted axis for all strips, so that each pixel is looked up once.
    apart = 4 * reach_m
    joined = np.concatenate([cuts + apart * k for k, cuts in enumerate(lengths)])
    label = np.searchsorted(joined, (along - ragged + strip * apart).ravel()).reshape(shape) + strip
    borders = []
    line = np.linspace(-reach_m, reach_m, 48)

    def to_pixels(across_m: Float64Array, along_m: Float64Array) -> Float64Array:
        place = across_m - bend_m * np.sin(along_m / wave_m + phase)
        row = (place * sin - along_m * cos) / gsd_m + shape[0] / 2
        col = (place * cos + along_m * sin) / gsd_m + shape[1] / 2
        return np.column_stack([row, col]).astype(np.float64)

    for edge in strip_edges:
        borders.append(to_pixels(np.full(48, edge), line))
    ends = np.concatenate([[-reach_m], strip_edges, [reach_m]])
    for k, cuts in enumerate(lengths):
        for cut in cuts:
            borders.append(to_pixels(np.linspace(ends[k], ends[k + 1], 16), np.full(16, cut)))
    return Parcels(label, tuple(borders), heading)


def _cuts(reach_m: float, size_m: tuple[float, float], rng: np.random.Generator) -> Float64Array:
    """Places of borders in (-reach_m, reach_m); the first parcel begins somewhere before."""
    low, high = np.log(size_m[0]), np.log(size_m[1])
    place = -reach_m - rng.random() * float(np.exp(rng.uniform(low, high)))
    cuts = []
    while place < reach_m:
        place += float(np.exp(rng.uniform(low, high)))
        if -reach_m < place < reach_m:
            cuts.append(place)
    return np.array(cuts, np.float64)
