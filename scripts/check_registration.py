"""How well pairs align, and what the gate says of them.

python scripts/check_registration.py real --before DIR --after DIR
python scripts/check_registration.py simulated --data ../shared/data
python scripts/check_registration.py simulated --scores FILE --seed 7000   # again until done; other seeds add to it
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError, PairError
from cv_pipeline.evaluation.planted_pairs import QUOTED_ON, TUNED_ON, Misfit, PlaceSet, draw_pair
from cv_pipeline.evaluation.registration_scores import (
    Score,
    append_score,
    read_scores,
    score,
    score_unrelated,
    summary_lines,
)
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
    scores: Annotated[
        Path | None, typer.Option(help="JSON lines that are added to; pairs in it are not done again, all are counted")
    ] = None,
) -> None:
    """Plant shifts to 64 px, +-5 degrees and +-5 % between two simulated dates of real ground, and count errors.

    With ``--scores`` an interrupted run goes on where it was, and runs of several seeds (of one kind) are pooled.
    """
    names = QUOTED_ON if places == "quoted" else TUNED_ON
    misfit = Misfit(relief_px=relief_px)
    found = read_scores(scores) if scores is not None and scores.exists() else []
    done = {each.name for each in found}

    def keep(new: Score) -> None:
        found.append(new)
        _say(new)
        if scores is not None:
            append_score(scores, new)

    try:
        for number in range(pairs):
            alone, mixed = f"{seed}/{number} {_place(names, number)}", f"{seed}/{number - 1} before, {number} after"
            pair = None
            if alone not in done:
                pair = draw_pair(data, _place(names, number), (seed, number), side_px, misfit)
                keep(score(alone, pair))
            if 1 <= number <= unrelated and mixed not in done:
                pair = pair or draw_pair(data, _place(names, number), (seed, number), side_px, misfit)
                earlier = draw_pair(data, _place(names, number - 1), (seed, number - 1), side_px, misfit)
                keep(score_unrelated(mixed, earlier, pair))
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    for line in summary_lines(found):
        typer.echo(line)


def _place(names: tuple[PlaceSet, ...], number: int) -> PlaceSet:
    return names[number % len(names)]


def _say(found: Score) -> None:
    error = "unrelated" if found.unrelated else f"error {found.median_px:.2f} (to {found.greatest_px:.2f}) px"
    bent = ", bent" if found.bent else ""
    typer.echo(f"{found.name}: {error}, SD {found.sd_px:.2f}, {found.gate.value}{bent}: {found.reason}")


if __name__ == "__main__":
    app()
