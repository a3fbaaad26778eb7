from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cv_pipeline.simulation import pattern
from cv_pipeline.simulation.ground import Patch, patch_around
from cv_pipeline.simulation.strike import ColourDelta, Strike

DARK, PALE = ColourDelta(-20, -20, -20), ColourDelta(20, 20, 20)
SMOOTH = Strike(100.5, 100.5, 2.0, DARK, blast_radius_m=8.0, raggedness=0.0)


def patch() -> Patch:
    found = patch_around((201, 201), 100.5, 100.5, 24.0, 0.25)
    assert found is not None
    return found


def profile(layer: pattern.Layer | None, radius_m: float) -> float:
    assert layer is not None
    where = patch()
    return float(np.asarray(layer.strength)[np.abs(where.radius_m - radius_m) < 0.15].mean())


def test_the_core_is_half_as_deep_at_its_edge() -> None:
    assert profile(pattern.core(SMOOTH, patch()), 2.0) == pytest.approx(0.5, abs=0.03)
    assert profile(pattern.core(SMOOTH, patch()), 4.5) < 0.01


def test_the_collar_crests_where_it_should_and_is_half_at_the_edge() -> None:
    collar = pattern.collar(replace(SMOOTH, ring_delta=PALE, ring_fraction=0.6), patch())
    assert profile(collar, 0.6 * 8) == pytest.approx(1.0, abs=0.03)
    assert profile(collar, 8.0) == pytest.approx(0.5, abs=0.04)
    assert profile(collar, 0.3) < 0.06


def test_soot_falls_by_half_where_it_should() -> None:
    soot = pattern.soot(replace(SMOOTH, soot_delta=DARK, soot_fraction=0.5), patch())
    assert profile(soot, 0.5) > 3 * profile(soot, 5.0)


def test_layers_that_are_not_there_draw_nothing() -> None:
    assert all(make(SMOOTH, patch()) is None for make in pattern.LAYERS)


def test_wings_lie_along_their_azimuth_and_a_tail_on_one_side() -> None:
    where = patch()
    winged = replace(SMOOTH, wing_delta=DARK, wing_length_m=9.0, wing_azimuth_deg=90.0)
    east = (np.abs(where.azimuth_rad - np.pi / 2) < 0.3) & (np.abs(where.radius_m - 4) < 1)
    west = (np.abs(where.azimuth_rad + np.pi / 2) < 0.3) & (np.abs(where.radius_m - 4) < 1)
    north = (np.abs(where.azimuth_rad) < 0.3) & (np.abs(where.radius_m - 4) < 1)
    both, tail = (pattern.wings(replace(winged, wing_asymmetry=a), where) for a in (0.0, 1.0))
    assert both is not None and tail is not None
    assert both.strength[east].mean() > 0.4 and both.strength[west].mean() > 0.4 and both.strength[north].mean() < 0.05
    assert tail.strength[east].mean() > 0.4 and tail.strength[west].mean() < 0.01


def test_a_cone_points_along_its_azimuth() -> None:
    where = patch()
    layer = pattern.cone(
        replace(SMOOTH, cone_azimuth_deg=45.0, cone_length_m=18.0, cone_half_width_deg=25.0, cone_delta=PALE), where
    )
    assert layer is not None
    pull = (layer.strength * np.exp(1j * where.azimuth_rad)).sum()
    assert np.rad2deg(np.angle(pull)) == pytest.approx(45, abs=6)


def test_streaks_start_at_the_centre_and_end_at_their_length() -> None:
    layer = pattern.spider(replace(SMOOTH, spike_count=12, spike_length_m=10.0, spike_delta=DARK), patch())
    assert profile(layer, 1.0) > profile(layer, 5.0) > 0
    assert profile(layer, 11.0) == 0


def test_the_secondary_pattern_reaches_beyond_the_primary() -> None:
    layer = pattern.secondary(replace(SMOOTH, secondary_radius_m=14.0, secondary_delta=PALE), patch())
    assert profile(layer, 11.0) > 0.7 and profile(layer, 18.0) < 0.1
