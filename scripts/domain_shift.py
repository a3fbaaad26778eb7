"""What one's own labels buy under a simulated domain shift: python scripts/domain_shift.py --out runs/domain_shift.

A finished model meets grainy film scans (docs/tutorials/film.yaml), is fine-tuned on a few labelled ones as
docs/tutorials/own_labels.md shows, and is scored on others, and on ordinary scenes to see what it forgot.
All simulated. The same command goes on where it was stopped: trainings are kept by the hash of the base weights and the
number of steps. All of it takes some 7 minutes on two free cores, a training of 100 steps one of them with the encoder
frozen and two without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated, NamedTuple

import typer

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.objects import SceneMatches
from cv_pipeline.simulation.config import SimulationConfig

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "docs" / "tutorials" / "film.yaml"
BACKGROUNDS = ROOT / "datasets" / "strikebench" / "backgrounds"
SIZE_PX, GSD_M = 384, 0.6
BLOCK = "domain-shift"


@dataclass(frozen=True, slots=True)
class Case:
    """One way to fine-tune: on how many labelled scenes, and whether the encoder stays as it is."""

    scenes: int
    freeze_encoder: bool


CASES = (Case(3, True), Case(3, False), Case(10, True), Case(10, False))


class Found(NamedTuple):
    """What a model found in the judged scenes of both kinds."""

    what: str
    labels: int
    film: Sequence[SceneMatches]
    ordinary: Sequence[SceneMatches]


def render(out: Path, scenes: int, seed: int, config: SimulationConfig) -> list[Path]:
    """Folders of simulated scenes, each with ``labels.geojson`` of what a person could see in the after image."""
    import geopandas as gpd

    from cv_pipeline.simulation.dataset import DatasetSettings, simulate_dataset

    settings = DatasetSettings(BACKGROUNDS, scenes, seed, SIZE_PX, GSD_M, "validate", None, config)
    simulate_dataset(settings, out, overwrite=True)
    folders = sorted(path for path in out.iterdir() if path.is_dir())
    for folder in folders:
        truth = gpd.read_file(folder / "truth.geojson")
        seen = truth[truth["visible"].astype(bool)]
        seen[["crater_radius_m", "geometry"]].to_file(folder / "labels.geojson", driver="GeoJSON")
    return folders


def label_count(folder: Path) -> int:
    """How many craters are labelled in a scene."""
    import geopandas as gpd

    return len(gpd.read_file(folder / "labels.geojson"))


def judge(model: str, folders: Sequence[Path]) -> list[SceneMatches]:
    """What a model finds in after images, by the network's maps alone, matched to the labels within 5 m."""
    import numpy as np

    from cv_pipeline.datasets.own import SceneFiles
    from cv_pipeline.evaluation.detector import detect_craters
    from cv_pipeline.evaluation.objects import match_scene
    from cv_pipeline.evaluation.subject import load_subject
    from cv_pipeline.segmentation.backend import TorchBackend
    from cv_pipeline.training.finetune import open_place

    net, model_file, _ = load_subject(model)
    backend, found = TorchBackend(net, model_file, "auto"), []
    for folder in folders:
        files = SceneFiles(after=folder / "after.tif", labels=folder / "labels.geojson")
        place = open_place(files, model_file.info())
        labels_m = np.array([(one.col_px, one.row_px) for one in place.labels]).reshape(-1, 2) * GSD_M
        got = detect_craters(files.after, GSD_M, backend, model_file.info(), score_threshold=0.005)
        found.append(match_scene(labels_m, got.points_px * GSD_M, got.score))
    return found


def fine_tuned(case: Case, folders: Sequence[Path], base: str, steps: int, out: Path, threads: int) -> str:
    """Fine-tune on the first scenes of ``folders``, or go on in ``out``, and return the model folder.

    Raises:
        CvPipelineError: the training was told to stop before its last step.
    """
    from cv_pipeline.datasets.own import SceneFiles
    from cv_pipeline.training.finetune import finetune
    from cv_pipeline.training.finetune_config import FinetuneConfig
    from cv_pipeline.training.finetune_export import export_finetuned
    from cv_pipeline.training.loaders import default_workers
    from cv_pipeline.training.run import Machine

    config = FinetuneConfig(
        name=out.name,
        model=base,
        scenes=[SceneFiles(after=f / "after.tif", labels=f / "labels.geojson") for f in folders[: case.scenes]],
        freeze_encoder=case.freeze_encoder,
        after_only_share=1.0,
        steps=steps,
        validation_every=steps,
        checkpoint_every=steps,
    )
    result = finetune(config, out / "run", Machine(workers=default_workers(threads, uses=1), accelerator="cpu"))
    if result.module.steps_done < steps:
        raise CvPipelineError(f"stopped at step {result.module.steps_done} of {steps}; the same command goes on")
    export_finetuned(result, config, out / "model")
    return str(out / "model")


def average_precision(scenes: Sequence[SceneMatches]) -> float:
    """AP of scenes together."""
    from cv_pipeline.evaluation import objects

    return objects.average_precision(objects.precision_recall(scenes))


def gain_text(base: Sequence[SceneMatches], tuned: Sequence[SceneMatches]) -> str:
    """The difference of two models' AP on the same scenes, with its 95 % interval over scenes."""
    from cv_pipeline.evaluation.objects import bootstrap_scenes

    def gain(drawn: Sequence[tuple[SceneMatches, SceneMatches]]) -> float:
        return average_precision([pair[1] for pair in drawn]) - average_precision([pair[0] for pair in drawn])

    pairs = list(zip(base, tuned, strict=True))
    interval = bootstrap_scenes(pairs, gain)
    assert interval is not None
    return f"{gain(pairs):+.2f} ({interval.low:+.2f} to {interval.high:+.2f})"


def table(rows: Sequence[Found], steps: int, weights: str) -> str:
    """The result as Markdown; the first row is the base model."""
    base = rows[0]
    asked = sum(scene.labels for scene in base.film)
    lines = [
        f"Simulated scenes; base model with weights `{weights}`, {steps} steps each; AP over {len(base.film)} other "
        f"film scans ({asked} craters) and {len(base.ordinary)} ordinary scenes, after image alone; gains with 95 % "
        "intervals over scenes.",
        "",
        "| trained | labels | AP, film | gain | AP, ordinary | gain |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        gains = ("", "") if row is base else (gain_text(base.film, row.film), gain_text(base.ordinary, row.ordinary))
        cells = (
            row.what, str(row.labels), f"{average_precision(row.film):.2f}", gains[0],
            f"{average_precision(row.ordinary):.2f}", gains[1],
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(
    out: Annotated[Path, typer.Option(help="folder for scenes, runs and table.md")],
    model: Annotated[str, typer.Option(help="the model to start from")] = "small",
    steps: Annotated[int, typer.Option(min=1, help="steps of each fine-tuning")] = 100,
    scenes: Annotated[int, typer.Option(min=2, help="judged scenes of each kind")] = 12,
    into: Annotated[Path | None, typer.Option(help="Markdown page whose table is written anew")] = None,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
) -> None:
    """Fine-tune in four ways and print what each gained."""
    import torch

    from cv_pipeline.evaluation.marked import check_block, put_block
    from cv_pipeline.segmentation.zoo import find_model, read_model_file
    from cv_pipeline.simulation.dataset import read_simulation_config

    torch.set_num_threads(threads)
    try:
        if into is not None:
            check_block(into, BLOCK)
        film = read_simulation_config(SETTINGS)
        plain = film.model_copy(update={"sensor": SimulationConfig().sensor})
        own = render(out / "own", max(case.scenes for case in CASES), 1, film)
        judged = (render(out / "film", scenes, 2, film), render(out / "ordinary", scenes, 2, plain))
        weights = read_model_file(find_model(model)).weights_sha256[:12]
        rows = [Found("not at all", 0, *(judge(model, folders) for folders in judged))]
        for case in CASES:
            begun = monotonic()
            what = "behind the encoder" if case.freeze_encoder else "all"
            frozen = "frozen" if case.freeze_encoder else "whole"
            folder = out / f"{weights}_{steps}_steps" / f"{case.scenes}_scenes_{frozen}"
            tuned = fine_tuned(case, own, model, steps, folder, threads)
            labels = sum(label_count(path) for path in own[: case.scenes])
            rows.append(Found(what, labels, *(judge(tuned, folders) for folders in judged)))
            found = f"AP on film {average_precision(rows[-1].film):.2f}"
            typer.echo(f"{what}, {labels} labels: {found} ({monotonic() - begun:.0f} s)", err=True)
        text = table(rows, steps, weights)
        (out / "table.md").write_text(text + "\n", encoding="utf-8")
        if into is not None:
            put_block(into, BLOCK, text)
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
