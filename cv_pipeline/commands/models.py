"""``cv-pipeline models``: what models there are and what each is good for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cv_pipeline.commands.options import errors_to_exit_code
from cv_pipeline.errors import ModelError

if TYPE_CHECKING:
    from cv_pipeline.segmentation.catalogue import ModelEntry


def models(
    check: Annotated[
        Path | None, typer.Option("--check", help="see whether this model folder is whole, instead of the list")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List the models that came with this installation, or check a model folder."""
    with errors_to_exit_code():
        if check is not None:
            _check(check, as_json)
            return
        from cv_pipeline.segmentation.catalogue import describe_model
        from cv_pipeline.segmentation.zoo import shipped_models

        entries = [describe_model(folder) for folder in shipped_models().values()]
    if as_json:
        typer.echo(json.dumps([entry.document() for entry in entries], indent=2))
        return
    for entry in entries:
        for line in _lines(entry):
            typer.echo(line)


def _check(folder: Path, as_json: bool) -> None:
    from cv_pipeline.segmentation.catalogue import model_problems

    problems = model_problems(folder)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "whole": not problems, "problems": problems}, indent=2))
    for problem in [] if as_json else problems:
        typer.echo(problem)
    if problems:
        raise ModelError(f"{folder}: the model folder is not whole, {len(problems)} problem(s) found")
    if not as_json:
        typer.echo(f"{folder}: whole")


def _lines(entry: ModelEntry) -> list[str]:
    size = f"{entry.size_bytes / 1e6:.1f} MB"
    if entry.parameters is not None:
        size += f", {entry.parameters / 1e6:.2f} M parameters"
    checked = "hash ok" if entry.hash_ok else "HASH NOT OK: weights missing or changed"
    return [
        f"{entry.name}: {size}, {entry.min_gsd_m:g} to {entry.max_gsd_m:g} m per pixel (works at "
        f"{entry.working_gsd_m:g}), threshold {entry.score_threshold:g}, {checked}, "
        f"licence {entry.licence or 'not stated'}",
        f"    {entry.figures or 'no held-out figures'}",
        f"    {entry.folder}",
    ]
