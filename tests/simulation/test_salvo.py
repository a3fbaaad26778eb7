from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cv_pipeline.simulation.config import StrikeConfig
from cv_pipeline.simulation.families import BY_EYE_FAMILIES, TABLE_FAMILIES
from cv_pipeline.simulation.ground import Ground, Material, level_ground
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.realism import nearest_spacing_m
from cv_pipeline.simulation.reference_fields import smooth_field
from cv_pipeline.simulation.salvo import MIN_SPACING_M, plan_strikes
from cv_pipeline.simulation.strike import NO_CHANGE, Strike, StrikeStatus

SUN = Sun(140, 45)
FULL: dict[str, Any] = {"empty_share": 0.0, "density_per_ha": 12.0, "field_share": 1.0, "line_share": 0.0}


def field(material: Material = Material.CROP, side: int = 300, sd_dn: float = 6.5) -> Ground:
    return level_ground(smooth_field(side, 0.6, sd_dn, 100, np.random.default_rng(1)), material, 0.6)


def planned(ground: Ground, seeds: range = range(6), **settings: float) -> list[Strike]:
    config = StrikeConfig(**{**FULL, **settings})
    return [s for seed in seeds for s in plan_strikes(ground, config, SUN, np.random.default_rng(seed))]


def test_the_same_seed_gives_the_same_strikes_and_the_ground_stays() -> None:
    ground = field()
    before = ground.colour.copy()
    assert planned(ground, range(2)) == planned(ground, range(2))
    assert planned(ground, range(2)) != planned(ground, range(2, 4))
    np.testing.assert_array_equal(before, ground.colour)


def test_empty_scenes_come_in_their_share() -> None:
    ground = field(side=80)
    assert plan_strikes(ground, StrikeConfig(empty_share=1.0), SUN, np.random.default_rng(0)) == []


def test_no_strike_lies_in_trees_or_water() -> None:
    ground = field()
    ground.material[:, :150] = Material.TREE
    ground.material[:150, 150:] = Material.WATER
    strikes = planned(ground)
    assert len(strikes) > 10
    assert all(s.col_px > 150 and s.row_px > 150 for s in strikes)


def test_strikes_are_told_apart_and_without_overlaps_do_not_touch() -> None:
    for seed in range(4):
        strikes = planned(field(), range(seed, seed + 1), density_per_ha=60.0, close_salvo_share=0.0)
        assert nearest_spacing_m([(s.row_px, s.col_px) for s in strikes], 0.6).min(initial=1e9) >= MIN_SPACING_M
        apart = planned(field(), range(seed, seed + 1), density_per_ha=60.0, overlap_share=0.0)
        points = np.array([(s.row_px, s.col_px, s.crater_radius_m) for s in apart])
        gaps = np.hypot(*(points[:, None, :2] - points[None, :, :2]).transpose(2, 0, 1)) * 0.6
        np.fill_diagonal(gaps, np.inf)
        assert (gaps > points[:, None, 2] + points[None, :, 2]).all()


def test_close_pairs_come_down_to_their_limit_and_not_below() -> None:
    close = {"close_salvo_share": 1.0, "close_pair_share": 0.5, "large_share": 0.0}
    gaps, relative = [], []
    for seed in range(3):
        points = np.array(
            [(s.row_px, s.col_px, s.crater_radius_m) for s in planned(field(), range(seed, seed + 1), **close)]
        )
        one, other = np.triu_indices(len(points), 1)
        gap = np.hypot(*(points[one, :2] - points[other, :2]).T) * 0.6
        gaps.append(gap)
        relative.append(gap / np.maximum(points[one, 2], points[other, 2]))
    gap_m, radii = np.concatenate(gaps), np.concatenate(relative)
    assert gap_m.min() >= 1.2 and radii.min() >= 1.2
    assert (radii < 1.7).sum() > 5 and (radii < 1.35).sum() > 1


def test_hard_looks_come_in_their_share_and_look_as_said() -> None:
    strikes = planned(field(), range(6), large_share=0.0, ageing_share=0.0, hard_share=0.8)
    share = {name: np.mean([s.family == name for s in strikes]) for name in ("hue_disc", "sooted", "small_pit")}
    assert all(0.12 < part < 0.28 for part in share.values())
    weights = np.array([0.299, 0.587, 0.114])
    for s in strikes:
        delta = np.array(s.core_delta)
        if s.family == "hue_disc":
            assert abs(delta @ weights) < 8 and np.linalg.norm(delta - delta @ weights) > 12 and delta[0] > delta[2]
        elif s.family == "sooted":
            assert s.soot_delta.green < 0 and s.ring_delta == NO_CHANGE
        elif s.family == "pale_disc":
            assert delta @ weights > 0
    small = [s.crater_radius_m for s in strikes if s.family == "small_pit"]
    assert np.mean(np.array(small) < 1.2) > 0.9 and min(small) >= 0.6


def test_contrast_follows_the_ground_and_is_capped() -> None:
    smooth, rough = (
        np.median([abs(s.core_delta.green) for s in planned(field(sd_dn=sd), ageing_share=0.0, by_eye_share=0.0)])
        for sd in (3.0, 9.0)
    )
    assert rough == pytest.approx(3 * smooth, rel=0.35)
    deepest = max(-min(s.core_delta) for s in planned(field(sd_dn=30.0)))
    assert deepest <= 65 * 1.25


@pytest.mark.parametrize(
    ("switch", "left"),
    [
        ("collar_share", lambda s: s.ring_delta != NO_CHANGE),
        ("soot_share", lambda s: s.soot_delta != NO_CHANGE),
        ("rays_share", lambda s: s.ray_strength > 0 or s.spike_count > 0),
        ("wings_share", lambda s: s.wing_length_m > 0),
        ("relief_share", lambda s: s.depth_ratio > 0),
        ("ageing_share", lambda s: s.age > 0),
        ("large_share", lambda s: s.family == "large"),
        ("cone_share", lambda s: s.cone_azimuth_deg is not None),
    ],
)
def test_every_element_can_be_turned_off(switch: str, left: Any) -> None:
    ground = field()
    on = planned(ground, range(10), large_share=0.3, ageing_share=0.5) if switch != "large_share" else None
    on = on or planned(ground, range(10), large_share=0.6)
    assert any(left(s) for s in on)
    assert not any(left(s) for s in planned(ground, range(10), **{"large_share": 0.3, switch: 0.0}))


def test_statuses_come_in_their_shares() -> None:
    strikes = planned(field(side=200), range(40), old_share=0.4, gone_share=0.3)
    share = {status: np.mean([s.status == status for s in strikes]) for status in StrikeStatus}
    assert all(share[status] > 0.1 for status in StrikeStatus)
    assert {s.status for s in planned(field(), old_share=0.0, gone_share=0.0)} == {StrikeStatus.NEW}


def test_families_suit_the_ground() -> None:
    assert {s.family for s in planned(field(Material.SNOW), large_share=0.0)} == {"snow_soot"}
    on_soil = {s.family for s in planned(field(Material.SOIL), range(12), by_eye_share=0.9, large_share=0.0)}
    assert "soot_spider" in on_soil and not on_soil & {"crop_wings", "chroma_disc", "star_in_annulus"}
    on_crop = {s.family for s in planned(field(), range(30), by_eye_share=0.6, large_share=0.0)}
    assert on_crop >= {family.name for family in (*TABLE_FAMILIES, *BY_EYE_FAMILIES)} - {"red_disc"}


def test_a_line_is_straight() -> None:
    config = StrikeConfig(empty_share=0.0, field_share=0.0, ellipse_share=0.0, single_share=0.0, large_share=0.0)
    ratios = []
    for seed in range(12):
        strikes = plan_strikes(field(), config, SUN, np.random.default_rng(seed))
        points = np.array([(s.row_px, s.col_px) for s in strikes])
        if len(points) >= 4:
            width, length = np.sqrt(np.linalg.eigvalsh(np.cov(points.T)))
            ratios.append(width / length)
    assert np.median(ratios) < 0.25


def test_wings_share_a_heading_within_a_salvo() -> None:
    config = StrikeConfig(empty_share=0.0, by_eye_share=1.0, density_per_ha=30, large_share=0.0, line_share=0.0,
                          ellipse_share=0.0, single_share=0.0, salvos_per_ha=0.001)  # fmt: skip
    for seed in range(3):
        strikes = plan_strikes(field(), config, SUN, np.random.default_rng(seed))
        turns = np.exp(1j * np.deg2rad([s.wing_azimuth_deg for s in strikes if s.wing_length_m > 0]))
        assert len(turns) < 4 or abs(turns.mean()) > 0.9


@pytest.mark.parametrize("material", [Material.ROOF, Material.ASPHALT, Material.CROP])
def test_only_what_the_surface_shows_is_claimed(material: Material) -> None:
    strikes = planned(field(material), range(8), cone_share=1.0, large_share=0.3, secondary_share=1.0, by_eye_share=0.5)
    coned, winged = [s for s in strikes if s.cone_azimuth_deg is not None], [s for s in strikes if s.wing_length_m > 0]
    secondary = [s for s in strikes if s.secondary_radius_m > 0]
    assert bool(coned) == (material is not Material.ROOF)
    assert bool(winged) == bool(secondary) == (material is Material.CROP)
    assert any(s.direction for s in strikes) == (material is not Material.ROOF)


def test_stronger_cones_change_nothing_but_the_cones() -> None:
    """Up to the cap, which no cone of these passes; its hue is the subsoil's and grows with it."""
    plain, strong = (
        planned(field(Material.SOIL), range(6), cone_share=1.0, cone_strength=(factor, factor)) for factor in (1.0, 2.0)
    )
    assert [replace(strike, cone_delta=NO_CHANGE) for strike in strong] == [
        replace(strike, cone_delta=NO_CHANGE) for strike in plain
    ]
    pairs = [
        (abs(sum(a.cone_delta)), abs(sum(b.cone_delta)))
        for a, b in zip(plain, strong, strict=True)
        if a.cone_azimuth_deg is not None and abs(sum(a.cone_delta)) > 9
    ]
    assert len(pairs) > 12
    assert np.median([b / a for a, b in pairs]) == pytest.approx(2.0, rel=0.1)
