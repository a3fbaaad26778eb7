"""What a person, or another program, sees of a batch while it runs: one display over all pairs, or a line each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TextIO

from cv_pipeline.bars import bars
from cv_pipeline.batch.record import PairRecord
from cv_pipeline.batch.run import Watcher
from cv_pipeline.batch.state import Counts


@contextmanager
def progress_display(total: int) -> Iterator[Watcher]:
    """A bar on stderr over ``total`` pairs with rate, remaining time and failures; each failure stays as a line."""
    # The remaining time is that of the last hour's speed, as scenes of an archive often come sorted by size.
    with bars(speed_estimate_period=3600) as bar:
        shown = bar.add_task("pairs", total=total, note="")

        def watch(record: PairRecord, counts: Counts) -> None:
            if record.error:
                bar.console.print(f"{record.pair_id}: {record.error}", style="red", markup=False, highlight=False)
            speed = bar.tasks[shown].speed
            rate = [f"{3600 * speed:.0f}/h"] if speed else []
            failed = [f"{counts.failed} failed"] if counts.failed else []
            bar.update(shown, advance=1, note=", ".join(rate + failed))

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
