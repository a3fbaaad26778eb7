"""Encoders and ways to fuse the dates beside each other, each trained for the same number of steps from the same seed.

python scripts/compare_designs.py --config models/small/designs.yaml --out runs/designs --json designs.json

Scores are on simulated scenes over places that were never trained on, those that calibration uses and cards do not
quote. One short run per design: differences within the intervals mean nothing. An interrupted run is resumed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.card_tables import DESIGN_HEADS, design_rows


def main(
    config: Annotated[Path, typer.Option(help="training settings, and under `variants` what each design changes")],
    out: Annotated[Path, typer.Option(help="folder for the runs")],
    table: Annotated[
        Path | None, typer.Option("--json", help="figures by design; default: designs.json in --out")
    ] = None,
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/ and kampala/")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(min=2, help="simulated scenes to score on")] = 96,
    cache: Annotated[Path, typer.Option(help="where rendered scenes are kept")] = Path("runs/heldout"),
    workers: Annotated[int, typer.Option(help="processes that render beside the one that trains")] = 1,
) -> None:
    """Train and score every design; prints a table."""
    import torch

    from cv_pipeline.evaluation.figures import brief
    from cv_pipeline.evaluation.scenes import Half, HeldOutScene, held_out_scenes
    from cv_pipeline.training.ablation import run_variants
    from cv_pipeline.training.config import TrainConfig
    from cv_pipeline.training.designs import run_design

    torch.set_num_threads(1)
    judged_on: list[HeldOutScene] = []

    def run(name: str, settings: TrainConfig) -> dict[str, Any]:
        judged_on[:] = judged_on or held_out_scenes(backgrounds, Half.FIT, scenes, settings.working_gsd_m, cache)
        outcome = run_design(name, settings, backgrounds, judged_on, out / name, workers)
        return outcome._replace(figures={mode: brief(found) for mode, found in outcome.figures.items()})._asdict()

    try:
        base, done = run_variants(config, table or out / "designs.json", run)
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    _print(done, base.steps)


def _print(done: dict[str, dict[str, Any]], steps: int) -> None:
    table = Table(title=f"Simulated scenes, places never trained on, {steps} steps each", title_justify="left")
    for head in DESIGN_HEADS:
        table.add_column(head, justify="left" if head == "design" else "right")
    for row in design_rows(done):
        table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    typer.run(main)
