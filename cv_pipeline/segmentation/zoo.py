"""Models as folders: finding, loading and writing ``models/<name>/``.

A model folder holds ``model.yaml`` (network, domain, threshold, hash), ``weights.safetensors`` and a
card. Weights are safetensors only: a pickle would run code of whoever made it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cv_pipeline.errors import ModelError
from cv_pipeline.segmentation.calibration import IDENTITY, Calibrations
from cv_pipeline.segmentation.channels import PROBABILITIES
from cv_pipeline.settings_file import read_settings
from cv_pipeline.types import ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.network import CraterNet, NetworkConfig

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_models", _PACKAGE.parent / "models")
"""Where shipped models lie: inside an installed wheel, or beside the package in a checkout."""

WEIGHTS_FILE = "weights.safetensors"
_PICKLES = frozenset({".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".bin", ".pt2"})
"""Formats that can run code of whoever made the file when it is opened."""


Width = Annotated[int, Field(ge=1, le=4096)]
"""Channels of a layer."""


class ModelSettings(BaseModel):
    """What a model is, whether it is still to be trained or done: its network and its domain."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    # No address of a model hub: building a network must never fetch anything.
    encoder: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    stage_channels: list[Width] | None = None
    decoder_channels: list[Width]
    fusion: Literal["difference", "absolute"] = "difference"
    working_gsd_m: float = Field(gt=0)
    min_gsd_m: float = Field(gt=0)
    max_gsd_m: float = Field(gt=0)

    @model_validator(mode="after")
    def _gsd_range_holds_the_working_gsd(self) -> Self:
        if not self.min_gsd_m <= self.working_gsd_m <= self.max_gsd_m:
            raise ValueError(
                f"working_gsd_m ({self.working_gsd_m:g}) must lie between min_gsd_m ({self.min_gsd_m:g}) "
                f"and max_gsd_m ({self.max_gsd_m:g})"
            )
        return self

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
    calibration: Calibrations = IDENTITY
    steps: int
    seed: int
    weights_sha256: str

    @field_validator("calibration")
    @classmethod
    def _only_probabilities_are_calibrated(cls, value: Calibrations) -> Calibrations:
        if wrong := sorted({*value.pair, *value.after_only} - set(PROBABILITIES)):
            raise ValueError(f"calibration: {', '.join(wrong)} is no probability")
        return value

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


def find_encoder(name: str) -> Path:
    """File of an encoder's weights that training may start from, ``models/encoders/<name>.safetensors``.

    Raises:
        ModelError: there is no such file.
    """
    for place in _PLACES:
        if (path := place / "encoders" / f"{name}.safetensors").is_file():
            return path
    raise ModelError(f"{name}: no such encoder in models/encoders; train from a checkout, or leave it out")


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
    _refuse_pickle(folder)
    known = ", ".join(shipped) or "none"
    raise ModelError(f"{name}: no such model; give one of the shipped ones ({known}) or a folder with a model.yaml")


def read_model_file(folder: Path) -> ModelFile:
    """The checked content of ``model.yaml``.

    Raises:
        ModelError: the file is missing or malformed.
    """
    path = folder / "model.yaml"
    return read_settings(path, ModelFile, "a valid model description", "is this a model folder?", ModelError)


def _refuse_pickle(path: Path) -> None:
    """Say of a file, or of the first such file in a folder, that it is a pickle. Raises ModelError."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in files:
        if file.suffix.lower() in _PICKLES and (file.is_file() or file == path):
            raise ModelError(
                f"{file}: weights are read from {WEIGHTS_FILE} only, because opening a pickle ({file.suffix}) can run "
                "code of whoever made it; write the tensors with safetensors.torch.save_file beside a model.yaml"
            )


def read_weights(folder: Path, model: ModelFile) -> bytes:
    """The content of ``weights.safetensors``, checked by its hash.

    Raises:
        ModelError: the weights are missing, are a pickle, or changed since ``model.yaml`` was written.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        _refuse_pickle(folder)
        raise ModelError(f"{path}: the weights are missing; fetch the model folder again")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); change its permissions or fetch it") from error
    if hashlib.sha256(data).hexdigest() != model.weights_sha256:
        raise ModelError(f"{path}: does not match the hash in model.yaml; fetch the model folder again")
    return data


def load_network(folder: Path, model: ModelFile) -> CraterNet:
    """The network with its weights, ready for inference (eval mode, CPU).

    Raises:
        ModelError: as :func:`read_weights`, or the weights are of another network or hold no numbers.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from cv_pipeline.segmentation.network import CraterNet

    path = folder / WEIGHTS_FILE
    data = read_weights(folder, model)
    try:
        net = CraterNet(model.network())
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / 'model.yaml'}: describes no network that can be built: {error}") from error
    try:
        tensors = load(data)
        # Batch counters are the only integers of the network; they play no part in inference.
        counters = {k: v for k, v in net.state_dict().items() if not v.is_floating_point()}
        net.load_state_dict({**tensors, **counters})
    except (RuntimeError, SafetensorError) as error:
        raise ModelError(f"{path}: does not fit the network in model.yaml: {error}") from error
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise ModelError(f"{path}: {broken[0]} holds values that are no numbers; take an earlier model")
    return net.eval()


def save_weights(net: CraterNet, folder: Path) -> str:
    """Write ``weights.safetensors`` and return its SHA-256."""
    from safetensors.torch import save

    tensors = {k: v.detach().cpu().contiguous() for k, v in net.state_dict().items() if v.is_floating_point()}
    data = save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def save_model_file(model: ModelFile, folder: Path) -> None:
    """Write ``model.yaml``."""
    text = yaml.safe_dump(model.model_dump(mode="json"), sort_keys=False)
    (folder / "model.yaml").write_text("# Written by scripts/train.py; do not edit.\n" + text)
