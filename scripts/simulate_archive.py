"""An archive played through without doing the work: python scripts/simulate_archive.py --plan benchmark.json.

The cost of a pair is what ``scripts/benchmark_batch.py`` measured (``benchmark.json``), or ``cv-pipeline plan MANIFEST
--json``; sizes, impacts, workers and faults are assumptions. The file system is taken to be as fast as needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from cv_pipeline.batch.cost import Cost, cost_lines, read_cost
from cv_pipeline.batch.plan import SEAM_BYTES_PER_PX, SLOWED, in_hours, scene_time
from cv_pipeline.batch.schedule import Faults, play
from cv_pipeline.evaluation.marked import put_block

WORKERS = (16, 128, 1024, 4096)
ALONE = (1, 4, 16, 64)
FINER = 8
BLOCK = "archive"


def scene_megapixels(area_km2: float, working_gsd_m: float, median_km2: float, largest_km2: float) -> list[float]:
    """Scenes that cover an area: log-normal sizes, as archives have many strips and few whole swaths; seed 0."""
    rng = np.random.default_rng(0)
    scenes, covered = [], 0.0
    while covered < area_km2:
        size = min(median_km2 * float(rng.lognormal(0, 0.8)), largest_km2, area_km2 - covered + 1e-6)
        scenes.append(size / working_gsd_m**2)
        covered += size
    return scenes


class Archive(NamedTuple):
    """What is assumed of an archive and of the machines; defaults as on the command line."""

    area_km2: float
    working_gsd_m: float
    median_km2: float
    largest_km2: float
    impacts_per_km2: float
    split_mpx: float
    death_h: float


def lines(cost: Cost, archive: Archive) -> Iterator[str]:
    """The costs, the sums done on paper, and the runs played through, in Markdown."""
    yield from cost_lines(cost)
    if cost.slowed > SLOWED:
        yield ""
        yield (
            f"**The machine was not free**: all took {cost.slowed:.1f} times as long by the wall, and seconds of the "
            "processor are longer too where other programs use the other hyperthread of the same core."
        )
    gsd_m = archive.working_gsd_m
    sizes = scene_megapixels(archive.area_km2, gsd_m, archive.median_km2, archive.largest_km2)
    scenes = [(megapixels, megapixels * gsd_m**2 * archive.impacts_per_km2) for megapixels in sizes]
    whole = [scene_time(mpx, cost, float("inf"), impacts=hits) for mpx, hits in scenes]
    split = [scene_time(mpx, cost, archive.split_mpx, impacts=hits) for mpx, hits in scenes]
    output_tb = sum(cost.output_bytes.of(mpx, hits) for mpx, hits in scenes) / 1e12
    work_s = sum(scene.total_s for scene in whole)
    yield ""
    yield (
        f"{len(sizes)} scenes, {sum(sizes) / 1e6:.2f} terapixels at {gsd_m:g} m with "
        f"{sum(hits for _, hits in scenes):.2g} impacts: {work_s / 3.15576e7:.2f} years of one worker, "
        f"{work_s / archive.area_km2:.1f} s a km², {output_tb:.1f} TB of results."
    )
    yield ""
    yield from largest_lines(cost, max(scenes), archive.split_mpx)
    yield ""
    yield "| workers | whole scenes | busy | split | busy | split, workers die | deaths | longest scene whole / split |"
    yield "|---|---|---|---|---|---|---|---|"
    for workers in WORKERS:
        plain, parts, dying = play(whole, workers), play(split, workers), play(split, workers, Faults(archive.death_h))
        longest = f"{in_hours(plain.longest_scene_s)} / {in_hours(parts.longest_scene_s)}"
        cells = (
            workers, in_hours(plain.wall_s), f"{plain.busy:.0%}", in_hours(parts.wall_s), f"{parts.busy:.0%}",
            in_hours(dying.wall_s), dying.deaths, longest,
        )  # fmt: skip
        yield f"| {' | '.join(map(str, cells))} |"


def largest_lines(cost: Cost, scene: tuple[float, float], split_mpx: float) -> Iterator[str]:
    """The largest scene, with workers that have nothing else to do."""
    megapixels, impacts = scene
    width_px = round((megapixels * 1e6) ** 0.5)
    memory_gb = (cost.memory_bytes + SEAM_BYTES_PER_PX * max(width_px - cost.probe_width_px, 0)) / 1e9
    total_s = cost.seconds(megapixels, impacts)
    shares = ", ".join(f"{stage} {rate.of(megapixels, impacts) / total_s:.0%}" for stage, rate in cost.stage_s.items())
    yield (
        f"The largest scene, {width_px} px a side at the model's GSD, {memory_gb:.1f} GB a worker: {in_hours(total_s)} "
        f"undivided ({shares}). With so many workers for it alone:"
    )
    yield ""
    yield f"| parts of | {' | '.join(map(str, ALONE))} workers |"
    yield f"|---|{'---|' * len(ALONE)}"
    for part_mpx in (split_mpx, split_mpx / FINER):
        split = scene_time(megapixels, cost, part_mpx, impacts=impacts)
        took = (in_hours(play([split], count).wall_s) for count in ALONE)
        yield f"| {part_mpx:g} MP | {' | '.join(took)} |"


def main(
    plan: Annotated[
        Path, typer.Option(help="JSON with a cost: of benchmark_batch.py, or of 'cv-pipeline plan --json'")
    ],
    area_km2: Annotated[float, typer.Option(help="ground to be covered")] = 1_000_000,
    working_gsd_m: Annotated[float, typer.Option(help="GSD at which the model works")] = 0.6,
    median_km2: Annotated[float, typer.Option(help="size of the middle scene")] = 100,
    largest_km2: Annotated[float, typer.Option(help="size of the largest scene (625: 50,000 px a side)")] = 625,
    impacts_per_km2: Annotated[float, typer.Option(help="impacts, false ones included")] = 5,
    split_mpx: Annotated[float, typer.Option(help="megapixels of a part")] = 256,
    death_h: Annotated[float, typer.Option(help="mean hours between deaths of a worker that is at work")] = 200,
    page: Annotated[Path | None, typer.Option(help="a page to write the same into, between its marks")] = None,
) -> None:
    cost = read_cost(json.loads(plan.read_text(encoding="utf-8"))["cost"])
    archive = Archive(area_km2, working_gsd_m, median_km2, largest_km2, impacts_per_km2, split_mpx, death_h)
    content = "\n".join(lines(cost, archive))
    print(content)
    if page is not None:
        put_block(page, BLOCK, content)


if __name__ == "__main__":
    typer.run(main)
