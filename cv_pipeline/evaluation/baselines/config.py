"""The one budget by which all networks of others are trained, ``datasets/strikebench/networks.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cv_pipeline.settings_file import read_settings
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.mix import Phase

NetworkName = Literal["unet", "fc_siam_diff"]


class NetworksConfig(BaseModel):
    """Settings of the training; lengths are in optimiser steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    networks: list[NetworkName] = Field(min_length=1)
    seed: int = Field(ge=0)
    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    size_px: int = Field(ge=64, multiple_of=32)
    uses: int = Field(1, ge=1)
    working_gsd_m: float = Field(gt=0)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    checkpoint_every: int = Field(ge=1)
    simulation: SimulationConfig = SimulationConfig()
    curriculum: list[Phase] = []

    @model_validator(mode="after")
    def _stream_can_be_drawn(self) -> Self:
        self.stream_config()
        if self.batch_size % self.uses:
            raise ValueError(f"uses ({self.uses}) must divide batch_size ({self.batch_size})")
        return self

    def stream_config(self) -> TrainConfig:
        """The same as settings of our own training, whose stream of samples is used; no network is built from it."""
        shared = {"seed", "steps", "batch_size", "size_px", "uses", "working_gsd_m"}
        return TrainConfig(
            **self.model_dump(include=shared),
            name="baseline",
            encoder="none",
            decoder_channels=[1],
            min_gsd_m=self.working_gsd_m,
            max_gsd_m=self.working_gsd_m,
            simulation=self.simulation,
            curriculum=self.curriculum,
        )


def read_networks_config(path: Path) -> NetworksConfig:
    """The settings in a YAML file.

    Raises:
        ConfigError: the file is missing, is no YAML, or a setting is wrong.
    """
    return read_settings(path, NetworksConfig, "valid settings of the networks", "it is in a checkout of the project")
