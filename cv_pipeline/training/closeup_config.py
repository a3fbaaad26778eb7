"""Settings of a close-up network's training, read from ``models/<name>/closeup.yaml``."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from cv_pipeline.settings_file import read_settings
from cv_pipeline.simulation.config import SimulationConfig


class CloseupConfig(BaseModel):
    """One training: the scenes that are rendered for it, and the optimiser's steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(1, ge=0)
    scenes: int = Field(ge=1, description="simulated scenes over training places")
    shard_scenes: int = Field(64, ge=1, description="scenes of which the samples are kept in one file")
    most_samples: int = Field(48, ge=1, description="samples of one scene at most, so that no dense one prevails")
    paired_share: float = Field(0.6, ge=0, le=1, description="share of scenes that are seen with their before image")
    simulation: SimulationConfig = SimulationConfig()
    steps: int = Field(ge=1)
    batch_size: int = Field(128, ge=8)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)


def read_closeup_config(path: Path) -> CloseupConfig:
    """The settings in a YAML file.

    Raises:
        ConfigError: the file is missing, is no YAML or a setting is wrong.
    """
    return read_settings(path, CloseupConfig, "valid close-up settings", "give a closeup.yaml with --config")
