from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.render import draw_strike
from cv_pipeline.simulation.strike import ColourDelta, Strike, StrikeStatus
from cv_pipeline.simulation.truth import TruthRasters
from cv_pipeline.simulation.truth import truth_rasters as seen_truth_rasters

PLAIN = Strike(60.2, 71.7, 4.0, ColourDelta(-60, -60, -60), depth_ratio=0.0, rim_ratio=0.0, raggedness=0.0)


def level(shape: tuple[int, int] = (130, 140), dn: float = 150.0, gsd_m: float = 0.5) -> Ground:
    return level_ground(np.full((*shape, 3), dn, np.float32), Material.SOIL, gsd_m)


def truth_rasters(strikes: list[Strike], shape: tuple[int, int], gsd_m: float) -> TruthRasters:
    full = np.ones(shape, bool)
    return seen_truth_rasters(strikes, gsd_m, structure=~full, damage=~full, structure_known=full, visible=full)


def centroid_px(weight: np.ndarray) -> tuple[float, float]:
    rows, cols = np.indices(weight.shape) + 0.5
    return float((rows * weight).sum() / weight.sum()), float((cols * weight).sum() / weight.sum())


@pytest.mark.parametrize("gsd_m", [0.3, 0.5, 1.0])
def test_centre_and_radius_are_recovered_from_the_mask(gsd_m: float) -> None:
    truth = truth_rasters([PLAIN], (130, 140), gsd_m)
    assert centroid_px(truth.crater.astype(float)) == pytest.approx((60.2, 71.7), abs=0.25)
    assert np.sqrt(truth.crater.sum() / np.pi) * gsd_m == pytest.approx(4.0, abs=0.25 * gsd_m)
    assert centroid_px(truth.centre.astype(float)) == pytest.approx((60.2, 71.7), abs=0.1)
    assert set(np.unique(truth.crater_radius_m)) == {0.0, 4.0}


def test_centre_and_half_depth_radius_are_recovered_from_the_image() -> None:
    ground = level()
    draw_strike(ground, PLAIN)
    darkening = 150 - ground.colour.mean(axis=2)
    assert centroid_px(darkening) == pytest.approx((60.2, 71.7), abs=0.05)
    assert np.sqrt((darkening > 30).sum() / np.pi) * 0.5 == pytest.approx(4.0, abs=0.1)
    assert not ground.height_m.any()


def test_relief_goes_into_the_height_and_not_into_the_colour() -> None:
    flat, deep = level(), level()
    draw_strike(flat, PLAIN)
    draw_strike(deep, replace(PLAIN, depth_ratio=0.2, rim_ratio=0.03))
    np.testing.assert_array_equal(flat.colour, deep.colour)
    assert deep.height_m.min() == pytest.approx(-1.6, abs=0.05) and deep.height_m.max() == pytest.approx(0.24, abs=0.03)


def test_a_later_bowl_removes_earlier_relief_and_two_cores_are_no_darker_than_one() -> None:
    ground = level()
    for _ in range(2):
        draw_strike(ground, replace(PLAIN, depth_ratio=0.2))
    assert ground.height_m.min() == pytest.approx(-1.6, abs=0.05)
    assert ground.colour.min() >= 150 - 70 - 15


def test_texture_is_damped_under_fresh_soil() -> None:
    rng = np.random.default_rng(0)
    ground = level()
    ground.colour += rng.normal(0, 6, ground.shape)[..., None].astype(np.float32)
    draw_strike(ground, replace(PLAIN, core_steepness=8.0))
    inside = (truth_rasters([replace(PLAIN, crater_radius_m=3.0)], ground.shape, 0.5)).crater
    assert ground.colour[inside].std() < 0.6 * 6


@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 180.0, 291.0])
def test_azimuth_of_a_cone_is_its_masks_first_moment(azimuth_deg: float) -> None:
    cone = replace(PLAIN, row_px=80.5, col_px=80.5, crater_radius_m=2.0, blast_radius_m=5.0)
    cone = replace(cone, cone_azimuth_deg=azimuth_deg, cone_length_m=14.0)
    row, col = centroid_px(truth_rasters([cone], (161, 161), 0.5).blast.astype(float))
    found = np.rad2deg(np.arctan2(col - 80.5, 80.5 - row))
    assert abs((found - azimuth_deg + 180) % 360 - 180) < 2.0


def test_new_marks_new_craters_only() -> None:
    old = replace(PLAIN.at(20, 20), status=StrikeStatus.OLD)
    truth = truth_rasters([PLAIN, old], (130, 140), 0.5)
    assert truth.new[60, 71] and not truth.new[20, 20] and truth.crater[20, 20]
    assert not (truth.new & ~truth.crater).any()


def test_overlapping_craters_keep_their_own_radii() -> None:
    small = replace(PLAIN, col_px=81.7, crater_radius_m=2.0)
    truth = truth_rasters([PLAIN, small], (130, 140), 0.5)
    assert truth.crater_radius_m[60, 71] == 4.0 and truth.crater_radius_m[60, 81] == 2.0


def pair_of(apart_radii: float, ring_dn: float = 0.0) -> tuple[Strike, Strike]:
    ring = ColourDelta(ring_dn, ring_dn, ring_dn)
    first = replace(PLAIN, blast_radius_m=9.0 if ring_dn else 0.0, ring_delta=ring, ring_fraction=0.55)
    return first, first.at(PLAIN.row_px, PLAIN.col_px + apart_radii * PLAIN.crater_radius_m / 0.5)


@pytest.mark.parametrize("apart_radii", [1.2, 1.6, 2.4])
def test_a_close_pair_is_no_darker_than_one_and_each_crater_has_its_own_truth(apart_radii: float) -> None:
    alone, ground = level(), level()
    pair = pair_of(apart_radii)
    draw_strike(alone, pair[0])
    for strike in pair:
        draw_strike(ground, strike)
    assert ground.colour.min() >= alone.colour.min() - 0.01
    middle = ground.colour[60, round((pair[0].col_px + pair[1].col_px) / 2), 0]
    assert middle > ground.colour[60, 71, 0] + 2  # each has a dark centre of its own
    truth = truth_rasters([pair[0], replace(pair[1], crater_radius_m=3.0)], (130, 140), 0.5)
    for strike, radius_m in zip(pair, (4.0, 3.0), strict=True):
        assert truth.crater_radius_m[int(strike.row_px), int(strike.col_px)] == radius_m
        assert truth.centre[int(strike.row_px), int(strike.col_px)] > 0.9


def test_the_later_crater_cuts_the_earlier_ones_rim() -> None:
    first, later = pair_of(1.4, ring_dn=30.0)
    alone, ground = level(), level()
    draw_strike(alone, later)
    draw_strike(ground, first)
    rim_before = ground.colour[60, int(later.col_px), 0]
    draw_strike(ground, later)
    assert rim_before > 155
    row, col = int(later.row_px), int(later.col_px)
    np.testing.assert_allclose(
        ground.colour[row - 3 : row + 4, col - 3 : col + 4], alone.colour[row - 3 : row + 4, col - 3 : col + 4], atol=1
    )


def test_nothing_gives_empty_truth_and_outside_changes_nothing() -> None:
    truth = truth_rasters([], (10, 12), 0.5)
    assert not truth.crater.any() and not truth.centre.any() and truth.blast.shape == (10, 12)
    ground = level((20, 20), 90)
    draw_strike(ground, PLAIN.at(500, 500))
    assert (ground.colour == 90).all()


def test_strike_at_the_border_is_cut_not_refused() -> None:
    ground = level((40, 40))
    draw_strike(ground, replace(PLAIN.at(0.5, 39.5), blast_radius_m=8, soot_delta=ColourDelta(-9, -9, -9)))
    assert np.isfinite(ground.colour).all() and ground.colour[0, 39].mean() < 110


def test_gone_strikes_leave_no_truth_and_secondary_and_cone_have_masks() -> None:
    assert not truth_rasters([replace(PLAIN, status=StrikeStatus.GONE)], (130, 140), 0.5).crater.any()
    strike = replace(PLAIN, blast_radius_m=8.0, secondary_radius_m=14.0, cone_azimuth_deg=90.0, cone_length_m=13.0)
    truth = truth_rasters([strike], (130, 140), 0.5)
    assert np.sqrt(truth.secondary.sum() / np.pi) * 0.5 == pytest.approx(14.0, abs=0.3)
    assert (truth.blast & truth.cone).sum() == truth.cone.sum() > 0
    assert truth.cone[60, 94] and not truth.cone[60, 50] and truth.secondary[60, 50]
