"""How many simulated craters a person finds, beside a model: sheets in blind order to look at, then the count.

python scripts/check_by_eye.py sheets --out by_eye    # look at by_eye/*.png, note the numbers that show a crater
python scripts/check_by_eye.py count --answers docs/by_eye.yaml --model small --out by_eye.json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table

from cv_pipeline.commands.options import errors_to_exit_code

app = typer.Typer(help="Simulated craters as a person sees them.", no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(stderr=True)
SCENES = 96
DataOption = Annotated[Path, typer.Option("--backgrounds", help="folder with ucmerced/")]
CacheOption = Annotated[Path, typer.Option(help="where rendered scenes are kept")]
DATA, CACHE = Path("../shared/data"), Path("runs/heldout")


class Answers(BaseModel):
    """What a person saw on sheets of a seed: the numbers of the places that show a crater in their middle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: str
    seed: int = Field(ge=0)
    per_class: int = Field(ge=1)
    crater: list[int]


@app.command("sheets")
def draw(
    out: Annotated[Path, typer.Option(help="folder for the sheets")],
    seed: Annotated[int, typer.Option(min=0)] = 1,
    per_class: Annotated[int, typer.Option(min=1, help="craters of each class; as many places without any")] = 16,
    backgrounds: DataOption = DATA,
    cache: CacheOption = CACHE,
) -> None:
    """Draw the sheets: before and after of each place; which of them hold a crater is not said."""
    import cv2

    from cv_pipeline.evaluation.by_eye import draw_places, sheets
    from cv_pipeline.evaluation.scenes import Half, held_out_scenes

    with errors_to_exit_code():
        scenes = list(held_out_scenes(backgrounds, Half.JUDGE, SCENES, 0.6, cache))
        out.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(sheets(scenes, draw_places(scenes, per_class, seed)), start=1):
            cv2.imwrite(str(out / f"sheet_{number}.png"), picture)
        console.print(f"written: {number} sheets in {out}", highlight=False)


@app.command()
def count(
    answers: Annotated[Path, typer.Option(help="YAML: who, seed, per_class, crater")],
    out: Annotated[Path, typer.Option(help="JSON file to write")],
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
    backgrounds: DataOption = DATA,
    cache: CacheOption = CACHE,
) -> None:
    """Count what the person and the model, at its own threshold and with the before image, found."""
    import torch

    from cv_pipeline.evaluation.by_eye import draw_places, reported, tally
    from cv_pipeline.evaluation.heldout import find_craters, predict
    from cv_pipeline.evaluation.scenes import Half, held_out_scenes
    from cv_pipeline.evaluation.subject import load_subject
    from cv_pipeline.segmentation.backend import TorchBackend
    from cv_pipeline.settings_file import read_settings

    torch.set_num_threads(1)
    with errors_to_exit_code():
        said = read_settings(answers, Answers, "valid answers", "see docs/by_eye.yaml")
        subject = load_subject(model)
        used = subject.model
        scenes = list(held_out_scenes(backgrounds, Half.JUDGE, SCENES, used.working_gsd_m, cache))
        places = draw_places(scenes, said.per_class, said.seed)
        found = [
            find_craters(scene, values, used.info(), paired=True, threshold=used.score_threshold)
            for scene, values in predict(scenes, TorchBackend(subject.net, used), paired=True)
        ]
        detector = [
            reported(p, found[p.scene].at_px, found[p.scene].score, used.score_threshold, used.working_gsd_m)
            for p in places
        ]
        rows = tally(places, [number in said.crater for number in range(len(places))], detector)
    document = {"who": said.who, "model": model, "threshold": used.score_threshold, "rows": [r._asdict() for r in rows]}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    table = Table("conspicuity, SDs", "places", "person says crater", f"{model} says crater")
    for row in rows:
        table.add_row(row.name, *map(str, row[1:]))
    console.print(table)


if __name__ == "__main__":
    app()
