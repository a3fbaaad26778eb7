"""Short training runs that differ in one thing, and what each one sees."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml
from pydantic import ValidationError

from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.detector import detect_craters
from cv_pipeline.evaluation.labelled import LabelledScene, Score, match_labelled, score_pooled
from cv_pipeline.evaluation.objects import TOLERANCE_M
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.run import Machine, train
from cv_pipeline.types import ModelInfo

LOW_THRESHOLD = 0.05


class Outcome(NamedTuple):
    """One variant's score on labelled scenes, after image only."""

    variant: str
    seed: int
    steps: int
    score: Score


def read_ablation(path: Path) -> tuple[TrainConfig, dict[str, dict[str, Any]]]:
    """Training settings, and under ``variants`` what each variant changes, by name.

    Raises:
        ConfigError: the file is missing, is no YAML, has no variants or a setting is wrong.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        variants = values.pop("variants")
        return TrainConfig.model_validate(values), {name: dict(changes or {}) for name, changes in variants.items()}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a file like ablation.yaml") from error
    except (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: not valid ablation settings: {error!r}; see models/small/ablation.yaml") from error


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
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{dict(changes)}: not valid training settings: {error}") from error


def run_variants(
    path: Path, results: Path, run: Callable[[str, TrainConfig], dict[str, Any]]
) -> tuple[TrainConfig, dict[str, dict[str, Any]]]:
    """The settings of ``path``, and by variant what it changes, its seed and what ``run(name, settings)`` gave.

    ``results`` is written after each variant; those that are in it are not run again.

    Raises:
        ConfigError: the settings cannot be used.
    """
    done: dict[str, dict[str, Any]] = json.loads(results.read_text()) if results.exists() else {}
    base, variants = read_ablation(path)
    for name, changes in variants.items():
        if name in done:
            continue
        seed = int(changes.pop("seed", base.seed))
        done[name] = {"changes": changes, "seed": seed, **run(name, varied(base, changes, seed))}
        results.parent.mkdir(parents=True, exist_ok=True)
        part = results.with_suffix(".part")
        part.write_text(json.dumps(done, indent=1) + "\n")
        part.replace(results)  # a stop while it is written must not cost what was done
    return base, done


def run_variant(
    variant: str, config: TrainConfig, backgrounds: Path, scenes: tuple[LabelledScene, ...], run_dir: Path
) -> Outcome:
    """Train ``config`` from scratch (or go on where it stopped) and score its averaged weights on ``scenes``."""
    module = train(config, backgrounds, run_dir, Machine(workers=1))
    net = cast("CraterNet", module.averaged.module).float().eval()
    info = ModelInfo(variant, "", config.working_gsd_m, config.min_gsd_m, config.max_gsd_m, 0.5)
    matches = [
        match_labelled(
            scene,
            detect_craters(scene.image, scene.gsd_m, TorchBackend(net), info, score_threshold=LOW_THRESHOLD),
            TOLERANCE_M,
        )
        for scene in scenes
    ]
    return Outcome(variant, config.seed, module.steps_done, score_pooled(matches, 0.5))
