"""Score a model, or any tool's detections, on scenes with labelled craters.

python scripts/evaluate.py --model small --data ../shared/data/arcade_dev --out evaluation
python scripts/evaluate.py --detections other_tool.csv --out evaluation --threshold 0.5
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.labelled import (
    Detections,
    LabelledScene,
    Score,
    errors_of,
    match_labelled,
    read_detections,
    read_scenes,
    score_matches,
    score_pooled,
    write_detections,
)
from cv_pipeline.evaluation.objects import TOLERANCE_M

HEADER = (
    "Development score: real scenes, after image only. Labels are incomplete, so precision (and with it AP and F1)"
    " is a lower bound. Nothing may be trained on or tuned to these scenes."
)
LOW_THRESHOLD = 0.005  # AP needs the tail of the curve, far below a useful threshold

SHOWN = 25

console = Console(stderr=True)


def detect(
    scenes: Sequence[LabelledScene], name: str, config: Path | None, *, tta: bool, look: bool
) -> tuple[dict[str, Detections], float]:
    """Detections of each field at a low threshold, and the model's own threshold."""
    from cv_pipeline.evaluation.detector import detect_craters
    from cv_pipeline.evaluation.subject import load_subject
    from cv_pipeline.segmentation.backend import Backend, TorchBackend
    from cv_pipeline.segmentation.symmetry import Symmetric

    net, model, weights = load_subject(name, config)
    backend: Backend = TorchBackend(net, model, "auto")
    if tta:
        backend = Symmetric(backend)
    found = {
        scene.field: detect_craters(
            scene.image,
            scene.gsd_m,
            backend,
            model.info(),
            score_threshold=LOW_THRESHOLD,
            look=weights if look else None,
        )
        for scene in track(scenes, "detecting", console=console)
    }
    return found, model.score_threshold


def draw_errors(
    scenes: Sequence[LabelledScene], found: dict[str, Detections], tolerance_m: float, threshold: float, out: Path
) -> None:
    """Pictures of each scene's highest-scored false alarms and of misses, evenly picked from its list of labels."""
    from cv_pipeline.evaluation.montage import Spot, chips, write_montage
    from cv_pipeline.imagery.source import open_source

    for scene in scenes:
        if scene.field not in found:
            continue
        wrong = errors_of(scene, found[scene.field], tolerance_m, threshold)
        source = open_source(scene.image, gsd_m=scene.gsd_m)
        false = list(zip(wrong.false_px[:SHOWN], wrong.false_score[:SHOWN], strict=True))
        spots = [Spot(row, col, f"{n + 1}: {score:.2f}") for n, ((col, row), score) in enumerate(false)]
        write_montage(out / f"field_{scene.field}_false.png", chips(source, spots))
        every = max(-(-len(wrong.missed_px) // SHOWN), 1)
        missed = [Spot(row, col, f"{n + 1}") for n, (col, row) in enumerate(wrong.missed_px[::every])]
        write_montage(out / f"field_{scene.field}_missed.png", chips(source, missed))


def main(
    *,
    out: Annotated[Path, typer.Option(help="folder for evaluation.json and detections.csv")],
    model: Annotated[
        str, typer.Option(help="name of a shipped model, a model folder, or a training run's *.ckpt")
    ] = "small",
    config: Annotated[Path | None, typer.Option(help="train.yaml of a checkpoint's run")] = None,
    data: Annotated[Path, typer.Option(help="folder with labels.csv")] = Path("../shared/data/arcade_dev"),
    detections: Annotated[Path | None, typer.Option(help="score this CSV file instead of a model")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="operating point; default: the model's own, 0.5 for CSV")
    ] = None,
    tolerance_m: Annotated[float, typer.Option(help="greatest distance of a hit from its label")] = TOLERANCE_M,
    tta: Annotated[bool, typer.Option("--tta", help="mean over the eight symmetries of the square")] = False,
    look: Annotated[bool, typer.Option(help="judge candidates in the image too, as a run does")] = True,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="draw false alarms and misses; not for sharing where the imagery is not")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="torch threads")] = None,
    without: Annotated[list[str] | None, typer.Option(help="leave out this field; may be repeated")] = None,
) -> None:
    """Score a model, or any tool's detections, on scenes with labelled craters."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    try:
        scenes = tuple(scene for scene in read_scenes(data) if scene.field not in (without or ()))
        if detections is not None:
            found, own_threshold = read_detections(detections), 0.5
        else:
            found, own_threshold = detect(scenes, model, config, tta=tta, look=look)
    except CvPipelineError as error:
        console.print(f"[red]error:[/red] {error}")
        raise typer.Exit(2) from error
    chosen = own_threshold if threshold is None else threshold
    matches = [match_labelled(scene, found.get(scene.field), tolerance_m) for scene in scenes]
    named = zip(scenes, matches, strict=True)
    scores = [score_matches(f"field {scene.field}", [match], chosen) for scene, match in named]
    scores.append(score_pooled(matches, chosen))
    out.mkdir(parents=True, exist_ok=True)
    write_detections(out / "detections.csv", found)
    what = {"model": model, "tta": tta, "look": look} if detections is None else {"detections": str(detections)}
    document = {"note": HEADER, **what, "threshold": chosen, "tolerance_m": tolerance_m, "without": without or []}
    document["scores"] = [_as_json(score) for score in scores]
    (out / "evaluation.json").write_text(json.dumps(document, indent=1) + "\n")
    _print(scores, chosen)
    if pictures:
        draw_errors(scenes, found, tolerance_m, chosen, out)
    console.print(f"written: {out / 'evaluation.json'}, {out / 'detections.csv'}")


def _as_json(score: Score) -> dict[str, object]:
    values = asdict(score)
    for name in ("best", "default", "ap_interval", "default_f1_interval"):
        value = getattr(score, name)
        values[name] = None if value is None else value._asdict()
    return values


def _print(scores: list[Score], threshold: float) -> None:
    table = Table(title=HEADER, title_justify="left")
    heads = ("scene", "labels", "det.", "AP", "best F1", "at", f"P @{threshold:.2f}", "R", "F1", "median m")
    for head in heads:
        table.add_column(head, justify="left" if head == "scene" else "right")
    for score in scores:
        best = ("-", "-") if score.best is None else (f"{score.best.f1:.3f}", f"{score.best.threshold:.2f}")
        own = ("-",) * 3 if score.default is None else tuple(f"{value:.3f}" for value in score.default[1:])
        distance = "-" if score.median_distance_m is None else f"{score.median_distance_m:.2f}"
        counts = (str(score.labels), str(score.detections), f"{score.ap:.3f}")
        table.add_row(score.name, *counts, *best, *own, distance, end_section=score is scores[-2])
    wide = Console(width=max(Console().width, 110))
    wide.print(table)
    for name, interval in (("AP", scores[-1].ap_interval), ("F1", scores[-1].default_f1_interval)):
        if interval is not None:
            wide.print(f"pooled {name}: 95 % interval over scenes {interval.low:.3f} to {interval.high:.3f}")


if __name__ == "__main__":
    typer.run(main)
