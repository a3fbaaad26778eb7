"""Prints how fast each model's network runs: PyTorch in fp32 and bf16, ONNX Runtime; one image and a pair.

Rates are of the forward pass alone, in megapixels of the working grid per second. On a busy machine only their
ratios within one run mean something: every configuration is timed in turn, round after round, and the fastest
round of each counts.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from cv_pipeline.errors import ModelError
from cv_pipeline.segmentation.backend import Backend, Precision, TorchBackend
from cv_pipeline.segmentation.catalogue import describe_model
from cv_pipeline.segmentation.export_graph import export_model_folder
from cv_pipeline.segmentation.onnx_backend import has_graphs, load_onnx
from cv_pipeline.segmentation.zoo import ModelFile, find_model, load_network, read_model_file, shipped_models

REFERENCE = "torch fp32"
Runs = dict[str, Callable[[], object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="name or folder; once per model; default: all shipped ones")
    parser.add_argument("--tile-px", type=int, default=512, help="tile side, a multiple of 16")
    parser.add_argument("--tiles", type=int, default=4, help="tiles in a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--json", type=Path, help="file to write the rates of the last model to")
    options = parser.parse_args()
    for name in options.model or shipped_models():
        folder = find_model(name)
        entry = describe_model(folder)
        parameters = "unknown" if entry.parameters is None else f"{entry.parameters / 1e6:.2f} M"
        print(f"{entry.name}: {entry.size_bytes / 1e6:.1f} MB, {parameters} parameters")
        with tempfile.TemporaryDirectory() as scratch:
            graphs = _graphs(folder, Path(scratch) / "onnx")
            shape = (options.tiles, 4, options.tile_px, options.tile_px)
            runs = [
                run for threads in options.threads for run in _report(folder, graphs, threads, shape, options.rounds)
            ]
        if options.json:
            document = {"model": name, "size_mb": entry.size_bytes / 1e6, "parameters": entry.parameters, "runs": runs}
            options.json.write_text(json.dumps(document, indent=1) + "\n")


def _graphs(folder: Path, made: Path) -> Path | None:
    """A folder with the model's ONNX graphs, made where it has none; None without the extra ``onnx``."""
    if has_graphs(folder):
        return folder
    try:
        export_model_folder(folder, "onnx", made)
    except ModelError as error:
        print(f"  no ONNX: {error}")
        return None
    return made


def _report(
    folder: Path, graphs: Path | None, threads: int, shape: tuple[int, int, int, int], rounds: int
) -> list[dict[str, object]]:
    """Print one line for each way to run, and return them."""
    torch.set_num_threads(threads)
    model = read_model_file(folder)
    seconds = _fastest(_runs(folder, graphs, model, threads, shape), rounds)
    megapixels = shape[0] * shape[2] * shape[3] / 1e6
    report: list[dict[str, object]] = []
    for mode in ("after-only", "pair"):
        reference = seconds[f"{mode}, {REFERENCE}"]
        for label, value in seconds.items():
            if label.startswith(mode):
                print(
                    f"  {threads} thread{'s' if threads > 1 else ''}, {label}: {megapixels / value:.2f} MP/s, "
                    f"{reference / value:.2f} x {REFERENCE}"
                )
                rate = {"mp_per_s": round(megapixels / value, 3), "ratio": round(reference / value, 3)}
                report.append({"threads": threads, "run": label, **rate})
    return report


def _runs(folder: Path, graphs: Path | None, model: ModelFile, threads: int, shape: tuple[int, int, int, int]) -> Runs:
    after, before = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    backends: dict[str, Backend] = {
        f"torch {precision}": TorchBackend(load_network(folder, model), model, precision) for precision in precisions
    }
    if graphs is not None:
        backends["ONNX Runtime fp32"] = load_onnx(graphs, model, threads)

    def run(backend: Backend, *, paired: bool) -> Callable[[], object]:
        return lambda: backend(after, before if paired else None, None)

    return {
        f"{mode}, {label}": run(backend, paired=mode == "pair")
        for mode in ("after-only", "pair")
        for label, backend in backends.items()
    }


def _fastest(runs: Runs, rounds: int) -> dict[str, float]:
    """Seconds of the fastest of ``rounds`` calls of each, after one that is not counted; taken in turn."""
    seconds = dict.fromkeys(runs, np.inf)
    for number in range(rounds + 1):
        for label, run in runs.items():
            start = time.perf_counter()
            run()
            if number > 0:
                seconds[label] = min(seconds[label], time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    main()
