"""Samples of a small simulated scene against its strikes, by arithmetic of our own."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest

from cv_pipeline.patterns.closeup import pictures
from cv_pipeline.patterns.closeup.pictures import CHANNELS, SIDE
from cv_pipeline.segmentation.channels import NUMBER
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.config import SimulationConfig, StrikeConfig
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.training import closeup_samples
from cv_pipeline.training.closeup_samples import GSD_RANGE_M, Samples, joined, scene_samples, simulate
from cv_pipeline.types import BoolArray, Channel, Float32Array, Float64Array, ModelInfo
from tests.simulation.conftest import write_tiles

INFO = ModelInfo("test", "0" * 64, 0.5, 0.2, 1.1, 0.5)
STRIKES = StrikeConfig(
    empty_share=0.0, density_per_ha=25.0, salvos_per_ha=4.0, cone_share=0.6, cone_strength=(4.0, 6.0),
    close_salvo_share=1.0, close_pair_share=0.5,
)  # fmt: skip


class Peaks:
    """A network whose centre map has a peak every 14 m, and nothing else: false alarms, but for some by chance."""

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        count, _, height, width = after.shape
        maps = np.zeros((count, len(Channel), height, width), np.float32)
        rows, cols = np.indices((height, width))
        far = np.hypot((rows + 7) % 28 - 14, (cols + 7) % 28 - 14)
        maps[:, NUMBER[Channel.CENTRE]] = 0.8 * np.exp(-0.5 * (far / 2) ** 2)
        return maps


@dataclass(frozen=True)
class Scene:
    """A pair, its samples, and where they were looked at from, metres east and north of the upper-left corner."""

    pair: SimulatedPair
    samples: Samples
    at_m: Float64Array


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPair:
    """120 m a side at 0.8 m, with many strikes; some old, some one-sided, some touching."""
    root = write_tiles(tmp_path_factory.mktemp("tiles"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closeup_samples, "EXTENT_M", 120.0)
        patch.setattr(closeup_samples, "_SIDE_PX", (100, 160))
        patch.setattr(closeup_samples, "GSD_RANGE_M", (0.8, 0.81))
        return simulate(Backgrounds(list_tiles(root, "train")), (3, 1), SimulationConfig(strikes=STRIKES))


def looked_at(pair: SimulatedPair, *, paired: bool = True, seed: int = 5) -> Scene:
    """The samples of the pair and their places."""
    places: list[Float64Array] = []
    original = closeup_samples.read_pictures

    def read(*args: Any, **options: Any) -> Any:
        places.append(args[3])
        return original(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closeup_samples, "read_pictures", read)
        patch.setattr(pictures, "_CELL_M", 40.0)  # several cells, so that pictures are not read in the samples' order
        samples = scene_samples(pair, Peaks(), INFO, paired=paired, seed=seed)
    return Scene(pair, samples, places[0])


@pytest.fixture(scope="module")
def scene(pair: SimulatedPair) -> Scene:
    return looked_at(pair)


def demanded(pair: SimulatedPair) -> list[Strike]:
    """Strikes that lie 2 m inside the after image, are there and can be seen."""
    found = []
    height, width = pair.after.shape[:2]
    for s in pair.strikes:
        border_m = pair.gsd_m * min(s.row_px, s.col_px, height - s.row_px, width - s.col_px)
        if s.status is not StrikeStatus.GONE and border_m >= 2 and pair.truth.visible[int(s.row_px), int(s.col_px)]:
            found.append(s)
    return found


def place_m(strike: Strike, pair: SimulatedPair) -> Float64Array:
    return np.array([strike.col_px, -strike.row_px]) * pair.gsd_m


def nearest(scene: Scene, i: int) -> tuple[Strike, float]:
    """The demanded strike nearest to a sample and its distance, both relative to what counts as the same crater."""
    away = [
        (float(np.hypot(*(place_m(s, scene.pair) - scene.at_m[i]))) / max(s.crater_radius_m, 1.5), k, s)
        for k, s in enumerate(demanded(scene.pair))
    ]
    distance, _, strike = min(away)
    return strike, distance


def test_the_scene_holds_what_is_to_be_tested(scene: Scene) -> None:
    strikes, samples = demanded(scene.pair), scene.samples
    assert len(strikes) >= 15
    assert {s.status for s in strikes} == {StrikeStatus.NEW, StrikeStatus.OLD}
    for truth in (samples.crater, samples.new, samples.has_twin, samples.one_sided):
        assert {0.0, 1.0} <= set(truth)
    assert np.isfinite(samples.axis).all(axis=1).sum() >= 3
    assert 0 < np.isfinite(samples.blast_m).sum() < len(samples.blast_m)


def test_what_is_a_crater_is_one(scene: Scene) -> None:
    """Places within a radius (or 1.5 m) of a strike are it, those within twice as much are left out."""
    assert len(scene.at_m) == len(scene.samples.crater)
    for i, crater in enumerate(scene.samples.crater):
        _, distance = nearest(scene, i)
        assert distance <= 1 if crater == 1 else distance > 2
    seen = [nearest(scene, i)[0] for i in np.nonzero(scene.samples.crater)[0]]
    missed = [s for s in demanded(scene.pair) if s not in seen]
    assert len(missed) <= 0.1 * len(demanded(scene.pair))  # a place near each centre, 4 % of them too far off


def test_centres_and_radii_are_the_strikes(scene: Scene) -> None:
    samples = scene.samples
    for i in np.nonzero(samples.crater)[0]:
        strike, _ = nearest(scene, i)
        np.testing.assert_allclose(scene.at_m[i] + samples.centre_m[i], place_m(strike, scene.pair), atol=1e-6)
        assert samples.radius_m[i] == strike.crater_radius_m
        assert samples.blast_m[i] == pytest.approx(strike.blast_radius_m or np.nan, nan_ok=True)
        assert samples.new[i] == float(strike.status is StrikeStatus.NEW)
    others = samples.crater == 0
    for values in (samples.centre_m, samples.radius_m, samples.blast_m, samples.axis, samples.one_sided, samples.new):
        assert np.isnan(values[others]).all()
    assert (samples.gsd_m == scene.pair.gsd_m).all()


def test_axes_point_to_where_the_pattern_extends(scene: Scene) -> None:
    """Azimuths are clockwise from image up, so their sine is east; only one-sided patterns have one."""
    samples = scene.samples
    for i in np.nonzero(samples.crater)[0]:
        strike, _ = nearest(scene, i)
        cone = strike.cone_azimuth_deg if strike.cone_length_m > 0 and strike.blast_radius_m > 0 else None
        wing = strike.wing_azimuth_deg if strike.wing_length_m > 0 and strike.wing_asymmetry > 0 else None
        azimuth_deg = wing if cone is None else cone
        if azimuth_deg is None:
            assert samples.one_sided[i] == 0
        elif not np.isnan(samples.one_sided[i]):
            assert samples.one_sided[i] == 1
            turn = np.deg2rad(azimuth_deg)
            np.testing.assert_allclose(samples.axis[i], (np.sin(turn), np.cos(turn)), atol=1e-9)
        assert np.isnan(samples.axis[i]).all() == (samples.one_sided[i] != 1)


def test_twins_are_the_nearest_neighbours(scene: Scene) -> None:
    samples, strikes = scene.samples, demanded(scene.pair)
    for i in np.nonzero(samples.crater)[0]:
        strike, _ = nearest(scene, i)
        apart = {
            np.hypot(*(place_m(s, scene.pair) - place_m(strike, scene.pair)))
            * 2 / (s.crater_radius_m + strike.crater_radius_m): s for s in strikes if s is not strike
        }  # fmt: skip
        assert samples.has_twin[i] == (min(apart) <= 3)
        if min(apart) <= 3:
            at_m = place_m(apart[min(apart)], scene.pair)
            np.testing.assert_allclose(scene.at_m[i] + samples.twin_m[i], at_m, atol=1e-6)
        else:
            assert np.isnan(samples.twin_m[i]).all()


def test_pictures_are_of_the_places(scene: Scene) -> None:
    """The wide picture's middle has the colour of the after image there, in the samples' order."""
    rows, cols = (-scene.at_m[:, 1] / scene.pair.gsd_m, scene.at_m[:, 0] / scene.pair.gsd_m)
    assert scene.samples.near.shape == scene.samples.wide.shape == (len(rows), CHANNELS, SIDE, SIDE)
    told, true = [], []
    for i in range(len(rows)):
        image = scene.pair.after[int(rows[i]) - 1 : int(rows[i]) + 2, int(cols[i]) - 1 : int(cols[i]) + 2]
        true.append(image.mean())
        told.append(scene.samples.near[i, :3, 28:36, 28:36].mean())
    assert np.corrcoef(told, true)[0, 1] > 0.9


def test_without_a_before_image_nobody_asks_what_is_new(scene: Scene) -> None:
    """And the seed decides from where craters are looked at."""
    samples = looked_at(scene.pair, paired=False, seed=6).samples
    assert np.isnan(samples.new).all()
    for picture in (samples.near, samples.wide):
        assert (picture[:, [3, 4, 5, 10]] == 0).all()
        assert picture[:, 9].any()
    assert scene.samples.near[:, 10].any()
    assert not np.array_equal(samples.centre_m[samples.crater == 1], scene.samples.centre_m[scene.samples.crater == 1])


def test_the_same_seed_gives_the_same_samples(scene: Scene) -> None:
    again = looked_at(scene.pair).samples
    for field in fields(Samples):
        np.testing.assert_array_equal(getattr(scene.samples, field.name), getattr(again, field.name))


class Nothing(Peaks):
    """A network that sees nothing anywhere."""

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        return np.zeros_like(super().__call__(after, before, has_before))


def test_ground_without_craters_and_false_alarms_has_no_samples(scene: Scene) -> None:
    """But those of other scenes can be joined to them."""
    bare = replace(scene.pair, strikes=())
    none = scene_samples(bare, Nothing(), INFO, paired=False, seed=1)
    assert none.near.shape == none.wide.shape == (0, CHANNELS, SIDE, SIDE)
    whole = joined([none, scene.samples])
    for field in fields(Samples):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(scene.samples, field.name))


def test_samples_are_joined_and_taken_in_order(scene: Scene) -> None:
    samples = scene.samples
    few, none = samples.take(np.array([4, 1])), samples.take(np.zeros(0, int))
    whole = joined([few, none, samples])
    for field in fields(Samples):
        values, all_of_them = getattr(samples, field.name), getattr(whole, field.name)
        np.testing.assert_array_equal(all_of_them, np.concatenate([values[[4, 1]], values]))


def test_scenes_are_drawn_over_the_whole_range_of_gsd(monkeypatch: pytest.MonkeyPatch) -> None:
    """About 160 m a side, less where that were too many pixels; the seed alone decides."""
    drawn: list[tuple[tuple[int, int], float]] = []
    monkeypatch.setattr(closeup_samples, "simulate_pair", lambda b, seed, shape, gsd_m, c: drawn.append((shape, gsd_m)))
    for number in (*range(200), 7):
        simulate(None, (1, number), SimulationConfig())  # type: ignore[arg-type]
    gsd_m = np.array([each for _, each in drawn[:200]])
    assert drawn[200] == drawn[7]
    assert GSD_RANGE_M[0] <= gsd_m.min() < 0.25
    assert 1.0 < gsd_m.max() <= GSD_RANGE_M[1]
    assert np.median(np.log(gsd_m)) == pytest.approx(np.log(GSD_RANGE_M).mean(), abs=0.2)
    for (height, width), each in drawn:
        assert height == width
        assert 120 < height * each < 200
