"""Settings of a fine-tuning, read from a YAML file beside one's own images and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cv_pipeline.datasets.own import SceneFiles
from cv_pipeline.segmentation.zoo import ModelFile, ModelSettings
from cv_pipeline.settings_file import read_settings
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.training.config import TrainConfig

_KEEP = ConfigDict(frozen=True, extra="forbid")


class FinetuneConfig(BaseModel):
    """One fine-tuning of a finished model on labelled scenes."""

    model_config = _KEEP

    name: str = Field(min_length=1)
    model: str = Field("small", description="name of a shipped model or path of a model folder")
    scenes: list[SceneFiles] = Field(min_length=1)
    freeze_encoder: bool = Field(False, description="train only what lies behind the encoder: for few labels")
    simulated_share: float = Field(0.5, ge=0, lt=1, description="simulated part of each batch, against forgetting")
    label_share: float = Field(0.7, ge=0, le=1, description="share of labelled windows that are drawn about a label")
    held_out_share: float = Field(0.25, gt=0, lt=1, description="share of the blocks of ground to judge by")
    block_px: int | None = Field(None, ge=64, description="side of a block at the working GSD; default: 2 * size_px")
    size_px: int = Field(128, ge=64, multiple_of=16)
    batch_size: int = Field(16, ge=2)
    steps: int = Field(400, ge=1)
    learning_rate: float = Field(3e-4, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    after_only_share: float = Field(0.5, ge=0, le=1)
    ema_decay: float = Field(0.99, gt=0, lt=1)
    validation_every: int = Field(100, ge=1)
    validation_samples: int = Field(128, ge=1, description="held-out windows at most")
    checkpoint_every: int = Field(100, ge=1)
    seed: int = Field(1, ge=0)
    simulation: SimulationConfig = SimulationConfig()

    @model_validator(mode="after")
    def _some_of_each_batch_is_labelled(self) -> Self:
        if self.simulated_in_batch >= self.batch_size:
            raise ValueError("simulated_share leaves no room for a labelled window in a batch")
        return self

    @property
    def simulated_in_batch(self) -> int:
        """How many samples of each batch are simulated."""
        return round(self.simulated_share * self.batch_size)

    def train_config(self, model: ModelFile) -> TrainConfig:
        """The same as settings of a training run of ``model``'s network."""
        network = {name: getattr(model, name) for name in ModelSettings.model_fields}
        shared = {name: getattr(self, name) for name in TrainConfig.model_fields if name in type(self).model_fields}
        return TrainConfig.model_validate({**network, **shared})


def read_finetune_config(path: Path) -> FinetuneConfig:
    """The settings in a YAML file; its paths count from the file's folder.

    Raises:
        ConfigError: the file is missing, is no YAML or a setting is wrong.
    """
    config = read_settings(path, FinetuneConfig, "valid fine-tuning settings", "see docs/training.md for an example")
    scenes = [scene.within(path.parent) for scene in config.scenes]
    model = config.model
    if not Path(model).is_absolute() and (path.parent / model / "model.yaml").is_file():
        model = str(path.parent / model)
    return config.model_copy(update={"scenes": scenes, "model": model})
