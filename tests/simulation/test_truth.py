from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.ageing import aged
from cv_pipeline.simulation.ground import Material, level_ground
from cv_pipeline.simulation.render import draw_crater
from cv_pipeline.simulation.strike import NO_CHANGE, ColourDelta, Strike, StrikeStatus
from cv_pipeline.simulation.truth import TruthRasters, axis_vector, truth_rasters

SHAPE, GSD_M = (100, 120), 0.5
ROUND = Strike(40.0, 60.0, 4.0, ColourDelta(-30, -30, -28), raggedness=0.0, blast_radius_m=9.0)


def truth(*strikes: Strike) -> TruthRasters:
    full = np.ones(SHAPE, bool)
    return truth_rasters(strikes, GSD_M, structure=~full, damage=~full, structure_known=full, visible=full)


def area_m2(mask: np.ndarray) -> float:
    return float(mask.sum() * GSD_M**2)


def test_areas_and_centre_of_a_round_strike() -> None:
    found = truth(ROUND)
    assert area_m2(found.crater) == pytest.approx(np.pi * 16, rel=0.05)
    assert area_m2(found.blast) == pytest.approx(np.pi * 81, rel=0.03)
    assert not found.secondary.any()
    rows, cols = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    assert np.average(rows, weights=found.centre) == pytest.approx(40.0, abs=0.02)
    assert np.average(cols, weights=found.centre) == pytest.approx(60.0, abs=0.02)
    assert found.crater_radius_m[40, 60] == 4.0
    assert found.blast_radius_m[40, 60] == 9.0
    assert found.new[found.crater].all()


@pytest.mark.parametrize(("azimuth_deg", "right", "up"), [(0, 0, 1), (90, 1, 0), (180, 0, -1), (270, -1, 0)])
def test_axis_points_where_the_cone_lies(azimuth_deg: float, right: float, up: float) -> None:
    coned = replace(ROUND, cone_azimuth_deg=azimuth_deg, cone_length_m=20.0, directionality=0.8)
    assert axis_vector(coned) == pytest.approx((0.8 * right, 0.8 * up), abs=1e-9)
    found = truth(coned)
    assert (found.axis_right[40, 60], found.axis_up[40, 60]) == pytest.approx((0.8 * right, 0.8 * up), abs=1e-6)
    rows, cols = np.nonzero(found.cone)
    assert (cols.mean() + 0.5 - 60) * right - (rows.mean() + 0.5 - 40) * up > 5


def test_a_tail_has_an_axis_and_two_equal_wings_have_none() -> None:
    tail = replace(ROUND, wing_azimuth_deg=90.0, wing_length_m=10.0, wing_asymmetry=1.0)
    assert axis_vector(tail) == pytest.approx((1.0, 0.0), abs=1e-9)
    assert axis_vector(replace(tail, wing_asymmetry=0.0)) == (0.0, 0.0)
    assert axis_vector(ROUND) == (0.0, 0.0)


def test_a_hidden_or_undrawn_direction_is_none() -> None:
    coned = replace(ROUND, cone_azimuth_deg=90.0, cone_length_m=20.0, directionality=0.8)
    tail = replace(ROUND, wing_azimuth_deg=90.0, wing_length_m=10.0, wing_asymmetry=1.0)
    assert axis_vector(replace(coned, blast_radius_m=0.0)) == (0.0, 0.0)
    for aged_away in (aged(coned, "ploughing", 0.6), aged(coned, "weathering", 0.7), aged(tail, "ploughing", 0.6)):
        found = truth(aged_away)
        assert not found.axis_right.any() and not found.axis_up.any() and not found.cone.any()
        assert area_m2(found.blast) == area_m2(found.crater)


@pytest.mark.parametrize("azimuth_deg", [0.0, 90.0, 200.0])
def test_wings_are_in_the_blast_mask_where_they_are_drawn(azimuth_deg: float) -> None:
    bare = replace(ROUND, crater_radius_m=3.0, blast_radius_m=0.0, core_delta=NO_CHANGE, depth_ratio=0, rim_ratio=0)
    tail = replace(
        bare,
        wing_azimuth_deg=azimuth_deg,
        wing_length_m=14.0,
        wing_asymmetry=1.0,
        wing_delta=ColourDelta(-40, -40, -40),
    )
    ground = level_ground(np.full((*SHAPE, 3), 120, np.float32), Material.CROP, GSD_M)
    draw_crater(ground, tail)
    drawn = ground.colour[..., 1] < 100
    found = truth(tail)
    told = found.blast & ~found.crater
    assert told.sum() > 60
    assert (told & drawn).sum() > 0.9 * told.sum()
    assert (drawn & ~found.blast).sum() < 0.1 * told.sum()
    rows, cols = np.nonzero(told)
    pull = np.rad2deg(np.arctan2(cols.mean() + 0.5 - 60, 40 - rows.mean() - 0.5))
    assert abs((pull - azimuth_deg + 180) % 360 - 180) < 10
    axis = found.axis_right[40, 60], found.axis_up[40, 60]
    assert np.rad2deg(np.arctan2(*axis)) % 360 == pytest.approx(azimuth_deg) and np.hypot(*axis) == pytest.approx(1.0)
    assert np.pi * found.blast_radius_m[40, 60] ** 2 == pytest.approx(area_m2(found.blast), rel=0.05)
    assert not found.secondary.any()


def test_gone_strikes_are_not_there() -> None:
    found = truth(replace(ROUND, status=StrikeStatus.GONE))
    assert not found.crater.any()
    assert not found.centre.any()


def test_old_strikes_are_craters_but_not_new() -> None:
    found = truth(replace(ROUND, status=StrikeStatus.OLD))
    assert found.crater.any()
    assert not found.new.any()


def test_overlapping_craters_share_the_ground_by_distance() -> None:
    small = replace(ROUND, col_px=72.0, crater_radius_m=2.0, blast_radius_m=0.0, status=StrikeStatus.OLD)
    found = truth(ROUND, small)
    assert found.crater_radius_m[40, 60] == 4.0
    assert found.crater_radius_m[40, 72] == 2.0
    assert found.blast_radius_m[40, 72] == 2.0
    assert found.new[40, 60]
    assert not found.new[40, 72]


def test_no_strikes_give_nothing() -> None:
    found = truth()
    assert not found.crater.any()
    assert not found.centre.any()
    assert found.visible.all()


def test_structures_count_only_where_they_are_known() -> None:
    known = np.zeros(SHAPE, bool)
    known[:, :60] = True
    found = truth_rasters(
        (), GSD_M, structure=np.ones(SHAPE, bool), damage=np.ones(SHAPE, bool), structure_known=known, visible=known
    )
    np.testing.assert_array_equal(found.structure, known)
