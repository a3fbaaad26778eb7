"""Single cars where they stand or drive, most of them red or dark: seen at 0.6 m, a dark spot with a dark shadow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cv_pipeline.simulation.ground import PAVED, Ground, patch_around
from cv_pipeline.simulation.lookalikes.base import Kind
from cv_pipeline.simulation.shapes import pick
from cv_pipeline.simulation.vehicle_groups import pavement_azimuth_deg
from cv_pipeline.simulation.vehicles import Kind as VehicleKind
from cv_pipeline.simulation.vehicles import draw_vehicle, make_vehicle

_PAINTS = (
    (0.20, (150, 34, 34)),  # red
    (0.10, (96, 30, 36)),  # maroon
    (0.22, (34, 35, 38)),  # black
    (0.14, (36, 48, 84)),  # dark blue
    (0.08, (44, 56, 48)),  # dark green
    (0.10, (92, 94, 97)),  # grey
    (0.16, (212, 212, 210)),  # white, silver
)
"""Shares and RGB. Dark ones on purpose more often than on roads: pale cars are not taken for craters."""


def draw_car(ground: Ground, row_px: float, col_px: float, rng: np.random.Generator) -> float:
    """A car or van along its road, or any way round on a lawn or drive."""
    kind: VehicleKind = "car" if rng.random() < 0.85 else "van"
    heading_deg = float(rng.uniform(0, 360))
    if ground.material[int(row_px), int(col_px)] in PAVED:
        across = 90.0 if rng.random() < 0.25 else 0.0  # parked nose in
        heading_deg = pavement_azimuth_deg(ground, row_px, col_px) + across + float(rng.normal(0, 4))
    shares, colours = zip(*_PAINTS, strict=True)
    red, green, blue = np.clip(np.array(colours[pick(shares, rng)]) + rng.normal(0, 8) + rng.normal(0, 4, 3), 12, 245)
    car = make_vehicle(kind, row_px, col_px, heading_deg, rng)
    patch = patch_around(ground.shape, row_px, col_px, 0.5 * car.length_m, ground.gsd_m)
    if patch is not None and float(np.abs(ground.height_m[patch.rows, patch.cols]).max()) > 0.5:
        return 0.0  # on or against something that stands or is dug: no place for a car
    draw_vehicle(ground, replace(car, colour=(float(red), float(green), float(blue))))
    return car.length_m / 2


KINDS = (
    Kind("car on pavement", "cars", draw_car, 1.5, transient=True, needs="paved"),
    Kind("car", "cars", draw_car, 1.0, transient=True),
)
