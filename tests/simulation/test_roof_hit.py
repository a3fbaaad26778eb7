from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.buildings import Building, draw_building
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.roof_hit import draw_roof_hit, roof_damage
from cv_pipeline.simulation.shapes import rectangle
from cv_pipeline.simulation.strike import ColourDelta, Strike


def built(neighbour: bool = False) -> Ground:
    ground = level_ground(np.full((140, 140, 3), 110, np.float32), Material.GRASS, 0.5)
    for index, row in enumerate((60, 110) if neighbour else (60,)):
        corners = tuple((r, c) for r, c in rectangle(row, 70, 90, 60, 30))
        draw_building(ground, Building(index, corners, 5.0, "gable", "metal", (190, 190, 190), 0.4, index))
    return ground


def strike(radius_m: float = 2.0, seed: int = 1, **kwargs: float) -> Strike:
    hit = Strike(60, 70, radius_m, ColourDelta(-40, -40, -40), blast_radius_m=8.0, ray_seed=seed)
    return replace(hit, **kwargs)  # type: ignore[arg-type]


def test_a_hit_opens_the_roof_where_it_struck_and_only_there() -> None:
    before = built()
    after = before.copy()
    draw_roof_hit(after, strike(1.5))
    fallen = before.height_m - after.height_m > 1.0
    assert fallen[60, 70] and not fallen[60, 45] and not fallen[60, 95]
    assert after.colour[58:62, 68:72].mean() < 0.8 * before.colour[58:62, 68:72].mean()


@pytest.mark.parametrize("seed", range(6))
def test_the_damage_told_is_the_damage_drawn(seed: int) -> None:
    before = built()
    damage = roof_damage(before, strike(3.0, seed))
    assert damage is not None
    after = before.copy()
    draw_roof_hit(after, strike(3.0, seed))
    told = np.zeros(before.shape, bool)
    told[damage.rows, damage.cols] = damage.damaged
    fallen = before.height_m - after.height_m > 0.8
    assert fallen[~told].sum() == 0
    assert fallen[told].mean() > 0.6  # the rest are walls left standing
    assert damage.roof.sum() == pytest.approx(1800, rel=0.05) and not (damage.damaged & ~damage.roof).any()


def test_a_large_one_takes_the_whole_building_but_not_its_neighbour() -> None:
    before = built(neighbour=True)
    after = before.copy()
    draw_roof_hit(after, strike(14.0))
    assert (before.height_m - after.height_m > 0.8)[45:75].sum() > 1000
    np.testing.assert_array_less(-0.01, (after.height_m - before.height_m)[96:125, 42:98])


def test_walls_are_left_standing_at_the_edge_of_a_collapse() -> None:
    standing = 0
    for seed in range(6):
        ground = built()
        draw_roof_hit(ground, strike(14.0, seed))
        edge = np.concatenate([ground.height_m[45:47, 42:98].ravel(), ground.height_m[73:75, 42:98].ravel()])
        standing += int((edge > 2.5).sum())
        assert np.median(ground.height_m[52:68, 46:94]) < 2.5
    assert standing > 100


def test_a_collapse_spills_over_the_footprint() -> None:
    spilt = 0
    for seed in range(5):
        before = built()
        after = before.copy()
        draw_roof_hit(after, strike(14.0, seed))
        outside = before.material != Material.ROOF
        spilt += int(((after.height_m - before.height_m)[outside] > 0.2).sum())
    assert spilt > 300


def test_debris_lies_outside_towards_the_cone() -> None:
    ground = built()
    draw_roof_hit(ground, strike(3.0, cone_azimuth_deg=180.0, cone_length_m=12.0))
    changed = np.abs(ground.colour - 110).sum(axis=2)
    changed[45:75] = 0
    assert changed[75:].sum() > 1.5 * changed[:45].sum() > 0


def test_without_a_cone_dust_and_debris_take_no_side() -> None:
    sides = {}
    for name, cone in (("none", {}), ("up", {"cone_azimuth_deg": 0.0, "cone_length_m": 12.0})):
        sums = np.zeros(2)
        for seed in range(12):
            before = built()
            after = before.copy()
            draw_roof_hit(after, strike(2.0, seed, **cone))
            changed = np.abs(after.colour - before.colour).sum(axis=2)
            sums += np.sqrt([changed[14:44].sum(), changed[76:106].sum()])
        sides[name] = (sums[0] - sums[1]) / sums.sum()
    assert abs(sides["none"]) < 0.12 and sides["up"] > 0.25


def test_no_roof_no_hit() -> None:
    ground = built()
    before = ground.copy()
    astray = strike().at(15.0, 15.0)
    assert roof_damage(ground, astray) is None and roof_damage(ground, strike().at(-5.0, 3.0)) is None
    draw_roof_hit(ground, astray)
    np.testing.assert_array_equal(ground.colour, before.colour)


def test_a_strike_draws_the_same_again() -> None:
    grounds = [built(), built()]
    for ground in grounds:
        draw_roof_hit(ground, strike(4.0))
    np.testing.assert_array_equal(grounds[0].colour, grounds[1].colour)
    np.testing.assert_array_equal(grounds[0].height_m, grounds[1].height_m)
