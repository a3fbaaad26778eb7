"""One building: its footprint and roof, and how it is drawn.

Only colour, height and material are written; light and lean come with the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cv_pipeline.simulation.ground import Ground, Material, blend
from cv_pipeline.simulation.shapes import (
    local_metres,
    local_point,
    pick,
    polygon_cover,
    rectangle,
    smooth_noise,
    stripe,
)
from cv_pipeline.types import BoolArray, Float32Array, Float64Array

Roof = Literal["flat", "gable", "hip", "shed", "shelter"]
Covering = Literal["metal", "tiles", "concrete", "earth"]
_ROOFS: tuple[Roof, ...] = ("flat", "gable", "hip", "shed")
ROOF_COLOURS: dict[Covering, tuple[tuple[float, float, float], ...]] = {
    "metal": (
        (196, 196, 192),
        (172, 168, 160),
        (150, 142, 132),
        (152, 108, 86),
        (124, 84, 68),
        (226, 226, 224),
        (184, 180, 170),
        (162, 150, 138),
        (128, 74, 62),
        (118, 134, 118),
        (112, 128, 150),
    ),
    "tiles": ((186, 118, 90), (164, 104, 82), (142, 108, 90), (96, 94, 94), (112, 112, 108), (128, 118, 106)),
    "concrete": ((176, 172, 164), (150, 146, 140), (204, 202, 196), (120, 118, 116), (92, 90, 90)),
    "earth": ((128, 118, 88), (112, 118, 84), (150, 140, 118)),
}
"""RGB in DN of roofs in full light; read by eye off Kampala and UC Merced tiles."""


@dataclass(frozen=True, slots=True)
class Building:
    """A footprint with a roof.

    ``corners_px`` are (row_px, col_px) in order; the first side is across the ridge. ``height_m`` is the
    eaves'. ``pitch`` is the roof's rise over run. Texture is drawn from ``seed``: the same wherever drawn.
    """

    building_id: int
    corners_px: tuple[tuple[float, float], ...]
    height_m: float
    roof: Roof
    covering: Covering
    colour: tuple[float, float, float]
    pitch: float = 0.5
    seed: int = 0

    @property
    def centre_px(self) -> tuple[float, float]:
        """Mean of the corners, (row_px, col_px)."""
        row, col = np.mean(self.corners_px, axis=0)
        return float(row), float(col)


def make_building(
    building_id: int,
    row_px: float,
    col_px: float,
    azimuth_deg: float,
    size_m: tuple[float, float],
    gsd_m: float,
    rng: np.random.Generator,
    eaves_m: tuple[float, float] = (2.4, 6.5),
) -> Building:
    """A rectangular building of (length, width) in metres whose ridge points to ``azimuth_deg``; the rest is chance."""
    length_m, width_m = size_m
    corners = rectangle(row_px, col_px, azimuth_deg, length_m / gsd_m, width_m / gsd_m)
    large = width_m > 14
    roof = _ROOFS[pick((0.5, 0.3, 0.1, 0.1) if large else (0.12, 0.48, 0.28, 0.12), rng)]
    covering: Covering
    if roof == "flat":
        covering = "concrete"
    elif roof == "shed" or large:
        covering = "metal"
    else:
        covering = "metal" if rng.random() < 0.55 else "tiles"
    palette = ROOF_COLOURS[covering]
    shade = rng.normal(0, 8) + rng.normal(0, 4, 3)
    red, green, blue = np.clip(np.array(palette[rng.integers(len(palette))]) + shade, 25, 240)
    storeys = rng.uniform(*eaves_m) if rng.random() < 0.85 else rng.uniform(eaves_m[1], 2.2 * eaves_m[1])
    return Building(
        building_id,
        tuple((float(r), float(c)) for r, c in corners),
        float(storeys),
        roof,
        covering,
        (float(red), float(green), float(blue)),
        float(rng.uniform(0.12, 0.3) if large else rng.uniform(0.3, 0.75)),
        int(rng.integers(2**31)),
    )


def draw_building(ground: Ground, building: Building) -> None:
    """Write a building's roof: textured colour, height with true slopes, material; nothing outside the canvas."""
    cover = polygon_cover(ground.shape, building.corners_px)
    if cover is None:
        return
    rng = np.random.default_rng(building.seed)
    first, second, third = (np.array(building.corners_px[i]) for i in range(3))
    ridge = second - third  # from the rear corner to the front one
    azimuth_deg = float(np.rad2deg(np.arctan2(ridge[1], -ridge[0])))
    along, across = local_metres(cover, *building.centre_px, azimuth_deg, ground.gsd_m)
    half_m = float(np.hypot(*(second - first))) * ground.gsd_m / 2, float(np.hypot(*ridge)) * ground.gsd_m / 2
    inside = cover.share > 0.5
    rise, facet = _roof_shape(building, along, across, half_m)
    colour = _roof_colour(building, along, across, facet, ground.gsd_m, rng)
    blend(ground, cover.rows, cover.cols, cover.share, colour, Material.ROOF)
    ground.height_m[cover.rows, cover.cols][inside] = (building.height_m + rise)[inside]
    if building.roof == "flat":
        _draw_rooftop_clutter(ground, building, azimuth_deg, half_m, rng)


def _roof_shape(
    building: Building, along: Float32Array, across: Float32Array, half_m: tuple[float, float]
) -> tuple[Float32Array, BoolArray]:
    """Height above the eaves in metres, and where rows of the covering run along (not across) the ridge."""
    half_width_m, half_length_m = half_m
    to_side = np.maximum(half_width_m - np.abs(across), 0)
    to_end = np.maximum(half_length_m - np.abs(along), 0)
    sides = np.ones(along.shape, bool)
    if building.roof == "gable":
        return (building.pitch * to_side).astype(np.float32), sides
    if building.roof == "hip":
        return (building.pitch * np.minimum(to_side, to_end)).astype(np.float32), to_side <= to_end
    if building.roof == "shed":
        return (0.35 * building.pitch * (across + half_width_m)).astype(np.float32), sides
    if building.roof == "shelter":
        round_share = np.sqrt(np.maximum(1 - (across / half_width_m) ** 2, 0))
        return (half_width_m * building.pitch * round_share).astype(np.float32), sides
    parapet = 0.4 * (np.minimum(to_side, to_end) < 0.35)
    return parapet.astype(np.float32), sides


def _roof_colour(
    building: Building,
    along: Float32Array,
    across: Float32Array,
    rows_along: BoolArray,
    gsd_m: float,
    rng: np.random.Generator,
) -> Float32Array:
    """RGB (h, w, 3) of the covering: sheets and rust, courses of tiles, stained concrete, earth."""
    shape = along.shape
    colour = np.broadcast_to(np.array(building.colour, np.float32), (*shape, 3)).copy()
    if building.covering == "metal":
        sheets = rng.normal(0, 7, 64).astype(np.float32)
        sheet = np.floor(along / 0.9).astype(int) % 64
        tone = sheets[sheet] + rng.normal(0, 5) * np.sign(across)
        # Corrugations of 0.15 m are below any sensor here; what shows is the lap every second sheet.
        tone -= 14 * stripe((along + 0.9) % 1.8 - 0.9, 0.08, gsd_m)
        rust = np.clip(smooth_noise(shape, 2.5 / gsd_m, rng) - rng.uniform(0.3, 2.0), 0, 1)[..., None]
        colour += tone[..., None] + rust * np.array([10, -22, -34], np.float32)
        if rng.random() < 0.25:
            replaced = np.abs(along - rng.uniform(-3, 3)) < rng.uniform(0.5, 1.4)
            colour[replaced & (across > 0)] += np.float32(rng.choice([-28, 30]))
    elif building.covering == "tiles":
        course = np.where(rows_along, across, along)
        colour -= (7 * stripe((course + 0.17) % 0.34 - 0.17, 0.06, gsd_m))[..., None]
        colour += (5 * smooth_noise(shape, 0.4 / gsd_m, rng) + 5 * smooth_noise(shape, 2.0 / gsd_m, rng))[..., None]
        if building.roof != "flat":
            ridge = stripe(across, 0.3, gsd_m)
            colour += (ridge * 12)[..., None]
    elif building.covering == "concrete":
        stain = 8 * smooth_noise(shape, 3.0 / gsd_m, rng) + 5 * smooth_noise(shape, 0.8 / gsd_m, rng)
        bay_m = rng.uniform(3, 7)
        stain -= 9 * stripe((across + bay_m / 2) % bay_m - bay_m / 2, 0.12, gsd_m)
        colour += stain[..., None]
    else:
        colour += (9 * smooth_noise(shape, 1.2 / gsd_m, rng))[..., None]
    clipped: Float32Array = np.clip(colour, 8, 248)
    return clipped


def _draw_rooftop_clutter(
    ground: Ground, building: Building, azimuth_deg: float, half_m: tuple[float, float], rng: np.random.Generator
) -> None:
    """Air conditioners, water tanks, stair heads and skylights on a flat roof."""
    area_m2 = 4 * half_m[0] * half_m[1]
    for _ in range(min(rng.poisson(area_m2 / 45), 14)):
        along_px, right_px = rng.uniform(-0.8, 0.8, 2) * (half_m[1], half_m[0]) / ground.gsd_m
        row_px, col_px = local_point(*building.centre_px, azimuth_deg, along_px, right_px)
        kind = rng.random()
        if kind < 0.3:
            cover = polygon_cover(ground.shape, _circle(row_px, col_px, rng.uniform(0.6, 1.1) / ground.gsd_m))
            colour = ((40, 42, 46), (60, 96, 150), (205, 205, 200))[rng.integers(3)]
            rise_m = 1.4
        else:
            box = rectangle(row_px, col_px, azimuth_deg, *(rng.uniform(0.8, 2.2, 2) / ground.gsd_m).tolist())
            cover = polygon_cover(ground.shape, box)
            colour = ((212, 212, 208), (150, 150, 148), (96, 98, 100))[rng.integers(3)]
            rise_m = rng.uniform(0.4, 2.2)
        if cover is not None:
            blend(ground, cover.rows, cover.cols, cover.share, colour)
            ground.height_m[cover.rows, cover.cols] += np.float32(rise_m) * (cover.share > 0.5)


def _circle(row_px: float, col_px: float, radius_px: float) -> Float64Array:
    """Twelve corners of a circle."""
    azimuth = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    return np.stack([row_px - radius_px * np.cos(azimuth), col_px + radius_px * np.sin(azimuth)], axis=1)
