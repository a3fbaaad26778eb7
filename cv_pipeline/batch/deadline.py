"""A time limit for one job of a batch, so that a pair that hangs does not keep its worker for ever.

The limit ends the whole process: nothing less stops a library that hangs. ``faulthandler`` waits in a thread of its own
that needs neither Python nor its lock (https://docs.python.org/3/library/faulthandler.html), and writes down where the
job was, so that the driver can tell a job that took too long from a worker that was killed by something else.
"""

from __future__ import annotations

import faulthandler
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>.+)')
_JOB = re.compile(r" in (run_pair|run_part|finish_pair)$", re.MULTILINE)


@contextmanager
def time_limit(folder: Path, pair_id: str, limit_s: float | None) -> Iterator[None]:
    """End this process where the block takes longer than ``limit_s``; None: it may take for ever.

    Args:
        folder: where to write down what was going on; it is created.
        pair_id: whose job it is.
        limit_s: more than 0. There is one limit in a process at a time.

    Raises:
        OSError: the folder cannot be written.
    """
    if limit_s is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pair_id}@{uuid4().hex}"  # parts of one scene run at once; no pair_id holds an @
    with path.open("w") as stream:
        faulthandler.dump_traceback_later(limit_s, exit=True, file=stream)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            path.unlink(missing_ok=True)


def overdue(folder: Path, pair_id: str) -> str | None:
    """Where a job of a pair was when its limit ended it, in words; None where none was ended so."""
    for path in folder.glob(f"{pair_id}@*"):
        text = path.read_text(errors="replace")
        if not text:
            continue  # still at work, or killed by something else
        own = next((part for part in text.split("\n\n") if _JOB.search(part)), text)
        frame = _FRAME.search(own)
        if frame is None:
            return "at an unknown place"
        return f"in {frame['function']} ({Path(frame['file']).name}, line {frame['line']})"
    return None
