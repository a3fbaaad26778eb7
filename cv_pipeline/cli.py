"""The command line: thin, no logic; each command parses, calls one function and says where the result is.

Exit codes: 0 done; 2 bad usage or input; 3 done but not to be trusted (registration failed); 1 a defect.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cv_pipeline.commands.batch import batch
from cv_pipeline.commands.dataset import dataset
from cv_pipeline.commands.doctor import doctor
from cv_pipeline.commands.export import export
from cv_pipeline.commands.models import models
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
from cv_pipeline.commands.plan import plan
from cv_pipeline.commands.register import register
from cv_pipeline.commands.report import report
from cv_pipeline.commands.review import review
from cv_pipeline.commands.verify import verify
from cv_pipeline.errors import ConfigError

if TYPE_CHECKING:
    from cv_pipeline.accuracy import AccuracyResult
    from cv_pipeline.types import Assessment

app = typer.Typer(
    name="cv-pipeline",
    help="Find craters and blast patterns in before/after imagery, match each to its nearest structure, "
    "and say how sure.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


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


@app.command()
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
    tile_px: TileOption = 768,
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


@app.command()
def detect(
    after: AfterOption,
    out: OutOption,
    gsd: GsdOption = None,
    bands: BandsOption = None,
    model: ModelOption = "small",
    backend: BackendOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    tile_px: TileOption = 768,
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


@app.command()
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


@app.command()
def simulate(
    background: Annotated[Path, typer.Option("--background", help="folder of background images, subfolders too")],
    out: Annotated[Path, typer.Option("--out", help="folder for the data set; must be new, empty, or --overwrite")],
    scenes: Annotated[int, typer.Option("--scenes", min=1, max=100_000, help="how many before/after pairs")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="the same seed gives the same files")] = 7,
    size_px: Annotated[int, typer.Option("--size-px", min=64, max=8192, help="height and width of a scene")] = 1024,
    gsd: Annotated[float, typer.Option("--gsd", min=0.1, max=2.0, help="metres per pixel of the scenes")] = 0.5,
    background_gsd: Annotated[
        float | None, typer.Option("--background-gsd", min=0.01, help="metres per pixel of backgrounds without a CRS")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="background places to use: train, validate or all")] = "all",
    config: Annotated[Path | None, typer.Option("--config", help="YAML file of simulation settings")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="processes that render")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an earlier data set in --out")] = False,
) -> None:
    """Write a data set of simulated strikes with exact truth, on backgrounds of your own."""
    with errors_to_exit_code():
        if split not in ("train", "validate", "all"):
            raise ConfigError(f"--split {split}: give train, validate or all")
        from cv_pipeline.simulation.config import SimulationConfig
        from cv_pipeline.simulation.dataset import DatasetSettings, read_simulation_config, simulate_dataset

        settings = DatasetSettings(
            background, scenes, seed, size_px, gsd, split, background_gsd,
            SimulationConfig() if config is None else read_simulation_config(config),
        )  # fmt: skip
        with stage_bars() as progress:
            rows = simulate_dataset(settings, out, overwrite, workers, progress)
    typer.echo(f"{len(rows)} scenes, {sum(row.new for row in rows)} new strikes; see {out / 'README.md'}")


@app.command()
def measure(
    place: Annotated[
        list[str] | None, typer.Option("--place", help="NAME=LON,LAT or LON,LAT; give it once per place")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option("--site", help="polygon file, or corners as 'NAME=LON,LAT LON,LAT LON,LAT ...'")
    ] = None,
    crs: Annotated[
        str | None, typer.Option("--crs", help="system of typed coordinates, x first, or of a file that names none")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Geodesic distances between places, perimeter and area of sites, and distances from places to sites."""
    with errors_to_exit_code():
        from cv_pipeline.measure.report import document, lines
        from cv_pipeline.measure.report import measure as measure_all
        from cv_pipeline.measure.sites import read_sites
        from cv_pipeline.measure.text import read_place

        places = [read_place(text, crs or "EPSG:4326", number) for number, text in enumerate(place or [], start=1)]
        sites = [found for text in site or [] for found in read_sites(text, crs)]
        found = measure_all(places, sites)
    if as_json:
        typer.echo(json.dumps(document(found), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        for line in lines(found):
            typer.echo(line)


app.add_typer(batch, name="batch")
app.add_typer(dataset, name="dataset")
app.command()(doctor)
app.command()(plan)
app.command()(register)
app.command()(review)
app.command()(models)
app.command()(export)
app.command()(report)
app.command()(verify)


def main() -> None:
    """Entry point of the ``cv-pipeline`` command."""
    app()
