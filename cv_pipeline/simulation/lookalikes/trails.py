"""Marks of wheels and hooves: crossings, loops, corners, turning manoeuvres."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.ground import Ground
from cv_pipeline.simulation.lookalikes.base import Kind, local_colour, offset_px, spot
from cv_pipeline.simulation.shapes import beside
from cv_pipeline.simulation.tracks import bend, draw_line, draw_track, wander
from cv_pipeline.types import Float64Array


def _arc(
    ground: Ground, row_px: float, col_px: float, radius_m: float, start_rad: float, sweep_rad: float
) -> Float64Array:
    """A circular arc (n, 2) in (row, col) pixels."""
    azimuth = start_rad + np.linspace(0, sweep_rad, 40)
    radius_px = radius_m / ground.gsd_m
    return np.column_stack([row_px - radius_px * np.cos(azimuth), col_px + radius_px * np.sin(azimuth)])


def _line_across(
    ground: Ground, row_px: float, col_px: float, azimuth: float, length_m: float, rng: np.random.Generator
) -> Float64Array:
    start = np.array(offset_px(ground, row_px, col_px, azimuth, -length_m / 2))
    end = np.array(offset_px(ground, row_px, col_px, azimuth, length_m / 2))
    middle = np.array([row_px, col_px]) + rng.normal(0, 0.05, 2) * length_m / ground.gsd_m
    return wander(bend(start, middle, end), float(rng.uniform(0.2, 1.2)) / ground.gsd_m, rng)


def _wear(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> np.ndarray:
    local = local_colour(ground, row_px, col_px, 4.0)
    return local * (rng.uniform(1.12, 1.4) if rng.random() < 0.7 else rng.uniform(0.65, 0.85))


def draw_crossing(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Two or three tracks that meet, with cut corners and worn ground between them."""
    azimuth = float(rng.uniform(0, np.pi))
    length_m = float(rng.uniform(40, 120))
    for _ in range(int(rng.integers(2, 4))):
        draw_track(ground, _line_across(ground, row_px, col_px, azimuth, length_m, rng), rng)
        azimuth += float(rng.uniform(0.5, 1.8))
    tone = _wear(ground, row_px, col_px, rng)
    for _ in range(int(rng.integers(1, 4))):
        corner = offset_px(ground, row_px, col_px, rng.uniform(0, 6.3), rng.uniform(2, 6))
        radius_m = float(rng.uniform(5, 12))
        sweep = float(rng.uniform(0.8, 1.8))
        draw_line(ground, _arc(ground, *corner, radius_m, rng.uniform(0, 6.3), sweep), 1.8, tone, 0.5, rng)
    return 8.0


def draw_loop(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A track that turns round in a loop and goes back: a closed ring of two wheel lines with a tail."""
    radius_m, start = float(rng.uniform(4, 11)), float(rng.uniform(0, 6.3))
    tone = _wear(ground, row_px, col_px, rng)
    ring = wander(_arc(ground, row_px, col_px, radius_m, start, float(rng.uniform(4.5, 6.6))), 0.4 / ground.gsd_m, rng)
    tail = _line_across(ground, *offset_px(ground, row_px, col_px, start, radius_m + 15), start + 0.3, 30.0, rng)
    opacity = float(rng.uniform(0.35, 0.8))
    for curve in (ring, tail):
        for side in (0.9, -0.9):
            draw_line(ground, beside(curve, side / ground.gsd_m), 0.5, tone, opacity, rng)
    return radius_m


def draw_turning_loops(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Where a tractor turned at the field's end: a row of overlapping half loops along a line."""
    azimuth, count = float(rng.uniform(0, 2 * np.pi)), int(rng.integers(3, 10))
    tone = _wear(ground, row_px, col_px, rng)
    step_m, radius_m = float(rng.uniform(4, 12)), float(rng.uniform(4, 9))
    opacity = float(rng.uniform(0.25, 0.6))
    for k in range(count):
        row, col = offset_px(ground, row_px, col_px, azimuth, (k - count / 2) * step_m + rng.normal(0, 0.6))
        arc = _arc(ground, row, col, radius_m * float(rng.uniform(0.85, 1.15)), azimuth - 1.7, 3.4 + rng.normal(0, 0.3))
        for side in (0.9, -0.9):
            draw_line(ground, beside(arc, side / ground.gsd_m), 0.5, tone, opacity, rng)
    return 0.5 * count * step_m


def draw_vehicle_tracks(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Fresh vehicle tracks over a field, several that spread, cross and bend."""
    tone = _wear(ground, row_px, col_px, rng)
    azimuth, opacity = float(rng.uniform(0, np.pi)), float(rng.uniform(0.3, 0.8))
    length_m = float(rng.uniform(30, 140))
    for _ in range(int(rng.integers(1, 6))):
        start = np.array(offset_px(ground, row_px, col_px, azimuth + np.pi + rng.normal(0, 0.1), length_m / 2))
        end = np.array(offset_px(ground, row_px, col_px, azimuth + rng.normal(0, 0.5), length_m / 2))
        middle = np.array([row_px, col_px]) + rng.normal(0, 0.12, 2) * length_m / ground.gsd_m
        curve = wander(bend(start, middle, end), float(rng.uniform(0.1, 1.0)) / ground.gsd_m, rng)
        for side in (0.95, -0.95):
            draw_line(ground, beside(curve, side / ground.gsd_m), float(rng.uniform(0.35, 0.6)), tone, opacity, rng)
    return length_m / 2


def draw_corner_wear(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A parcel corner: bare triangle or fan of wheel marks where machines cut in."""
    tone = _wear(ground, row_px, col_px, rng)
    azimuth, opacity = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.3, 0.75))
    reach_m = float(rng.uniform(5, 18))
    for k in range(int(rng.integers(3, 8))):
        start = np.array([row_px, col_px])
        end = np.array(offset_px(ground, row_px, col_px, azimuth + 0.2 * k, reach_m * rng.uniform(0.6, 1.3)))
        middle = (start + end) / 2 + rng.normal(0, 0.1, 2) * reach_m / ground.gsd_m
        draw_line(ground, bend(start, middle, end), float(rng.uniform(0.5, 1.5)), tone, opacity, rng)
    spot(ground, row_px, col_px, 0.35 * reach_m, tone, 0.6 * opacity, rng, squash=0.45, ragged=0.4, softness=0.6)
    return reach_m


def draw_animal_trails(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Narrow paths of animals that braid across grass."""
    tone = _wear(ground, row_px, col_px, rng)
    azimuth, opacity = float(rng.uniform(0, np.pi)), float(rng.uniform(0.3, 0.7))
    for _ in range(int(rng.integers(2, 7))):
        start = offset_px(ground, row_px, col_px, azimuth + np.pi / 2, rng.normal(0, 4))
        curve = _line_across(ground, *start, azimuth + rng.normal(0, 0.12), float(rng.uniform(40, 140)), rng)
        draw_line(ground, curve, float(rng.uniform(0.3, 0.6)), tone, opacity, rng)
    return 30.0


def draw_pivot(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """Centre-pivot irrigation: wide circular wheel lines about a far or near hub."""
    local = local_colour(ground, row_px, col_px, 10.0)
    step_m = float(rng.uniform(38, 55))
    for k in range(1, int(rng.integers(2, 7))):
        circle = _arc(ground, row_px, col_px, k * step_m, 0.0, 2 * np.pi)
        draw_line(ground, circle, 0.8, local * rng.uniform(1.1, 1.35), 0.6, rng)
    hub = offset_px(ground, row_px, col_px, 0.0, 0.0)
    spot(ground, *hub, 2.0, local * 1.3, 0.6, rng, squash=0.6, ragged=0.3)
    draw_track(ground, _line_across(ground, row_px, col_px, float(rng.uniform(0, 3)), 6 * step_m, rng), rng)
    return step_m


def draw_roundabout(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A roundabout: a ring of asphalt, a planted island, roads out of it."""
    radius_m, width_m = float(rng.uniform(9, 24)), float(rng.uniform(5, 9))
    grey = np.array([112, 110, 108]) * rng.uniform(0.75, 1.3)
    start = float(rng.uniform(0, 6.3))
    for k in range(int(rng.integers(3, 5))):
        azimuth = start + 1.57 * k
        ends = [np.array(offset_px(ground, row_px, col_px, azimuth, out_m)) for out_m in (radius_m, 90.0)]
        road = np.linspace(ends[0], ends[1], 12)
        draw_line(ground, road, width_m, grey, 1.0, rng)
    spot(ground, row_px, col_px, radius_m + width_m / 2, grey, 1.0, rng, ragged=0.0, softness=0.03)
    island = ((92, 108, 66), (150, 138, 116), (180, 176, 168))[rng.integers(3)]
    spot(ground, row_px, col_px, radius_m - width_m / 2, island, 1.0, rng, ragged=0.0, softness=0.04)
    return radius_m


KINDS = (
    Kind("crossing", "tracks", draw_crossing, 2.0),
    Kind("loop", "tracks", draw_loop, 1.5),
    Kind("turning loops", "tracks", draw_turning_loops, 1.5),
    Kind("corner wear", "tracks", draw_corner_wear, 1.5),
    Kind("animal trails", "tracks", draw_animal_trails, 1.0, needs="grass"),
    Kind("pivot", "tracks", draw_pivot, 0.25),
    Kind("roundabout", "tracks", draw_roundabout, 0.08),
    Kind("vehicle tracks", "tracks", draw_vehicle_tracks, 2.0, transient=True),
)
