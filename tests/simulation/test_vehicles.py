from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.vehicle_groups import draw_aircraft, draw_tents, draw_vehicles
from cv_pipeline.simulation.vehicles import SIZES_M, Kind, draw_vehicle, make_vehicle


def ground(material: Material = Material.GRASS, gsd_m: float = 0.25) -> Ground:
    return level_ground(np.full((200, 200, 3), 120, np.float32), material, gsd_m)


@pytest.mark.parametrize("kind", list(SIZES_M))
def test_every_kind_has_its_place_and_size(kind: Kind) -> None:
    canvas = ground()
    vehicle = make_vehicle(kind, 100, 90, 90.0, np.random.default_rng(3))
    draw_vehicle(canvas, vehicle)
    raised = np.argwhere(canvas.height_m > 0.3)
    if kind != "transport":
        np.testing.assert_allclose((raised.min(axis=0) + raised.max(axis=0) + 1) / 2, [100, 90], atol=2.5)
    np.testing.assert_allclose(
        np.ptp(raised, axis=0) + 1, [vehicle.width_m / 0.25, vehicle.length_m / 0.25], rtol=0.12, atol=2
    )
    assert canvas.height_m.max() >= 0.9 * vehicle.height_m
    assert (canvas.material == Material.GRASS).all()


def test_a_car_is_narrower_than_long_along_its_heading_and_has_glass() -> None:
    canvas = ground(gsd_m=0.1)
    car = make_vehicle("car", 100, 100, 0.0, np.random.default_rng(5))
    draw_vehicle(canvas, car)
    along = canvas.colour[80:120, 100].mean(axis=1)
    assert along.min() < 80  # windscreen
    assert (canvas.height_m > 0.5).any(axis=1).sum() > 2 * (canvas.height_m > 0.5).any(axis=0).sum()


def test_white_is_the_commonest_paint_and_colours_are_few() -> None:
    rng = np.random.default_rng(0)
    colours = np.array([make_vehicle("car", 0, 0, 0, rng).colour for _ in range(600)])
    assert 0.25 < (colours.min(axis=1) > 195).mean() < 0.45
    assert (np.ptp(colours, axis=1) > 30).mean() < 0.3


def test_vehicles_follow_the_road_and_stay_off_roofs() -> None:
    canvas = ground()
    canvas.material[:, 90:114] = Material.ASPHALT  # a road up and down the image
    canvas.material[:, :60] = Material.ROOF
    vehicles = draw_vehicles(canvas, BuiltConfig(military_share=0), np.random.default_rng(1), count=20)
    on_road = [v for v in vehicles if 90 <= v.col_px < 114]
    assert len(on_road) > 6 and all(v.col_px >= 60 for v in vehicles)
    headings = np.array([v.heading_deg for v in on_road])
    assert np.median(np.abs((headings + 90) % 180 - 90)) < 10


def test_a_count_of_none_leaves_the_canvas_alone() -> None:
    canvas = ground()
    assert draw_vehicles(canvas, BuiltConfig(vehicle_count=0), np.random.default_rng(1)) == []
    assert (canvas.colour == 120).all()


def test_the_same_seed_draws_the_same_vehicles() -> None:
    canvases = [ground(), ground()]
    lists = [draw_vehicles(c, BuiltConfig(), np.random.default_rng(9), count=5) for c in canvases]
    assert lists[0] == lists[1]
    np.testing.assert_array_equal(canvases[0].colour, canvases[1].colour)


def test_tents_of_a_camp_are_alike_and_have_two_slopes() -> None:
    canvas = ground()
    tents = draw_tents(canvas, np.random.default_rng(2))
    assert len(tents) >= 1 and len({t.length_m for t in tents}) == 1
    assert canvas.height_m.max() == pytest.approx(tents[0].height_m, abs=0.4)


def test_aircraft_need_pavement() -> None:
    assert draw_aircraft(ground(), np.random.default_rng(1)) == []
    apron = ground(Material.CONCRETE)
    assert len(draw_aircraft(apron, np.random.default_rng(1))) >= 1 and apron.height_m.max() > 2


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_of_aircraft_turns_them_on_and_off(share: float) -> None:
    config = BuiltConfig(aircraft_share=share)
    drawn = draw_vehicles(ground(Material.CONCRETE), config, np.random.default_rng(4), count=2)
    assert any(v.kind in ("fighter", "transport") for v in drawn) == bool(share)
