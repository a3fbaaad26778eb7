from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.ageing import PROCESSES, aged, on_after, on_before
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.render import draw_crater
from cv_pipeline.simulation.strike import NO_CHANGE, ColourDelta, Strike, StrikeStatus

FRESH = Strike(
    60.5,
    60.5,
    4.0,
    ColourDelta(-50, -50, -50),
    blast_radius_m=10.0,
    ring_delta=ColourDelta(20, 20, 20),
    raggedness=0.0,
    depth_ratio=0.2,
)


def drawn(strike: Strike) -> Ground:
    ground = level_ground(np.full((121, 121, 3), 120, np.float32), Material.SOIL, 0.5)
    draw_crater(ground, strike)
    return ground


@pytest.mark.parametrize("process", PROCESSES)
def test_no_amount_is_no_change_and_the_original_stays(process: str) -> None:
    before = replace(FRESH)
    assert aged(FRESH, process, 0.0) == FRESH
    assert aged(FRESH, process, 0.7) != FRESH
    assert before == FRESH


def test_filled_craters_are_shallower() -> None:
    assert drawn(aged(FRESH, "filling", 0.5)).height_m.min() > 0.6 * drawn(FRESH).height_m.min()
    assert drawn(aged(FRESH, "filling", 1.0)).height_m.min() == pytest.approx(0, abs=1e-6)


def test_weathering_fades_colour_and_relief_until_the_pattern_is_invisible() -> None:
    young, old = drawn(FRESH), drawn(aged(FRESH, "weathering", 1.0))
    assert 120 - old.colour[60, 60, 0] < 0.35 * (120 - young.colour[60, 60, 0])
    assert old.height_m.min() > 0.8 * young.height_m.min()
    assert not aged(FRESH, "weathering", 1.0).has_pattern and aged(FRESH, "weathering", 0.3).has_pattern


def test_water_stands_level_in_the_bowl() -> None:
    ground = drawn(aged(FRESH, "water", 0.6))
    wet = ground.material == Material.WATER
    assert wet[60, 60] and not wet[60, 75]
    assert np.ptp(ground.height_m[wet]) < 1e-5
    assert ground.height_m[60, 60] > drawn(FRESH).height_m[60, 60]


def test_regrowth_is_green() -> None:
    red, green, blue = drawn(aged(FRESH, "regrowth", 1.0)).colour[60, 60]
    assert green > red + 5 and green > blue + 5


def test_ploughing_smears_along_the_furrows() -> None:
    core = replace(FRESH, ring_delta=NO_CHANGE)
    ploughed = replace(aged(core, "ploughing", 0.6), plough_azimuth_deg=90.0)
    change = np.abs(drawn(ploughed).colour.mean(axis=2) - 120)
    rows, cols = np.indices(change.shape) - 60
    assert (change * cols**2).sum() > 1.1 * (change * rows**2).sum()
    assert change.max() < 0.85 * np.abs(drawn(core).colour.mean(axis=2) - 120).max()


def test_dates_of_each_status() -> None:
    gone = replace(FRESH, status=StrikeStatus.GONE, ray_seed=2)
    old = replace(FRESH, status=StrikeStatus.OLD)
    assert on_before(FRESH) is None and on_after(FRESH) == FRESH
    assert on_before(old) == on_after(old) == old
    left = on_after(gone)
    assert on_before(gone) == gone and left is not None and not left.has_pattern
    assert np.abs(drawn(left).colour - 120).max() < 15
    assert on_after(replace(gone, ray_seed=3)) is None


def test_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="filling"):
        aged(FRESH, "rusting", 0.5)
    with pytest.raises(ValueError, match="within"):
        aged(FRESH, "filling", 1.5)
