"""Settings of a training run, read from ``models/<name>/train.yaml``."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cv_pipeline.segmentation.zoo import ModelSettings
from cv_pipeline.settings_file import read_settings
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.training.mix import HardRound, Overrides, Phase, Stratum, TrainingPlan, merged


class MiningConfig(BaseModel):
    """Rounds in which the averaged weights search crater-poor scenes for false alarms, to train on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_steps: list[int] = Field(min_length=1, description="optimiser steps after which a round is held, ascending")
    scenes: int = Field(512, ge=1, description="freshly simulated scenes that a round searches")
    threshold: float = Field(0.3, gt=0, lt=1, description="score from which a peak is a false alarm")
    keep: int = Field(128, ge=1, description="scenes that a round keeps at most, those of the highest scores")
    share: float = Field(0.1, gt=0, lt=1, description="share of later pairs that show a kept scene")
    simulation: Overrides = Field({}, description="what differs from the run's settings in these scenes")


class Restart(BaseModel):
    """A further part of the run: the cosine falls anew from another rate (SGDR, doi:10.48550/arXiv.1608.03983).

    In it a share of the pairs get the before image of another pair: where everything changed, the after image
    alone must decide.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_step: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    unrelated_before_share: float = Field(0.0, ge=0, lt=1, description="share of samples with another pair's before")


class TrainConfig(ModelSettings):
    """One training run. Lengths of a run are in optimiser steps, so that they mean the same anywhere."""

    size_px: int = Field(128, ge=64, multiple_of=16)
    batch_size: int = Field(16, ge=1, description="samples of a step in each of the processes that train together")
    steps: int = Field(ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    restarts: list[Restart] = Field([], description="further parts of the run, by ascending at_step")
    after_only_share: float = Field(0.5, ge=0, le=1)
    ema_decay: float = Field(0.999, gt=0, lt=1)
    validation_every: int = Field(500, ge=1)
    validation_samples: int = Field(192, ge=1)
    checkpoint_every: int = Field(200, ge=1)
    pretrained_encoder: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]+$", description="weights that the encoder starts from, of models/encoders"
    )
    uses: int = Field(1, ge=1, description="in how many samples a rendered pair is used, each augmented anew")
    seed: int = Field(1, ge=0)
    simulation: SimulationConfig = SimulationConfig()
    balance: dict[str, Stratum] = Field({}, description="kinds of scenes that get a fixed share of all pairs")
    curriculum: list[Phase] = Field([], description="settings of the first steps, by ascending until_step")
    mining: MiningConfig | None = None

    @model_validator(mode="after")
    def _parts_hold_together(self) -> Self:
        if sum(stratum.share for stratum in self.balance.values()) > 1 + 1e-9:
            raise ValueError("balance: the shares sum to more than 1")
        ends = [phase.until_step for phase in self.curriculum]
        if any(second <= first for first, second in pairwise(ends)):
            raise ValueError(f"curriculum: until_step must ascend, not {ends}")
        if self.mining is not None:
            steps = [0, *self.mining.at_steps, self.steps]
            if any(second <= first for first, second in pairwise(steps)):
                raise ValueError(f"mining: at_steps must ascend, from 1 to below {self.steps}")
            for step in self.mining.at_steps:
                self.hard_simulation(step)
        starts = [0, *(restart.at_step for restart in self.restarts), self.steps]
        if any(second <= first for first, second in pairwise(starts)):
            raise ValueError(f"restarts: at_step must ascend, and stay below {self.steps}")
        plan = self.plan()
        for step in [*(end - 1 for end in ends), self.steps]:
            for stratum in [None, *range(len(self.balance))]:
                plan.settings(step, stratum)
        return self

    def unrelated_before_share_at(self, step: int) -> float:
        """Share of the samples of a step that get another pair's before image."""
        begun = [restart for restart in self.restarts if restart.at_step <= step]
        return begun[-1].unrelated_before_share if begun else 0.0

    def plan(self, hard: tuple[HardRound, ...] = (), ranks: int = 1) -> TrainingPlan:
        """What each pair of the run is drawn from, with the ``hard`` rounds so far, for ``ranks`` processes."""
        strata = tuple(self.balance.values())
        share = 0.0 if self.mining is None else self.mining.share
        return TrainingPlan(self.seed, self.simulation, self.curriculum, strata, hard, share, ranks)

    def hard_simulation(self, step: int) -> SimulationConfig:
        """Settings of the scenes searched for false alarms after ``step``: without strikes, whatever else is said."""
        changes = {} if self.mining is None else self.mining.simulation
        return merged(self.plan().settings(step, None), changes, {"strikes": {"empty_share": 1.0}})


def read_train_config(path: Path) -> TrainConfig:
    """The settings in a YAML file.

    Raises:
        ConfigError: the file is missing, is no YAML or a setting is wrong.
    """
    return read_settings(path, TrainConfig, "valid training settings", "give a train.yaml with --config")
