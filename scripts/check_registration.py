"""How well real pairs align: python scripts/check_registration.py --before DIR --after DIR."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError, PairError
from cv_pipeline.imagery.grid import overlap_share
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.registration.register import register
from cv_pipeline.types import ScenePair


def _pair(before: Path, after: Path) -> ScenePair | None:
    try:
        return open_pair(before, after, AssessConfig())
    except PairError:
        return None  # apart on the ground: nothing to register


def main(
    before: Annotated[Path, typer.Option(help="folder of GeoTIFFs before")],
    after: Annotated[Path, typer.Option(help="folder of GeoTIFFs after")],
    min_share: Annotated[float, typer.Option(help="least share of the after image that a pair must have")] = 0.08,
    gsd: Annotated[float, typer.Option(help="working metres per pixel")] = 0.6,
) -> None:
    """Register every overlapping pair of two folders and print the verdicts."""
    try:
        for late in sorted(after.glob("*.tif")):
            for early in sorted(before.glob("*.tif")):
                pair = _pair(early, late)
                if pair is None or pair.before is None:
                    continue
                share = overlap_share(pair.after.grid, pair.before.grid)
                if share < min_share:
                    continue
                found = register(pair, gsd).registration
                assert found is not None
                typer.echo(
                    f"{early.name} {late.name} share {share:.2f}: {found.gate.value}, residual "
                    f"{found.residual_px:.2f} px ({found.residual_m:.2f} m), {found.reason}"
                )
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
