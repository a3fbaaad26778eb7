"""What a person, or another program, sees of a batch while it runs: one display over all pairs, or a line each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TextIO

from cv_pipeline.batch.record import PairRecord, PairStatus
from cv_pipeline.batch.run import Watcher
from cv_pipeline.batch.state import Counts


@contextmanager
def progress_display(total: int, done: int = 0) -> Iterator[Watcher]:
    """A bar on stderr with rate, remaining time and failures; each failure stays above it as a line.

    Args:
        total: pairs in all.
        done: pairs that an earlier run finished; they are looked at again, much faster than the others.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("pairs"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=False),
        TextColumn("{task.fields[failed]}"),
    )
    # The remaining time is that of the last hour's speed, as scenes of an archive often come sorted by size.
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=3600) as bar:
        shown = bar.add_task("pairs", total=total, rate="", failed=f"{done} done before" if done else "")

        def watch(record: PairRecord, counts: Counts) -> None:
            if record.error:
                bar.console.print(f"{record.pair_id}: {record.error}", style="red", markup=False, highlight=False)
            task = bar.tasks[shown]
            rate = "" if not task.speed else f"{3600 * task.speed:.0f}/h"
            failed = f"{counts.failed} failed" if counts.failed else ""
            bar.update(shown, advance=1, rate=rate, failed=failed)

        yield watch


@contextmanager
def json_lines(stream: TextIO) -> Iterator[Watcher]:
    """A line of JSON for each pair that ends: its record, and how many pairs are in which state."""

    def watch(record: PairRecord, counts: Counts) -> None:
        stream.write(json.dumps(asdict(record) | {"counts": asdict(counts)}, ensure_ascii=False) + "\n")
        stream.flush()

    yield watch


def ending(counts: Counts, stopped: str = "") -> str:
    """How a batch stands, in one line."""
    parts = [f"{counts.succeeded} of {counts.total} pairs done"]
    if counts.untrusted:
        parts.append(f"{counts.untrusted} of these not to be trusted (registration)")
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    if counts.pending:
        parts.append(f"{counts.pending} not run yet")
    return ", ".join(parts) + (f"; stopped: {stopped}" if stopped else "")


def reasons(record: PairRecord) -> str:
    """A pair's error or warnings in one line, for lists."""
    return record.error if record.status is PairStatus.FAILED else "; ".join(record.warnings)
