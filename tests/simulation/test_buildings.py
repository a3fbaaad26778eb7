from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.buildings import Building, Roof, draw_building
from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.debris import draw_debris, draw_rubble
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.light import Sun, photograph
from cv_pipeline.simulation.pavement import draw_pavement
from cv_pipeline.simulation.pavement_hit import draw_pavement_hit, draw_pavement_repair
from cv_pipeline.simulation.plots import draw_wall
from cv_pipeline.simulation.roof_hit import draw_roof_hit
from cv_pipeline.simulation.settlements import draw_settlements, draw_shelters, draw_single_buildings
from cv_pipeline.simulation.shapes import rectangle
from cv_pipeline.simulation.strike import ColourDelta, Strike
from cv_pipeline.simulation.vehicle_groups import draw_vehicles


def meadow(size: int = 152, gsd_m: float = 0.6) -> Ground:
    return level_ground(np.full((size, size, 3), 110, np.float32), Material.GRASS, gsd_m)


def house(roof: Roof = "gable", azimuth_deg: float = 0.0) -> Building:
    corners = rectangle(40, 40, azimuth_deg, 30, 20)
    return Building(0, tuple((r, c) for r, c in corners), 4.0, roof, "metal", (150.0, 150.0, 150.0), 0.5, 9)


@pytest.mark.parametrize(
    ("roof", "rise_m"), [("flat", 0.0), ("gable", 2.5), ("hip", 2.5), ("shed", 0.35 * 2.5), ("shelter", 2.5)]
)
def test_a_roof_rises_to_its_ridge(roof: Roof, rise_m: float) -> None:
    ground = meadow(80, 0.5)
    draw_building(ground, house(roof))
    assert ground.height_m[40, 40] == pytest.approx(4.0 + rise_m, abs=0.2 if roof != "flat" else 2.3)
    assert (ground.material == Material.ROOF).sum() == pytest.approx(600, rel=0.05)
    assert ground.height_m[10, 10] == 0


def test_a_gable_is_a_ridge_with_even_slopes() -> None:
    ground = meadow(80, 0.5)
    draw_building(ground, house())
    across = ground.height_m[40, 32:48]
    np.testing.assert_allclose(across, across[::-1], atol=1e-5)
    np.testing.assert_allclose(np.diff(across[:8]), 0.25, atol=1e-5)  # pitch 0.5 over 0.5 m
    np.testing.assert_allclose(np.ptp(ground.height_m[30:50, 40]), 0, atol=1e-5)


def test_the_sun_shades_the_two_sides_differently() -> None:
    ground = meadow(80, 0.5)
    draw_building(ground, replace(house(), covering="earth"))
    image = photograph(ground, Sun(90, 35))
    assert image[35:45, 42:48].mean() > 1.2 * image[35:45, 32:38].mean()


def test_a_building_draws_the_same_wherever_it_is_drawn_again() -> None:
    first, second = meadow(), meadow()
    draw_building(first, house("hip", 33))
    draw_building(second, house("hip", 33))
    np.testing.assert_array_equal(first.colour, second.colour)


def test_one_outside_the_canvas_changes_nothing() -> None:
    ground = meadow(40)
    draw_building(ground, replace(house(), corners_px=tuple((r + 200, c) for r, c in house().corners_px)))
    assert (ground.colour == 110).all() and not ground.height_m.any()


def test_a_village_lists_what_stands_in_it() -> None:
    config = BuiltConfig(village_radius_m=(120, 200), farm_share=0, shelter_share=0)
    for seed in range(3):
        ground = meadow(220)
        buildings = draw_settlements(ground, config, np.random.default_rng(seed))
        assert len(buildings) > 4
        assert [b.building_id for b in buildings] == list(range(len(buildings)))
        roofs = ground.material == Material.ROOF
        for building in buildings:
            row, col = (int(v) for v in building.centre_px)
            if 0 <= row < 220 and 0 <= col < 220:
                assert roofs[row, col] and ground.height_m[row, col] > 1.5
        assert 0.03 < roofs.mean() < 0.7


def test_the_same_seed_draws_the_same_village() -> None:
    grounds = [meadow(), meadow()]
    lists = [draw_settlements(ground, BuiltConfig(), np.random.default_rng(5)) for ground in grounds]
    assert lists[0] == lists[1]
    np.testing.assert_array_equal(grounds[0].colour, grounds[1].colour)
    np.testing.assert_array_equal(grounds[0].height_m, grounds[1].height_m)


def test_a_farm_has_few_buildings() -> None:
    config = BuiltConfig(farm_share=1.0)
    assert 1 <= len(draw_settlements(meadow(), config, np.random.default_rng(1))) <= 14


def test_single_buildings_keep_off_what_is_built() -> None:
    ground = meadow()
    blocks = np.random.default_rng(0).choice([-60.0, 60.0], (19, 10, 1))
    ground.colour[:, :80] += np.kron(blocks, np.ones((8, 8, 3)))
    for seed in range(6):
        for building in draw_single_buildings(ground.copy(), 3, BuiltConfig(), np.random.default_rng(seed)):
            assert building.centre_px[1] > 70


def test_shelters_stand_in_a_row_of_equal_ones() -> None:
    ground = meadow(400)
    shelters = draw_shelters(ground, np.random.default_rng(3))
    centres = np.array([s.centre_px for s in shelters])
    assert len({s.colour for s in shelters}) == 1
    spread = np.linalg.svd(centres - centres.mean(axis=0))[1]
    assert len(shelters) >= 2 and spread[1] < 0.1 * spread[0] + 3


@pytest.mark.parametrize("gsd_m", [0.2, 0.6, 1.0])
def test_a_thin_wall_is_unbroken_and_as_high_as_told(gsd_m: float) -> None:
    ground = meadow(60, gsd_m)
    draw_wall(ground, np.array([[10.0, 10.0], [43.0, 50.0]]), 0.15, 2.0, (90, 80, 70))
    columns = ground.height_m[:, 14:46].max(axis=0)
    assert columns.min() > 1.0 and columns.max() <= 2.0


@pytest.mark.parametrize("gsd_m", [0.2, 0.6, 1.2])
def test_everything_built_and_struck_stays_in_range_also_at_the_border(gsd_m: float) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        ground = meadow(120, gsd_m)
        draw_pavement(ground, BuiltConfig(), rng)
        draw_settlements(ground, BuiltConfig(), rng)
        draw_vehicles(ground, BuiltConfig(), rng, count=6)
        draw_rubble(ground, 5.0, 118.0, 8.0, rng)
        for _ in range(12):
            place = rng.uniform(-10, 130, 2)
            hit = Strike(*place, 2.5, ColourDelta(-40, -40, -40), blast_radius_m=9.0, ray_seed=int(rng.integers(999)))
            for draw in (draw_roof_hit, draw_pavement_hit, draw_pavement_repair, draw_debris):
                draw(ground, hit)
        assert ground.colour.min() >= 0 and ground.colour.max() <= 255
        assert np.isfinite(ground.height_m).all() and np.abs(ground.height_m).max() < 45
        assert ground.colour.dtype == ground.height_m.dtype == np.float32
