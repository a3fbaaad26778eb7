"""Painted patterns of every look: their size and side come back, and what cuts them costs only its own sectors."""

from __future__ import annotations

import numpy as np
import pytest

from cv_pipeline.patterns.edge import profile_edge
from cv_pipeline.patterns.measure import Window, look_around, measure_patterns
from cv_pipeline.patterns.polar import sample_polar
from cv_pipeline.patterns.radii import Head, area_m2, combined_radius, outer_radius
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.patterns.surroundings import GROUPS, colour_change
from cv_pipeline.patterns.weights import RadiusWeights
from cv_pipeline.types import Channel, Float64Array, PatternKind, SectorUse, UInt8Array
from tests.patterns import painted
from tests.patterns.painted import CENTRE_PX, GSD_M, NORTH_UP, Ground, inside, maps, picture, sites, window

CRATER_M, BLAST_M = 2.5, 9.0
CRATER, CENTRE_SD = np.array([CRATER_M]), np.array([0.1])


def edge_of(
    image: UInt8Array, prior_m: float = BLAST_M, before: UInt8Array | None = None
) -> tuple[float, Float64Array]:
    """Radius from the colours alone, and the sign of the change in each group."""
    usable = np.ones(image.shape[:2], dtype=bool)
    polar = sample_polar(
        image, usable, CENTRE_PX, NORTH_UP, np.full(SECTORS, 80.0), length_m=32, step_m=GSD_M, before=before
    )
    change = colour_change(polar, CRATER_M, prior_m)
    assert change is not None
    return profile_edge(change, polar.reach_m, CRATER_M, prior_m).radius_m, change.sign_dn


def look(name: str, at: Ground) -> tuple[Float64Array | float, Float64Array]:
    """Level of the ground and change of brightness of one of the looks that are told apart."""
    collar, core = inside(at, BLAST_M), inside(at, CRATER_M)
    east = np.sin(at.azimuth_rad) > 0
    if name == "soot on bright ground":
        return 190.0, -45 * collar - 80 * core
    if name == "bright ejecta on dark ground":
        return 60.0, 40 * collar - 30 * core
    if name == "bright ejecta on a dark field, soot on a bright one":
        return np.where(east, 70.0, 180.0), np.where(east, 40.0, -45.0) * collar - 40 * core
    if name == "debris on roofs":
        rng = np.random.default_rng(4)
        pieces = rng.choice([-45.0, 60.0], at.distance_m.shape, p=[0.3, 0.7])
        roofs = np.where(at.distance_m * np.cos(at.azimuth_rad) > 3, 120.0, 100.0)
        return roofs, pieces * collar - 60 * core
    raise ValueError(name)


LOOKS = (
    "soot on bright ground",
    "bright ejecta on dark ground",
    "bright ejecta on a dark field, soot on a bright one",
    "debris on roofs",
)


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("prior", [0.8, 1.0, 1.25])
def test_the_edge_is_found_in_every_look(name: str, prior: float) -> None:
    at = painted.ground(1)
    level, change = look(name, at)
    radius_m, sign_dn = edge_of(picture(level, change, 10 * at.texture), prior * BLAST_M)
    assert radius_m == pytest.approx(BLAST_M, rel=0.08)
    east = np.sin(2 * np.pi * (np.arange(GROUPS) + 0.4) / GROUPS) > 0.3
    west = np.sin(2 * np.pi * (np.arange(GROUPS) + 0.4) / GROUPS) < -0.3
    expected = {LOOKS[0]: (-1, -1), LOOKS[1]: (1, 1), LOOKS[2]: (1, -1), LOOKS[3]: (1, 1)}[name]
    assert (np.sign(sign_dn[east]) == expected[0]).all()
    assert (np.sign(sign_dn[west]) == expected[1]).all()


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("cut", ["nothing", "road", "building"])
def test_both_radii_come_with_sds_in_every_look_whatever_cuts_them(name: str, cut: str) -> None:
    """A road hides colours and mask in its own sectors, a building is known to the structure map."""
    at = painted.ground(1)
    level, change = look(name, at)
    outer_m = 14.0
    away_m = at.distance_m * np.sin(at.azimuth_rad)
    hidden = {"nothing": away_m > 1e9, "road": np.abs(away_m - 7.0) < 2.0, "building": away_m > 6.0}[cut]
    layers = maps(at, CRATER_M, BLAST_M, structure=hidden if cut == "building" else None)
    layers[Channel.SECONDARY] = inside(at, outer_m).astype(np.float32)
    for channel in (Channel.BLAST, Channel.SECONDARY):
        layers[channel] = np.where(hidden, 0.02, layers[channel]).astype(np.float32)
    image = picture(level, np.where(hidden, 70.0, change), 10 * at.texture)
    (pattern,) = measure_patterns(window(layers, image), sites(), CRATER, CENTRE_SD)
    assert pattern.blast is not None
    assert pattern.secondary is not None
    for found, true_m in ((pattern.blast, BLAST_M), (pattern.secondary, outer_m)):
        assert found.radius_m == pytest.approx(true_m, rel=0.08)
        assert 0.01 < found.sd_m / true_m < 0.3
    assert pattern.direction_deg is None


@pytest.mark.parametrize("name", LOOKS[:2])
def test_a_fan_has_its_direction_in_every_look_and_beside_a_road(name: str) -> None:
    at = painted.ground(4)
    off_axis = np.angle(np.exp(1j * (at.azimuth_rad - np.deg2rad(300.0))))
    reach_m = np.where(np.abs(off_axis) < np.deg2rad(35), 1.7, 1.0) * BLAST_M
    level, _ = look(name, at)
    strength = -45 if name == LOOKS[0] else 40
    road = np.abs(at.distance_m * np.sin(at.azimuth_rad) - 7.0) < 2.0
    change = np.where(road, 70.0, strength * inside(at, reach_m) - 30 * inside(at, CRATER_M))
    layers = maps(at, CRATER_M, reach_m, head_m=BLAST_M)
    layers[Channel.BLAST] = np.where(road, 0.02, layers[Channel.BLAST]).astype(np.float32)
    (pattern,) = measure_patterns(window(layers, picture(level, change, 10 * at.texture)), sites(), CRATER, CENTRE_SD)
    assert pattern.kind is PatternKind.CONE
    assert pattern.direction_deg == pytest.approx(300.0, abs=10)
    assert pattern.blast is not None
    assert pattern.blast.radius_m == pytest.approx(BLAST_M, rel=0.12)


def test_vegetation_bright_soil_of_equal_brightness_is_found_by_hue() -> None:
    at = painted.ground(2)
    green = np.stack([70 + 8 * at.texture, 95 + 8 * at.texture, 60 + 8 * at.texture], axis=-1)
    soil = inside(at, BLAST_M)[..., None] * np.array([38.0, -20.0, 3.6])  # same luminance
    radius_m, _ = edge_of(np.clip(green + soil, 0, 255).astype(np.uint8))
    assert radius_m == pytest.approx(BLAST_M, rel=0.08)


def test_a_before_image_takes_the_grounds_own_pattern_away() -> None:
    """A faint collar on rough ground: without the before image its edge is anywhere."""
    errors = {False: [], True: []}
    for seed in range(8):
        at = painted.ground(seed)
        rng = np.random.default_rng(seed)
        before = picture(100.0, np.zeros_like(at.texture), 30 * at.texture)
        after = picture(100.0, 10 * inside(at, BLAST_M) - 40 * inside(at, CRATER_M), 30 * at.texture)
        noisy = np.clip(before + rng.normal(0, 2, before.shape), 0, 255).astype(np.uint8)
        for paired, earlier in ((False, None), (True, noisy)):
            errors[paired].append(abs(np.log(edge_of(after, 1.2 * BLAST_M, earlier)[0] / BLAST_M)))
    assert np.median(errors[True]) < 0.05
    assert np.median(errors[True]) < 0.5 * np.median(errors[False])


def test_a_road_costs_its_own_sectors() -> None:
    at = painted.ground(3)
    offset_m = at.distance_m * np.sin(at.azimuth_rad)
    road = np.abs(offset_m - 5.0) < 2.5
    change = np.where(road, 90.0, 40 * inside(at, BLAST_M)) - 30 * inside(at, CRATER_M)
    radius_m, _ = edge_of(picture(80.0, change, 8 * at.texture))
    assert radius_m == pytest.approx(BLAST_M, rel=0.1)


def test_a_structure_is_left_out_and_makes_no_direction() -> None:
    at = painted.ground(5)
    north_m = at.distance_m * np.cos(at.azimuth_rad)
    wall = north_m > 4.0
    layers = maps(at, CRATER_M, BLAST_M, structure=wall)
    layers[Channel.BLAST][wall] = 0.0
    layers[Channel.CRATER][wall] = 0.0
    change = np.where(wall, 60.0, 45 * inside(at, BLAST_M) - 40 * inside(at, CRATER_M))
    (pattern,) = measure_patterns(window(layers, picture(90.0, change, 8 * at.texture)), sites(), CRATER, CENTRE_SD)
    assert pattern.evidence is not None
    north = np.cos(AZIMUTHS_RAD) > 0.6
    assert (pattern.evidence.use[north] == SectorUse.STRUCTURE).all()
    assert (pattern.evidence.use[np.cos(AZIMUTHS_RAD) < 0] == SectorUse.USED).mean() > 0.8
    assert pattern.blast is not None
    assert pattern.blast.radius_m == pytest.approx(BLAST_M, rel=0.08)
    assert pattern.direction_deg is None


def test_a_hollow_pattern_is_a_ring() -> None:
    at = painted.ground(6)
    hollow = inside(at, 12.0) - inside(at, 9.0)
    layers = maps(at, CRATER_M, 12.0)
    for change, kind in ((hollow, PatternKind.RING), (inside(at, 12.0), PatternKind.CIRCLE)):
        image = picture(90.0, 60 * change - 30 * inside(at, CRATER_M), 8 * at.texture)
        (pattern,) = measure_patterns(window(layers, image), sites(), CRATER, CENTRE_SD)
        assert pattern.kind is kind


def turned(angle_deg: float) -> Float64Array:
    """A grid whose rows do not run east."""
    angle = np.deg2rad(angle_deg)
    return NORTH_UP @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize("angle_deg", [0.0, 35.0, 200.0])
@pytest.mark.parametrize("azimuth_deg", [10.0, 130.0, 260.0])
def test_the_networks_vector_is_turned_to_true_north(angle_deg: float, azimuth_deg: float) -> None:
    """A cone 60 degrees wide; the map's vector is drawn in the image's own right and up."""
    jacobian = turned(angle_deg)
    at = painted.ground(7, jacobian)
    off_axis = np.angle(np.exp(1j * (at.azimuth_rad - np.deg2rad(azimuth_deg))))
    reach_m = np.where(np.abs(off_axis) < np.deg2rad(30), 2.0, 1.0) * BLAST_M
    per_metre = jacobian @ np.array([np.sin(np.deg2rad(azimuth_deg)), np.cos(np.deg2rad(azimuth_deg))]) * GSD_M
    layers = maps(at, CRATER_M, reach_m, head_m=BLAST_M, axis=(0.7 * per_metre[1], -0.7 * per_metre[0]))
    (found,) = look_around(window(layers), sites(jacobian), CRATER, CENTRE_SD)
    assert np.rad2deg(np.arctan2(found.sides.east, found.sides.north)) % 360 == pytest.approx(azimuth_deg, abs=0.5)
    assert np.hypot(found.sides.east, found.sides.north) == pytest.approx(0.7, abs=0.01)
    (pattern,) = measure_patterns(window(layers), sites(jacobian), CRATER, CENTRE_SD)
    assert pattern.kind is PatternKind.CONE
    assert pattern.direction_deg is not None
    assert abs((pattern.direction_deg - azimuth_deg + 180) % 360 - 180) < 5


def test_a_round_pattern_has_no_direction_however_it_is_lit() -> None:
    """Light from every side on a crater's walls and rim; nothing else is one-sided."""
    for sun_deg in range(0, 360, 45):
        at = painted.ground(8)
        lit = np.cos(at.azimuth_rad - np.deg2rad(sun_deg)) * inside(at, 1.3 * CRATER_M)
        image = picture(100.0, 35 * inside(at, BLAST_M) - 30 * inside(at, CRATER_M) + 40 * lit, 10 * at.texture)
        layers = maps(at, CRATER_M, BLAST_M)
        (pattern,) = measure_patterns(window(layers, image), sites(), CRATER, CENTRE_SD)
        assert pattern.direction_deg is None, sun_deg


def test_neighbours_all_round_leave_only_the_maps() -> None:
    at = painted.ground(9)
    image = picture(90.0, 40 * inside(at, BLAST_M), 8 * at.texture)
    (pattern,) = measure_patterns(window(maps(at, CRATER_M, BLAST_M), image), sites(bounds_m=11.0), CRATER, CENTRE_SD)
    assert pattern.evidence is not None
    assert len(pattern.evidence.profile) == len(pattern.evidence.profile_reach_m) == 0
    assert pattern.blast is not None
    assert pattern.blast.radius_m == pytest.approx(BLAST_M, rel=0.06)


def test_a_neighbours_pattern_is_not_the_craters_own() -> None:
    """The mask is the same; whose it is, the map of radii says."""
    at = painted.ground(10)
    off_axis = np.angle(np.exp(1j * (at.azimuth_rad - 1.0)))
    reach_m = np.where(np.abs(off_axis) < 0.5, 12.0, CRATER_M)
    for head_m, kind in ((CRATER_M, PatternKind.NONE), (6.0, PatternKind.CONE)):
        layers = maps(at, CRATER_M, reach_m, head_m=head_m, axis=(0.6 * np.sin(1.0), 0.6 * np.cos(1.0)))
        (pattern,) = measure_patterns(window(layers), sites(), CRATER, CENTRE_SD)
        assert pattern.kind is kind


def test_no_pattern_and_no_picture() -> None:
    at = painted.ground(9)
    (none,) = measure_patterns(window(maps(at, CRATER_M, CRATER_M)), sites(), CRATER, CENTRE_SD)
    assert (none.kind, none.blast, none.area_m2, none.direction_deg) == (PatternKind.NONE, None, None, None)
    (plain,) = measure_patterns(window(maps(at, CRATER_M, BLAST_M)), sites(), CRATER, CENTRE_SD)
    assert plain.blast is not None
    assert plain.blast.radius_m == pytest.approx(BLAST_M, rel=0.06)
    dark = Window(maps(at, CRATER_M, BLAST_M), np.zeros((1, 1), bool) & np.ones((161, 161), bool), None, None, GSD_M)
    (unseen,) = measure_patterns(dark, sites(), CRATER, CENTRE_SD)
    assert unseen.kind is PatternKind.NONE


def test_joint_radius_is_the_precision_weighted_mean() -> None:
    weights = RadiusWeights(0.0, 0.0, 0.0, 0.01, 0.04, 0.02, 0.02, 0.0, 1.0)
    both = combined_radius(Head(10.0), 12.0, float("nan"), 0.0, 1e-6, weights)
    assert np.log(both.radius_m) == pytest.approx((np.log(10) / 0.01 + np.log(12) / 0.04) / 125)
    assert both.sd_m / both.radius_m == pytest.approx(1 / np.sqrt(125))
    sure = combined_radius(Head(10.0), 12.0, 11.0, 10.0, 1e-6, weights)
    assert sure.sd_m / sure.radius_m == pytest.approx(1 / np.sqrt(125 + 1 / 0.0202))
    assert np.isnan(combined_radius(Head(0.0), float("nan"), float("nan"), 0.0, 1.0, weights).radius_m)


def test_outer_radius_and_area() -> None:
    reach = np.full(SECTORS, 15.0)
    used = np.ones(SECTORS, dtype=bool)
    assert outer_radius(reach, used, 9.0, 0.6).radius_m == pytest.approx(15)
    assert np.isnan(outer_radius(reach, used, 14.8, 0.6).radius_m)
    assert np.isnan(outer_radius(np.where(np.arange(SECTORS) < 12, 15.0, 0.0), used, 9.0, 0.6).radius_m)
    assert area_m2(reach) == pytest.approx(np.pi * 225, rel=0.002)
