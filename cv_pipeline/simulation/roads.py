"""Roads with markings, and tracks with ruts."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import PAVED, Ground, Material, blend
from cv_pipeline.simulation.pavement import WHITE, draw_mend, surface_colour
from cv_pipeline.simulation.shapes import beside, line_cover, smooth_noise
from cv_pipeline.types import Float64Array


def draw_road(
    ground: Ground, points_px: Float64Array, width_m: float, material: Material, rng: np.random.Generator
) -> None:
    """A road along a polyline (n, 2) in place: asphalt or concrete with markings, or a track with two ruts.

    Crossing roads simply merge. Nothing is drawn outside the canvas.
    """
    gsd_m = ground.gsd_m
    points = np.asarray(points_px, np.float64)
    cover = line_cover(ground.shape, points, width_m / gsd_m)
    if cover is None:
        return
    _draw_verge(ground, points, width_m, rng)
    paved = material in PAVED
    shape = cover.share.shape
    base = surface_colour(material, rng)
    tone = 4 * smooth_noise(shape, 6.0 / gsd_m, rng) + 3 * smooth_noise(shape, 0.6 / gsd_m, rng)
    share = cover.share if paved else cover.share * np.clip(0.85 + 0.05 * tone, 0, 1).astype(np.float32)
    blend(ground, cover.rows, cover.cols, share, base + (tone if paved else 1.6 * tone)[..., None], material)
    ground.height_m[cover.rows, cover.cols][cover.share > 0.5] = 0.0
    if not paved:
        for side in (-0.9, 0.9):
            rut = line_cover(ground.shape, beside(points, side / gsd_m), 0.45 / gsd_m)
            if rut is not None:
                blend(ground, rut.rows, rut.cols, 0.5 * rut.share, base * np.float32(0.86))
        if rng.random() < 0.4:
            middle = line_cover(ground.shape, points, 0.7 / gsd_m)
            if middle is not None:
                blend(ground, middle.rows, middle.cols, 0.4 * middle.share, (104, 112, 74))
        return
    if width_m > 5.5 and rng.random() < 0.6:
        line = line_cover(ground.shape, points, 0.13 / gsd_m)
        if line is not None:
            blend(ground, line.rows, line.cols, 0.8 * line.share, WHITE)
    for _ in range(rng.poisson(1.0 + _length_px(points) * gsd_m / 150)):
        draw_mend(ground, *_on_line(points, 0.35 * width_m / gsd_m, rng), rng)


def _draw_verge(ground: Ground, points: Float64Array, width_m: float, rng: np.random.Generator) -> None:
    """Trodden soil on both sides of a road."""
    cover = line_cover(ground.shape, points, (width_m + rng.uniform(1.0, 3.0)) / ground.gsd_m)
    if cover is None:
        return
    worn = cover.share * np.clip(0.35 + 0.2 * smooth_noise(cover.share.shape, 2 / ground.gsd_m, rng), 0, 1)
    blend(ground, cover.rows, cover.cols, worn.astype(np.float32), (152, 138, 114))


def _length_px(points: Float64Array) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _on_line(points: Float64Array, aside_px: float, rng: np.random.Generator) -> tuple[float, float]:
    """A random point near a polyline."""
    part = rng.integers(len(points) - 1)
    row, col = points[part] + rng.random() * (points[part + 1] - points[part]) + rng.uniform(-aside_px, aside_px, 2)
    return float(row), float(col)
