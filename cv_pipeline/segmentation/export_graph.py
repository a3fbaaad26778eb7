"""A model as graphs that run without this package: ONNX, or a program of ``torch.export``.

There are two graphs, since a graph cannot leave an input out: ``after_only`` and ``pair``. Both give raw maps
(batch, channels, height, width); ``channels.py`` says how each is read, and so does the metadata in the files.
Batch and size are free, sides being multiples of 16.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn

from cv_pipeline.errors import ModelError
from cv_pipeline.output_dir import staged_output
from cv_pipeline.segmentation.network import INPUT_CHANNELS, CraterNet
from cv_pipeline.segmentation.onnx_backend import AFTER_ONLY, PAIR, RECORD_FILE, Graph, open_session, require_onnx
from cv_pipeline.segmentation.tiles import STRIDE_PX
from cv_pipeline.segmentation.zoo import ModelFile, load_network, read_model_file
from cv_pipeline.types import Channel, Float32Array

if TYPE_CHECKING:
    from torch.export import ExportedProgram

Format = Literal["onnx", "torch"]
SUFFIX: Mapping[Format, str] = {"onnx": ".onnx", "torch": ".pt2"}
TOLERANCE = 2e-3
"""Largest difference allowed between raw maps of a graph and of the network. A logit that is off by it changes a
probability by 0.0005 at most, a radius by 0.2 %."""

OPSET = 20
_COPIED = ("model.yaml", "domain.json", "metrics.json", "README.md", "patterns.yaml", "closeup.safetensors")


Run = Callable[[Mapping[str, Tensor]], Tensor]
"""Runs one graph: tensors by input name in, raw maps out."""


class _AfterOnly(nn.Module):
    def __init__(self, net: CraterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, after: Tensor) -> Tensor:
        maps: Tensor = self.net(after)
        return maps


class _Pair(nn.Module):
    def __init__(self, net: CraterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, after: Tensor, before: Tensor, has_before: Tensor) -> Tensor:
        maps: Tensor = self.net(after, before, has_before)
        return maps


def trace(net: CraterNet) -> dict[Graph, ExportedProgram]:
    """The network as programs of ``torch.export``, one per graph, with free batch and size."""
    from torch.export import Dim, export

    batch = Dim("batch", min=1, max=4096)
    size = {2: STRIDE_PX * Dim("height_16", min=1, max=4096), 3: STRIDE_PX * Dim("width_16", min=1, max=4096)}
    image = {0: batch, **size}
    example = _inputs(2, 4 * STRIDE_PX, 6 * STRIDE_PX)
    net = net.eval()
    return {
        AFTER_ONLY: export(_AfterOnly(net), (example["after"],), dynamic_shapes=(image,)),
        PAIR: export(_Pair(net), tuple(example.values()), dynamic_shapes=(image, image, {0: batch})),
    }


def _inputs(batch: int, height: int, width: int, seed: int = 0) -> dict[str, Tensor]:
    """Random inputs; of every second sample the before image does not count."""
    draw = torch.Generator().manual_seed(seed)
    after, before = (torch.randn(batch, INPUT_CHANNELS, height, width, generator=draw) for _ in range(2))
    return {"after": after, "before": before, "has_before": torch.arange(batch) % 2 == 0}


def _ground(height: int, width: int, seed: int) -> Float32Array:
    """A normalised image like real ground: soft texture over all scales with dark discs, hard edges and nodata."""
    import cv2

    from cv_pipeline.segmentation.normalise import normalise

    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 110.0, np.float32)
    for step in (1, 2, 4, 8, 16):
        coarse = rng.normal(size=(height // step + 2, width // step + 2, 3)).astype(np.float32)
        image += 6 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for row, col, radius in rng.uniform(0, (height, width, 9), (6, 3)):
        cv2.circle(image, (int(col), int(row)), int(radius) + 1, (60, 50, 40), -1)
    image[: height // 3, : width // 4] = 210
    valid = np.ones((height, width), bool)
    valid[-height // 4 :, -width // 5 :] = False
    return normalise(np.clip(image, 0, 255).astype(np.uint8), valid, 0.6)


def checking_inputs() -> list[dict[str, Tensor]]:
    """What a graph is compared on: noise and ground, of other batches and sizes than it was traced with."""
    cases = [_inputs(1, 32, 32, seed=1), _inputs(3, 64, 48, seed=2)]
    after, before = (np.stack([_ground(128, 96, seed + k) for seed in (0, 1)]) for k in (0, 2))
    cases.append(
        {
            "after": torch.from_numpy(after),
            "before": torch.from_numpy(before),
            "has_before": torch.tensor([True, False]),
        }
    )
    return cases


def largest_difference(net: CraterNet, graph: Graph, run: Run) -> float:
    """Largest absolute difference of raw maps between a graph and the network; infinite where one has no number."""
    worst = 0.0
    for inputs in checking_inputs():
        given = {name: inputs[name] for name in graph.inputs}
        with torch.inference_mode():
            wanted = net(*given.values())
            found = run(given)
        difference = float((wanted - found).abs().max()) if wanted.shape == found.shape else np.inf
        worst = max(worst, difference if np.isfinite(difference) else np.inf)
    return worst


def metadata(model: ModelFile, graph: Graph) -> dict[str, str]:
    """What a graph's file says of itself, all as text."""
    return {
        "model": model.name,
        "graph": graph.name,
        "weights_sha256": model.weights_sha256,
        "working_gsd_m": repr(model.working_gsd_m),
        "gsd_range_m": f"{model.min_gsd_m:g} to {model.max_gsd_m:g}",
        "score_threshold": repr(model.score_threshold),
        "stride_px": str(STRIDE_PX),
        "channels": ",".join(Channel),
        "calibration": model.calibration.model_dump_json(),
        "reading": "probabilities: sigmoid(slope * map + intercept), slope and intercept by channel from calibration "
        "(after_only where no before image counts), else 1 and 0; *_radius_m: exp; axis_*: tanh. "
        "Inputs as cv_pipeline.segmentation.normalise gives them",
    }


def export_model_folder(source: Path, format: Format, out_dir: Path, *, overwrite: bool = False) -> dict[str, float]:
    """Write a model folder whose graphs stand in place of the weights: ``after_only`` and ``pair``.

    Each graph is read back from its file and compared with the network on noise and on ground before anything
    appears in ``out_dir``.

    Returns:
        The largest difference of raw maps from the network, by graph.

    Raises:
        ModelError: the model cannot be loaded, a graph differs by more than :data:`TOLERANCE`, or the extra
            ``onnx`` is not installed.
        OutputError: ``out_dir`` cannot be written.
    """
    model = read_model_file(source)
    net = load_network(source, model)
    if format == "onnx":
        require_onnx("onnx", "onnxruntime", "onnxscript")
    with staged_output(out_dir, overwrite, RECORD_FILE) as stage:
        programs = trace(net)
        differences, hashes = {}, {}
        for graph, program in programs.items():
            path = stage / (graph.name + SUFFIX[format])
            about = metadata(model, graph)
            run = _write_onnx(program, graph, about, path) if format == "onnx" else _write_torch(program, about, path)
            differences[graph.name] = largest_difference(net, graph, run)
            if differences[graph.name] > TOLERANCE:
                raise ModelError(
                    f"{source}: the {format} graph '{graph.name}' differs from the network by "
                    f"{differences[graph.name]:.3g} in its raw maps, more than {TOLERANCE:g}; nothing was written. "
                    "Try other versions of torch and of the extra 'onnx'"
                )
            hashes[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        for name in _COPIED:
            if (source / name).is_file():
                shutil.copyfile(source / name, stage / name)
        record = {
            "format": format,
            "weights_sha256": model.weights_sha256,
            "working_gsd_m": model.working_gsd_m,
            "torch": torch.__version__,
            "largest_difference": differences,
            "tolerance": TOLERANCE,
            "sha256": hashes,
        }
        (stage / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return differences


def _write_torch(program: ExportedProgram, about: Mapping[str, str], path: Path) -> Run:
    torch.export.save(program, path, extra_files=dict(about))
    module = torch.export.load(path).module()  # a foreign file could run code; this one is our own

    def run(inputs: Mapping[str, Tensor]) -> Tensor:
        maps: Tensor = module(*inputs.values())
        return maps

    return run


def _write_onnx(program: ExportedProgram, graph: Graph, about: Mapping[str, str], path: Path) -> Run:
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # notes on the exporter's own insides
            made = torch.onnx.export(
                program,
                input_names=graph.inputs,
                output_names=["maps"],
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    finally:
        exporter.setLevel(level)
    assert made is not None
    made.model.metadata_props.update(about)
    made.save(path)
    session = open_session(path.read_bytes())

    def run(inputs: Mapping[str, Tensor]) -> Tensor:
        return torch.from_numpy(session.run(["maps"], {name: value.numpy() for name, value in inputs.items()})[0])

    return run
