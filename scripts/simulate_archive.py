"""An archive played through without doing the work: python scripts/simulate_archive.py --plan plan.json.

The cost of a pair is what ``cv-pipeline plan MANIFEST --json`` measured; sizes, workers and faults are assumptions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from cv_pipeline.batch.plan import in_hours, scene_time
from cv_pipeline.batch.probe import Cost
from cv_pipeline.batch.schedule import Faults, play


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
    plan: Annotated[Path, typer.Option(help="output of 'cv-pipeline plan MANIFEST --json'")],
    area_km2: Annotated[float, typer.Option(help="ground to be covered")] = 1_000_000,
    working_gsd_m: Annotated[float, typer.Option(help="GSD at which the model works")] = 0.5,
    median_km2: Annotated[float, typer.Option(help="size of the middle scene")] = 100,
    largest_km2: Annotated[float, typer.Option(help="size of the largest scene (625: 50,000 px a side)")] = 625,
    split_mpx: Annotated[float, typer.Option(help="megapixels of a part")] = 256,
    death_h: Annotated[float, typer.Option(help="mean hours between deaths of a worker that is at work")] = 200,
) -> None:
    cost = Cost(**json.loads(plan.read_text(encoding="utf-8"))["cost"])
    sizes = scene_megapixels(area_km2, working_gsd_m, median_km2, largest_km2)
    whole = [scene_time(megapixels, cost, float("inf")) for megapixels in sizes]
    split = [scene_time(megapixels, cost, split_mpx) for megapixels in sizes]
    output_tb = sum(cost.output_bytes(megapixels) for megapixels in sizes) / 1e12
    typer.echo(
        f"{len(sizes)} scenes, {sum(sizes) / 1e6:.2f} terapixels at {working_gsd_m:g} m, "
        f"{sum(scene.total_s for scene in whole) / 3.15576e7:.1f} worker-years, {output_tb:.1f} TB of results"
    )
    table = Table()
    for head in ("workers", "whole scenes", "busy", "split", "busy", "split, workers die", "deaths", "longest scene"):
        table.add_column(head, justify="right")
    for workers in (16, 128, 1024, 4096):
        plain, parts = play(whole, workers), play(split, workers)
        dying = play(split, workers, Faults(death_h))
        table.add_row(
            str(workers), in_hours(plain.wall_s), f"{plain.busy:.0%}", in_hours(parts.wall_s), f"{parts.busy:.0%}",
            in_hours(dying.wall_s), str(dying.deaths), in_hours(parts.longest_scene_s),
        )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
