"""What is new on one date and no strike: drawn on that date alone, labelled, and as common without strikes."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.config import ChangeConfig, SimulationConfig
from cv_pipeline.simulation.debris import draw_uprooted_tree
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.light import Sun, relative_light
from cv_pipeline.simulation.lookalikes import KINDS, draw_disorder
from cv_pipeline.simulation.lookalikes.cars import draw_car
from cv_pipeline.simulation.lookalikes.lawns import draw_lush_patch
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.simulation.trees import draw_tree

BY_NAME = {kind.name: kind for kind in KINDS}


def lawn(material: Material = Material.GRASS, side: int = 160, gsd_m: float = 0.5) -> Ground:
    texture = np.random.default_rng(0).normal(0, 6, (side, side, 1))
    return level_ground((np.array([100.0, 114.0, 84.0]) + texture).astype(np.float32), material, gsd_m)


def moved_dn(ground: Ground) -> np.ndarray:
    pristine = lawn(side=ground.shape[0], gsd_m=ground.gsd_m)
    return np.asarray(np.abs(ground.colour - pristine.colour).max(axis=-1))


@pytest.mark.parametrize(("after_share", "touched"), [(1.0, "after"), (0.0, "before")])
def test_disorder_touches_one_date_and_names_what_is_there(after_share: float, touched: str) -> None:
    config = ChangeConfig(disorder_share=1.0, disorder_after_share=after_share)
    for seed in range(5):
        before, after = lawn(), lawn()
        things = draw_disorder(before, after, config, 400, np.random.default_rng(seed))
        changed, same = (after, before) if touched == "after" else (before, after)
        np.testing.assert_array_equal(same.colour, lawn().colour)
        assert not same.height_m.any()
        assert len(things) >= 2  # a kind that finds no place of its ground is left out
        assert {thing.kind for thing in things} <= BY_NAME.keys()
        for thing in things:
            row, col = int(thing.row_px), int(thing.col_px)
            reach = int(max(thing.radius_m, 2.0) / 0.5) + 2
            near = moved_dn(changed)[max(row - reach, 0) : row + reach, max(col - reach, 0) : col + reach]
            assert near.max() > 4, thing


def test_disorder_follows_its_share_density_and_cap() -> None:
    def count(most: int, **settings: object) -> list[int]:
        config = ChangeConfig.model_validate(settings)
        grounds = [(lawn(), lawn()) for _ in range(8)]
        return [len(draw_disorder(*g, config, most, np.random.default_rng(s))) for s, g in enumerate(grounds)]

    assert count(400, disorder_share=0.0) == [0] * 8
    some = count(400, disorder_share=0.5)
    assert 1 <= sum(n > 0 for n in some) <= 7
    few = np.mean(count(400, disorder_share=1.0, disorder_per_ha=(5.0, 5.1)))
    many = np.mean(count(400, disorder_share=1.0, disorder_per_ha=(50.0, 50.1)))
    assert 3 * few < many < 0.64 * 50 * 1.2  # 0.64 ha
    assert max(count(4, disorder_share=1.0, disorder_per_ha=(50.0, 50.1))) <= 4


def test_disorder_is_as_common_without_strikes_and_never_enters_their_truth() -> None:
    nothing = Backgrounds([])
    base = SimulationConfig()
    change = base.change.model_copy(update={"disorder_share": 1.0, "disorder_after_share": 1.0})
    calm = base.strikes.model_copy(update={"empty_share": 1.0})
    for seed in range(2):
        with_strikes = simulate_pair(nothing, (seed,), (64, 64), 0.6, base.model_copy(update={"change": change}))
        without = simulate_pair(
            nothing, (seed,), (64, 64), 0.6, base.model_copy(update={"change": change, "strikes": calm})
        )
        assert without.lookalikes == with_strikes.lookalikes
        assert without.strikes == () and not without.truth.crater.any()
        undisturbed = simulate_pair(nothing, (seed,), (64, 64), 0.6, base.model_copy(
            update={"change": change.model_copy(update={"disorder_share": 0.0}), "strikes": calm}
        ))  # fmt: skip
        assert len(without.lookalikes) > len(undisturbed.lookalikes)
        np.testing.assert_array_equal(without.before, undisturbed.before)


def test_a_lush_patch_darkens_but_keeps_green_texture_and_level() -> None:
    for seed in range(6):
        ground = lawn()
        radius_m = draw_lush_patch(ground, 80, 80, np.random.default_rng(seed))
        assert not ground.height_m.any()
        assert (ground.material == Material.GRASS).all()
        rows, cols = np.mgrid[:160, :160] + 0.5 - 80
        middle = np.hypot(rows, cols) * 0.5 < 0.4 * radius_m
        red, green, _ = ground.colour[middle].mean(axis=0) / lawn().colour[middle].mean(axis=0)
        assert red < green < 0.99
        if middle.sum() > 20:
            then, now = lawn().colour[middle][:, 1], ground.colour[middle][:, 1]
            assert np.corrcoef(then, now)[0, 1] > 0.6


def test_a_fallen_tree_has_its_pit_before_a_standing_root_plate() -> None:
    for seed in range(5):
        ground = lawn(gsd_m=0.3)
        draw_uprooted_tree(ground, 80, 80, np.random.default_rng(seed))
        assert ground.height_m[79:82, 79:82].min() < -0.1
        rows, cols = np.mgrid[:160, :160] + 0.5 - 80
        near = np.hypot(rows, cols) * 0.3 < 3.0
        assert 0.6 < ground.height_m[near].max() < 4.0
        assert ((moved_dn(ground) > 8) & ~near).sum() > 20  # trunk and crown lie beyond


def test_cars_are_mostly_dark_or_red_stand_on_the_ground_and_follow_their_road() -> None:
    darker = 0
    for seed in range(60):
        ground = lawn(gsd_m=0.3)
        length_m = 2 * draw_car(ground, 80, 80, np.random.default_rng(seed))
        assert 3.4 < length_m < 7.2 and 1.0 < ground.height_m.max() < 3.0
        body = ground.colour[ground.height_m > 1.0].mean(axis=0)
        darker += int(body.mean() < 85)
    assert darker > 36
    ground = lawn(gsd_m=0.3)
    ground.height_m[78:83, 78:83] = 5.0
    assert draw_car(ground, 80, 80, np.random.default_rng(0)) == 0.0
    headings = []
    for seed in range(30):
        road = lawn(gsd_m=0.3)
        road.material[:, 70:90] = Material.ASPHALT
        draw_car(road, 80, 80, np.random.default_rng(seed))
        rows, cols = np.nonzero(road.height_m > 0.5)
        headings.append(np.ptp(rows) > np.ptp(cols))
    assert 0.55 < np.mean(headings) < 0.95  # a quarter parks across


def test_the_far_side_of_a_crown_is_dimmer_but_not_black() -> None:
    sun = Sun(180.0, 45.0)
    for height_m in (4.0, 9.0):
        ground = lawn(gsd_m=0.3)
        draw_tree(ground, 80, 80, 3.0, height_m, np.array([60, 75, 45], np.float32), np.random.default_rng(1))
        assert 0.75 * height_m < ground.height_m.max() < 1.15 * height_m
        light = relative_light(ground.height_m, 0.3, sun)[..., 1]
        rows, cols = np.mgrid[:160, :160] + 0.5 - 80
        near = np.hypot(rows, cols) * 0.3 < 2.0
        near_side, far_side = light[near & (rows > 2)].mean(), light[near & (rows < -2)].mean()
        assert near_side > 1.15 * far_side > 1.15 * 0.4
