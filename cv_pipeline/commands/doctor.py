"""``cv-pipeline doctor``: what the inputs are, whether they will do, and what to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.commands.options import BandsOption, GsdOption, ModelOption, errors_to_exit_code, parse_bands

NOT_USABLE = 2


def doctor(
    after: Annotated[Path, typer.Argument(help="image after the event, or the only one")],
    before: Annotated[Path | None, typer.Argument(help="image before the event")] = None,
    gsd: GsdOption = None,
    before_gsd: Annotated[
        float | None, typer.Option("--before-gsd", help="the same for the before image, if different")
    ] = None,
    bands: BandsOption = None,
    before_bands: Annotated[
        str | None, typer.Option("--before-bands", help="the same for the before image, if different")
    ] = None,
    model: ModelOption = "small",
    as_json: Annotated[bool, typer.Option("--json", help="print the findings as JSON")] = False,
) -> None:
    """Say what one or two images are and whether a run can use them; exit code 0 usable, 2 not usable."""
    with errors_to_exit_code():
        from cv_pipeline.config import AssessConfig
        from cv_pipeline.doctor import diagnose, document, lines

        config = AssessConfig(
            model=model, gsd_m=gsd, before_gsd_m=before_gsd, bands=parse_bands(bands, "--bands"),
            before_bands=parse_bands(before_bands, "--before-bands"),
        )  # fmt: skip
        found = diagnose(after, before, config)
    if as_json:
        typer.echo(json.dumps(document(found), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        for line in lines(found):
            typer.echo(line)
    if not found.usable:
        raise typer.Exit(NOT_USABLE)
