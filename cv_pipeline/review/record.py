"""The review's record: one line per edit, appended, flushed to the disk and chained by hashes.

Each line is a JSON object that holds the SHA-256 of the line before it, so a line that is changed, taken out or put
in later shows. The last line is held by no other; its hash stands on the page and in every export. Like
``SHA256SUMS`` the chain is not signed: it tells mistakes and careless edits, and forgery only to those who kept a hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cv_pipeline.errors import ReviewError

FORMAT = "cv-pipeline review"
VERSION = 1
NO_LINE = "0" * 64
"""What the first line states as the hash before it."""

Value = Any
"""What JSON holds: None, text, a number, or a list or mapping of these."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One decision or measurement: ``field`` of ``impact_id`` (or of a window) went from ``old`` to ``new``.

    ``undoes`` is the line of the edit that this one takes back, None for any other.
    """

    time_utc: str
    reviewer: str
    impact_id: str
    field: str
    old: Value
    new: Value
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """What a record holds: its first line, the edits (line 2 onwards) and the hash of the last line.

    ``torn`` are bytes after the last line's end, left by a process that was killed while it wrote; empty otherwise.
    """

    head: Mapping[str, Value]
    edits: tuple[Edit, ...]
    last_sha256: str
    torn: bytes = b""


def record_path(result: Path) -> Path:
    """Where the record of a result's review lies: beside its folder, so that the folder stays as it was written."""
    folder = result.resolve()
    return folder.with_name(f"{folder.name}.review.jsonl")


def head_line(result_sha256: str, seed: int) -> bytes:
    """The first line: which result is reviewed (SHA-256 of its ``SHA256SUMS``) and the seed of the sampled windows."""
    head = {"format": FORMAT, "version": VERSION, "result_sha256": result_sha256, "windows_seed": seed}
    return _line({**head, "previous": NO_LINE})


def edit_line(edit: Edit, previous_sha256: str) -> bytes:
    """An edit as a line that follows the one with the given hash."""
    content = {name: getattr(edit, name) for name in Edit.__slots__}
    if edit.undoes is None:
        del content["undoes"]
    return _line({**content, "previous": previous_sha256})


def line_sha256(line: bytes) -> str:
    """The hash by which the next line refers to this one; the line's end does not count."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def parse_record(content: bytes, name: str) -> Chain:
    """Read a record and check that each line follows from the one before.

    Raises:
        ReviewError: the first line is no record's, or a line is damaged or does not follow; the message says which.
    """
    *lines, torn = content.split(b"\n")
    head: Mapping[str, Value] = {}
    edits: list[Edit] = []
    last = NO_LINE
    for number, line in enumerate(lines, start=1):
        row = _parsed(line, f"{name}, line {number}")
        if row.pop("previous", None) != last:
            raise ReviewError(
                f"{name}: line {number} does not follow from the line before it: the record was changed after it was "
                "written. Put a copy in its place, or move it away and start anew."
            )
        if number == 1:
            if row.get("format") != FORMAT or row.get("version") != VERSION:
                raise ReviewError(f"{name}: is not a review record of this version; move it away and start anew")
            head = row
        else:
            edits.append(_edit(row, f"{name}, line {number}"))
        last = line_sha256(line)
    return Chain(head, tuple(edits), last, torn)


def read_record(path: Path) -> Chain:
    """The record in a file, as it is; nothing is locked or mended. Errors as :func:`parse_record`."""
    try:
        return parse_record(path.read_bytes(), str(path))
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read ({error.strerror}); give the record of a review") from error


class Record:
    """A record that is open for appending, by one process at a time; a context manager."""

    def __init__(self, path: Path, result_sha256: str, seed: int = 0) -> None:
        """Describe the record; the file is opened, and made where it is missing, on entering.

        Args:
            path: from :func:`record_path`.
            result_sha256: which result is reviewed; a record of another one is refused.
            seed: of the sampled windows, where the record is new; else its own counts.
        """
        self.path = path
        self._result_sha256 = result_sha256
        self._seed = seed
        self._fd = -1
        self.edits: tuple[Edit, ...] = ()
        self.head: Mapping[str, Value] = {}
        self.last_sha256 = NO_LINE
        self.set_aside: Path | None = None
        """Where a torn last line was put, if there was one."""

    def __enter__(self) -> Self:
        """Lock and read the record.

        Raises:
            ReviewError: another process reviews the same result, the record belongs to another result, was changed,
                or cannot be written.
        """
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ReviewError(f"{self.path}: the record cannot be written ({error.strerror})") from error
        try:
            self._lock()
            self._load()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self._close()

    def append(self, edit: Edit) -> None:
        """Add an edit; when this returns it is on the disk.

        Raises:
            ReviewError: it could not be written; the record is as it was.
        """
        line = edit_line(edit, self.last_sha256)
        self._write(line)
        self.edits = (*self.edits, edit)
        self.last_sha256 = line_sha256(line)

    def _lock(self) -> None:
        import fcntl

        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ReviewError(
                f"{self.path}: another 'cv-pipeline review' has this result open; use that page, or end it first"
            ) from error

    def _load(self) -> None:
        chain = parse_record(self.path.read_bytes(), str(self.path))
        if chain.torn:
            self._put_aside(chain.torn)
        if not chain.head:
            self._write(head_line(self._result_sha256, self._seed))
            _flush_folder(self.path.parent)
            chain = parse_record(self.path.read_bytes(), str(self.path))
        if chain.head.get("result_sha256") != self._result_sha256:
            raise ReviewError(
                f"{self.path}: belongs to another result than the one beside it, which was written again or changed "
                "since. Move the record away to review the new one."
            )
        self.head, self.edits, self.last_sha256 = chain.head, chain.edits, chain.last_sha256

    def _put_aside(self, torn: bytes) -> None:
        """Keep what a killed process left of a line in a file of its own, then cut it off the record."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self.set_aside = self.path.with_name(f"{self.path.name}.torn-{stamp}")
        self.set_aside.write_bytes(torn)
        os.ftruncate(self._fd, os.fstat(self._fd).st_size - len(torn))
        os.fsync(self._fd)

    def _write(self, line: bytes) -> None:
        before = os.fstat(self._fd).st_size
        try:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(28, "the disk is full")
            os.fsync(self._fd)
        except OSError as error:
            os.ftruncate(self._fd, before)
            raise ReviewError(f"{self.path}: the edit could not be written ({error.strerror})") from error

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _line(content: Mapping[str, Value]) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"


def _parsed(line: bytes, where: str) -> dict[str, Value]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ReviewError(f"{where}: is damaged ({error}); put a copy of the record in its place") from error
    if not isinstance(row, dict):
        raise ReviewError(f"{where}: is no edit; put a copy of the record in its place")
    return row


def _edit(row: Mapping[str, Value], where: str) -> Edit:
    names: Sequence[str] = Edit.__slots__
    if set(row) | {"undoes"} != set(names):
        raise ReviewError(f"{where}: is no edit, but holds {', '.join(sorted(row))}")
    return Edit(**row)


def _flush_folder(folder: Path) -> None:
    """Make a new file's name survive a power cut, too."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
