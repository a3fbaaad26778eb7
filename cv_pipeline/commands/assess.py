"""``cv-pipeline assess`` and ``detect``: impacts of a pair, or of a single image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cv_pipeline.commands.options import (
    NOT_TRUSTED,
    AfterOption,
    CeOption,
    JsonOption,
    SeedOption,
    errors_to_exit_code,
    read_config,
    stage_bars,
)
from cv_pipeline.commands.shared import (
    Settings,
    before_options,
    image_options,
    network_options,
    result_options,
    sharing,
)

if TYPE_CHECKING:
    from cv_pipeline.types import Assessment


@sharing(result_options, image_options, before_options, network_options)
def assess(
    *,
    before: Annotated[Path, typer.Option("--before", help="image before the event")],
    after: AfterOption,
    structures: Annotated[
        str | None,
        typer.Option("--structures", help="footprints: FILE or FILE:layer; overture or osm with the extra 'online'"),
    ] = None,
    footprint_ce90: Annotated[
        float | None, typer.Option("--footprint-ce90", help="the footprints' stated CE90 in metres")
    ] = None,
    footprint_offset: Annotated[
        str, typer.Option("--footprint-offset", help="shift of the footprints against the image: report, or fix it")
    ] = "report",
    geolocation_ce90: CeOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    shared: Settings,
) -> None:
    """Find impacts in a before/after pair and measure how far each lies from its nearest structure."""
    import cv_pipeline

    with errors_to_exit_code():
        config = read_config(
            **shared, geolocation_ce90_m=geolocation_ce90, footprint_ce90_m=footprint_ce90,
            footprint_offset=footprint_offset, seed=seed,
        )  # fmt: skip
        with stage_bars() as progress:
            result = cv_pipeline.assess(before, after, structures, config, progress=progress)
    _finish(result, shared["out_dir"], as_json)


@sharing(result_options, image_options, network_options)
def detect(*, after: AfterOption, as_json: JsonOption = False, shared: Settings) -> None:
    """Find craters in a single image, without a before image or structures."""
    import cv_pipeline

    with errors_to_exit_code():
        config = read_config(**shared)
        with stage_bars() as progress:
            result = cv_pipeline.detect(after, config, progress=progress)
    _finish(result, shared["out_dir"], as_json)


def _finish(result: Assessment, out: Path, as_json: bool) -> None:
    """Say what was found and where the report is; exit 3 where the result is not to be trusted."""
    from cv_pipeline.report.words import headline, is_trusted

    if as_json:
        typer.echo((out / "summary.json").read_text(encoding="utf-8"))
    for warning in result.warnings:
        typer.secho(f"note: {warning}", fg="yellow", err=True)
    typer.echo(headline(result), err=as_json)
    trusted = is_trusted(result)
    if not trusted:
        typer.secho("not to be trusted: the registration gate failed", fg="red", err=True)
    typer.echo(f"report: {out / 'report.html'}", err=as_json)
    if not trusted:
        raise typer.Exit(NOT_TRUSTED)
