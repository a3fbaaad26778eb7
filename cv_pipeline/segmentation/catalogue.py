"""What models there are, what each is good for, and whether its folder is whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

from cv_pipeline.errors import CvPipelineError, ModelError
from cv_pipeline.segmentation.card import card_problems, licence
from cv_pipeline.segmentation.domain import read_domain
from cv_pipeline.segmentation.onnx_backend import RECORD_FILE, has_graphs, load_onnx
from cv_pipeline.segmentation.zoo import WEIGHTS_FILE, ModelFile, load_network, read_model_file, read_weights

CARD_FILE, METRICS_FILE = "README.md", "metrics.json"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A line of the list of models; what a folder does not tell is None."""

    name: str
    folder: str
    size_bytes: int
    parameters: int | None
    working_gsd_m: float
    min_gsd_m: float
    max_gsd_m: float
    score_threshold: float
    hash_ok: bool
    licence: str | None
    figures: str | None

    def document(self) -> dict[str, Any]:
        """The entry as JSON values."""
        return asdict(self)


def describe_model(folder: Path) -> ModelEntry:
    """What a model folder tells of itself; the weights are hashed but not loaded.

    Raises:
        ModelError: ``model.yaml`` is missing or malformed.
    """
    model = read_model_file(folder)
    try:
        read_weights(folder, model)
        hash_ok = True
    except ModelError:
        hash_ok = False
    weights = [path for path in folder.iterdir() if path.suffix in (".safetensors", ".onnx")]
    card = _text(folder / CARD_FILE)
    return ModelEntry(
        model.name,
        str(folder),
        sum(path.stat().st_size for path in weights),
        count_parameters(folder / WEIGHTS_FILE),
        model.working_gsd_m,
        model.min_gsd_m,
        model.max_gsd_m,
        model.score_threshold,
        hash_ok,
        None if card is None else licence(card),
        figures_line(_metrics(folder)),
    )


def count_parameters(path: Path) -> int | None:
    """Trained numbers in a safetensors file, from its header alone; None where it cannot be read.

    Running means and variances of batch normalisation are not trained.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            shapes = [file.get_slice(key).get_shape() for key in file.keys() if ".running_" not in key]  # noqa: SIM118
        return sum(int(prod(shape)) for shape in shapes)
    except (OSError, SafetensorError):
        return None


def figures_line(metrics: Mapping[str, Any] | None) -> str | None:
    """One line of held-out figures with intervals, for instance ``simulated: pair AP 0.75 (0.67 to 0.81)``."""
    if metrics is None:
        return None
    parts = []
    for key, words in (("pair", "pair"), ("after_only", "after alone")):
        try:
            figures = metrics[key]
            low, high = figures["ap_interval_95"]
            parts.append(f"{words} AP {figures['ap']:.2f} ({low:.2f} to {high:.2f})")
        except (KeyError, TypeError, ValueError):
            continue
    return f"simulated, held out: {'; '.join(parts)}" if parts else None


def model_problems(folder: Path) -> list[str]:
    """Everything that keeps a model folder from being whole, each as a sentence; empty where it is.

    Weights are loaded into the networks, the card is held against ``metrics.json`` and ``model.yaml``, graphs
    against their hashes.
    """
    try:
        model = read_model_file(folder)
    except ModelError as error:
        return [str(error)]
    problems = []
    if (folder / WEIGHTS_FILE).is_file() or not has_graphs(folder):
        problems += _refusal(lambda: load_network(folder, model))
    if has_graphs(folder) or (folder / RECORD_FILE).is_file():
        problems += _refusal(lambda: load_onnx(folder, model))
    problems += _refusal(lambda: read_domain(folder))
    problems += _refusal(lambda: _load_fitted(folder, model))
    card, metrics = _text(folder / CARD_FILE), _metrics(folder)
    if card is None:
        problems.append(f"{folder / CARD_FILE}: the card is missing or not text")
    if metrics is None:
        problems.append(f"{folder / METRICS_FILE}: is missing or not JSON; 'scripts/train.py' writes it")
    elif metrics.get("threshold") != model.score_threshold:
        problems.append(f"{folder / METRICS_FILE}: is of another threshold than model.yaml; write both again")
    if card is not None and metrics is not None:
        try:
            problems += [f"{folder / CARD_FILE}: {problem}" for problem in card_problems(card, metrics, model)]
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"{folder / METRICS_FILE}: lacks a figure that a card must show ({error})")
    return problems


def _load_fitted(folder: Path, model: ModelFile) -> None:
    """Load what was fitted for the model, and its close-up network. Raises ModelError."""
    from cv_pipeline.patterns.closeup.weights import load_closeup
    from cv_pipeline.patterns.weights_file import read_pattern_weights

    weights, _ = read_pattern_weights(folder, model.weights_sha256)
    if weights.closeup is not None:
        load_closeup(weights.closeup)


def _refusal(load: Callable[[], object]) -> list[str]:
    try:
        load()
    except CvPipelineError as error:
        return [str(error)]
    return []


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _metrics(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
