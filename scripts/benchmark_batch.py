"""How much faster two workers are than one: python scripts/benchmark_batch.py --pairs 200.

Prints ratios of one run only. ``assess`` is the pipeline on small pairs of noise; beside it stands the machine's own
ceiling: what two plain processes that do nothing but run the network gain over one, measured before and after. Two
hyperthreads of one core, or other programs, lower both alike, so the efficiency, ratio over ceiling, means the same on
every machine. ``wait`` are tasks that sleep: what the driver itself costs.
"""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Annotated

import numpy as np
import rasterio
import typer
from affine import Affine

from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.pool import ProcessWorkers, available_cores
from cv_pipeline.batch.record import PairRecord
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import Counts
from cv_pipeline.batch.task import Assess, Found, assess_files
from cv_pipeline.config import AssessConfig

TASK_S = 0.25
"""Length of a task that waits."""
SIDE_PX = 256
IDLE = 0.1
"""Change of the ceiling, relative, from which on the machine was not idle."""
TILE_PX = 512
"""Side of the bare forward pass."""


def waits(_entry: PairEntry, config: AssessConfig, _scratch: Path) -> Found:
    """A task that leaves the processor alone, as one that waits for a disk or a network does."""
    time.sleep(TASK_S)
    assert config.out_dir is not None
    config.out_dir.mkdir()
    (config.out_dir / "summary.json").write_text("{}")
    return Found(0, True, ())


WORK: dict[str, Assess] = {"wait": waits, "assess": assess_files}


def write_pairs(folder: Path, count: int) -> list[PairEntry]:
    """Pairs of noise, each its own, 128 m a side."""
    folder.mkdir()
    entries = []
    for number in range(count):
        rng = np.random.default_rng(number)
        paths = [folder / f"{number:04d}-{date}.tif" for date in ("before", "after")]
        image = rng.integers(40, 200, (3, SIDE_PX // 4, SIDE_PX // 4)).repeat(4, axis=1).repeat(4, axis=2)
        for path in paths:
            profile = {"driver": "GTiff", "count": 3, "height": SIDE_PX, "width": SIDE_PX, "dtype": "uint8"}
            place = {"crs": "EPSG:32636", "transform": Affine(0.5, 0, 500_000, 0, -0.5, 40_000)}
            with rasterio.open(path, "w", **profile, **place) as file:
                file.write(np.clip(image + rng.normal(0, 4, image.shape), 1, 254).astype(np.uint8))
        entries.append(PairEntry(f"p{number:04d}", str(paths[0]), str(paths[1]), None))
    return entries


def rates(entries: list[PairEntry], folder: Path, config: AssessConfig, work: str, workers: int) -> tuple[float, float]:
    """Pairs a second in all, and from when every worker has done its first: the start of a worker loads libraries."""
    ended_s: list[float] = []

    def watch(_record: PairRecord, _counts: Counts) -> None:
        ended_s.append(time.monotonic())

    start_s = time.monotonic()
    settings = BatchSettings(folder / f"out{workers}", config, assess=WORK[work])
    result = run_batch(entries, settings, ProcessWorkers(workers, 1), watch)
    assert result.counts.succeeded == len(entries), result
    running = (len(entries) - workers) / (ended_s[-1] - ended_s[workers - 1])
    return len(entries) / (ended_s[-1] - start_s), running


def run_network(model: str, passes: int, ready: Barrier, seconds: Queue[float]) -> None:
    """The bare forward pass with one thread, again and again; for a process of its own."""
    import torch

    from cv_pipeline.segmentation.onnx_backend import load_backend
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    torch.set_num_threads(1)
    folder = find_model(model)
    backend = load_backend(folder, read_model_file(folder), None, "fp32")
    tiles = np.zeros((1, 4, TILE_PX, TILE_PX), np.float32)
    backend(tiles, tiles, None)
    ready.wait()
    start_s = time.monotonic()
    for _ in range(passes):
        backend(tiles, tiles, None)
    seconds.put(time.monotonic() - start_s)


def ceiling(model: str, passes: int) -> float:
    """How much more two processes that do nothing but run the network get done than one."""
    spawn = multiprocessing.get_context("spawn")
    taken_s: list[float] = []
    for count in (1, 2):
        ready, seconds = spawn.Barrier(count), spawn.Queue()
        processes = [spawn.Process(target=run_network, args=(model, passes, ready, seconds)) for _ in range(count)]
        for process in processes:
            process.start()
        taken_s.append(max(seconds.get() for _ in processes))
        for process in processes:
            process.join()
    return 2 * taken_s[0] / taken_s[1]


def main(
    pairs: Annotated[int, typer.Option(min=4, help="how many small pairs")] = 200,
    work: Annotated[str, typer.Option(help="assess, or wait")] = "assess",
    model: Annotated[str, typer.Option(help="a shipped model or a model folder")] = "small",
    passes: Annotated[int, typer.Option(min=1, help="forward passes of each process of the ceiling")] = 40,
) -> None:
    config = AssessConfig(model=model, precision="fp32", threads=1)
    before = ceiling(model, passes) if work == "assess" else 2.0
    folder = Path(tempfile.mkdtemp(prefix="benchmark-batch-"))
    try:
        entries = write_pairs(folder / "in", pairs)
        one, two = (rates(entries, folder, config, work, workers) for workers in (1, 2))
    finally:
        shutil.rmtree(folder)
    after = ceiling(model, passes) if work == "assess" else 2.0
    whole, running = two[0] / one[0], two[1] / one[1]
    highest = (before + after) / 2
    if abs(before - after) > IDLE * highest:
        typer.echo("the ceiling moved while this ran: other programs were at work, so these figures say nothing")
    typer.echo(f"{pairs} pairs, {work}, {available_cores()} logical cores")
    typer.echo(f"two workers over one: {whole:.2f} times; without the start of the workers {running:.2f} times")
    typer.echo(f"ceiling, two plain processes over one: {before:.2f} before and {after:.2f} after")
    typer.echo(f"efficiency: {whole / highest:.2f}; without the start of the workers {running / highest:.2f}")


if __name__ == "__main__":
    typer.run(main)
