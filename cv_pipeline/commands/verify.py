"""``cv-pipeline verify``: whether a result is whole, and whether it belongs to the inputs at hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.commands.options import errors_to_exit_code
from cv_pipeline.errors import OutputError

FAULTY = 2


def verify(
    result: Annotated[Path, typer.Argument(help="folder that assess or detect wrote")],
    before: Annotated[Path | None, typer.Option("--before", help="the before image, to be compared")] = None,
    after: Annotated[Path | None, typer.Option("--after", help="the after image, to be compared")] = None,
    structures: Annotated[Path | None, typer.Option("--structures", help="the footprints, to be compared")] = None,
    rerun: Annotated[bool, typer.Option("--rerun", help="run again and compare all files byte for byte")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print every check as JSON on stdout")] = False,
) -> None:
    """Recompute the checksums of a result and of its inputs, and say what does not fit.

    Exit code 0: nothing that was checked differs; 2: something does, or the result cannot be read.
    """
    with errors_to_exit_code():
        from cv_pipeline.report.verify import (
            FAULTS,
            State,
            read_provenance,
            verify_inputs,
            verify_model,
            verify_outputs,
            verify_rerun,
        )
        from cv_pipeline.review.check import verify_review

        given = {"before": before, "after": after, "structures": structures}
        paths = {role: path for role, path in given.items() if path is not None}
        checks, record = verify_outputs(result), read_provenance(result)
        checks += [*verify_inputs(record, paths), verify_model(record), *verify_review(result, record)]
        if rerun and "review" in record["extras"]:
            raise OutputError(f"{result}: a person's review cannot be run again; verify the result that was reviewed")
        if rerun:
            checks += verify_rerun(result, record, paths)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=1))
    else:
        for check in checks:
            if check.state is not State.SAME:
                colour = "red" if check.state in FAULTS else "yellow"
                typer.secho(f"{check.part} {check.name}: {check.state}, {check.detail}", fg=colour)
        for part in dict.fromkeys(check.part for check in checks):
            states = [check.state for check in checks if check.part == part]
            typer.echo(f"{part}: {states.count(State.SAME)} of {len(states)} the same")
    if any(check.state in FAULTS for check in checks):
        raise typer.Exit(FAULTY)
