"""An archive played through without doing the work: python scripts/simulate_archive.py --plan benchmark.json.

The cost of a pair is what ``scripts/benchmark_batch.py`` measured (``benchmark.json``), or ``cv-pipeline plan MANIFEST
--json``; sizes, impacts, workers and faults are assumptions. The file system is taken to be as fast as needed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from cv_pipeline.batch.cost import cost_lines, read_cost
from cv_pipeline.batch.plan import SEAM_BYTES_PER_PX, in_hours, scene_time
from cv_pipeline.batch.schedule import Faults, play

WORKERS = (16, 128, 1024, 4096)


def scene_megapixels(area_km2: float, working_gsd_m: float, median_km2: float, largest_km2: float) -> list[float]:
    """Scenes that cover an area: log-normal sizes, as archives have many strips and few whole swaths; seed 0."""
    rng = np.random.default_rng(0)
    scenes, covered = [], 0.0
    while covered < area_km2:
        size = min(median_km2 * float(rng.lognormal(0, 0.8)), largest_km2, area_km2 - covered + 1e-6)
        scenes.append(size / working_gsd_m**2)
        covered += size
    return scenes


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
) -> None:
    cost = read_cost(json.loads(plan.read_text(encoding="utf-8"))["cost"])
    print(*cost_lines(cost), sep="\n")
    sizes = scene_megapixels(area_km2, working_gsd_m, median_km2, largest_km2)
    impacts = [megapixels * working_gsd_m**2 * impacts_per_km2 for megapixels in sizes]
    scenes = list(zip(sizes, impacts, strict=True))
    whole = [scene_time(mpx, cost, float("inf"), impacts=hits) for mpx, hits in scenes]
    split = [scene_time(mpx, cost, split_mpx, impacts=hits) for mpx, hits in scenes]
    output_tb = sum(cost.output_bytes.of(mpx, hits) for mpx, hits in scenes) / 1e12
    work_s = sum(scene.total_s for scene in whole)
    print(
        f"\n{len(sizes)} scenes, {sum(sizes) / 1e6:.2f} terapixels at {working_gsd_m:g} m, {sum(impacts):.2g} impacts; "
        f"{work_s / 3.15576e7:.2f} years of one worker, {work_s / area_km2:.1f} s a km2; {output_tb:.1f} TB of results"
    )
    largest = int(np.argmax(sizes))
    width_px = round((sizes[largest] * 1e6) ** 0.5)
    alone = "; ".join(f"with {count} {in_hours(play([split[largest]], count).wall_s)}" for count in (1, 4, 16))
    shares = ", ".join(
        f"{k} {rate.of(*scenes[largest]) / whole[largest].total_s:.0%}" for k, rate in cost.stage_s.items()
    )
    memory_gb = (cost.memory_bytes + SEAM_BYTES_PER_PX * max(width_px - cost.probe_width_px, 0)) / 1e9
    print(f"the largest, {width_px} px a side, {memory_gb:.1f} GB: {alone} worker(s) on it alone; {shares}")
    print(
        "\n| workers | whole scenes | busy | split | busy | split, workers die | deaths | longest scene whole, split |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for workers in WORKERS:
        plain, parts = play(whole, workers), play(split, workers)
        dying = play(split, workers, Faults(death_h))
        longest = f"{in_hours(plain.longest_scene_s)}, {in_hours(parts.longest_scene_s)}"
        cells = (
            workers, in_hours(plain.wall_s), f"{plain.busy:.0%}", in_hours(parts.wall_s), f"{parts.busy:.0%}",
            in_hours(dying.wall_s), dying.deaths, longest,
        )  # fmt: skip
        print("|", " | ".join(map(str, cells)), "|")


if __name__ == "__main__":
    typer.run(main)
