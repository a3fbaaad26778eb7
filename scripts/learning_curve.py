"""What more steps bought: checkpoints of one run scored on the simulated scenes that the card quotes.

python scripts/learning_curve.py --config models/small/train.yaml --out models/small/figures/learning.json A.ckpt B.ckpt

Each is calibrated on other places first, as an export does. Checkpoints are pickles: open none
that came from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cv_pipeline.errors import CvPipelineError

CLEAR_SD = 3.0
"""Craters that stand out of their ground so far count as clear; a judgement."""


def main(
    checkpoints: Annotated[list[Path], typer.Argument(help="copies of last.ckpt made as the run went on")],
    config: Annotated[Path, typer.Option(help="train.yaml of the run")],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(min=2, help="of each half of the held-out places")] = 96,
    cache: Annotated[Path, typer.Option(help="where rendered scenes are kept")] = Path("runs/heldout"),
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
) -> None:
    """Score checkpoints and write their figures by step."""
    import torch

    from cv_pipeline.evaluation.calibrate import fit_calibration
    from cv_pipeline.evaluation.figures import brief
    from cv_pipeline.evaluation.heldout import MODES
    from cv_pipeline.evaluation.judge import judge
    from cv_pipeline.evaluation.scenes import Half, held_out_scenes
    from cv_pipeline.evaluation.subject import load_subject
    from cv_pipeline.segmentation.backend import TorchBackend

    torch.set_num_threads(threads)
    steps = {}
    try:
        for path in checkpoints:
            net, model, _ = load_subject(str(path), config)
            fit_on, judge_on = (
                list(held_out_scenes(backgrounds, half, scenes, model.working_gsd_m, cache)) for half in Half
            )
            fitted = fit_calibration(fit_on, TorchBackend(net, None, "auto"), model.info())
            found = {"calibration": fitted.calibrations, "score_threshold": fitted.threshold}
            model = model.model_copy(update=found)
            judged = judge(judge_on, TorchBackend(net, model, "auto"), model)
            document = judged.document(fitted.threshold)
            steps[str(model.steps)] = {
                mode: {**brief(document[mode]), "recall_clear": recall_clear(document[mode])} for mode in MODES
            }
            typer.echo(f"{path}, {model.steps} steps: AP {document['pair']['ap']:.3f}")
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"scenes": scenes, "steps": steps}, indent=1) + "\n")


def recall_clear(mode: Mapping[str, Any]) -> float | None:
    """Recall of the craters that stand out by :data:`CLEAR_SD` or more; None without any."""
    clear = [band for name, band in mode["by_conspicuity"].items() if float(name.split()[0]) >= CLEAR_SD]
    craters = sum(band["objects"] for band in clear)
    found = sum(band["objects"] * band["recall"] for band in clear if band["objects"])
    return round(found / craters, 4) if craters else None


if __name__ == "__main__":
    typer.run(main)
