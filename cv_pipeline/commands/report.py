"""``cv-pipeline report``: the files of a finished result written again, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.commands.options import GeoparquetOption, OverwriteOption, errors_to_exit_code


def report(
    result: Annotated[Path, typer.Argument(help="folder that assess, detect or review wrote")],
    out: Annotated[
        Path | None, typer.Option("--out", help="another folder for the files; default: the result itself")
    ] = None,
    after: Annotated[
        Path | None,
        typer.Option("--after", help="the after image, to cut pictures anew; default: those of the earlier report"),
    ] = None,
    before: Annotated[Path | None, typer.Option("--before", help="the before image, if the run had one")] = None,
    geoparquet: GeoparquetOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write report, figures and layers of a finished result again; refuses one that does not verify."""
    with errors_to_exit_code():
        from cv_pipeline.report.rewrite import rewrite_report

        path = rewrite_report(result, out, overwrite=overwrite, after=after, before=before, geoparquet=geoparquet)
    typer.echo(f"report: {path}")
