"""``cv-pipeline dataset check``: is a data set whole, and what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.commands.options import errors_to_exit_code
from cv_pipeline.errors import LabelsError

dataset = typer.Typer(help="Data sets of labelled images.", no_args_is_help=True)


@dataset.command()
def check(
    folder: Annotated[Path, typer.Argument(help="the data set's folder")],
    layout: Annotated[str | None, typer.Option("--format", help="its format, where it is not recognised")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List every problem of a data set with the file it is in; exit code 2 where there is any."""
    with errors_to_exit_code():
        from cv_pipeline.datasets.check import check_dataset
        from cv_pipeline.datasets.formats import open_dataset

        opened = open_dataset(folder, layout)
        report = check_dataset(opened)
        if as_json:
            problems = [{"file": str(path), "problem": text} for path, text in report.problems]
            typer.echo(json.dumps({"format": opened.format, **report._asdict(), "problems": problems}, indent=2))
        else:
            typer.echo(f"{folder}: format {opened.format}, {report.scenes} scenes")
            for split, count in report.places.items():
                typer.echo(f"  split {split or '(none)'}: {count} places")
            for kind, count in sorted(report.objects.items()):
                typer.echo(f"  {count} x {kind}")
            for path, text in report.problems:
                typer.echo(text if text.startswith(str(path)) else f"{path}: {text}")
        if report.problems:
            raise LabelsError(f"{folder}: {len(report.problems)} problem(s) found")
    if not as_json:
        typer.echo("no problems found")
