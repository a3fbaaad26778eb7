"""``cv-pipeline accuracy``: statistics without imagery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cv_pipeline.commands.options import (
    CeOption,
    JsonOption,
    OutOption,
    OverwriteOption,
    SeedOption,
    errors_to_exit_code,
    read_config,
)
from cv_pipeline.errors import ConfigError

if TYPE_CHECKING:
    from cv_pipeline.accuracy import AccuracyResult


def accuracy(
    out: OutOption,
    points: Annotated[
        Path | None, typer.Option("--points", help="CSV or vector file of impacts, or of published distances")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--from", help="folder of a finished 'assess' run, instead of --points")
    ] = None,
    hypotheses: Annotated[
        Path | None,
        typer.Option("--hypotheses", help="CSV of aim points decided on: impact_id, hypothesis, distance_m"),
    ] = None,
    structures: Annotated[Path | None, typer.Option("--structures", help="footprints in any vector format")] = None,
    region: Annotated[Path | None, typer.Option("--region", help="polygons of the ground that was searched")] = None,
    axis: Annotated[
        float | None,
        typer.Option("--axis", min=0, max=360, help="azimuth of a known axis, for bias along and across it"),
    ] = None,
    geolocation_ce90: CeOption = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="level of the intervals")] = 0.95,
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Statistics of impacts against structures, of published distances, or of a finished run, without imagery."""
    with errors_to_exit_code():
        from cv_pipeline.accuracy import accuracy_from_files, accuracy_from_run
        from cv_pipeline.accuracy.write import accuracy_document, write_accuracy
        from cv_pipeline.output_dir import check_output_dir

        read_config(geolocation_ce90_m=geolocation_ce90, confidence=confidence, seed=seed)
        if region is not None and structures is None:
            raise ConfigError(f"--region {region}: nothing is measured without --structures; give both or neither")
        if (points is None) == (run is None):
            raise ConfigError("give either --points FILE or --from DIR")
        check_output_dir(out, overwrite)
        if points is not None:
            result = accuracy_from_files(
                points, structures, region=region, hypotheses=hypotheses, axis_deg=axis,
                geolocation_ce90_m=geolocation_ce90, confidence=confidence, seed=seed,
            )  # fmt: skip
        else:
            if structures is not None or geolocation_ce90 is not None:
                raise ConfigError(
                    "--from takes structures and errors from the run; leave --structures and the like out"
                )
            assert run is not None
            result = accuracy_from_run(run, hypotheses=hypotheses, axis_deg=axis, confidence=confidence, seed=seed)
        write_accuracy(result, out, overwrite)
    if as_json:
        typer.echo(json.dumps(accuracy_document(result), indent=2, allow_nan=False))
    else:
        _print_summaries(result)
        for note in result.notes:
            typer.echo(f"note: {note}")
    typer.echo(f"results: {out / 'summary.json'}", err=as_json)


def _print_summaries(result: AccuracyResult) -> None:
    """A table with a row per hypothesis, then what each may be read as."""
    from rich.console import Console
    from rich.table import Table

    from cv_pipeline.accuracy.words import chance_caution, combination_sentence, dispersion_sentence, influence_sentence

    summaries = result.summaries

    table = Table()
    for head in ("hypothesis", "n", "mean m", "SD population", "SD sample", "median m"):
        table.add_column(head, justify="left" if head == "hypothesis" else "right")
    for s in summaries:
        values = (s.mean_m, s.sd_population_m, s.sd_sample_m, s.median_m)
        table.add_row(s.hypothesis, str(s.n), *("-" if v is None else f"{v:.1f}" for v in values))
    Console().print(table)
    for s in summaries:
        typer.echo(f"{s.hypothesis}: {s.statement}")
    first = summaries[0]
    for sentence in (dispersion_sentence(first.dispersion), influence_sentence(first), chance_caution(first)):
        if sentence:
            typer.echo(f"{first.hypothesis}: {sentence}")
    if result.combinations is not None:
        typer.echo(combination_sentence(result.combinations))
