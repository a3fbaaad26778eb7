"""``cv-pipeline assess`` and ``detect``: impacts of a pair, or of a single image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cv_pipeline.commands.options import (
    NOT_TRUSTED,
    AfterOption,
    BackendOption,
    BandsOption,
    CeOption,
    GeoparquetOption,
    GsdOption,
    JsonOption,
    ModelOption,
    OutOption,
    OverwriteOption,
    PrecisionOption,
    ScreenOption,
    SeedOption,
    ThreadsOption,
    ThresholdOption,
    TileOption,
    TtaOption,
    errors_to_exit_code,
    parse_bands,
    read_config,
    stage_bars,
)

if TYPE_CHECKING:
    from cv_pipeline.types import Assessment


def assess(
    before: Annotated[Path, typer.Option("--before", help="image before the event")],
    after: AfterOption,
    out: OutOption,
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
    gsd: GsdOption = None,
    before_gsd: Annotated[
        float | None, typer.Option("--before-gsd", help="the same for --before, if different")
    ] = None,
    bands: BandsOption = None,
    before_bands: Annotated[
        str | None, typer.Option("--before-bands", help="the same for --before, if different")
    ] = None,
    model: ModelOption = "small",
    backend: BackendOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    tile_px: TileOption = 512,
    tta: TtaOption = False,
    screen: ScreenOption = False,
    threshold: ThresholdOption = None,
    geolocation_ce90: CeOption = None,
    seed: SeedOption = 0,
    geoparquet: GeoparquetOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find impacts in a before/after pair and measure how far each lies from its nearest structure."""
    import cv_pipeline

    with errors_to_exit_code():
        config = read_config(
            model=model, backend=backend, precision=precision, threads=threads, tile_px=tile_px, tta=tta,
            screen=screen, gsd_m=gsd,
            before_gsd_m=before_gsd, bands=parse_bands(bands, "--bands"),
            before_bands=parse_bands(before_bands, "--before-bands"), score_threshold=threshold,
            geolocation_ce90_m=geolocation_ce90, footprint_ce90_m=footprint_ce90, footprint_offset=footprint_offset,
            seed=seed, geoparquet=geoparquet, overwrite=overwrite, out_dir=out,
        )  # fmt: skip
        with stage_bars() as progress:
            result = cv_pipeline.assess(before, after, structures, config, progress=progress)
    _finish(result, out, as_json)


def detect(
    after: AfterOption,
    out: OutOption,
    gsd: GsdOption = None,
    bands: BandsOption = None,
    model: ModelOption = "small",
    backend: BackendOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    tile_px: TileOption = 512,
    tta: TtaOption = False,
    screen: ScreenOption = False,
    threshold: ThresholdOption = None,
    geoparquet: GeoparquetOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find craters in a single image, without a before image or structures."""
    import cv_pipeline

    with errors_to_exit_code():
        config = read_config(
            model=model, backend=backend, precision=precision, threads=threads, tile_px=tile_px, tta=tta,
            screen=screen, gsd_m=gsd,
            bands=parse_bands(bands, "--bands"), score_threshold=threshold, geoparquet=geoparquet,
            overwrite=overwrite, out_dir=out,
        )  # fmt: skip
        with stage_bars() as progress:
            result = cv_pipeline.detect(after, config, progress=progress)
    _finish(result, out, as_json)


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
