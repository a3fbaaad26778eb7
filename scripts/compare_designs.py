"""Encoders and ways to fuse the dates beside each other, each trained for the same number of steps from the same seed.

python scripts/compare_designs.py --config models/small/designs.yaml --out runs/designs

Scores are on simulated scenes over places that were never trained on, those that calibration uses and cards do not
quote. One short run per design: differences within the intervals mean nothing. An interrupted run is resumed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cv_pipeline.errors import CvPipelineError


def main(
    config: Annotated[Path, typer.Option(help="training settings, and under `variants` what each design changes")],
    out: Annotated[Path, typer.Option(help="folder for runs and designs.json")],
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/ and kampala/")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(min=2, help="simulated scenes to score on")] = 96,
    cache: Annotated[Path, typer.Option(help="where rendered scenes are kept")] = Path("runs/heldout"),
    workers: Annotated[int, typer.Option(help="processes that render beside the one that trains")] = 1,
) -> None:
    """Train and score every design; prints a table."""
    import torch

    from cv_pipeline.evaluation.scenes import Half, held_out_scenes
    from cv_pipeline.training.ablation import read_ablation, varied
    from cv_pipeline.training.designs import run_design

    torch.set_num_threads(1)
    results = out / "designs.json"
    done: dict[str, dict[str, Any]] = json.loads(results.read_text()) if results.exists() else {}
    try:
        base, variants = read_ablation(config)
        judged_on = list(held_out_scenes(backgrounds, Half.FIT, scenes, base.working_gsd_m, cache))
        for name, changes in variants.items():
            if name in done:
                continue
            seed = int(changes.pop("seed", base.seed))
            outcome = run_design(name, varied(base, changes, seed), backgrounds, judged_on, out / name, workers)
            done[name] = {"changes": changes, "seed": seed, **outcome._asdict()}
            out.mkdir(parents=True, exist_ok=True)
            results.write_text(json.dumps(done, indent=1) + "\n")
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    _print(done, base.steps)


def _print(done: dict[str, dict[str, Any]], steps: int) -> None:
    table = Table(title=f"Simulated scenes, places never trained on, {steps} steps each", title_justify="left")
    heads = ("parameters", "GFLOP/MP", "CPU min", "AP, pair", "95 %", "AP, after only", "95 %", "blast IoU, pair")
    table.add_column("design")
    for head in heads:
        table.add_column(head, justify="right")
    for name, row in done.items():
        pair, alone = row["figures"]["pair"], row["figures"]["after_only"]
        table.add_row(
            name,
            f"{row['parameters'] / 1e6:.2f} M",
            f"{row['gflop_per_megapixel']:.1f}",
            f"{row['cpu_minutes']:.1f}",
            *(text for figures in (pair, alone) for text in (f"{figures['ap']:.3f}", _interval(figures))),
            f"{pair['blast_mask']['iou']:.3f}",
        )
    Console(width=140).print(table)


def _interval(figures: dict[str, Any]) -> str:
    low, high = figures["ap_interval_95"]
    return f"{low:.2f} to {high:.2f}"


if __name__ == "__main__":
    typer.run(main)
