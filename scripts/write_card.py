"""Write the figures of a model's card anew from the files that were measured: metrics.json and figures/*.json.

python scripts/write_card.py --model small            # `make figures` measures first
"""

from __future__ import annotations

from typing import Annotated

import typer

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.card_blocks import fill_card
from cv_pipeline.segmentation.zoo import find_model


def main(
    model: Annotated[list[str], typer.Option(help="name of a shipped model or a model folder; may be repeated")],
) -> None:
    """Replace what stands in each block of the card."""
    for name in model:
        try:
            folder = find_model(name)
            card = folder / "README.md"
            card.write_text(fill_card(card.read_text(encoding="utf-8"), folder), encoding="utf-8")
        except CvPipelineError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from error
        typer.echo(f"written: {card}")


if __name__ == "__main__":
    typer.run(main)
