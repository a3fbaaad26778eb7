"""Score a model, or any tool's detections, on any data set.

python scripts/evaluate.py --model small --data ../shared/data/arcade_dev --out evaluation
python scripts/evaluate.py --model small --data runs/strikebench/small --split judge --out evaluation
python scripts/evaluate.py --detections other_tool.csv --data runs/strikebench/small --split judge --out evaluation
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from cv_pipeline.commands.options import errors_to_exit_code
from cv_pipeline.datasets.formats import open_dataset
from cv_pipeline.datasets.scene import CRATER, DataScene, RasterBand
from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.asked import Asked, ask, errors_of
from cv_pipeline.evaluation.found import NOTHING, Found, read_found
from cv_pipeline.evaluation.labelled import Score, score_matches, score_pooled
from cv_pipeline.evaluation.objects import TOLERANCE_M
from cv_pipeline.evaluation.results import breakdown_table, detail_lines, headline_table, write_results
from cv_pipeline.evaluation.scorecard import scorecard
from cv_pipeline.evaluation.scored import ScoredScene, score_scene, stated_classes

LOW_THRESHOLD = 0.005  # AP needs the tail of the curve, far below a useful threshold
SHOWN = 25

console = Console(stderr=True)


class Detected:
    """What was found, and from which score on it counts as reported."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.found: dict[str, Found] = {}
        self.masks: dict[str, dict[str, RasterBand]] = {}
        self.registration_px: dict[str, float | None] = {}


def detect_centres(scenes: Sequence[DataScene], name: str, config: Path | None, *, tta: bool, look: bool) -> Detected:
    """Crater centres in single images, without their patterns: a fraction of a whole run's time."""
    from cv_pipeline.evaluation.detector import detect_craters
    from cv_pipeline.evaluation.subject import load_subject
    from cv_pipeline.imagery.source import open_source
    from cv_pipeline.segmentation.backend import Backend, TorchBackend
    from cv_pipeline.segmentation.symmetry import Symmetric

    net, model, weights = load_subject(name, config)
    backend: Backend = TorchBackend(net, model, "auto")
    if tta:
        backend = Symmetric(backend)
    detected = Detected(model.score_threshold)
    for scene in track(scenes, "detecting", console=console):
        found = detect_craters(
            scene.after,
            scene.gsd_m or open_source(scene.after).grid.gsd_m,
            backend,
            model.info(),
            score_threshold=LOW_THRESHOLD,
            look=weights if look else None,
        )
        detected.found[scene.name] = Found(found.points_px[:, ::-1], found.score)
    return detected


def run_whole(scenes: Sequence[DataScene], model: str, work: Path, *, tta: bool, threads: int | None) -> Detected:
    """What a whole run finds: outlines, patterns, directions, distances, masks and the registration."""
    from cv_pipeline.config import AssessConfig
    from cv_pipeline.evaluation.modelled import run_model
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    detected = Detected(read_model_file(find_model(model)).score_threshold)
    config = AssessConfig(model=model, tta=tta, threads=threads)
    for scene, result in track(run_model(scenes, config, work), "assessing", total=len(scenes), console=console):
        detected.found[scene.name], detected.masks[scene.name] = result.found, dict(result.masks)
        detected.registration_px[scene.name] = result.registration_error_px
    return detected


def draw_errors(
    asked: Sequence[Asked], found: dict[str, Found], tolerance_m: float, threshold: float, out: Path
) -> None:
    """Pictures of each scene's highest-scored false alarms and of misses, evenly picked from its list of labels."""
    from cv_pipeline.evaluation.montage import Spot, chips, write_montage
    from cv_pipeline.imagery.source import has_crs, open_source

    for one in asked:
        scene = one.scene
        wrong = errors_of(one, found.get(scene.name, NOTHING), tolerance_m, threshold)
        source = open_source(scene.after, gsd_m=None if has_crs(scene.after) else scene.gsd_m)
        false = list(zip(wrong.false_px[:SHOWN], wrong.false_score[:SHOWN], strict=True))
        spots = [Spot(row, col, f"{n + 1}: {score:.2f}") for n, ((row, col), score) in enumerate(false)]
        write_montage(out / f"{scene.name}_false.png", chips(source, spots))
        every = max(-(-len(wrong.missed_px) // SHOWN), 1)
        missed = [Spot(row, col, f"{n + 1}") for n, (row, col) in enumerate(wrong.missed_px[::every])]
        write_montage(out / f"{scene.name}_missed.png", chips(source, missed))


def main(
    *,
    out: Annotated[Path, typer.Option(help="folder for evaluation.json, detections.csv and pictures of curves")],
    model: Annotated[
        str, typer.Option(help="name of a shipped model, a model folder, or a training run's *.ckpt")
    ] = "small",
    config: Annotated[Path | None, typer.Option(help="train.yaml of a checkpoint's run")] = None,
    data: Annotated[Path, typer.Option(help="folder of a data set, see datasets/README.md")] = Path(
        "../shared/data/arcade_dev"
    ),
    layout: Annotated[str | None, typer.Option("--format", help="its format, where it is not recognised")] = None,
    split: Annotated[str | None, typer.Option(help="only scenes of this split")] = None,
    kind: Annotated[str, typer.Option(help="which labelled objects are asked for")] = CRATER,
    detections: Annotated[Path | None, typer.Option(help="score this CSV or GeoJSON file instead of a model")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="operating point; default: the model's own, 0.5 for a file")
    ] = None,
    tolerance_m: Annotated[float, typer.Option(help="greatest distance of a hit from its label")] = TOLERANCE_M,
    tta: Annotated[bool, typer.Option("--tta", help="mean over the eight symmetries of the square")] = False,
    look: Annotated[bool, typer.Option(help="single images: judge candidates in the image too, as a run does")] = True,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="draw false alarms and misses; not for sharing where the imagery is not")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="torch threads")] = None,
    without: Annotated[list[str] | None, typer.Option(help="leave out this scene; may be repeated")] = None,
    brief: Annotated[
        Path | None, typer.Option("--json", help="scene by scene and pooled alone, as model cards show it")
    ] = None,
) -> None:
    """Score a model, or any tool's detections, on a data set."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    with errors_to_exit_code():
        dataset = open_dataset(data, layout)
        wanted = [s for s in dataset.scenes() if split in (None, s.split) and s.name not in (without or ())]
        if not wanted:
            raise ConfigError(f"{data}: no scenes are left to score; check --split and --without")
        if detections is not None:
            detected = Detected(0.5)
            found = read_found(detections, list(dataset.scenes()))
            detected.found = {scene.name: found[scene.name] for scene in wanted if scene.name in found}
        elif any(scene.before is not None for scene in wanted):
            detected = run_whole(wanted, model, out / "masks", tta=tta, threads=threads)
        else:
            detected = detect_centres(wanted, model, config, tta=tta, look=look)
        chosen = detected.threshold if threshold is None else threshold
        asked, classes = [ask(scene, kind) for scene in wanted], stated_classes(detected.found.values())
        scored = [
            score_scene(
                one,
                detected.found.get(one.scene.name, NOTHING),
                chosen,
                tolerance_m=tolerance_m,
                classes=classes,
                masks=detected.masks.get(one.scene.name),
                registration_error_px=detected.registration_px.get(one.scene.name),
            )
            for one in asked
        ]
        card = scorecard(scored, chosen)
        title = _title(data, wanted, simulated=dataset.is_simulated)
        what: dict[str, Any] = {"note": title, "data": str(data), "split": split, "tolerance_m": tolerance_m}
        what |= {"detections": str(detections)} if detections else {"model": model, "tta": tta, "look": look}
        document = {**what, "without": without or [], **card, "scores": _scores(scored, chosen)}
        write_results(out, document, scored, detected.found)
        if brief is not None:
            kept = ("note", "detections", "model", "without", "scenes", "threshold", "scores")
            text = json.dumps({name: document[name] for name in kept if name in document}, indent=1)
            brief.parent.mkdir(parents=True, exist_ok=True)
            brief.write_text(text + "\n", encoding="utf-8")
        if pictures:
            draw_errors(asked, detected.found, tolerance_m, chosen, out)
    wide = Console(width=max(Console().width, 140))
    wide.print(headline_table(card, title))
    wide.print(breakdown_table(card))
    for line in detail_lines(card):
        wide.print(f"  {line}", highlight=False)
    console.print(f"written: {out}")


def _scores(scored: Sequence[ScoredScene], threshold: float) -> list[dict[str, Any]]:
    """Centres scene by scene, and all together in the last row, as the cards of models show them."""
    scores = [score_matches(scene.name, [scene.centres], threshold) for scene in scored]
    return [_as_json(score) for score in (*scores, score_pooled([scene.centres for scene in scored], threshold))]


def _as_json(score: Score) -> dict[str, Any]:
    values = asdict(score)
    for name in ("best", "default", "ap_interval", "default_f1_interval"):
        value = getattr(score, name)
        values[name] = None if value is None else value._asdict()
    return values


def _title(data: Path, scenes: Sequence[DataScene], *, simulated: bool) -> str:
    if simulated:
        return f"{data}: SIMULATED scenes; for comparing detectors, not evidence of how they do on real craters."
    if all(scene.is_complete for scene in scenes):
        return f"{data}: real scenes."
    return (
        f"{data}: real scenes. Labels are incomplete, so precision (and with it AP and F1) is a lower bound. "
        "A development score: nothing may be trained on or tuned to such scenes."
    )


if __name__ == "__main__":
    typer.run(main)
