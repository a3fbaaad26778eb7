"""``cv-pipeline review``: a person goes through a result on a local page; every edit is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.commands.options import OverwriteOption, errors_to_exit_code


def review(
    result: Annotated[Path, typer.Argument(help="folder that assess or detect wrote")],
    before: Annotated[Path | None, typer.Option("--before", help="the before image, if it is not beside")] = None,
    after: Annotated[Path | None, typer.Option("--after", help="the after image, if it is not beside")] = None,
    reviewer: Annotated[
        str | None, typer.Option("--reviewer", help="name that stands beside every edit; the page asks otherwise")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="only print the page's address")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", help="write the result as reviewed into this folder, without a page")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="order of the windows, of a review that is new")] = 0,
    overwrite: OverwriteOption = False,
) -> None:
    """Go through the impacts of a result on a page of this machine; or write the result as reviewed.

    The record of all edits lies beside the folder, as NAME.review.jsonl; stopping loses nothing.
    """
    with errors_to_exit_code():
        from cv_pipeline.review.export import export_review
        from cv_pipeline.review.record import Record, record_path
        from cv_pipeline.review.reopen import open_result
        from cv_pipeline.review.session import open_session

        opened = open_result(result, before=before, after=after)
        with Record(record_path(result), opened.sha256, seed) as record:
            if record.set_aside is not None:
                typer.secho(f"note: the last edit was cut short; what is left of it: {record.set_aside}", fg="yellow")
            session = open_session(opened, record, reviewer)
            if export is None:
                _serve(session, no_browser)
            else:
                report = export_review(session, export, overwrite=overwrite)
                typer.echo(f"report: {report}")


def _serve(session: object, no_browser: bool) -> None:
    import webbrowser

    from cv_pipeline.review.server import ReviewServer
    from cv_pipeline.review.session import Session

    assert isinstance(session, Session)
    with ReviewServer(session) as server:
        typer.echo(f"review: {server.url}")
        typer.echo(f"record: {session.record.path}; Ctrl+C ends the review, nothing is lost")
        if not no_browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("ended")
