"""Short training runs that differ in one thing, and what each one sees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.detector import detect_craters
from cv_pipeline.evaluation.labelled import LabelledScene, Score, match_labelled, score_pooled
from cv_pipeline.evaluation.objects import TOLERANCE_M
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.run import train
from cv_pipeline.types import ModelInfo

LOW_THRESHOLD = 0.05


class Outcome(NamedTuple):
    """One variant's score on labelled scenes, after image only."""

    variant: str
    seed: int
    steps: int
    score: Score


def varied(config: TrainConfig, changes: Mapping[str, Any], seed: int) -> TrainConfig:
    """``config`` with the settings ``changes`` ("simulation.strikes.rays_share": 0 ...) and another seed.

    Raises:
        ConfigError: a name that is no setting, or a value that it cannot have.
    """
    values: dict[str, Any] = config.model_dump() | {"seed": seed}
    for name, value in changes.items():
        *path, last = name.split(".")
        place = values
        for part in path:
            place = place.get(part, {})
        if last not in place:
            raise ConfigError(f"{name} is not a setting; see `TrainConfig` and `SimulationConfig` for their names")
        place[last] = value
    return TrainConfig.model_validate(values)


def run_variant(
    variant: str, config: TrainConfig, backgrounds: Path, scenes: tuple[LabelledScene, ...], run_dir: Path
) -> Outcome:
    """Train ``config`` from scratch (or go on where it stopped) and score its averaged weights on ``scenes``."""
    module = train(config, backgrounds, run_dir, workers=1, max_minutes=None)
    net = cast("CraterNet", module.averaged.module).float().eval()
    info = ModelInfo(variant, "", config.working_gsd_m, config.min_gsd_m, config.max_gsd_m, 0.5)
    matches = [
        match_labelled(
            scene, detect_craters(scene.image, scene.gsd_m, net, info, score_threshold=LOW_THRESHOLD), TOLERANCE_M
        )
        for scene in scenes
    ]
    return Outcome(variant, config.seed, module.steps_done, score_pooled(matches, 0.5))
