"""Draw the pictures of docs/gallery.md: python scripts/build_gallery.py --data ../shared/data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import cv2
import typer

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.simulation import gallery
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.types import UInt8Array

PAIR_SEEDS = (30, 39, 67, 22, 53)
SCENE_SEEDS = (19, 2)


def pictures(backgrounds: Backgrounds) -> dict[str, Callable[[], UInt8Array]]:
    """What is drawn, by file stem."""
    drawn: dict[str, Callable[[], UInt8Array]] = {
        "families": lambda: gallery.families(3),
        "materials": lambda: gallery.materials(5),
        "salvos": lambda: gallery.salvos(2),
        "ageing": lambda: gallery.ageing(4),
        "lookalikes": lambda: gallery.lookalikes(6),
        "acquisitions": lambda: gallery.acquisitions(backgrounds, 9),
        "pairs": lambda: gallery.pairs(backgrounds, PAIR_SEEDS),
    }
    for number, seed in enumerate(SCENE_SEEDS, start=1):
        drawn[f"scene_{number}"] = lambda seed=seed: gallery.scene(backgrounds, seed)  # type: ignore[misc]
    return drawn


def main(
    data: Annotated[Path, typer.Option(help="folder that holds ucmerced/ and kampala/")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option(help="folder of the pictures")] = Path("docs/gallery"),
    only: Annotated[str | None, typer.Option(help="draw this picture alone")] = None,
    quality: Annotated[int, typer.Option(min=50, max=100, help="JPEG quality")] = 85,
) -> None:
    """Draw every picture anew."""
    cv2.setNumThreads(1)
    try:
        drawn = pictures(Backgrounds(list_tiles(data, "train")))
    except CvPipelineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    out.mkdir(parents=True, exist_ok=True)
    for name, draw in drawn.items():
        if only in (None, name):
            path = out / f"{name}.jpg"
            cv2.imwrite(str(path), draw()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
            typer.echo(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    typer.run(main)
