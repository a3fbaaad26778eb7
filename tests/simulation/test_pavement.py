from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.config import BuiltConfig
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.pavement import Surface, draw_apron, draw_oil_stain, draw_pavement, draw_runway
from cv_pipeline.simulation.pavement_hit import draw_pavement_hit, draw_pavement_repair
from cv_pipeline.simulation.roads import draw_road
from cv_pipeline.simulation.shapes import rectangle
from cv_pipeline.simulation.strike import ColourDelta, Strike, pattern_extent_m


def canvas(material: Material = Material.GRASS, level: float = 110, gsd_m: float = 0.5) -> Ground:
    return level_ground(np.full((160, 160, 3), level, np.float32), material, gsd_m)


def strike(radius_m: float = 3.0, blast_m: float = 10.0, **kwargs: float) -> Strike:
    return Strike(
        80, 80, radius_m, ColourDelta(-40, -40, -40), blast_radius_m=blast_m, ray_seed=4, age=kwargs.get("age", 0.0)
    )


@pytest.mark.parametrize("material", [Material.ASPHALT, Material.CONCRETE])
def test_a_road_is_as_wide_as_told(material: Material) -> None:
    ground = canvas()
    draw_road(ground, np.array([[0.0, 80.0], [160.0, 80.0]]), 8.0, material, np.random.default_rng(0))
    assert (ground.material == material).sum(axis=1).mean() == pytest.approx(16, abs=1)


@pytest.mark.parametrize("surface", [Material.ASPHALT, Material.CONCRETE])
def test_a_runway_has_its_width_edge_lines_and_threshold_bars(surface: Surface) -> None:
    ground = canvas()
    draw_runway(ground, -920.0, 80.0, 0.0, 1030.0, 45.0, surface, np.random.default_rng(1))  # its end at row 110
    assert (ground.material[40] == surface).sum() == pytest.approx(90, abs=2)
    assert (ground.material[125] == surface).sum() == 0
    grey = ground.colour.mean(axis=2)
    plain = np.median(grey[20:40, 45:115])
    row = grey[60:95].mean(axis=0)[40:120] - plain  # threshold bars lie 6 to 36 m before the end
    assert (row > 15).sum() > 15 or surface == Material.CONCRETE
    assert np.abs(np.diff(row)).max() > 8


def test_slabs_have_joints_at_a_regular_pitch() -> None:
    ground = canvas(gsd_m=0.25)
    draw_apron(ground, rectangle(80, 80, 0, 160, 160), 0.0, Material.CONCRETE, np.random.default_rng(3))
    profile = np.median(ground.colour.mean(axis=2), axis=1)
    beside = 0.5 * (np.roll(profile, 3) + np.roll(profile, -3))
    joints = np.flatnonzero((profile - beside)[4:-4] < -3)
    pitch_m = np.diff(joints[np.insert(np.diff(joints) > 3, 0, True)]) * 0.25
    assert pitch_m.size >= 3 and np.ptp(pitch_m) <= 0.5 and 3.8 <= np.median(pitch_m) <= 7.6


@pytest.mark.parametrize("material", [Material.ASPHALT, Material.CONCRETE])
def test_a_hit_leaves_a_dark_hole_within_a_broken_ring_and_soot(material: Material) -> None:
    ground = canvas(material, 170)
    draw_pavement_hit(ground, strike())
    grey = ground.colour.mean(axis=2)
    rows, cols = np.mgrid[:160, :160] + 0.5 - 80
    radius_m = np.hypot(rows, cols) * 0.5
    assert grey[radius_m < 1.5].mean() < 100
    assert ground.height_m[radius_m < 1.0].max() < -0.5 and ground.height_m[(radius_m > 3.5)].max() > 0.1
    assert grey[(radius_m > 6) & (radius_m < 8)].mean() < 168
    extent = pattern_extent_m(strike(), np.arctan2(cols, -rows))
    assert np.abs(grey - 170)[radius_m > 1.6 * extent].mean() < 2


def test_without_a_pattern_the_pavement_stays_clean() -> None:
    ground = canvas(Material.CONCRETE, 170)
    draw_pavement_hit(ground, strike(1.0, 0.0))
    grey = ground.colour.mean(axis=2)
    assert grey[80, 80] < 110 and np.abs(grey - 170)[:60].mean() < 1


def test_soot_fades_with_age() -> None:
    fresh, old = canvas(Material.CONCRETE, 170), canvas(Material.CONCRETE, 170)
    draw_pavement_hit(fresh, strike())
    draw_pavement_hit(old, strike(age=0.9))
    ring = slice(62, 68), slice(70, 90)
    assert 170 - old.colour[ring].mean() < 0.5 * (170 - fresh.colour[ring].mean())


def test_a_repair_fills_the_hole_level_with_a_patch_of_another_tone() -> None:
    ground = canvas(Material.CONCRETE, 170)
    draw_pavement_hit(ground, strike(3.0, 0.0))
    draw_pavement_repair(ground, strike(3.0, 0.0))
    assert np.abs(ground.height_m[76:84, 76:84]).max() == 0
    assert (ground.material[76:84, 76:84] == Material.CONCRETE).all()
    assert np.ptp(ground.colour[76:84, 76:84].mean(axis=2)) < 60


def test_an_oil_stain_is_dark_and_flat() -> None:
    ground = canvas(Material.CONCRETE, 170)
    draw_oil_stain(ground, 80, 80, np.random.default_rng(0))
    assert ground.colour[80, 80].mean() < 160 and not ground.height_m.any()


def test_the_same_seed_draws_the_same_pavement() -> None:
    grounds = [canvas(), canvas()]
    for ground in grounds:
        draw_pavement(ground, BuiltConfig(), np.random.default_rng(8))
        draw_pavement_hit(ground, strike())
    np.testing.assert_array_equal(grounds[0].colour, grounds[1].colour)
    assert np.isin(grounds[0].material, (Material.ASPHALT, Material.CONCRETE)).mean() > 0.05
