"""What a batch's workers cost, and how much faster two are than one: python scripts/benchmark_batch.py --out DIR.

**Speed-up** (``--pairs``): ``assess`` is the pipeline on small pairs of noise. Beside it stand the machine's own
ceilings, what two independent processes get done over one: *plain*, the same pairs in a loop without any batch, and
*pure*, nothing but the network's forward pass, measured before and after. Two hyperthreads of one core, or other
programs, lower all alike, so the efficiency, ratio over ceiling, means the same on every machine. ``--work wait`` are
tasks that sleep: what the driver itself costs.

**Costs** (``--side-px``): seconds of processor, bytes and memory of one worker for each stage, from simulated pairs of
two sizes without strikes and one with, and of opening and aligning alone from two wider ones;
``DIR/benchmark.json`` holds them for ``scripts/simulate_archive.py --plan``.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import rasterio
import typer
from affine import Affine

from cv_pipeline.batch.cost import cost_lines
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.pool import ProcessWorkers, available_cores
from cv_pipeline.batch.record import PairRecord
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import Counts
from cv_pipeline.batch.task import Assess, Found, assess_files
from cv_pipeline.config import AssessConfig
from cv_pipeline.evaluation.worker_cost import measure_cost
from cv_pipeline.output_dir import staged_output

TASK_S = 0.25
"""Length of a task that waits."""
SIDE_PX = 256
IDLE = 0.1
"""Change of the ceiling, relative, from which on the machine was not idle."""
TILE_PX = 512
"""Side of the bare forward pass."""
MARKER = "benchmark.json"


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


def run_loop(entries: list[PairEntry], config: AssessConfig, ready: Barrier, seconds: Queue[float]) -> None:
    """The pipeline on pairs one after the other, the first one unmeasured; for a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for number, entry in enumerate(entries):
            if number == 1:
                ready.wait()
                start_s = time.monotonic()
            out = Path(folder) / str(number)
            out.mkdir()
            assess_files(entry, config.model_copy(update={"out_dir": out / "result"}), out)
    seconds.put(time.monotonic() - start_s)


def ceiling(work: Callable[..., None], *arguments: Any) -> float:
    """How much more two independent processes get done than one."""
    spawn = multiprocessing.get_context("spawn")
    taken_s: list[float] = []
    for count in (1, 2):
        ready, seconds = spawn.Barrier(count), spawn.Queue()
        processes = [spawn.Process(target=work, args=(*arguments, ready, seconds)) for _ in range(count)]
        for process in processes:
            process.start()
        taken_s.append(max(seconds.get() for _ in processes))
        for process in processes:
            process.join()
    return 2 * taken_s[0] / taken_s[1]


def speed_up(folder: Path, pairs: int, work: str, config: AssessConfig, passes: int, loop: int) -> dict[str, Any]:
    """Ratios of one run; see the head of this file."""
    entries = write_pairs(folder / "in", pairs)
    real = work == "assess"
    before = ceiling(run_network, config.model, passes) if real else 2.0
    plain = ceiling(run_loop, entries[: loop + 1], config) if real else 2.0
    one, two = (rates(entries, folder, config, work, workers) for workers in (1, 2))
    after = ceiling(run_network, config.model, passes) if real else 2.0
    return {
        "pairs": pairs, "work": work, "model": config.model, "logical_cores": available_cores(),
        "pairs_per_s": [one[0], two[0]], "ratio": two[0] / one[0], "ratio_running": two[1] / one[1],
        "plain_ceiling": plain, "pure_ceiling": [before, after],
    }  # fmt: skip


def tell_speed_up(found: dict[str, Any]) -> None:
    """The ratios in words."""
    before, after = found["pure_ceiling"]
    plain, pure = found["plain_ceiling"], (before + after) / 2
    if abs(before - after) > IDLE * pure:
        typer.echo("the ceiling moved while this ran: other programs were at work, so these figures say nothing")
    typer.echo(f"{found['pairs']} pairs, {found['work']}, {found['logical_cores']} logical cores")
    for name, words in (("ratio", "two workers over one"), ("ratio_running", "the same without the workers' start")):
        ratio = found[name]
        typer.echo(f"{words}: {ratio:.2f} times; over plain {ratio / plain:.2f}, over pure {ratio / pure:.2f}")
    typer.echo(
        f"ceilings, two plain processes over one: plain {plain:.2f}, pure {before:.2f} before, {after:.2f} after"
    )


def main(
    out: Annotated[Path, typer.Option(help="folder for benchmark.json; must be new, empty, or --overwrite")],
    pairs: Annotated[int, typer.Option(min=0, help="how many small pairs; 0 leaves the speed-up out")] = 200,
    work: Annotated[str, typer.Option(help="assess, or wait")] = "assess",
    model: Annotated[str, typer.Option(help="a shipped model or a model folder")] = "small",
    passes: Annotated[int, typer.Option(min=1, help="forward passes of each process of the pure ceiling")] = 40,
    loop: Annotated[int, typer.Option(min=1, help="pairs of each process of the plain ceiling")] = 5,
    side_px: Annotated[int, typer.Option(min=0, help="side of the large pair; 0 leaves the costs out")] = 4096,
    overwrite: Annotated[bool, typer.Option(help="replace an earlier benchmark in --out")] = False,
) -> None:
    if 0 < pairs <= loop:
        raise typer.BadParameter(f"--pairs: give more than --loop ({loop}), or 0")
    config = AssessConfig(model=model, precision="fp32", threads=1)
    document: dict[str, Any] = {}
    with staged_output(out, overwrite, MARKER) as stage:
        folder = Path(tempfile.mkdtemp(prefix="work-", dir=stage))
        if side_px:
            cost, samples = measure_cost(folder / "cost", side_px, config)
            document |= {"model": model, "cost": asdict(cost), "samples": [sample._asdict() for sample in samples]}
            print(*cost_lines(cost), f"everything took {cost.slowed:.1f} times that by the wall", sep="\n", flush=True)
        if pairs:
            document["speed_up"] = speed_up(folder, pairs, work, config, passes, loop)
            tell_speed_up(document["speed_up"])
        shutil.rmtree(folder)
        (stage / MARKER).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
