"""How well pairs align, and what the gate says of them.

python scripts/check_registration.py real --before DIR --after DIR
python scripts/check_registration.py simulated --data ../shared/data
python scripts/check_registration.py simulated --scores FILE --seed 7000   # again until done; other seeds add to it
python scripts/check_registration.py hard --scores FILE --seed 3000        # pairs that go wrong, to judge the gate by
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError, PairError
from cv_pipeline.evaluation.hard_pairs import LAST_CAUSE, MIRRORED, draw_hard_pairs
from cv_pipeline.evaluation.planted_pairs import QUOTED_ON, TUNED_ON, Misfit, PlaceSet, draw_pair
from cv_pipeline.evaluation.registration_scores import (
    Score,
    append_score,
    read_scores,
    score,
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
    kept = _Kept(scores)
    try:
        for number in range(pairs):
            alone, mixed = f"{seed}/{number} {_place(names, number)}", f"{seed}/{number - 1} before, {number} after"
            pair = None
            if alone not in kept.names:
                pair = draw_pair(data, _place(names, number), (seed, number), side_px, misfit)
                kept.add(score(alone, "usual", pair))
            if 1 <= number <= unrelated and mixed not in kept.names:
                pair = pair or draw_pair(data, _place(names, number), (seed, number), side_px, misfit)
                earlier = draw_pair(data, _place(names, number - 1), (seed, number - 1), side_px, misfit)
                mixture = pair._replace(before=earlier.before, before_valid=earlier.before_valid)
                kept.add(score(mixed, "two places", mixture, unrelated=True))
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    kept.summarise()


@app.command()
def hard(
    data: Annotated[Path, typer.Option(help="folder with ucmerced/ and joplin/")] = Path("../shared/data"),
    places: Annotated[Literal["quoted", "tuned"], typer.Option(help="places limits were tuned on, or not")] = "quoted",
    grounds: Annotated[int, typer.Option(min=1, help="how many grounds, each with a pair of every cause")] = 20,
    seed: Annotated[
        int, typer.Option(min=0, help="seed of the pairs; limits were chosen on 1000, quoted on 3000")
    ] = 3000,
    side_px: Annotated[int, typer.Option(min=320, help="side of an image")] = 384,
    scores: Annotated[
        Path | None, typer.Option(help="JSON lines that are added to; pairs in it are not done again, all are counted")
    ] = None,
) -> None:
    """Spoil pairs of simulated dates until many come out wrong, and count what the gate lets through, by cause.

    Change, little overlap, wrong georeference, repeats, season, noise, blur, cloud, relief, leaning roofs, JPEG blocks,
    marks on both images, neighbouring ground. About 20 s of CPU time a ground. With ``--scores`` as in ``simulated``.
    """
    names = tuple(n for n in (QUOTED_ON if places == "quoted" else TUNED_ON) if n not in MIRRORED)
    kept = _Kept(scores)
    try:
        for number in range(grounds):
            ground = f"{seed}/{number} {_place(names, number)}"
            if f"{ground}, {LAST_CAUSE}" in kept.names:
                continue
            for each in draw_hard_pairs(data, _place(names, number), (seed, number), side_px):
                name = f"{ground}, {each.cause}"
                if name not in kept.names:
                    kept.add(score(name, each.cause, each.pair, unrelated=each.unrelated))
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    kept.summarise()


class _Kept:
    """Scores of this run and of those before it, told and written as they come."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._scores = read_scores(path) if path is not None and path.exists() else []
        self.names = {each.name for each in self._scores}

    def add(self, new: Score) -> None:
        self._scores.append(new)
        error = "unrelated" if new.unrelated else f"error {new.median_px:.2f} (to {new.greatest_px:.2f}) px"
        bent = ", bent" if new.bent else ""
        typer.echo(f"{new.name}: {error}, SD {new.evidence.sd_px:.2f}, {new.gate.value}{bent}: {new.reason}")
        if self._path is not None:
            append_score(self._path, new)

    def summarise(self) -> None:
        for line in summary_lines(self._scores):
            typer.echo(line)


def _place(names: tuple[PlaceSet, ...], number: int) -> PlaceSet:
    return names[number % len(names)]


if __name__ == "__main__":
    app()
