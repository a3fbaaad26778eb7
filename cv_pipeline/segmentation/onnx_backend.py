"""Running a model's exported graphs with ONNX Runtime, without building the network in PyTorch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from cv_pipeline.errors import ConfigError, ModelError
from cv_pipeline.segmentation.backend import Backend, Device, Precision, Runtime, TorchBackend, has_bf16, read_maps
from cv_pipeline.segmentation.zoo import WEIGHTS_FILE
from cv_pipeline.types import BoolArray, Float32Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from cv_pipeline.segmentation.zoo import ModelFile


RECORD_FILE = "export.json"
"""What was exported and how far it is from the network; an earlier export is recognised by it."""


class Graph(NamedTuple):
    """One way to run the network: the names of its inputs, and the network with just these."""

    name: str
    inputs: tuple[str, ...]


AFTER_ONLY = Graph("after_only", ("after",))
PAIR = Graph("pair", ("after", "before", "has_before"))
GRAPHS = (AFTER_ONLY, PAIR)


def require_onnx(*modules: str) -> None:
    """Raise ModelError where one of the extra's modules is not installed."""
    from importlib.util import find_spec

    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise ModelError(f"ONNX needs {', '.join(missing)}; install the extra: pip install 'cv-pipeline[onnx]'")


def has_graphs(folder: Path) -> bool:
    """Whether a model folder holds the ONNX graphs that :func:`load_onnx` runs."""
    return all((folder / f"{graph.name}.onnx").is_file() for graph in GRAPHS)


def open_session(model: bytes, threads: int | None = None) -> InferenceSession:
    """A session on the CPU with ``threads`` threads; None: as many as PyTorch uses, which users can set."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.log_severity_level = 3
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


class OnnxBackend:
    """A :class:`~cv_pipeline.segmentation.backend.Backend` of the two graphs of an exported model, on the CPU."""

    def __init__(self, model: ModelFile, sessions: dict[Graph, InferenceSession]) -> None:
        self._model = model
        self._sessions = sessions

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        """See :class:`~cv_pipeline.segmentation.backend.Backend`."""
        if before is None:
            (maps,) = self._sessions[AFTER_ONLY].run(["maps"], {"after": after})
            return read_maps(torch.from_numpy(maps), paired=False, has_before=None, calibration=self._model.calibration)
        seen = np.ones(len(after), bool) if has_before is None else np.asarray(has_before, bool)
        (maps,) = self._sessions[PAIR].run(["maps"], {"after": after, "before": before, "has_before": seen})
        return read_maps(
            torch.from_numpy(maps),
            paired=True,
            has_before=torch.from_numpy(seen),
            calibration=self._model.calibration,
        )


def load_onnx(folder: Path, model: ModelFile, threads: int | None = None) -> OnnxBackend:
    """The ONNX graphs of a model folder, checked by the hashes in ``export.json``.

    Raises:
        ModelError: the extra ``onnx`` or a graph is missing, a graph is damaged, or it is of other weights.
    """
    require_onnx("onnxruntime")
    hashes = _recorded_hashes(folder, model)
    return OnnxBackend(model, {graph: _open(folder, graph, model, hashes, threads) for graph in GRAPHS})


def _recorded_hashes(folder: Path, model: ModelFile) -> dict[str, str]:
    if not has_graphs(folder):
        raise ModelError(
            f"{folder}: holds no ONNX graphs; make a folder that does with "
            f"'cv-pipeline export --model {model.name} --format onnx --out DIR' and give it with --model DIR"
        )
    path = folder / RECORD_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(digest) for name, digest in record["sha256"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); export the model again") from error


def _open(
    folder: Path, graph: Graph, model: ModelFile, hashes: dict[str, str], threads: int | None
) -> InferenceSession:
    path = folder / f"{graph.name}.onnx"
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != hashes.get(path.name):
        raise ModelError(f"{path}: does not match the hash in {RECORD_FILE}; export the model again")
    try:
        session = open_session(data, threads)
    except Exception as error:  # ONNX Runtime raises classes of its own that share no root
        raise ModelError(f"{path}: cannot be run ({error}); export the model again") from error
    about = session.get_modelmeta().custom_metadata_map
    if about.get("weights_sha256") != model.weights_sha256:
        raise ModelError(f"{path}: was made from other weights than model.yaml names; export the model again")
    if tuple(value.name for value in session.get_inputs()) != graph.inputs:
        raise ModelError(f"{path}: has other inputs than {', '.join(graph.inputs)}; export the model again")
    return session


def choose_runtime(folder: Path, wanted: Runtime | None) -> Runtime:
    """``wanted``, or else what the folder is for: torch where it holds weights, onnx where only graphs."""
    if wanted is not None:
        return wanted
    return "onnx" if has_graphs(folder) and not (folder / WEIGHTS_FILE).is_file() else "torch"


def choose_precision(folder: Path, runtime: Runtime | None, wanted: Precision, device: Device = "cpu") -> Precision:
    """``wanted``, or what ``auto`` comes to here, so that a record of it gives the same result on another machine.

    Raises:
        ConfigError: bf16 is wanted of ONNX graphs, which compute in fp32, or there is no such device.
    """
    if choose_runtime(folder, runtime) == "onnx":
        if wanted == "bf16":
            raise ConfigError(f"--precision bf16: the ONNX graphs of {folder} compute in fp32; leave it out")
        return "fp32"
    if wanted == "auto":
        check_device(device)
        return "bf16" if has_bf16(device) else "fp32"
    return wanted


def check_device(device: Device) -> None:
    """Raise ConfigError where PyTorch cannot use a device."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: PyTorch sees no CUDA device here; leave it out to use the processor")


def load_backend(
    folder: Path,
    model: ModelFile,
    wanted: Runtime | None = None,
    precision: Precision = "fp32",
    device: Device = "cpu",
) -> Backend:
    """What runs the model in ``folder``, see :func:`choose_runtime`; ONNX graphs run on the processor alone.

    Raises:
        ConfigError: there is no such device, or it does not run ONNX graphs.
        ModelError: as :func:`load_onnx` or :func:`~cv_pipeline.segmentation.zoo.load_network`.
    """
    from cv_pipeline.segmentation.zoo import load_network

    if choose_runtime(folder, wanted) == "onnx":
        if device != "cpu":
            raise ConfigError(f"--device {device}: the ONNX graphs of {folder} run on the processor; leave it out")
        return load_onnx(folder, model)
    check_device(device)
    return TorchBackend(load_network(folder, model).to(device), model, precision)
