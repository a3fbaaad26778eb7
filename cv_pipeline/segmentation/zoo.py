"""Models as folders: finding, loading and writing ``models/<name>/``.

A model folder holds ``model.yaml`` (network, domain, threshold, hash), ``weights.safetensors`` and a
card. Weights are safetensors only: a pickle would run code of whoever made it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cv_pipeline.errors import ModelError
from cv_pipeline.types import ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.network import CraterNet, NetworkConfig

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_models", _PACKAGE.parent / "models")
"""Where shipped models lie: inside an installed wheel, or beside the package in a checkout."""


class ModelSettings(BaseModel):
    """What a model is, whether it is still to be trained or done: its network and its domain."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    encoder: str
    stage_channels: list[int] | None = None
    decoder_channels: list[int]
    fusion: Literal["difference", "absolute"] = "difference"
    working_gsd_m: float = Field(gt=0)
    min_gsd_m: float = Field(gt=0)
    max_gsd_m: float = Field(gt=0)

    def network(self) -> NetworkConfig:
        """What the network is built from."""
        return {
            "encoder": self.encoder,
            "stage_channels": self.stage_channels,
            "decoder_channels": self.decoder_channels,
            "fusion": self.fusion,
        }


class ModelFile(ModelSettings):
    """The content of ``model.yaml``."""

    score_threshold: float = Field(ge=0, le=1)
    steps: int
    seed: int
    weights_sha256: str

    def info(self) -> ModelInfo:
        """What a segmentation records about its model."""
        return ModelInfo(
            self.name, self.weights_sha256, self.working_gsd_m, self.min_gsd_m, self.max_gsd_m, self.score_threshold
        )


def shipped_models() -> dict[str, Path]:
    """Names and folders of the models that came with this installation, by name."""
    found = {}
    for place in reversed(_PLACES):
        found.update({path.parent.name: path.parent for path in sorted(place.glob("*/model.yaml"))})
    return dict(sorted(found.items()))


def find_model(name: str) -> Path:
    """Folder of a shipped model, or of one's own given as a path.

    Raises:
        ModelError: there is no such model.
    """
    shipped = shipped_models()
    if name in shipped:
        return shipped[name]
    folder = Path(name)
    if (folder / "model.yaml").is_file():
        return folder
    known = ", ".join(shipped) or "none"
    raise ModelError(f"{name}: no such model; give one of the shipped ones ({known}) or a folder with a model.yaml")


def read_model_file(folder: Path) -> ModelFile:
    """The checked content of ``model.yaml``.

    Raises:
        ModelError: the file is missing or malformed.
    """
    path = folder / "model.yaml"
    try:
        return ModelFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); is this a model folder?") from error
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not a valid model description: {error}") from error


def load_network(folder: Path, model: ModelFile) -> CraterNet:
    """The network with its weights, ready for inference (eval mode, CPU).

    Raises:
        ModelError: the weights are missing, changed since ``model.yaml`` was written, or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from cv_pipeline.segmentation.network import CraterNet

    path = folder / "weights.safetensors"
    if not path.is_file():
        raise ModelError(f"{path}: the weights are missing; fetch the model folder again")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != model.weights_sha256:
        raise ModelError(f"{path}: does not match the hash in model.yaml; fetch the model folder again")
    try:
        net = CraterNet(model.network())
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / 'model.yaml'}: describes no network that can be built: {error}") from error
    try:
        tensors = load(data)
        # Batch counters are the only integers of the network; they play no part in inference.
        counters = {k: v for k, v in net.state_dict().items() if not v.is_floating_point()}
        net.load_state_dict({**tensors, **counters})
    except (RuntimeError, SafetensorError) as error:
        raise ModelError(f"{path}: does not fit the network in model.yaml: {error}") from error
    return net.eval()


def save_weights(net: CraterNet, folder: Path) -> str:
    """Write ``weights.safetensors`` and return its SHA-256."""
    from safetensors.torch import save

    tensors = {k: v.detach().cpu().contiguous() for k, v in net.state_dict().items() if v.is_floating_point()}
    data = save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.safetensors").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def save_model_file(model: ModelFile, folder: Path) -> None:
    """Write ``model.yaml``."""
    text = yaml.safe_dump(model.model_dump(), sort_keys=False)
    (folder / "model.yaml").write_text("# Written by scripts/train.py; do not edit.\n" + text)
