"""``cv-pipeline register``: the before image brought onto the after image's grid, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.commands.options import NOT_TRUSTED, AfterOption, errors_to_exit_code, read_config
from cv_pipeline.commands.shared import Settings, before_options, image_options, sharing


@sharing(image_options, before_options)
def register(
    *,
    before: Annotated[Path, typer.Option("--before", help="image to be moved")],
    after: AfterOption,
    out: Annotated[Path, typer.Option("--out", help="GeoTIFF to write: the before image on the after image's grid")],
    ties: Annotated[
        Path | None, typer.Option("--ties", help="write the tie points too, to a .csv or .geojson file")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace existing files")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print transform, residuals and tie points as JSON")] = False,
    shared: Settings,
) -> None:
    """Align the before image to the after image; exit code 3, and no file, where the two do not fit."""
    with errors_to_exit_code():
        from cv_pipeline.imagery.pair import open_pair
        from cv_pipeline.registration.register import register as register_pair
        from cv_pipeline.registration.resample import check_out_path, write_aligned
        from cv_pipeline.registration.ties import check_ties_path, write_ties
        from cv_pipeline.report.summary import registration_document
        from cv_pipeline.report.words import registration_sentence
        from cv_pipeline.types import Gate

        if ties is not None:
            check_ties_path(ties)
        for path in (out, ties):
            if path is not None:
                check_out_path(path, (before, after), overwrite)
        pair = open_pair(before, after, read_config(**shared))
        found = register_pair(pair, pair.after.grid.gsd_m).registration
        assert pair.before is not None and found is not None
        if found.gate is not Gate.FAIL:
            write_aligned(pair.before, found, pair.after.grid, out, overwrite=overwrite)
            if ties is not None:
                write_ties(found, pair.after.grid, ties)
    if as_json:
        typer.echo(json.dumps(registration_document(found, pair.after.grid), indent=2, allow_nan=False))
    typer.secho(registration_sentence(found), fg=None if found.gate is Gate.PASS else "yellow", err=as_json)
    if found.gate is Gate.FAIL:
        typer.secho(f"{out} was not written", fg="red", err=True)
        raise typer.Exit(NOT_TRUSTED)
    typer.echo(f"aligned: {out}", err=as_json)
