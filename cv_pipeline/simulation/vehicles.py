"""One vehicle, container, tent or parked aircraft, and how it is drawn: colour and height, no material or shadow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cv_pipeline.simulation.ground import Ground, blend
from cv_pipeline.simulation.shapes import local_metres, local_point, local_points, pick, polygon_cover, rectangle
from cv_pipeline.types import Float64Array

Kind = Literal["car", "van", "lorry", "trailer", "bus", "armoured", "container", "tent", "fighter", "transport"]
Colour = tuple[float, float, float]
SIZES_M: dict[Kind, tuple[float, float, float]] = {
    "car": (4.5, 1.8, 1.5),
    "van": (5.6, 2.1, 2.3),
    "lorry": (8.5, 2.5, 3.2),
    "trailer": (13.6, 2.5, 3.6),
    "bus": (12.0, 2.5, 3.1),
    "armoured": (6.8, 3.2, 2.3),
    "container": (6.1, 2.44, 2.6),
    "tent": (7.0, 5.0, 2.8),
    "fighter": (18.0, 12.0, 4.8),
    "transport": (36.0, 34.0, 10.0),
}
"""Length, width, height. Road vehicles: Directive 96/53/EC and common makes; container: ISO 668, 20 ft."""
# Shares of paint on new cars, rounded: white 38, black 20, grey 15, silver 9, blue 8, red 5, other
# (Axalta Global Automotive Color Popularity Report 2020).
_PAINTS: tuple[tuple[float, Colour], ...] = (
    (0.34, (226, 226, 224)),
    (0.17, (42, 43, 46)),
    (0.16, (104, 106, 108)),
    (0.13, (170, 172, 174)),
    (0.08, (54, 72, 112)),
    (0.06, (138, 42, 40)),
    (0.06, (150, 138, 114)),
)
_MILITARY: tuple[Colour, ...] = ((88, 94, 68), (70, 76, 58), (168, 148, 112), (110, 112, 104))
_BOXES: tuple[Colour, ...] = ((150, 70, 50), (62, 92, 140), (206, 206, 202), (92, 118, 92), (170, 130, 60))
_TENTS: tuple[Colour, ...] = ((212, 208, 196), (110, 112, 84), (176, 160, 124), (228, 228, 226), (80, 110, 160))


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One thing that can be driven or carried away, seen from above.

    ``heading_deg`` is where its front points, clockwise from image up; ``colour`` is RGB in DN.
    """

    kind: Kind
    row_px: float
    col_px: float
    heading_deg: float
    length_m: float
    width_m: float
    height_m: float
    colour: Colour


def make_vehicle(
    kind: Kind, row_px: float, col_px: float, heading_deg: float, rng: np.random.Generator, military: bool = False
) -> Vehicle:
    """A vehicle of a kind with its size (10 % either way) and paint left to chance."""
    length_m, width_m, height_m = np.array(SIZES_M[kind]) * rng.normal(1, [0.07, 0.04, 0.07]).clip(0.8, 1.25)
    if kind == "container" and rng.random() < 0.5:
        length_m *= 2
    paints: tuple[Colour, ...] = _MILITARY
    if kind == "tent":
        paints = _TENTS
    elif kind in ("container", "trailer") and not military:
        paints = _BOXES
    elif kind in ("fighter", "transport"):
        paints = ((150, 154, 156), (128, 134, 138), (196, 198, 200), (214, 214, 212))
    elif kind != "armoured" and not military:
        shares, colours = zip(*_PAINTS, strict=True)
        paints = (colours[pick(shares, rng)],)
    red, green, blue = np.clip(np.array(paints[rng.integers(len(paints))]) + rng.normal(0, 7), 20, 245)
    return Vehicle(
        kind,
        row_px,
        col_px,
        heading_deg,
        float(length_m),
        float(width_m),
        float(height_m),
        (float(red), float(green), float(blue)),
    )


def draw_vehicle(ground: Ground, vehicle: Vehicle) -> None:
    """Draw a vehicle in place; nothing where it lies outside the canvas."""
    if vehicle.kind == "tent":
        _draw_tent(ground, vehicle)
    elif vehicle.kind in ("fighter", "transport"):
        _draw_aircraft(ground, vehicle)
    elif vehicle.kind in ("container", "trailer"):
        _draw_box(ground, vehicle, 0.0, vehicle.length_m, vehicle.height_m, vehicle.colour)
        for share in (0.25, -0.25):
            _draw_part(ground, vehicle, ((share, 0.48), (share, -0.48)), 0.06, -14)
    elif vehicle.kind == "lorry":
        cab_m = 2.2
        _draw_box(ground, vehicle, vehicle.length_m / 2 - cab_m / 2, cab_m, 2.6, vehicle.colour)
        load = tuple(float(np.clip(0.5 * c + 75, 0, 235)) for c in vehicle.colour)
        box_m = vehicle.length_m - cab_m - 0.4
        _draw_box(
            ground, vehicle, -vehicle.length_m / 2 + box_m / 2, box_m, vehicle.height_m, (load[0], load[1], load[2])
        )
        _draw_glass(ground, vehicle, 0.5, 0.43)
    elif vehicle.kind == "armoured":
        _draw_box(ground, vehicle, 0.0, vehicle.length_m, 0.65 * vehicle.height_m, vehicle.colour)
        turret = (0.05, 0.3), (0.3, 0.18), (0.3, -0.18), (0.05, -0.3), (-0.2, -0.25), (-0.2, 0.25)
        _fill(ground, vehicle, turret, tuple(0.88 * c for c in vehicle.colour), vehicle.height_m)
    else:
        _draw_box(ground, vehicle, 0.0, vehicle.length_m, 0.62 * vehicle.height_m, vehicle.colour)
        rear = -0.42 if vehicle.kind != "car" else -0.3
        roof = (0.12, 0.42), (0.12, -0.42), (rear, -0.42), (rear, 0.42)
        lighter = tuple(min(1.04 * c + 4, 248) for c in vehicle.colour)
        _fill(ground, vehicle, roof, lighter, vehicle.height_m)
        _draw_glass(ground, vehicle, 0.26, 0.12)
        if vehicle.kind == "car":
            _draw_glass(ground, vehicle, -0.3, -0.4)


def _points(ground: Ground, vehicle: Vehicle, shares: tuple[tuple[float, float], ...]) -> Float64Array:
    """Canvas points of (along, right) offsets in shares of the vehicle's length and width."""
    size_px = np.array([vehicle.length_m, vehicle.width_m]) / ground.gsd_m
    return local_points(vehicle.row_px, vehicle.col_px, vehicle.heading_deg, np.array(shares) * size_px)


def _fill(
    ground: Ground,
    vehicle: Vehicle,
    shares: tuple[tuple[float, float], ...],
    colour: tuple[float, ...],
    height_m: float,
    opacity: float = 1.0,
) -> None:
    """Fill a polygon given in shares of the vehicle; height is kept where it would be lower."""
    _paint(ground, _points(ground, vehicle, shares), colour, height_m, opacity)


def _paint(
    ground: Ground, corners_px: Float64Array, colour: tuple[float, ...], height_m: float, opacity: float = 1.0
) -> None:
    cover = polygon_cover(ground.shape, corners_px)
    if cover is None:
        return
    blend(ground, cover.rows, cover.cols, opacity * cover.share, np.array(colour, np.float32))
    if height_m <= 0:
        return
    height = ground.height_m[cover.rows, cover.cols]
    np.maximum(height, np.where(cover.share > 0.4, np.float32(height_m), -np.inf), out=height)


def _draw_box(
    ground: Ground, vehicle: Vehicle, ahead_m: float, length_m: float, height_m: float, colour: Colour
) -> None:
    """A box as wide as the vehicle, its middle ``ahead_m`` of the vehicle's."""
    centre = local_point(vehicle.row_px, vehicle.col_px, vehicle.heading_deg, ahead_m / ground.gsd_m)
    corners = rectangle(*centre, vehicle.heading_deg, length_m / ground.gsd_m, vehicle.width_m / ground.gsd_m)
    _paint(ground, corners, colour, height_m)


def _draw_glass(ground: Ground, vehicle: Vehicle, front: float, rear: float) -> None:
    """A dark pane across the vehicle between two shares of its length."""
    _fill(ground, vehicle, ((front, 0.4), (front, -0.4), (rear, -0.38), (rear, 0.38)), (34, 38, 44), 0.0, 0.85)


def _draw_part(
    ground: Ground, vehicle: Vehicle, line: tuple[tuple[float, float], ...], half: float, change_dn: float
) -> None:
    """A slightly darker band across, such as a rib of a container."""
    (along, right), (_, left) = line[0], line[1]
    band = ((along + half, right), (along + half, left), (along - half, left), (along - half, right))
    _fill(ground, vehicle, band, tuple(np.clip(np.array(vehicle.colour) + change_dn, 0, 255)), 0.0, 0.6)


def _draw_tent(ground: Ground, vehicle: Vehicle) -> None:
    """A tent with two slopes."""
    corners = rectangle(
        vehicle.row_px,
        vehicle.col_px,
        vehicle.heading_deg,
        vehicle.length_m / ground.gsd_m,
        vehicle.width_m / ground.gsd_m,
    )
    cover = polygon_cover(ground.shape, corners)
    if cover is None:
        return
    _, across = local_metres(cover, vehicle.row_px, vehicle.col_px, vehicle.heading_deg, ground.gsd_m)
    blend(ground, cover.rows, cover.cols, cover.share, vehicle.colour)
    half_m = vehicle.width_m / 2
    slope = 1.2 + (vehicle.height_m - 1.2) * np.clip(1 - np.abs(across) / half_m, 0, 1)
    height = ground.height_m[cover.rows, cover.cols]
    height[cover.share > 0.5] = slope[cover.share > 0.5]


_FIGHTER = {
    "wing": ((0.12, 0.08), (-0.22, 0.5), (-0.32, 0.5), (-0.3, 0.06)),
    "tail": ((-0.32, 0.05), (-0.45, 0.24), (-0.52, 0.24), (-0.46, 0.04)),
    "body": ((0.5, 0.0), (0.36, 0.045), (0.1, 0.075), (-0.3, 0.085), (-0.48, 0.05)),
}
_TRANSPORT = {
    "wing": ((0.14, 0.05), (-0.08, 0.5), (-0.14, 0.5), (-0.06, 0.05)),
    "tail": ((-0.36, 0.03), (-0.46, 0.19), (-0.5, 0.19), (-0.47, 0.02)),
    "body": ((0.5, 0.0), (0.46, 0.04), (0.38, 0.055), (-0.2, 0.055), (-0.46, 0.018), (-0.5, 0.0)),
}
"""Right halves of the outlines, (along, right) in shares of length and span."""


def _draw_aircraft(ground: Ground, vehicle: Vehicle) -> None:
    """Wings, tailplane and fuselage, mirrored; two or four engines on a transport."""
    parts = _FIGHTER if vehicle.kind == "fighter" else _TRANSPORT
    dull = tuple(0.93 * c for c in vehicle.colour)
    for name, height_share in (("wing", 0.35), ("tail", 0.42)):
        for side in (1, -1):
            outline = tuple((along, side * right) for along, right in parts[name])
            _fill(ground, vehicle, outline, dull, height_share * vehicle.height_m)
    body = parts["body"] + tuple((along, -right) for along, right in reversed(parts["body"]))
    _fill(ground, vehicle, body, vehicle.colour, 0.5 * vehicle.height_m)
    if vehicle.kind == "transport":
        for right in (0.17, -0.17, 0.31, -0.31):
            engine = tuple((along - 0.3 * abs(right), right + r) for along, r in (
                (0.16, 0.016), (0.16, -0.016), (0.04, -0.016), (0.04, 0.016)
            ))  # fmt: skip
            _fill(ground, vehicle, engine, tuple(0.7 * c for c in vehicle.colour), 0.28 * vehicle.height_m)
    fin = ((-0.3, 0.012), (-0.3, -0.012), (-0.5, -0.012), (-0.5, 0.012))
    _fill(ground, vehicle, fin, dull, vehicle.height_m)
