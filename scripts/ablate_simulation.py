"""What each element of the simulation buys: a small model is trained without it and scored on labelled real scenes.

python scripts/ablate_simulation.py --config models/small/ablation.yaml --out runs/ablation

Development scores, after image only; one short run per variant, so differences below the spread between the
repeats of "everything" mean nothing. A run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cv_pipeline.errors import CvPipelineError


def main(
    config: Annotated[Path, typer.Option(help="training settings, and under `variants` what each one changes")],
    out: Annotated[Path, typer.Option(help="folder for runs and ablation.json")],
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/ and kampala/")] = Path("../shared/data"),
    data: Annotated[Path, typer.Option(help="folder with labels.csv")] = Path("../shared/data/arcade_dev"),
) -> None:
    """Train and score every variant; prints a table of pooled AP beside "everything"."""
    import torch

    from cv_pipeline.evaluation.labelled import read_scenes
    from cv_pipeline.training.ablation import run_variant, run_variants
    from cv_pipeline.training.config import TrainConfig

    torch.set_num_threads(1)

    def run(name: str, settings: TrainConfig) -> dict[str, Any]:
        outcome = run_variant(name, settings, backgrounds, read_scenes(data), out / name)
        best = outcome.score.best
        return {
            "steps": outcome.steps,
            "ap": round(outcome.score.ap, 4),
            "ap_interval_95": None if outcome.score.ap_interval is None else list(outcome.score.ap_interval),
            "best_f1": None if best is None else round(best.f1, 4),
            "recall_at_best": None if best is None else round(best.recall, 4),
        }

    try:
        base, done = run_variants(config, out / "ablation.json", run)
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    _print(done, base.steps)


def _print(done: dict[str, dict[str, Any]], steps: int) -> None:
    table = Table(title=f"Real labelled scenes, after only, {steps} steps each", title_justify="left")
    for head in ("variant", "AP", "95 % over scenes", "best F1", "AP minus everything"):
        table.add_column(head, justify="left" if head == "variant" else "right")
    whole = [row["ap"] for name, row in done.items() if name.startswith("everything")]
    mean = sum(whole) / max(len(whole), 1)
    for name, row in done.items():
        low, high = row["ap_interval_95"] or (float("nan"), float("nan"))
        table.add_row(
            name, f"{row['ap']:.3f}", f"{low:.2f} to {high:.2f}", f"{row['best_f1']:.3f}", f"{row['ap'] - mean:+.3f}"
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    typer.run(main)
