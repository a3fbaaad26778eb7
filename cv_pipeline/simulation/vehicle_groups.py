"""Where vehicles stand: single ones, columns along roads, parked rows, aircraft on aprons, camps of tents."""

from __future__ import annotations

import numpy as np

from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.ground import PAVED, Ground, Material, patch_around
from cv_pipeline.simulation.pavement import paved_mask
from cv_pipeline.simulation.shapes import local_point, pick
from cv_pipeline.simulation.vehicles import SIZES_M, Kind, Vehicle, draw_vehicle, make_vehicle


def draw_vehicles(
    ground: Ground, config: BuiltConfig, rng: np.random.Generator, count: int | None = None
) -> list[Vehicle]:
    """Draw groups of vehicles in place and list what was drawn: single ones, columns along roads, parked rows.

    ``count`` is the number of groups, by default from ``config.vehicle_count``. Pavement is preferred;
    nothing stands on roofs, water or in trees. Where a quarter of the canvas is paved there may be aircraft.
    A canvas without any place left gives an empty list.
    """
    height, width = ground.shape
    hectares = height * width * ground.gsd_m**2 / 1e4
    groups = min(rng.poisson(config.vehicle_count * hectares), 40) if count is None else count
    drawn: list[Vehicle] = []
    everywhere = slice(None), slice(None)
    if groups and rng.random() < config.aircraft_share and paved_mask(ground, *everywhere).mean() > 0.25:
        drawn += draw_aircraft(ground, rng)
    for _ in range(groups):
        place = _find_place(ground, rng)
        if place is not None:
            drawn += _draw_group(ground, *place, config, rng)
    return drawn


def draw_tents(ground: Ground, rng: np.random.Generator) -> list[Vehicle]:
    """Draw one camp of two to fifteen tents in rows on open ground, in place, and list them."""
    place = _find_place(ground, rng)
    if place is None:
        return []
    row, col, azimuth_deg = place
    model = make_vehicle("tent", row, col, azimuth_deg, rng)
    across, pitch_m = int(rng.integers(1, 5)), max(model.length_m, model.width_m) * rng.uniform(1.15, 1.8)
    tents = []
    for index in range(int(rng.integers(2, 16))):
        offset_m = np.array([index // across * pitch_m, index % across * pitch_m]) + rng.normal(0, 0.4, 2)
        at = local_point(row, col, azimuth_deg, *(float(v) for v in offset_m / ground.gsd_m))
        if _is_open(ground, *at):
            shade = rng.normal(0, 5)
            red, green, blue = (float(np.clip(c + shade, 20, 245)) for c in model.colour)
            tent = Vehicle(
                "tent",
                float(at[0]),
                float(at[1]),
                azimuth_deg + rng.normal(0, 2.0),
                model.length_m,
                model.width_m,
                model.height_m,
                (red, green, blue),
            )
            draw_vehicle(ground, tent)
            tents.append(tent)
    return tents


def draw_aircraft(ground: Ground, rng: np.random.Generator) -> list[Vehicle]:
    """Draw one to six aircraft side by side on pavement, in place, and list them; none where there is no pavement."""
    place = _find_place(ground, rng, paved_only=True)
    if place is None:
        return []
    row, col, azimuth_deg = place
    kind: Kind = "fighter" if rng.random() < 0.65 else "transport"
    heading_deg = azimuth_deg + rng.choice([0, 90, 180, 270])
    model = make_vehicle(kind, row, col, heading_deg, rng)
    aircraft = []
    for index in range(int(rng.integers(1, 7 if kind == "fighter" else 4))):
        aside_px = index * model.width_m * 1.4 / ground.gsd_m
        at_row, at_col = local_point(row, col, heading_deg, 0.0, aside_px)
        if index == 0 or _is_paved(ground, at_row, at_col):
            plane = Vehicle(
                kind,
                float(at_row),
                float(at_col),
                heading_deg + rng.normal(0, 1.5),
                model.length_m,
                model.width_m,
                model.height_m,
                model.colour,
            )
            draw_vehicle(ground, plane)
            aircraft.append(plane)
    return aircraft


def _draw_group(
    ground: Ground, row: float, col: float, azimuth_deg: float, config: BuiltConfig, rng: np.random.Generator
) -> list[Vehicle]:
    """One group: a single vehicle (mostly), a column one behind the other, or a parked row side by side."""
    military = rng.random() < config.military_share
    kinds: tuple[Kind, ...] = ("lorry", "armoured", "van", "trailer", "container") if military else (
        "car", "van", "lorry", "trailer", "bus", "container"
    )  # fmt: skip
    shares = [0.4, 0.3, 0.15, 0.1, 0.05] if military else [0.72, 0.11, 0.06, 0.04, 0.02, 0.05]
    layout = ("single", "column", "row")[pick((0.6, 0.15, 0.25), rng)]
    count = 1 if layout == "single" else int(rng.integers(2, 8 if layout == "column" else 14))
    kind = kinds[pick(shares, rng)]
    on_road = _is_paved(ground, row, col)
    heading_deg = azimuth_deg if on_road else rng.uniform(0, 360)
    drawn = []
    for index in range(count):
        if not military and rng.random() < 0.3:
            kind = "car"
        along_m = index * (SIZES_M[kind][0] + rng.uniform(1.5, 9)) if layout == "column" else rng.normal(0, 0.3)
        right_m = index * (SIZES_M[kind][1] + rng.uniform(0.6, 1.2)) if layout == "row" else 0.0
        if layout == "row" and rng.random() < 0.2:
            continue  # an empty bay
        at_row, at_col = local_point(row, col, heading_deg, along_m / ground.gsd_m, right_m / ground.gsd_m)
        if not _is_open(ground, at_row, at_col):
            continue
        turn = 180.0 if rng.random() < 0.3 else 0.0
        vehicle = make_vehicle(kind, at_row, at_col, heading_deg + turn + rng.normal(0, 2.5), rng, military)
        draw_vehicle(ground, vehicle)
        drawn.append(vehicle)
    return drawn


def _find_place(
    ground: Ground, rng: np.random.Generator, paved_only: bool = False
) -> tuple[float, float, float] | None:
    """A free point and the azimuth of the pavement there (chance off pavement); None after sixteen vain tries."""
    height, width = ground.shape
    for attempt in range(16):
        row, col = float(rng.uniform(0, height)), float(rng.uniform(0, width))
        paved = _is_paved(ground, row, col)
        if not _is_open(ground, row, col) or (not paved and (paved_only or attempt < 8)):
            continue
        return row, col, pavement_azimuth_deg(ground, row, col) if paved else float(rng.uniform(0, 360))
    return None


def _is_paved(ground: Ground, row_px: float, col_px: float) -> bool:
    if not (0 <= row_px < ground.shape[0] and 0 <= col_px < ground.shape[1]):
        return False
    return ground.material[int(row_px), int(col_px)] in PAVED


def _is_open(ground: Ground, row_px: float, col_px: float) -> bool:
    """Whether a vehicle may stand here: inside the canvas, level 1.2 m around, no roof, water or tree."""
    if not (0 <= row_px < ground.shape[0] and 0 <= col_px < ground.shape[1]):
        return False
    near = round(1.2 / ground.gsd_m)
    rows = slice(max(int(row_px) - near, 0), int(row_px) + near + 1)
    cols = slice(max(int(col_px) - near, 0), int(col_px) + near + 1)
    blocked = (ground.material[rows, cols] >= Material.ROOF).any()  # roof, water, tree
    return not blocked and float(np.abs(ground.height_m[rows, cols]).max()) < 0.3


def pavement_azimuth_deg(ground: Ground, row_px: float, col_px: float) -> float:
    """Direction in which the pavement around a point is longest: first principal axis of its pixels within 15 m."""
    patch = patch_around(ground.shape, row_px, col_px, 15.0, ground.gsd_m)
    if patch is None:
        return 0.0
    rows, cols = np.nonzero(paved_mask(ground, patch.rows, patch.cols) & (patch.radius_m < 15.0))
    if rows.size < 3:
        return 0.0
    axis = np.linalg.eigh(np.cov(np.stack([rows, cols]).astype(float)))[1][:, -1]
    return float(np.rad2deg(np.arctan2(axis[1], -axis[0])))
