"""Write the figures of a model's card anew from the files that were measured: metrics.json and figures/*.json.

python scripts/write_card.py --model small                                      # `make figures` measures first
python scripts/write_card.py --model small README.md docs/false_alarms.md       # what quotes the card as well
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.card_blocks import fill_card
from cv_pipeline.segmentation.zoo import find_model


def main(
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")],
    also: Annotated[list[Path] | None, typer.Argument(help="other texts with blocks of this model's figures")] = None,
) -> None:
    """Replace what stands in each block of the card and of other texts."""
    try:
        folder = find_model(model)
        for text in (folder / "README.md", *(also or ())):
            text.write_text(fill_card(text.read_text(encoding="utf-8"), folder), encoding="utf-8")
            typer.echo(f"written: {text}")
    except (CvPipelineError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
