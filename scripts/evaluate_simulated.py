"""Score a model, or a checkpoint of a run that still goes on, on simulated scenes over places never trained on.

python scripts/evaluate_simulated.py --model small --out simulated.json
python scripts/evaluate_simulated.py --model runs/small/last.ckpt --config models/small/train.yaml --out simulated.json
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from cv_pipeline.errors import CvPipelineError

HEADER = "Simulated scenes over places that were never trained on; the network's own score, default simulation."
console = Console(stderr=True)


def main(
    *,
    model: Annotated[str, typer.Option(help="name of a shipped model, a model folder, or a training run's *.ckpt")],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    config: Annotated[Path | None, typer.Option(help="train.yaml of a checkpoint's run")] = None,
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/")] = Path("../shared/data"),
    scenes: Annotated[int, typer.Option(min=2, help="how many, 256 x 256 px each")] = 96,
    cache: Annotated[Path, typer.Option(help="where rendered scenes are kept")] = Path("runs/heldout"),
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="fit calibration and threshold on other places first")
    ] = False,
    tta: Annotated[bool, typer.Option("--tta", help="mean over the eight symmetries of the square")] = False,
    look: Annotated[bool, typer.Option("--look", help="judge candidates in the images too, as a run does")] = False,
    precision: Annotated[Literal["auto", "fp32", "bf16"], typer.Option(help="of the network's inside")] = "auto",
    metrics: Annotated[
        bool, typer.Option("--metrics", help="write the figures into the model folder's metrics.json too")
    ] = False,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
) -> None:
    """Score a model or a checkpoint on simulated scenes over held-out places."""
    import torch

    from cv_pipeline.evaluation.calibrate import fit_calibration
    from cv_pipeline.evaluation.judge import compare_calibrations, judge
    from cv_pipeline.evaluation.scenes import Half, held_out_scenes
    from cv_pipeline.evaluation.subject import load_subject
    from cv_pipeline.segmentation.backend import Backend, TorchBackend
    from cv_pipeline.segmentation.symmetry import Symmetric
    from cv_pipeline.segmentation.zoo import ModelFile, find_model

    torch.set_num_threads(threads)
    if metrics and (tta or look or calibrate or config is not None or precision != "auto"):
        console.print("[red]error:[/red] --metrics is for a model as it ships: leave out all settings of the scoring")
        raise typer.Exit(2)

    def backend_of(described: ModelFile | None) -> Backend:
        plain = TorchBackend(subject.net, described, precision)
        return Symmetric(plain) if tta else plain

    try:
        subject = load_subject(model, config)
        described, fitted = subject.model, None
        gsd_m = described.working_gsd_m
        if calibrate:
            fit_on = held_out_scenes(backgrounds, Half.FIT, scenes, gsd_m, cache)
            fitted = fit_calibration(fit_on, backend_of(None), described.info())
            found = {"calibration": fitted.calibrations, "score_threshold": fitted.threshold}
            described = described.model_copy(update=found)
        judge_on = list(held_out_scenes(backgrounds, Half.JUDGE, scenes, gsd_m, cache))
    except CvPipelineError as error:
        console.print(f"[red]error:[/red] {error}")
        raise typer.Exit(2) from error
    start = time.perf_counter()
    judged = judge(judge_on, backend_of(described), described, look=subject.weights if look else None)
    seconds = time.perf_counter() - start
    threshold = described.score_threshold
    document: dict[str, Any] = {
        "note": HEADER,
        "model": model,
        "steps": described.steps,
        "scenes": scenes,
        "gsd_m": gsd_m,
        "tta": tta,
        "look": look,
        "threshold": threshold,
        "calibration": described.calibration.model_dump(mode="json"),
        **judged.document(threshold),
    }
    if fitted is not None:
        compared = compare_calibrations(fitted, judged, threshold)
        document["calibrations"] = {
            name: {key: value for key, value in way._asdict().items() if key != "bins"}
            for name, way in compared.items()
        }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")
    if metrics:
        update_metrics(find_model(model), judged.document(threshold), scenes)
    _print(document)
    console.print(f"written: {out} ({seconds:.0f} s for both modes)")


def update_metrics(folder: Path, figures: dict[str, Any], scenes: int) -> None:
    """Measured anew: what the export wrote into metrics.json; what it alone knows (calibrations) stays."""
    path = folder / "metrics.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**kept, "scenes": scenes, **figures}, indent=2) + "\n", encoding="utf-8")


def _print(document: dict[str, Any]) -> None:
    table = Table(title=f"{HEADER} Threshold {document['threshold']:.3f}.", title_justify="left")
    heads = (
        "mode",
        "craters",
        "AP",
        "F1",
        "best F1",
        "at",
        "F1 IoU.5",
        "best",
        "crater IoU",
        "accepted",
        "blast IoU",
        "ECE",
    )
    for head in heads:
        table.add_column(head, justify="left" if head == "mode" else "right")
    for mode in ("pair", "after_only"):
        found = document[mode]
        outline = found["outlines_at_iou_0.5"]
        table.add_row(
            mode,
            str(found["craters"]),
            f"{found['ap']:.3f}",
            *(_f1(found[key]) for key in ("at_threshold", "best")),
            "-" if found["best"] is None else f"{found['best']['threshold']:.2f}",
            *(_f1(outline[key]) for key in ("at_threshold", "best")),
            *(f"{found[key]['iou']:.3f}" for key in ("crater_mask", "crater_area_of_accepted_outlines", "blast_mask")),
            f"{found['calibration']['calibration_error']:.3f}",
        )
    Console(width=max(console.width, 120)).print(table)


def _f1(point: dict[str, float] | None) -> str:
    return "-" if point is None else f"{point['f1']:.3f}"


if __name__ == "__main__":
    typer.run(main)
