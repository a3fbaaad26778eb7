"""What every look-alike is drawn from: ragged spots, mounds, blocks and cylinders in metres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from cv_pipeline.simulation.ground import Ground, Material, blend, patch_around
from cv_pipeline.simulation.shapes import polygon_cover, rectangle
from cv_pipeline.types import Float32Array, Float64Array

Group = Literal[
    "plants", "lawns", "stores", "water", "earthworks", "marks", "tracks", "built", "cars", "aftermath", "image"
]
Colour = Float32Array | Float64Array | tuple[float, float, float]


class Lookalike(NamedTuple):
    """A thing that is no crater: its kind, its centre and the radius of what was drawn."""

    kind: str
    row_px: float
    col_px: float
    radius_m: float


class Kind(NamedTuple):
    """How one kind is drawn: ``draw(ground, row_px, col_px, rng)`` returns the radius in metres of what it drew.

    ``weight`` is its share of the group's rate. ``transient`` kinds come and go between two dates.
    ``needs`` is the ground it lies on.
    """

    name: str
    group: Group
    draw: Callable[[Ground, float, float, np.random.Generator], float]
    weight: float
    transient: bool = False
    needs: Literal["open", "grass", "paved", "roof", "any"] = "open"


def local_colour(ground: Ground, row_px: float, col_px: float, reach_m: float = 2.0) -> Float32Array:
    """Mean colour (3,) of the ground around a point; mid grey outside the canvas."""
    patch = patch_around(ground.shape, row_px, col_px, reach_m, ground.gsd_m)
    if patch is None:
        return np.full(3, 100, np.float32)
    colour: Float32Array = ground.colour[patch.rows, patch.cols].mean(axis=(0, 1)).astype(np.float32)
    return colour


def offset_px(
    ground: Ground, row_px: float, col_px: float, azimuth_rad: float, distance_m: float
) -> tuple[float, float]:
    """The point ``distance_m`` away towards an azimuth clockwise from image up."""
    step = distance_m / ground.gsd_m
    return row_px - step * float(np.cos(azimuth_rad)), col_px + step * float(np.sin(azimuth_rad))


def straight(
    ground: Ground, row_px: float, col_px: float, azimuth_rad: float, length_m: float, points: int = 8
) -> Float64Array:
    """A straight line (points, 2) in (row, col) pixels about its middle."""
    ends = [np.array(offset_px(ground, row_px, col_px, azimuth_rad, side * length_m / 2)) for side in (-1, 1)]
    line: Float64Array = np.linspace(ends[0], ends[1], points)
    return line


def spot(
    ground: Ground,
    row_px: float,
    col_px: float,
    radius_m: float,
    colour: Colour,
    opacity: float,
    rng: np.random.Generator,
    *,
    squash: float = 1.0,
    azimuth_rad: float | None = None,
    ragged: float = 0.15,
    softness: float = 0.15,
    rim: float = 0.0,
    material: Material | None = None,
    height_m: float = 0.0,
) -> None:
    """A ragged ellipse, ``squash`` its shorter over its longer axis, soft over ``softness`` of its radius, in place.

    ``rim`` above 0 leaves only a ring of that relative width. ``height_m`` raises (or sinks) it as a dome.
    """
    patch = patch_around(ground.shape, row_px, col_px, radius_m * (1.3 + 2 * ragged), ground.gsd_m)
    if patch is None:
        return
    turn = float(rng.uniform(0, np.pi)) if azimuth_rad is None else azimuth_rad
    off = (patch.azimuth_rad - turn).astype(np.float32)
    distance = patch.radius_m.astype(np.float32) * np.hypot(np.cos(off), np.sin(off) / squash) / radius_m
    for order in (2, 3, 5, 8):
        amplitude, phase = np.float32(rng.normal(0, ragged / order**0.4)), np.float32(rng.uniform(0, 6.3))
        distance *= 1 + amplitude * np.cos(np.float32(order) * off + phase)
    soft = max(softness, 0.5 * ground.gsd_m / radius_m)
    alpha = np.clip((1 - distance) / soft + 0.5, 0, 1)
    if rim:
        alpha = alpha * np.clip((distance - 1 + max(rim, 2 * soft)) / soft + 0.5, 0, 1)
    grain = 1 + 0.12 * rng.standard_normal(alpha.shape, dtype=np.float32)
    blend(
        ground,
        patch.rows,
        patch.cols,
        (alpha * opacity * grain).astype(np.float32),
        np.asarray(colour, np.float32),
        material,
    )
    if height_m:
        dome = (height_m * np.sqrt(np.clip(1 - distance**2, 0, 1)) * (alpha if rim else 1)).astype(np.float32)
        window = ground.height_m[patch.rows, patch.cols]
        window[...] = np.maximum(window, dome) if height_m > 0 else np.minimum(window, dome)


def block(
    ground: Ground,
    row_px: float,
    col_px: float,
    azimuth_rad: float,
    size_m: tuple[float, float],
    height_m: float,
    colour: Colour,
    rng: np.random.Generator,
    opacity: float = 1.0,
    material: Material | None = None,
) -> None:
    """A flat-topped box of (length, width) whose length points to the azimuth; negative heights are pits."""
    length, width = (side / ground.gsd_m for side in size_m)
    cover = polygon_cover(ground.shape, rectangle(row_px, col_px, float(np.rad2deg(azimuth_rad)), length, width))
    if cover is None:
        return
    grain = 1 + 0.06 * rng.standard_normal(cover.share.shape, dtype=np.float32)
    tone = np.clip(np.asarray(colour, np.float32) * grain[..., None], 0, 255)
    blend(ground, cover.rows, cover.cols, cover.share * np.float32(opacity), tone, material)
    if height_m:
        ground.height_m[cover.rows, cover.cols][cover.share > 0.5] = height_m


def cylinder(
    ground: Ground,
    row_px: float,
    col_px: float,
    radius_m: float,
    height_m: float,
    colour: Colour,
    rng: np.random.Generator,
) -> None:
    """A round flat-topped body with a slightly darker edge."""
    patch = patch_around(ground.shape, row_px, col_px, radius_m + ground.gsd_m, ground.gsd_m)
    if patch is None:
        return
    alpha = np.clip((radius_m - patch.radius_m) / ground.gsd_m + 0.5, 0, 1).astype(np.float32)
    edge = np.clip(1 - 0.15 * (patch.radius_m > 0.85 * radius_m), 0, 1)
    grain = edge * (1 + 0.03 * rng.standard_normal(alpha.shape))
    tone = np.clip(np.asarray(colour, np.float32) * grain[..., None], 0, 255).astype(np.float32)
    blend(ground, patch.rows, patch.cols, alpha, tone)
    ground.height_m[patch.rows, patch.cols][alpha > 0.5] = height_m
