"""Ground that changed everywhere: on one date alone, flat, dark and pale, and none of it near strikes in particular."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.simulation.config import ChangeConfig
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.upheaval import draw_upheaval


def ground(material: Material = Material.GRASS, side: int = 200, gsd_m: float = 0.5) -> Ground:
    texture = np.random.default_rng(0).normal(0, 5, (side, side, 1))
    return level_ground((np.array([100.0, 114.0, 84.0]) + texture).astype(np.float32), material, gsd_m)


@pytest.mark.parametrize(("after_share", "touched"), [(1.0, "after"), (0.0, "before")])
def test_upheaval_lies_over_most_of_one_date(after_share: float, touched: str) -> None:
    config = ChangeConfig(upheaval_share=1.0, disorder_after_share=after_share)
    shares = []
    for seed in range(6):
        before, after = ground(), ground()
        assert draw_upheaval(before, after, config, np.random.default_rng(seed))
        changed, same = (after, before) if touched == "after" else (before, after)
        np.testing.assert_array_equal(same.colour, ground().colour)
        moved = np.abs(changed.colour - ground().colour).max(axis=-1)
        shares.append(float((moved > 3).mean()))
        assert changed.colour.min() >= 0
        assert changed.colour.max() <= 255
        assert changed.height_m.max() < 1.0  # litter at most: no pit, no rim
        assert changed.height_m.min() == 0
    assert min(shares) > 0.15  # some storms are weak
    assert np.median(shares) > 0.5


def test_upheaval_follows_its_share_and_its_seed() -> None:
    config = ChangeConfig(upheaval_share=0.5)
    drawn = [draw_upheaval(ground(side=64), ground(side=64), config, np.random.default_rng(s)) for s in range(40)]
    assert 10 <= sum(drawn) <= 30
    first, second = ground(), ground()
    for copy in (first, second):
        draw_upheaval(
            ground(), copy, ChangeConfig(upheaval_share=1.0, disorder_after_share=1.0), np.random.default_rng(3)
        )
    np.testing.assert_array_equal(first.colour, second.colour)


def test_dirt_and_stains_keep_off_roofs_and_roads() -> None:
    """Litter lies on a roof too; dirt and stains do not."""
    config = ChangeConfig(upheaval_share=1.0, disorder_after_share=1.0)
    for seed in range(4):
        after = ground(Material.ROOF)
        draw_upheaval(ground(), after, config, np.random.default_rng(seed))
        moved = np.abs(after.colour - ground().colour).max(axis=-1)
        assert (moved > 3).mean() < 0.25
