"""How much faster two workers are than one: python scripts/benchmark_batch.py --pairs 200 --work wait.

Prints ratios of one run only. ``--work wait`` are tasks that sleep, ``compute`` tasks that compute, neither with
imagery; ``assess`` is the pipeline on small pairs of noise. What computes cannot gain more than there are free cores.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import rasterio
import typer
from affine import Affine

from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.pool import ProcessWorkers, available_cores
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.task import Assess, Found, assess_files
from cv_pipeline.config import AssessConfig

TASK_S = 0.25
"""Length of a task that waits; one that computes takes about so long on a core of its own."""
SIDE_PX = 256


def waits(_entry: PairEntry, config: AssessConfig, _scratch: Path) -> Found:
    """A task that leaves the processor alone, as one that waits for a disk or a network does."""
    time.sleep(TASK_S)
    return _nothing_found(config)


def computes(_entry: PairEntry, config: AssessConfig, _scratch: Path) -> Found:
    """A task that keeps one core busy for the same amount of work, however long that takes."""
    data = bytes(2**20)
    for _ in range(round(TASK_S * 700)):
        data = hashlib.sha256(data).digest() * 2**15
    return _nothing_found(config)


def _nothing_found(config: AssessConfig) -> Found:
    assert config.out_dir is not None
    config.out_dir.mkdir()
    (config.out_dir / "summary.json").write_text("{}")
    return Found(0, True, ())


WORK: dict[str, Assess] = {"wait": waits, "compute": computes, "assess": assess_files}


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


def main(
    pairs: Annotated[int, typer.Option(min=2, help="how many small pairs")] = 200,
    work: Annotated[str, typer.Option(help="wait, compute or assess")] = "wait",
    model: Annotated[str, typer.Option(help="model of 'assess'")] = "small",
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="benchmark-batch-"))
    try:
        entries = write_pairs(folder / "in", pairs)
        seconds = {}
        for workers in (1, 2):
            settings = BatchSettings(
                folder / f"out{workers}", AssessConfig(model=model, precision="fp32", threads=1), assess=WORK[work]
            )
            start_s = time.monotonic()
            result = run_batch(entries, settings, ProcessWorkers(workers, 1))
            seconds[workers] = time.monotonic() - start_s
            assert result.counts.done + result.counts.untrusted == pairs, result
    finally:
        shutil.rmtree(folder)
    typer.echo(
        f"{pairs} pairs, {work}, {available_cores()} logical cores: two workers are "
        f"{seconds[1] / seconds[2]:.2f} times as fast as one (start of the workers included)"
    )


if __name__ == "__main__":
    typer.run(main)
