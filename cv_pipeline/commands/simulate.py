"""``cv-pipeline simulate``: a data set of simulated strikes with exact truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.commands.options import errors_to_exit_code, stage_bars
from cv_pipeline.errors import ConfigError


def simulate(
    background: Annotated[Path, typer.Option("--background", help="folder of background images, subfolders too")],
    out: Annotated[Path, typer.Option("--out", help="folder for the data set; must be new, empty, or --overwrite")],
    scenes: Annotated[int, typer.Option("--scenes", min=1, max=100_000, help="how many before/after pairs")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="the same seed gives the same files")] = 7,
    size_px: Annotated[int, typer.Option("--size-px", min=64, max=8192, help="height and width of a scene")] = 1024,
    gsd: Annotated[float, typer.Option("--gsd", min=0.1, max=2.0, help="metres per pixel of the scenes")] = 0.5,
    background_gsd: Annotated[
        float | None, typer.Option("--background-gsd", min=0.01, help="metres per pixel of backgrounds without a CRS")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="background places to use: train, validate or all")] = "all",
    config: Annotated[Path | None, typer.Option("--config", help="YAML file of simulation settings")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="processes that render")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an earlier data set in --out")] = False,
) -> None:
    """Write a data set of simulated strikes with exact truth, on backgrounds of your own."""
    with errors_to_exit_code():
        if split not in ("train", "validate", "all"):
            raise ConfigError(f"--split {split}: give train, validate or all")
        from cv_pipeline.simulation.config import SimulationConfig
        from cv_pipeline.simulation.dataset import DatasetSettings, read_simulation_config, simulate_dataset

        settings = DatasetSettings(
            background, scenes, seed, size_px, gsd, split, background_gsd,
            SimulationConfig() if config is None else read_simulation_config(config),
        )  # fmt: skip
        with stage_bars() as progress:
            rows = simulate_dataset(settings, out, overwrite, workers, progress)
    typer.echo(f"{len(rows)} scenes, {sum(row.new for row in rows)} new strikes; see {out / 'README.md'}")
