"""The record of a run: one SQLite file, written by the driver alone, with every pair's state after each step.

It is committed after every pair, so that a run that is killed at any moment loses at most what it was doing. Another
program may read it meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.record import PairRecord, PairStatus
from cv_pipeline.errors import BatchError, OutputError

STATE_FILE = "run.sqlite"
LOCK_FILE = "run.lock"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pairs (
  pair_id TEXT PRIMARY KEY, position INTEGER NOT NULL, entry TEXT NOT NULL, status TEXT NOT NULL,
  key TEXT NOT NULL DEFAULT '', impacts INTEGER NOT NULL DEFAULT 0, position_sd_m REAL NOT NULL DEFAULT 0,
  warnings TEXT NOT NULL DEFAULT '[]', error TEXT NOT NULL DEFAULT '', seconds REAL NOT NULL DEFAULT 0,
  started_utc TEXT NOT NULL DEFAULT '', peak_memory_bytes INTEGER NOT NULL DEFAULT 0,
  output_bytes INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS runs (
  started_utc TEXT NOT NULL, finished_utc TEXT NOT NULL DEFAULT '', ending TEXT NOT NULL DEFAULT '',
  provenance TEXT NOT NULL);
"""
_COLUMNS = (
    "pair_id, status, key, impacts, position_sd_m, warnings, error, seconds, started_utc, peak_memory_bytes, "
    "output_bytes"
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Pairs of a run by status."""

    pending: int
    done: int
    untrusted: int
    failed: int

    @property
    def total(self) -> int:
        """All pairs of the manifest."""
        return self.pending + self.done + self.untrusted + self.failed

    @property
    def succeeded(self) -> int:
        """Pairs with a result."""
        return self.done + self.untrusted


class RunState:
    """The state of a run; use as a context manager, which holds the lock of the folder.

    Raises:
        BatchError: another run writes to the folder, or the record cannot be read or written.
        OutputError: the folder is not empty and no batch is to be resumed there, or the other way round.
    """

    def __init__(self, out_dir: Path, *, resume: bool) -> None:
        _check(out_dir, resume)
        try:
            out_dir.mkdir(parents=True, exist_ok=True)
            # An exclusive transaction is a lock that goes with the process, however that ends, on every system.
            self._lock = sqlite3.connect(out_dir / LOCK_FILE, timeout=0, isolation_level=None)
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise BatchError(f"{out_dir}: another batch is writing there ({error}); wait for it or end it") from error
        except OSError as error:
            raise OutputError(f"{out_dir}: cannot be created ({error.strerror}); give another --out") from error
        self._path = out_dir / STATE_FILE
        with _told(self._path):
            self._db = sqlite3.connect(self._path)
            self._db.executescript(_SCHEMA)
            self._counts = _counts(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._db.close()
        self._lock.close()

    def start(self, entries: Sequence[PairEntry], provenance: Mapping[str, Any]) -> None:
        """Note that a run begins: new pairs are pending, pairs that the manifest no longer has are forgotten."""
        rows = [(e.pair_id, number, _text(e), PairStatus.PENDING) for number, e in enumerate(entries)]
        with _told(self._path), self._db:
            self._db.execute("UPDATE pairs SET position = -1")
            self._db.executemany(
                "INSERT INTO pairs (pair_id, position, entry, status) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (pair_id) DO UPDATE SET position = excluded.position, entry = excluded.entry",
                rows,
            )
            self._db.execute("DELETE FROM pairs WHERE position < 0")
            self._db.execute(
                "INSERT INTO runs (started_utc, provenance) VALUES (?, ?)", (_now(), json.dumps(dict(provenance)))
            )
            self._counts = _counts(self._db)

    def end(self, ending: str) -> None:
        """Note how the run ended."""
        with _told(self._path), self._db:
            self._db.execute(
                "UPDATE runs SET finished_utc = ?, ending = ? WHERE rowid = (SELECT max(rowid) FROM runs)",
                (_now(), ending),
            )

    def put(self, record: PairRecord) -> None:
        """Note the outcome of a pair, for good."""
        before = self.get(record.pair_id).status
        names = _COLUMNS.split(", ")[1:]
        values = (
            record.status, record.key, record.impacts, record.position_sd_m, json.dumps(record.warnings), record.error,
            record.seconds, record.started_utc, record.peak_memory_bytes, record.output_bytes,
        )  # fmt: skip
        with _told(self._path), self._db:
            self._db.execute(
                f"UPDATE pairs SET {', '.join(f'{name} = ?' for name in names)} WHERE pair_id = ?",
                (*values, record.pair_id),
            )
        # Kept up rather than counted anew: a scan after each of many thousand pairs would cost more than the rest.
        for status, change in ((before, -1), (record.status, 1)):
            self._counts = replace(self._counts, **{status.value: getattr(self._counts, status.value) + change})

    def get(self, pair_id: str) -> PairRecord:
        """What is known of a pair."""
        with _told(self._path):
            row = self._db.execute(f"SELECT {_COLUMNS} FROM pairs WHERE pair_id = ?", (pair_id,)).fetchone()
        return _record(row)

    def counts(self) -> Counts:
        """Pairs by status."""
        return self._counts


def read_counts(out_dir: Path) -> Counts:
    """Pairs of a batch by status; it may be running."""
    with closing(_open(out_dir)) as db, _told(out_dir):
        return _counts(db)


def read_records(out_dir: Path, statuses: Iterable[PairStatus] = tuple(PairStatus)) -> Iterator[PairRecord]:
    """Records of a batch in the manifest's order, one at a time; it may be running."""
    wanted = [str(status) for status in statuses]
    with closing(_open(out_dir)) as db, _told(out_dir):
        marks = ", ".join("?" * len(wanted))
        for row in db.execute(f"SELECT {_COLUMNS} FROM pairs WHERE status IN ({marks}) ORDER BY position", wanted):
            yield _record(row)


def read_last_run(out_dir: Path) -> Mapping[str, str]:
    """``started_utc``, ``finished_utc`` and ``ending`` (empty while it runs or where it was killed), ``provenance``."""
    with closing(_open(out_dir)) as db, _told(out_dir):
        db.row_factory = sqlite3.Row
        row = db.execute("SELECT * FROM runs ORDER BY rowid DESC LIMIT 1").fetchone()
        return {} if row is None else dict(row)


def exit_code(counts: Counts) -> int:
    """0: all pairs done; 3: all done, some not to be trusted; 4: some without a result; 5: all without."""
    if counts.succeeded < counts.total:
        return 4 if counts.succeeded else 5
    return 3 if counts.untrusted else 0


def _counts(db: sqlite3.Connection) -> Counts:
    found = dict(db.execute("SELECT status, count(*) FROM pairs GROUP BY status").fetchall())
    return Counts(**{status.value: found.get(status.value, 0) for status in PairStatus})


def _record(row: Sequence[Any]) -> PairRecord:
    pair_id, status, key, impacts, position_sd_m, warnings, *rest = row
    return PairRecord(pair_id, PairStatus(status), key, impacts, position_sd_m, tuple(json.loads(warnings)), *rest)


def _check(out_dir: Path, resume: bool) -> None:
    if out_dir.is_symlink() or (out_dir.exists() and not out_dir.is_dir()):
        raise OutputError(f"{out_dir}: is a file or a link, not a folder; give another --out")
    ours = (out_dir / STATE_FILE).is_file()
    if resume and not ours:
        raise OutputError(f"{out_dir}: holds no {STATE_FILE}, so there is no batch to resume; leave --resume out")
    # A run that was killed as it began may have left its lock and nothing else.
    if not resume and out_dir.is_dir() and any(not path.name.startswith(LOCK_FILE) for path in out_dir.iterdir()):
        hint = "go on with --resume, or give another --out" if ours else "give another --out"
        raise OutputError(f"{out_dir}: the folder is not empty; {hint}")


def _open(out_dir: Path) -> sqlite3.Connection:
    path = out_dir / STATE_FILE
    if not path.is_file():
        raise OutputError(f"{out_dir}: holds no {STATE_FILE}; give the --out folder of a batch")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _text(entry: PairEntry) -> str:
    return json.dumps(
        {"before": entry.before, "after": entry.after, "structures": entry.structures} | dict(entry.overrides)
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Errors of SQLite in words that help."""
    try:
        yield
    except sqlite3.Error as error:
        raise BatchError(
            f"{path}: the record of the run cannot be read or written ({error}); free some space if the disk is full, "
            "then go on with --resume"
        ) from error
