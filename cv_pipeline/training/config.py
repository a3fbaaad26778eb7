"""Settings of a training run, read from ``models/<name>/train.yaml``."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from cv_pipeline.errors import ConfigError
from cv_pipeline.segmentation.zoo import ModelSettings
from cv_pipeline.simulation.config import SimulationConfig


class TrainConfig(ModelSettings):
    """One training run. Lengths of a run are in optimiser steps, so that they mean the same anywhere."""

    size_px: int = Field(128, ge=64, multiple_of=16)
    batch_size: int = Field(16, ge=1)
    steps: int = Field(ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    after_only_share: float = Field(0.5, ge=0, le=1)
    ema_decay: float = Field(0.999, gt=0, lt=1)
    validation_every: int = Field(500, ge=1)
    validation_samples: int = Field(192, ge=1)
    checkpoint_every: int = Field(200, ge=1)
    uses: int = Field(1, ge=1, description="in how many samples a rendered pair is used, each augmented anew")
    seed: int = 1
    simulation: SimulationConfig = SimulationConfig()


def read_train_config(path: Path) -> TrainConfig:
    """The settings in a YAML file.

    Raises:
        ConfigError: the file is missing, is no YAML or a setting is wrong.
    """
    try:
        return TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a train.yaml with --config") from error
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid training settings: {error}") from error
