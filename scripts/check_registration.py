"""How well pairs align, and what the gate says of them.

python scripts/check_registration.py real --before DIR --after DIR
python scripts/check_registration.py simulated --data ../shared/data
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError, PairError
from cv_pipeline.evaluation.planted_pairs import QUOTED_ON, TUNED_ON, Misfit, draw_pair
from cv_pipeline.evaluation.registration_scores import Score, score, score_unrelated, summary_lines
from cv_pipeline.imagery.grid import overlap_share
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.registration.register import register
from cv_pipeline.types import ScenePair

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


def _pair(before: Path, after: Path) -> ScenePair | None:
    try:
        return open_pair(before, after, AssessConfig())
    except PairError:
        return None  # apart on the ground: nothing to register


@app.command()
def real(
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
                common = overlap_share(pair.after.grid, pair.before.grid)
                if common < min_share:
                    continue
                found = register(pair, gsd).registration
                assert found is not None
                typer.echo(
                    f"{early.name} {late.name} share {common:.2f}: {found.gate.value}, residual "
                    f"{found.residual_px:.2f} px ({found.residual_m:.2f} m), SD {found.sd_m:.2f} m, {found.reason}"
                )
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


@app.command()
def simulated(
    data: Annotated[Path, typer.Option(help="folder with ucmerced/ and joplin/")] = Path("../shared/data"),
    places: Annotated[Literal["quoted", "tuned"], typer.Option(help="places limits were tuned on, or not")] = "quoted",
    pairs: Annotated[int, typer.Option(min=1, help="how many pairs")] = 36,
    unrelated: Annotated[int, typer.Option(min=0, help="how many pairs of two places")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="seed of the pairs")] = 5000,
    side_px: Annotated[int, typer.Option(min=256, help="side of an image")] = 768,
    relief_px: Annotated[float, typer.Option(min=0, help="amplitude of smooth relief on top")] = 0.0,
) -> None:
    """Plant shifts to 64 px, +-5 degrees and +-5 % between two simulated dates of real ground, and count errors."""
    names = QUOTED_ON if places == "quoted" else TUNED_ON
    misfit = Misfit(relief_px=relief_px)
    scores: list[Score] = []
    earlier = None
    try:
        for number in range(pairs):
            name = names[number % len(names)]
            pair = draw_pair(data, name, (seed, number), side_px, misfit)
            scores.append(score(f"{number} {name}", pair))
            _say(scores[-1])
            if earlier is not None and number <= unrelated:
                scores.append(score_unrelated(f"{number - 1} before, {number} after", earlier, pair))
                _say(scores[-1])
            earlier = pair
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    for line in summary_lines(scores):
        typer.echo(line)


def _say(found: Score) -> None:
    error = "unrelated" if found.unrelated else f"error {found.median_px:.2f} (to {found.greatest_px:.2f}) px"
    bent = ", bent" if found.bent else ""
    typer.echo(f"{found.name}: {error}, SD {found.sd_px:.2f}, {found.gate.value}{bent}: {found.reason}")


if __name__ == "__main__":
    app()
