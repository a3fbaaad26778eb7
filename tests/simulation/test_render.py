from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation.render import draw_strike_on_image as draw_strike
from cv_pipeline.simulation.render import truth_rasters
from cv_pipeline.simulation.strike import ColourDelta, Strike
from cv_pipeline.simulation.surface import Sun
from cv_pipeline.types import Status

SUN = Sun(135, 45)
PLAIN = Strike(60.2, 71.7, 4.0, ColourDelta(-60, -60, -60), depth_ratio=0.0, rim_ratio=0.0, raggedness=0.0)


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
    image = np.full((130, 140, 3), 150, np.float32)
    draw_strike(image, PLAIN, 0.5, SUN)
    darkening = 150 - image.mean(axis=2)
    assert centroid_px(darkening) == pytest.approx((60.2, 71.7), abs=0.05)
    assert np.sqrt((darkening > 30).sum() / np.pi) * 0.5 == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("azimuth_deg", [0.0, 77.0, 180.0, 291.0])
def test_azimuth_of_a_cone_is_its_masks_first_moment(azimuth_deg: float) -> None:
    cone = replace(PLAIN, row_px=80.5, col_px=80.5, crater_radius_m=2.0, blast_radius_m=5.0)
    cone = replace(cone, cone_azimuth_deg=azimuth_deg, cone_length_m=14.0)
    row, col = centroid_px(truth_rasters([cone], (161, 161), 0.5).blast.astype(float))
    found = np.rad2deg(np.arctan2(col - 80.5, 80.5 - row))
    assert abs((found - azimuth_deg + 180) % 360 - 180) < 2.0


def test_new_marks_new_craters_only() -> None:
    old = replace(PLAIN.at(20, 20), status=Status.OLD)
    truth = truth_rasters([PLAIN, old], (130, 140), 0.5)
    assert truth.new[60, 71] and not truth.new[20, 20] and truth.crater[20, 20]
    assert not (truth.new & ~truth.crater).any()


def test_overlapping_craters_keep_their_own_radii() -> None:
    small = replace(PLAIN, col_px=81.7, crater_radius_m=2.0)
    truth = truth_rasters([PLAIN, small], (130, 140), 0.5)
    assert truth.crater_radius_m[60, 71] == 4.0 and truth.crater_radius_m[60, 81] == 2.0


def test_nothing_gives_empty_truth_and_outside_changes_nothing() -> None:
    truth = truth_rasters([], (10, 12), 0.5)
    assert not truth.crater.any() and not truth.centre.any() and truth.blast.shape == (10, 12)
    image = np.full((20, 20, 3), 90, np.float32)
    draw_strike(image, PLAIN.at(500, 500), 0.5, SUN)
    assert (image == 90).all()


def test_strike_at_the_border_is_cut_not_refused() -> None:
    image = np.full((40, 40, 3), 150, np.float32)
    draw_strike(image, replace(PLAIN.at(0.5, 39.5), blast_radius_m=8, soot_delta=ColourDelta(-9, -9, -9)), 0.5, SUN)
    assert np.isfinite(image).all() and image[0, 39].mean() < 110
