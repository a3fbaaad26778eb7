from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cv_pipeline.errors import ConfigError
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import simulate_pair
from cv_pipeline.training.config import MiningConfig, TrainConfig
from cv_pipeline.training.mining import (
    FalseAlarm,
    false_alarms,
    read_round,
    round_file,
    search,
    search_stream,
    write_round,
)
from cv_pipeline.types import Channel

Configs = Callable[..., TrainConfig]
CENTRE = list(Channel).index(Channel.CENTRE)


class BrightNet(nn.Module):
    """Sees a centre wherever a pixel is much brighter than its surroundings; with a before image, nowhere."""

    def __init__(self, offset: float = -4.0) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.tensor(offset))

    def forward(self, after: Tensor, before: Tensor | None = None) -> Tensor:
        maps = torch.full((len(after), len(Channel), *after.shape[2:]), -9.0)
        if before is None:
            maps[:, CENTRE] = 2 * after[:, 1] + self.offset
        return maps


def test_the_highest_visible_peak_of_each_sample_is_its_false_alarm() -> None:
    heat, visible = torch.zeros(3, 4, 5), torch.ones(3, 4, 5)
    heat[0, 1, 2], heat[0, 3, 4] = 0.7, 0.9
    visible[0, 3, 4] = 0
    heat[2, 0, 3] = 0.2
    assert false_alarms(heat, visible, 0.5) == [(0, pytest.approx(0.7), 1, 2)]
    assert [alarm[0] for alarm in false_alarms(heat, visible, 0.2)] == [0, 2]


def test_the_worst_scenes_are_found_and_can_be_drawn_again(make_config: Configs, data_root: Path) -> None:
    mining = MiningConfig(at_steps=[2], scenes=7, threshold=0.5, keep=3)
    config = make_config(mining=mining.model_dump(), steps=9)
    net = BrightNet()
    found = search(net, config, mining, data_root, 2, 0)
    assert net.training
    scores = [alarm.score for alarm in found]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= 0.5
    assert len({alarm.scene for alarm in found}) == len(found) == 3
    assert not any(alarm.with_before for alarm in found)
    assert found == search(net, config, mining, data_root, 2, 0)
    other = search(net, config, mining, data_root, 4, 0)
    assert [alarm.score for alarm in other] != scores  # another round searches other scenes

    stream = search_stream(config, mining, data_root, 2)
    for alarm in found:
        sample = stream.sample(alarm.scene)
        heat = torch.sigmoid(2 * sample["after"][1] - 4)
        assert float(heat[alarm.row_px, alarm.col_px]) == pytest.approx(alarm.score, rel=1e-5)
    write_round(data_root, config, 2, found)
    seeds = read_round(data_root, config, 2).seeds
    pair = simulate_pair(
        Backgrounds(list_tiles(data_root, "train")), seeds[0], (64, 64), 0.6, config.hard_simulation(2)
    )
    assert not pair.strikes


def test_searched_scenes_keep_to_training_places_and_hold_no_strikes(make_config: Configs, data_root: Path) -> None:
    mining = MiningConfig(
        at_steps=[1], scenes=8, simulation={"ground": {"real_share": 1}, "strikes": {"empty_share": 0}}
    )
    config = make_config(mining=mining.model_dump(), steps=9)
    stream = search_stream(config, mining, data_root, 1)
    stream._transform = lambda pair, number: pair  # type: ignore[assignment]
    pairs = [stream.sample(number) for number in range(8)]
    allowed = {tile.place for tile in list_tiles(data_root, "train")}
    held_out = {tile.place for tile in list_tiles(data_root, "validate")} - allowed
    places = {place for pair in pairs for place in pair.places}
    assert places
    assert places <= allowed
    assert not places & held_out
    assert not any(pair.strikes for pair in pairs)


def test_a_round_is_kept_and_read_again(make_config: Configs, tmp_path: Path) -> None:
    config = make_config(steps=9, mining={"at_steps": [4]})
    write_round(tmp_path, config, 4, [FalseAlarm(11, 0.9, 3, 4, True), FalseAlarm(2, 0.4, 5, 6, False)])
    found = read_round(tmp_path, config, 4)
    assert found.step == 4
    assert [seed[-1] for seed in found.seeds] == [11, 2]
    assert len(set(found.seeds)) == 2
    assert found.config.strikes.empty_share == 1


@pytest.mark.parametrize("content", [None, "", "[]", '{"seed": 1}'])
def test_a_round_that_is_missing_or_damaged_is_told(make_config: Configs, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        round_file(tmp_path, 4).write_text(content)
    with pytest.raises(ConfigError, match="mined_0000004"):
        read_round(tmp_path, make_config(steps=9, mining={"at_steps": [4]}), 4)


def test_a_round_of_another_run_is_refused(make_config: Configs, tmp_path: Path) -> None:
    write_round(tmp_path, make_config(steps=9, seed=2, mining={"at_steps": [4]}), 4, [])
    with pytest.raises(ConfigError, match="another seed"):
        read_round(tmp_path, make_config(steps=9, mining={"at_steps": [4]}), 4)
    assert json.loads(round_file(tmp_path, 4).read_text())["false_alarms"] == []
