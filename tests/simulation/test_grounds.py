from __future__ import annotations

import cv2
import numpy as np
import pytest

from cv_pipeline.simulation.fields import FARMLAND, FieldKind
from cv_pipeline.simulation.ground import Ground, Material
from cv_pipeline.simulation.noise import across, along_profile, mottle, streaks, wheel_lines
from cv_pipeline.simulation.openland import DESERT, DUNES, MARSH, MEADOW, SNOW, STEPPE
from cv_pipeline.simulation.parcels import divide
from cv_pipeline.simulation.tracks import draw_ditch, draw_line
from cv_pipeline.simulation.trees import draw_canopy, draw_tree

ALL_KINDS = (*FARMLAND, MEADOW, STEPPE, DESERT, DUNES, SNOW, MARSH)
GREEN = np.array([50, 70, 40], np.float32)


def level(shape: tuple[int, int] = (60, 80), gsd_m: float = 0.5) -> Ground:
    colour = np.full((*shape, 3), 120, np.float32)
    return Ground(colour, np.zeros(shape, np.float32), np.zeros(shape, np.uint8), gsd_m)


@pytest.mark.parametrize("heading_deg", [0, 30, 90])
def test_streaks_are_long_along_their_heading(heading_deg: float) -> None:
    noise = streaks((200, 200), 0.5, 1.0, 25.0, np.deg2rad(heading_deg), np.random.default_rng(3))
    step = np.array([-np.cos(np.deg2rad(heading_deg)), np.sin(np.deg2rad(heading_deg))]) * 8

    def alike(down: float, right: float) -> float:
        moved = cv2.warpAffine(noise, np.array([[1, 0, -right], [0, 1, -down]]), (200, 200))
        inner = np.s_[20:180, 20:180]
        return float(np.corrcoef(noise[inner].ravel(), moved[inner].ravel())[0, 1])

    assert alike(*step) > 0.8
    assert abs(alike(step[1], -step[0])) < 0.2


@pytest.mark.parametrize("gsd_m", [0.2, 0.5, 1.2])
def test_noise_has_unit_sd_where_resolved_and_less_where_averaged(gsd_m: float) -> None:
    rng = np.random.default_rng(1)
    broad = np.mean([streaks((300, 300), gsd_m, 4 * gsd_m, 6 * gsd_m, 0.4, rng).std() for _ in range(5)])
    fine = np.mean([streaks((300, 300), gsd_m, gsd_m / 4, gsd_m, 0.4, rng).std() for _ in range(5)])
    assert broad == pytest.approx(1.0, rel=0.1)
    assert fine == pytest.approx(0.5, rel=0.15)
    assert mottle((300, 300), gsd_m, 8 * gsd_m, 2 * gsd_m, 0.5, rng).std() == pytest.approx(1.0, rel=0.15)


def test_wheel_lines_lie_at_their_spacing() -> None:
    shape, gsd_m = (40, 400), 0.25
    profile = wheel_lines(shape, gsd_m, 18.0, 2.0, np.random.default_rng(0))
    image = along_profile(profile, gsd_m / 3, across(shape, gsd_m, 0.0))
    row = image[20]
    peaks = np.flatnonzero((row > 0.5) & (row >= np.roll(row, 1)) & (row > np.roll(row, -1))) * gsd_m
    gaps = np.diff(peaks)
    assert set(np.round(gaps)) == {2.0, 16.0}


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda k: k.name)
@pytest.mark.parametrize("gsd_m", [0.2, 1.2])
def test_every_ground_fills_any_shape_and_is_the_same_from_a_seed(kind: FieldKind, gsd_m: float) -> None:
    first, second = (kind.draw((70, 90), gsd_m, 0.7, np.random.default_rng(5)) for _ in range(2))
    assert first.colour.shape == (70, 90, 3) and first.colour.dtype == np.float32 and first.gsd_m == gsd_m
    assert np.isfinite(first.colour).all() and first.colour.min() >= 0 and first.colour.max() <= 255
    np.testing.assert_array_equal(first.colour, second.colour)
    np.testing.assert_array_equal(first.height_m, second.height_m)


def test_farmland_is_as_rough_and_bright_as_measured() -> None:
    """Robust SD 4.0 / 6.5 / 14.2 and level 76 / 96 / 132 DN at the tenths in an 8-15.5 m annulus (reference table)."""
    gsd_m, half = 0.5, 32
    radius_m = np.hypot(*(np.mgrid[-half:half, -half:half] + 0.5)) * gsd_m
    ring = (radius_m >= 8) & (radius_m < 15.5)
    kinds = [kind for kind in FARMLAND for _ in range(round(2 * kind.weight))]
    rough, bright = [], []
    for seed in range(220):
        rng = np.random.default_rng((seed, 1))
        colour = kinds[seed % len(kinds)].draw((2 * half, 2 * half), gsd_m, rng.uniform(0, 3), rng).colour
        seen = cv2.GaussianBlur(colour, (0, 0), 0.8) @ np.array([0.299, 0.587, 0.114], np.float32)
        values = seen[ring] + rng.normal(0, 1.2, int(ring.sum()))
        bright.append(np.median(values))
        rough.append(1.4826 * np.median(np.abs(values - bright[-1])))
    np.testing.assert_allclose(np.percentile(rough, [10, 50, 90]), [4.0, 6.5, 14.2], rtol=0.3)
    np.testing.assert_allclose(np.percentile(bright, [10, 50, 90]), [76, 96, 132], rtol=0.15)


def test_dunes_are_relief_and_marsh_holds_water() -> None:
    assert DUNES.draw((100, 100), 0.5, 0.3, np.random.default_rng(2)).height_m.max() > 0.02
    water = [
        (MARSH.draw((200, 200), 0.6, 0.3, np.random.default_rng(s)).material == Material.WATER).mean() for s in range(6)
    ]
    assert 0.005 < np.mean(water) < 0.4


def test_a_tree_stands_up_where_it_was_planted() -> None:
    ground = level()
    draw_tree(ground, 30.5, 40.5, 3.0, 9.0, GREEN, np.random.default_rng(0))
    crown = ground.material == Material.TREE
    rows, cols = np.nonzero(crown)
    assert rows.mean() + 0.5 == pytest.approx(30.5, abs=1) and cols.mean() + 0.5 == pytest.approx(40.5, abs=1)
    assert crown.sum() * 0.25 == pytest.approx(np.pi * 9, rel=0.35)
    assert 6 < ground.height_m.max() < 11 and ground.height_m[~crown].max() < 5
    assert (ground.colour[0] == 120).all()


def test_a_canopy_stays_inside_its_region_and_an_empty_one_draws_nothing() -> None:
    ground, region = level(), np.zeros((60, 80), np.float32)
    draw_canopy(ground, region, 2.0, 8.0, GREEN, np.random.default_rng(0))
    assert (ground.colour == 120).all()
    region[:, :40] = 1
    draw_canopy(ground, region, 2.0, 8.0, GREEN, np.random.default_rng(0))
    tree = ground.material == Material.TREE
    assert tree[:, :40].mean() > 0.6 and not tree[:, 48:].any()


def test_parcels_have_the_wanted_width() -> None:
    flat = np.zeros((400, 400), np.float32)
    areas = []
    for seed in range(20):
        land = divide((400, 400), 2.0, (90, 110), (190, 210), flat, np.random.default_rng(seed))
        counts = np.bincount(land.label.ravel())
        areas.append(np.median(counts[counts > 0][1:-1]) * 4)
        assert all(border.shape[1] == 2 for border in land.borders)
    assert np.median(areas) == pytest.approx(100 * 200, rel=0.25)


def test_borders_run_between_parcels() -> None:
    land = divide((300, 300), 1.0, (60, 90), (1000, 2000), np.zeros((300, 300), np.float32), np.random.default_rng(4))
    edge = (land.label[1:, 1:] != land.label[:-1, 1:]) | (land.label[1:, 1:] != land.label[1:, :-1])
    near = cv2.dilate(edge.astype(np.uint8), np.ones((7, 7)))
    points = np.concatenate(land.borders).astype(int)
    points = points[((points > 3) & (points < 295)).all(axis=1)]
    assert len(points) > 20 and near[points[:, 0], points[:, 1]].mean() > 0.95


def test_a_line_covers_its_width_and_a_ditch_is_sunk() -> None:
    ground = level((60, 200), 0.5)
    line = np.array([[30.0, -5.0], [30.0, 205.0]])
    draw_line(ground, line, 4.0, (255.0, 255.0, 255.0), 1.0, np.random.default_rng(0))
    covered = (ground.colour[..., 0] - 120).clip(0).sum(axis=0).mean() / 135 * 0.5
    assert covered == pytest.approx(4.0 * 0.9, rel=0.15)
    sunk = [level((60, 200)) for _ in range(8)]
    for seed, ditch in enumerate(sunk):
        draw_ditch(ditch, line, np.random.default_rng(seed))
    assert min(d.height_m.min() for d in sunk) < -0.3
    assert all(abs(d.height_m[:20]).max() == 0 for d in sunk)
