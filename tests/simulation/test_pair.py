from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.visibility import LEAST_CONSPICUITY

NOTHING: dict[str, dict[str, float]] = {
    "built": {
        "village_share": 0,
        "single_building_share": 0,
        "pavement_share": 0,
        "road_share": 0,
        "vehicles_share": 0,
        "tents_share": 0,
        "rubble_share": 0,
    },
    "weather": {"haze_share": 0, "thin_cloud_share": 0, "thick_cloud_share": 0, "smoke_share": 0},
}
FIELDS: dict[str, dict[str, float]] = {
    "strikes": {"empty_share": 0, "density_per_ha": 20, "field_share": 1, "line_share": 0, "single_share": 0},
    "ground": {"wood_share": 0, "orchard_share": 0, "wet_weight": 0},
}


@pytest.fixture
def simulate(make_data_root: Callable[..., Path]) -> Callable[..., SimulatedPair]:
    backgrounds = Backgrounds(list_tiles(make_data_root(), "train"))

    def make(*seed: int, gsd_m: float = 0.6, shape: tuple[int, int] = (64, 80), **sections: object) -> SimulatedPair:
        return simulate_pair(backgrounds, seed, shape, gsd_m, SimulationConfig.model_validate(sections))

    return make


def test_the_same_seed_gives_the_same_sample(simulate: Callable[..., SimulatedPair]) -> None:
    first, second, other = simulate(1, 2), simulate(1, 2), simulate(1, 3)
    np.testing.assert_array_equal(first.before, second.before)
    np.testing.assert_array_equal(first.after, second.after)
    for field in fields(first.truth):
        np.testing.assert_array_equal(getattr(first.truth, field.name), getattr(second.truth, field.name))
    assert first.strikes == second.strikes
    assert not np.array_equal(first.after, other.after)


def test_samples_have_their_size_and_consistent_truth(simulate: Callable[..., SimulatedPair]) -> None:
    samples = [simulate(7, number, **FIELDS) for number in range(15)]
    for sample in samples:
        truth = sample.truth
        assert sample.before.shape == sample.after.shape == (64, 80, 3)
        assert sample.before.dtype == sample.after.dtype == np.uint8
        assert all(getattr(truth, field.name).shape == (64, 80) for field in fields(truth))
        assert not (truth.crater & ~truth.blast).any()
        assert not (truth.new & ~truth.crater).any()
        assert not (truth.structure & ~truth.structure_known).any()
        assert (np.hypot(truth.axis_right, truth.axis_up) <= 1 + 1e-6).all()
        assert len(sample.conspicuity) == len(sample.strikes)
    assert {str(strike.status) for sample in samples for strike in sample.strikes} >= {"new", "old"}


def test_strikes_show_where_the_truth_says(simulate: Callable[..., SimulatedPair]) -> None:
    plain = NOTHING | FIELDS | {"change": {}, "light": {"leaning_share": 0}}
    darker = []
    for number in range(12):
        with_strikes = simulate(3, number, shape=(128, 128), **plain)
        without = simulate(3, number, shape=(128, 128), **(plain | {"strikes": {"empty_share": 1}}))
        difference = np.abs(with_strikes.after.astype(float) - without.after.astype(float)).mean(axis=2)
        truth = with_strikes.truth
        if (truth.crater & truth.visible).sum() > 20:
            darker.append(difference[truth.crater & truth.visible].mean() / (difference[~truth.blast].mean() + 1.0))
    assert len(darker) >= 6
    assert np.median(darker) > 3


def test_gone_strikes_are_on_the_before_image_only_in_truth(simulate: Callable[..., SimulatedPair]) -> None:
    strikes = FIELDS["strikes"] | {"gone_share": 1.0, "old_share": 0.0}
    samples = [simulate(5, number, strikes=strikes) for number in range(4)]
    assert all(str(s.status) == "gone" for sample in samples for s in sample.strikes)
    assert any(sample.strikes for sample in samples)
    assert not any(sample.truth.crater.any() or sample.truth.centre.any() for sample in samples)


def test_what_cannot_be_seen_is_not_asked_for(simulate: Callable[..., SimulatedPair]) -> None:
    hidden = seen = 0
    for number in range(25):
        sample = simulate(9, number, **(NOTHING | FIELDS | {"strikes": FIELDS["strikes"] | {"contrast_factor": 0.3}}))
        told = sample.truth.visible
        for strike, amount in zip(sample.strikes, sample.conspicuity, strict=True):
            row, col = int(strike.row_px), int(strike.col_px)
            if not (0 <= strike.row_px < 64 and 0 <= strike.col_px < 80) or str(strike.status) == "gone":
                continue
            if amount >= LEAST_CONSPICUITY:
                assert told[row, col]
                seen += 1
            else:
                hidden += not told[row, col]
    assert seen
    assert hidden


def test_an_element_turned_off_leaves_the_others_alone(simulate: Callable[..., SimulatedPair]) -> None:
    samples = [simulate(11, number) for number in range(6)]
    clear = [simulate(11, number, weather=NOTHING["weather"]) for number in range(6)]
    for with_weather, without in zip(samples, clear, strict=True):
        assert with_weather.strikes == without.strikes
        assert with_weather.lookalikes == without.lookalikes
        same = replace(with_weather.after_acquisition, weather=without.after_acquisition.weather)
        assert same == without.after_acquisition


def test_roof_hits_lean_away_and_their_damage_is_known(make_data_root: Callable[..., Path]) -> None:
    village = {
        "strikes": {"empty_share": 0, "density_per_ha": 60, "large_share": 0, "gone_share": 0},
        "built": {"village_share": 1, "dense_share": 1, "farm_share": 0, "pavement_share": 0},
        "light": {"leaning_share": 1, "off_nadir_sd_deg": 30},
        "ground": {"real_share": 0},
    }
    leaning, broken = [], 0
    for number in range(6):
        sample = simulate_pair(Backgrounds([]), (2, number), (160, 160), 0.5, SimulationConfig.model_validate(village))
        assert not (sample.truth.damage & ~sample.truth.structure).any()
        broken += int(sample.truth.damage.sum())
        view = sample.after_acquisition.view
        away = np.array([np.cos(np.deg2rad(view.azimuth_deg)), -np.sin(np.deg2rad(view.azimuth_deg))])
        for strike, place in zip(sample.strikes, sample.ground_px, strict=True):
            moved = np.array([strike.row_px, strike.col_px]) - place
            if moved.any():
                leaning.append(moved @ away / np.hypot(*moved))
    assert broken > 100
    assert len(leaning) > 5
    assert min(leaning) > 0.99
