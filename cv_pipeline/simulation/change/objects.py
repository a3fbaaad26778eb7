"""Single things that come or go: tracks, buildings, trees, storm damage, vehicles, tents."""

from __future__ import annotations

import cv2
import numpy as np

from cv_pipeline.simulation.change.base import Change, Date, Pair, covered_by, one_date
from cv_pipeline.simulation.debris import draw_rubble, draw_tarpaulin, draw_uprooted_tree
from cv_pipeline.simulation.ground import OPEN, Ground, Material
from cv_pipeline.simulation.roads import draw_road
from cv_pipeline.simulation.settlements import draw_single_buildings
from cv_pipeline.simulation.shapes import beside
from cv_pipeline.simulation.trees import draw_tree
from cv_pipeline.simulation.vehicle_groups import draw_tents, draw_vehicles


def new_track(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Wheel marks across a field, or a worn track."""
    date, ground = one_date(pair, rng, 0.7)
    height, width = ground.shape
    start, heading = rng.uniform(0, 1, 2) * (height, width), rng.uniform(0, 2 * np.pi)
    reach_px = float(np.hypot(height, width))
    bend = rng.normal(0, 0.25)
    share = np.linspace(-1, 1, 24)
    turn = heading + bend * share
    points = start + reach_px * share[:, None] * np.stack([-np.cos(turn), np.sin(turn)], axis=1)
    if rng.random() < 0.4:
        draw_road(ground, points, float(rng.uniform(2.2, 3.8)), Material.SOIL, rng)
    else:
        _draw_ruts(ground, points, rng)
    return [Change("track", date, (float(start[0]), float(start[1])), None)]


def _draw_ruts(ground: Ground, points: np.ndarray, rng: np.random.Generator) -> None:
    """Two wheel marks, darker or paler than the field, on open ground only."""
    gauge_px, width_px = rng.uniform(1.6, 2.2) / ground.gsd_m, rng.uniform(0.3, 0.6) / ground.gsd_m
    marks = np.zeros(ground.shape, np.uint8)
    thickness = max(round(width_px), 1)
    for side in (-0.5, 0.5):
        line = np.round((beside(points, side * gauge_px) - 0.5)[:, ::-1] * 16).astype(np.int32)
        cv2.polylines(marks, [line], False, 255, thickness, cv2.LINE_AA, 4)
    strength = min(width_px / thickness, 1.0) * rng.uniform(0.5, 1.0)
    share = marks.astype(np.float32) * np.float32(strength / 255) * covered_by(ground, OPEN)
    ground.colour *= (1 + np.float32(rng.choice([-0.35, -0.25, 0.3])) * share)[..., None]


def construction(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Buildings put up (after) or pulled down (before), some of them leaving rubble without any crater."""
    date, ground = one_date(pair, rng)
    changes = []
    for building in draw_single_buildings(ground, int(rng.integers(1, 3)), pair.built, rng):
        row, col = building.centre_px
        corners = np.asarray(building.corners_px)
        radius_m = float(np.hypot(*(corners - corners.mean(axis=0)).T).max()) * ground.gsd_m
        changes.append(Change("built" if date == "after" else "demolished", date, (row, col), radius_m))
        if date == "before" and rng.random() < pair.config.demolition_rubble_share:
            draw_rubble(pair.after, row, col, 0.6 * radius_m, rng)
            changes.append(Change("rubble", "after", (row, col), 0.6 * radius_m))
    return changes


def trees_cut(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """One to six trees that stand only on the before image; a pale spot or nothing remains of them."""
    changes = []
    middle = rng.uniform(0, 1, 2) * pair.before.shape
    colour = np.array([66, 78, 48], np.float32) * np.float32(rng.uniform(0.7, 1.25))
    for _ in range(int(rng.integers(1, 7))):
        row, col = (float(value) for value in middle + rng.normal(0, 8.0, 2) / pair.before.gsd_m)
        radius_m = float(np.clip(rng.lognormal(0.8, 0.4), 1.0, 5.0))
        place = int(row), int(col)
        if not (0 <= place[0] < pair.before.shape[0] and 0 <= place[1] < pair.before.shape[1]):
            continue
        if pair.before.material[place] not in OPEN:
            continue
        draw_tree(pair.before, row, col, radius_m, radius_m * float(rng.uniform(1.4, 2.6)), colour, rng)
        changes.append(Change("tree_cut", "before", (row, col), radius_m))
    return changes


def storm(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Rubble, tarpaulins and fallen trees after a storm: damage without any crater."""
    changes = []
    for _ in range(int(rng.integers(1, 4))):
        row, col = (float(value) for value in rng.uniform(0, 1, 2) * pair.after.shape)
        kind, radius_m = int(rng.choice(3, p=(0.5, 0.25, 0.25))), float(rng.uniform(3.0, 10.0))
        if kind == 0:
            draw_rubble(pair.after, row, col, radius_m, rng)
        elif kind == 1:
            draw_tarpaulin(pair.after, row, col, rng)
        else:
            draw_uprooted_tree(pair.after, row, col, rng)
        changes.append(Change(("rubble", "tarpaulin", "fallen_tree")[kind], "after", (row, col), radius_m))
    return changes


def traffic(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """Vehicles, none of which stands in the same place on both dates."""
    changes = []
    dates: tuple[tuple[Date, Ground], ...] = (("before", pair.before), ("after", pair.after))
    for date, ground in dates:
        for vehicle in draw_vehicles(ground, pair.built, rng, int(rng.poisson(pair.config.vehicle_groups))):
            where = float(vehicle.row_px), float(vehicle.col_px)
            changes.append(Change(vehicle.kind, date, where, vehicle.length_m / 2))
    return changes


def tents(pair: Pair, rng: np.random.Generator) -> list[Change]:
    """A camp put up or taken down."""
    date, ground = one_date(pair, rng)
    return [
        Change("tent", date, (float(tent.row_px), float(tent.col_px)), tent.length_m / 2)
        for tent in draw_tents(ground, rng)
    ]
