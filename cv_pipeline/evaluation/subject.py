"""What is to be judged: a model folder, or the averaged weights of a training run that still goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from cv_pipeline.errors import ConfigError, ModelError
from cv_pipeline.patterns.weights import PLAIN, PatternWeights
from cv_pipeline.patterns.weights_file import read_pattern_weights
from cv_pipeline.segmentation.zoo import ModelFile, ModelSettings, find_model, load_network, read_model_file

if TYPE_CHECKING:
    from cv_pipeline.segmentation.network import CraterNet


class Subject(NamedTuple):
    """A network, ready for inference, its description, and what is fitted for it."""

    net: CraterNet
    model: ModelFile
    weights: PatternWeights


def load_subject(name: str, config: Path | None = None) -> Subject:
    """A model by name or folder, or a checkpoint ``*.ckpt`` of one's own training.

    A checkpoint holds no settings, so it needs the ``train.yaml`` of its run; it has no calibration yet,
    nothing is fitted for it, and its threshold is one half. It is a pickle: open none that came from elsewhere.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
        ConfigError: a checkpoint without its settings.
    """
    path = Path(name)
    if path.suffix != ".ckpt":
        folder = find_model(name)
        model = read_model_file(folder)
        return Subject(load_network(folder, model), model, read_pattern_weights(folder, model.weights_sha256)[0])
    if config is None:
        raise ConfigError(f"{path}: a checkpoint needs the settings of its run; give its train.yaml with --config")
    import torch

    from cv_pipeline.training.config import read_train_config
    from cv_pipeline.training.module import CraterModule

    settings = read_train_config(config)
    module = CraterModule(settings)
    try:
        module.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["state_dict"])
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); is the run's folder right?") from error
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{path}: does not fit the settings in {config}: {error}") from error
    model = ModelFile(
        **{field: getattr(settings, field) for field in ModelSettings.model_fields},
        score_threshold=0.5,
        steps=module.steps_done,
        seed=settings.seed,
        weights_sha256="of a checkpoint",
    )
    return Subject(cast("CraterNet", module.averaged.module).eval(), model, PLAIN)
