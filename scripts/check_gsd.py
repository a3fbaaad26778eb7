"""A model on simulated scenes over places never trained on, with pixels of 0.2 to 1.2 m: what is found at each size.

python scripts/check_gsd.py --model small --out gsd.json

Every scene is written as a plain image and read, resampled and searched as in a run. The network's own score counts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cv_pipeline.errors import CvPipelineError


def main(
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    model: Annotated[str, typer.Option(help="name of a shipped model, or a model folder")] = "small",
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(min=2, help="of 150 x 150 m at each size of pixel")] = 24,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
) -> None:
    """Score a model at each pixel size, with and without the before image."""
    import torch

    from cv_pipeline.evaluation.gsd_range import LADDER_M, ladder_scene, matched, rung
    from cv_pipeline.evaluation.heldout import MODES
    from cv_pipeline.evaluation.scenes import Half, half_of
    from cv_pipeline.evaluation.subject import load_subject
    from cv_pipeline.segmentation.backend import TorchBackend
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    torch.set_num_threads(threads)
    console = Console(stderr=True)
    rungs = []
    try:
        subject = load_subject(model)
        backend = TorchBackend(subject.net, subject.model, "auto")
        places = Backgrounds(half_of(list_tiles(backgrounds, "validate"), Half.JUDGE))
        for gsd_m in LADDER_M:
            drawn = [ladder_scene(places, number, gsd_m) for number in range(scenes)]
            for mode, paired in MODES.items():
                found = [matched(scene, backend, subject.model, paired=paired) for scene in drawn]
                rungs.append(rung(gsd_m, mode, found, subject.model.score_threshold))
                console.print(f"{gsd_m:g} m, {mode}: AP {rungs[-1].ap:.2f}")
    except CvPipelineError as error:
        console.print(f"[red]error:[/red] {error}")
        raise typer.Exit(2) from error
    document = {
        "note": "simulated strikes over held-out places; the network's own score",
        "model": model,
        "weights_sha256": subject.model.weights_sha256,
        "threshold": subject.model.score_threshold,
        "rungs": [step._asdict() for step in rungs],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")
    table = Table(title=f"{model}: simulated craters by pixel size", title_justify="left")
    for head in ("GSD, m", "mode", "craters", "AP", "95 %", "precision", "recall", "F1", "median error, m"):
        table.add_column(head, justify="left" if head == "mode" else "right")
    for step in rungs:
        table.add_row(
            f"{step.gsd_m:g}",
            step.mode,
            str(step.craters),
            f"{step.ap:.2f}",
            "-" if step.ap_interval is None else f"{step.ap_interval[0]:.2f} to {step.ap_interval[1]:.2f}",
            *(f"{value:.2f}" for value in (step.precision, step.recall, step.f1)),
            "-" if step.median_m is None else f"{step.median_m:.2f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
