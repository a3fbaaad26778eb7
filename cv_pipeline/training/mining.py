"""Hard-negative mining: scenes without strikes on which the averaged weights see craters are trained on again.

Only simulation over training backgrounds is searched, never validation places or labelled imagery. What a round
found is a file of the run, ``mined_<step>.json``; it holds seeds, from which every scene is drawn again exactly.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from cv_pipeline.errors import ConfigError
from cv_pipeline.output_dir import whole_file
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.stream import PairPlan, SimulationStream
from cv_pipeline.training.config import MiningConfig, TrainConfig
from cv_pipeline.training.data import GSD_JITTER, TrainingSample
from cv_pipeline.training.loaders import make_loader
from cv_pipeline.training.mix import HardRound
from cv_pipeline.training.planes import Plane
from cv_pipeline.types import Channel

_SEARCHED = 2**33
"""Sets the seeds of searched scenes apart from those of the run's own pairs."""


class FalseAlarm(NamedTuple):
    """The worst false alarm of one scene: its score, its pixel and whether the before image was shown."""

    scene: int
    score: float
    row_px: int
    col_px: int
    with_before: bool


class _SearchPlan:
    """Seeds of the scenes of one round."""

    def __init__(self, config: TrainConfig, step: int) -> None:
        self._seed, self._step, self._config = config.seed, step, config.hard_simulation(step)

    def __call__(self, pair: int, batch: int) -> PairPlan:  # noqa: ARG002
        return PairPlan(_scene_seed(self._seed, self._step, pair), self._config)


def _scene_seed(seed: int, step: int, scene: int) -> tuple[int, ...]:
    return seed, _SEARCHED + step, scene


def search_stream(config: TrainConfig, mining: MiningConfig, data_root: Path, step: int) -> SimulationStream[Any]:
    """The scenes that the round after ``step`` searches: new ones each round, on training backgrounds."""
    return SimulationStream(
        Backgrounds(list_tiles(data_root, "train")),
        TrainingSample(config.working_gsd_m, config.seed, augment=False),
        seed=config.seed,
        size_px=config.size_px,
        gsd_m=(config.working_gsd_m / GSD_JITTER, config.working_gsd_m * GSD_JITTER),
        batch_size=config.batch_size,
        length=mining.scenes,
        plan=_SearchPlan(config, step),
    )


def false_alarms(heat: Tensor, visible: Tensor, threshold: float) -> list[tuple[int, float, int, int]]:
    """(sample, score, row, col) of the highest of ``heat`` (n, h, w) in each sample without craters.

    Samples that stay below ``threshold`` are left out. Where ``visible`` is 0 nothing is asked.
    """
    scores, at = (heat * visible).flatten(1).max(1)
    width = heat.shape[2]
    return [
        (sample, float(score), int(place) // width, int(place) % width)
        for sample, (score, place) in enumerate(zip(scores, at, strict=True))
        if score >= threshold
    ]


@torch.inference_mode()
def search(
    net: nn.Module, config: TrainConfig, mining: MiningConfig, data_root: Path, step: int, workers: int
) -> list[FalseAlarm]:
    """The worst scenes of the round after ``step``, each once, at most ``mining.keep``, worst first.

    ``net`` is what would ship. Ties in score go to the earlier scene.
    """
    was_training = net.training
    net.eval()
    device = next(net.parameters()).device
    visible_plane, heat_map = list(Plane).index(Plane.VISIBLE), list(Channel).index(Channel.CENTRE)
    worst: dict[int, FalseAlarm] = {}
    loader = make_loader(search_stream(config, mining, data_root, step), config.batch_size, workers)
    for number, batch in enumerate(loader):
        visible = batch["truth"][:, visible_plane]
        after = batch["after"].to(device)
        for before in (batch["before"].to(device), None):
            heat = net(after, before)[:, heat_map].float().sigmoid().cpu()
            for sample, score, row, col in false_alarms(heat, visible, mining.threshold):
                alarm = FalseAlarm(number * config.batch_size + sample, score, row, col, before is not None)
                if alarm.scene not in worst or worst[alarm.scene].score < score:
                    worst[alarm.scene] = alarm
    net.train(was_training)
    return sorted(worst.values(), key=lambda alarm: (-alarm.score, alarm.scene))[: mining.keep]


def round_file(run_dir: Path, step: int) -> Path:
    """Where a run keeps what the round after ``step`` found."""
    return run_dir / f"mined_{step:07d}.json"


def write_round(run_dir: Path, config: TrainConfig, step: int, alarms: list[FalseAlarm]) -> None:
    """Keep a round; the file appears whole or not at all."""
    content = {
        "step": step,
        "seed": config.seed,
        "simulation": config.hard_simulation(step).model_dump(),
        "false_alarms": [alarm._asdict() for alarm in alarms],
    }
    with whole_file(round_file(run_dir, step)) as path:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_round(run_dir: Path, config: TrainConfig, step: int) -> HardRound:
    """What the round after ``step`` found.

    Raises:
        ConfigError: the file is missing or damaged, or of a run with another seed or other settings.
    """
    path = round_file(run_dir, step)
    simulation = config.hard_simulation(step)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        same = content["seed"] == config.seed and content["simulation"] == json.loads(simulation.model_dump_json())
        seeds = tuple(_scene_seed(config.seed, step, int(alarm["scene"])) for alarm in content["false_alarms"])
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}), but the run is past step {step} and trained on it; "
            "restore it, or start the run anew in another folder"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: damaged ({error!r}); restore it, or start the run anew in another folder"
        ) from error
    if not same:
        raise ConfigError(
            f"{path}: was found with another seed or other simulation settings; "
            "go on with the settings that the run was started with, or start anew in another folder"
        )
    return HardRound(step, seeds, simulation)
