from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.config import LookalikeConfig
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.lookalikes import KINDS, Kind, draw_lookalikes

GROUPS = sorted({kind.group for kind in KINDS})


def plain(material: Material = Material.GRASS, shape: tuple[int, int] = (160, 160), gsd_m: float = 0.5) -> Ground:
    noise = np.random.default_rng(0).normal(0, 3, (*shape, 1))
    colour = (np.array([100, 112, 84]) + noise).astype(np.float32)
    return Ground(colour, np.zeros(shape, np.float32), np.full(shape, material, np.uint8), gsd_m)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_every_kind_draws_near_its_place_and_the_same_from_a_seed(kind: Kind) -> None:
    ground, again, untouched = plain(), plain(), plain()
    radius_m = kind.draw(ground, 80.3, 80.6, np.random.default_rng(4))
    kind.draw(again, 80.3, 80.6, np.random.default_rng(4))
    np.testing.assert_array_equal(ground.colour, again.colour)
    np.testing.assert_array_equal(ground.height_m, again.height_m)
    assert np.isfinite(ground.colour).all() and radius_m >= 0
    assert ground.colour.min() >= 0 and ground.colour.max() <= 255.5
    changed = np.abs(ground.colour - untouched.colour).max(axis=-1) > 2
    assert changed.any()
    if kind.group in ("stores", "water", "earthworks", "plants") and kind.name not in ("roadside trees", "salt lick"):
        rows, cols = np.nonzero(changed)
        reach_px = np.hypot(rows - 80, cols - 80).min()
        assert reach_px * 0.5 < max(radius_m, 3.0) + 2.0


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
@pytest.mark.parametrize("place", [(0.1, 0.1), (159.9, 20.0)])
def test_every_kind_can_lie_at_the_edge(kind: Kind, place: tuple[float, float]) -> None:
    ground = plain(gsd_m=1.2)
    for seed in range(3):
        kind.draw(ground, *place, np.random.default_rng(seed))
    assert np.isfinite(ground.colour).all() and ground.colour.shape == (160, 160, 3)


def test_names_are_unique_and_both_lives_exist() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) > 40
    assert {kind.transient for kind in KINDS} == {True, False}


def test_what_stands_up_is_height_and_what_is_dug_is_depth() -> None:
    by_name = {kind.name: kind for kind in KINDS}
    for name, low, high in (("tree", 0, 2), ("silo", 0, 5), ("spoil heaps", 0, 0.2), ("trench", -1, 0.2)):
        ground = plain()
        by_name[name].draw(ground, 80, 80, np.random.default_rng(1))
        assert ground.height_m.max() > high and ground.height_m.min() <= low


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_at_zero_is_left_out_and_changes_no_other(group: str) -> None:
    rate = "image_share" if group == "image" else group
    dense = {g if g != "image" else "image_share": 6.0 for g in GROUPS}
    config = LookalikeConfig(**dense, clutter=(1.0,), clutter_weights=(1.0,))
    without = config.model_copy(update={rate: 0.0})
    kinds = {kind.name for kind in KINDS if kind.group == group}
    for transient in (False, True):
        full = draw_lookalikes(plain(), config, np.random.default_rng(2), transient)
        less = draw_lookalikes(plain(), without, np.random.default_rng(2), transient)
        assert not kinds & {thing.kind for thing in less}
        # Places depend on the material that others left, so only the number is compared.
        assert abs(len([t for t in full if t.kind not in kinds]) - len(less)) <= 3


def test_their_number_follows_the_area_and_nothing_is_drawn_at_no_clutter() -> None:
    config = LookalikeConfig(clutter=(1.0,), clutter_weights=(1.0,), image_share=0.0)
    small = sum(len(draw_lookalikes(plain(), config, np.random.default_rng(s), False)) for s in range(80)) / 80
    large = len(draw_lookalikes(plain(shape=(800, 800)), config, np.random.default_rng(0), False))
    assert large == pytest.approx(25 * small, rel=0.35)
    ground, bare = plain(), config.model_copy(update={"clutter": (0.0,)})
    assert draw_lookalikes(ground, bare, np.random.default_rng(0), False) == []
    np.testing.assert_array_equal(ground.colour, plain().colour)


def test_only_kinds_of_the_wanted_life_on_the_wanted_ground_are_drawn() -> None:
    config = LookalikeConfig(clutter=(20.0,), clutter_weights=(1.0,), image_share=0.0)
    lives = {kind.name: kind.transient for kind in KINDS}
    for transient in (False, True):
        drawn = draw_lookalikes(plain(), config, np.random.default_rng(1), transient)
        assert drawn and {lives[thing.kind] for thing in drawn} == {transient}
        assert all(0 <= t.row_px < 160 and 0 <= t.col_px < 160 for t in drawn)
    assert draw_lookalikes(plain(Material.WATER), config, np.random.default_rng(1), True) == []
