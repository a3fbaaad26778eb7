"""One pair, run anywhere: in this process, in another, on another machine.

A task can be run twice, by two workers even, without harm: it works in a folder of its own and puts it in place whole,
and where it finds its own result already there it does nothing.
"""

from __future__ import annotations

import errno
import math
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cv_pipeline.batch.deadline import time_limit
from cv_pipeline.batch.key import pair_key
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.record import (
    RESULT_FOLDER,
    PairRecord,
    PairStatus,
    pair_folder,
    read_record,
    write_record,
)
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError
from cv_pipeline.output_dir import put_in_place

if TYPE_CHECKING:
    from cv_pipeline.types import Assessment

WORK_FOLDER = ".work"
"""Holds what is unfinished, on the same file system as the results; emptied at the start of a run."""
LEAST_FREE_BYTES = 2**20
"""With less left on the disk a write may have been cut short without an error: GDAL does not tell all of them."""
_FULL = ("No space left", "disk is full", "Disk quota exceeded")
_ONE_AT_A_TIME = threading.Lock()


def one_at_a_time() -> threading.Lock:
    """GDAL's settings and matplotlib are the process's own, so that threads of one worker take turns."""
    return _ONE_AT_A_TIME


class Found(NamedTuple):
    """What a batch needs to know of a finished assessment."""

    impacts: int
    trusted: bool
    warnings: tuple[str, ...]
    position_sd_m: float = 0.0


Assess = Callable[[PairEntry, AssessConfig, Path], Found]
"""Writes the outputs of a pair to ``config.out_dir``; the path is a folder for what is needed meanwhile."""


class Split(NamedTuple):
    """A scene that is too large for one task: the rows of tiles of each part, and the folder where parts meet."""

    pair_id: str
    key: str
    folder: Path
    parts: tuple[range, ...]


@dataclass(frozen=True, slots=True)
class PairTask:
    """All that a worker needs for a pair.

    ``config`` is the run's; ``out_dir`` the batch's folder, which every worker must be able to write. ``failed`` is an
    earlier failure that stands as long as nothing changed. ``assess`` does the work; scenes with more than ``split_px``
    pixels are split (None: never). A job that takes longer than ``limit_s`` ends with its process (None: none does).
    """

    entry: PairEntry
    config: AssessConfig
    out_dir: Path
    assess: Assess
    failed: PairRecord | None = None
    split_px: int | None = None
    limit_s: float | None = None

    @property
    def settings(self) -> AssessConfig:
        """The settings of this pair."""
        return self.entry.config(self.config)


def run_pair(task: PairTask) -> PairRecord | Split:
    """Assess a pair unless its result is there already; every error becomes a record."""
    with one_at_a_time():
        clock = Clock(task.entry.pair_id)
        try:
            with job_limit(task):
                key = pair_key(task.entry, task.settings)
                kept = read_record(pair_folder(task.out_dir, task.entry.pair_id))
                if kept is not None and kept.key == key:
                    return kept
                if task.failed is not None and task.failed.key == key:
                    return task.failed
                return _run(task, key, clock)
        except (CvPipelineError, OSError) as error:
            return clock.failed("", error)


def _run(task: PairTask, key: str, clock: Clock) -> PairRecord | Split:
    from cv_pipeline.batch.parts import split_scene

    try:
        with working_folder(task.out_dir, task.entry.pair_id) as work:
            try:
                if task.split_px is not None and (split := split_scene(task, key, task.split_px)) is not None:
                    return split
                config = task.settings.model_copy(update={"out_dir": work / RESULT_FOLDER, "overwrite": False})
                return deliver(task, key, clock, work, task.assess(task.entry, config, work))
            except Exception as error:  # a batch goes on whatever one pair does
                return clock.failed(key, error, work)
    except OSError as error:
        return clock.failed(key, error)


def deliver(task: PairTask, key: str, clock: Clock, work: Path, found: Found) -> PairRecord:
    """Put ``work / RESULT_FOLDER`` in place with its record."""
    if _is_full(work):
        return clock.stopped(key)
    whole = work / "whole"
    whole.mkdir()
    (work / RESULT_FOLDER).rename(whole / RESULT_FOLDER)
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    status = PairStatus.DONE if found.trusted else PairStatus.UNTRUSTED
    record = replace(
        clock.record(status, key),
        impacts=found.impacts,
        position_sd_m=found.position_sd_m,
        warnings=found.warnings,
        output_bytes=size,
    )
    write_record(record, whole)
    target = pair_folder(task.out_dir, task.entry.pair_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    put_in_place(whole, target)
    return record


def job_limit(task: PairTask) -> AbstractContextManager[None]:
    """The time limit of one job of a pair."""
    return time_limit(overdue_folder(task.out_dir), task.entry.pair_id, task.limit_s)


def overdue_folder(out_dir: Path) -> Path:
    """Where jobs that took too long are written down."""
    return out_dir / WORK_FOLDER / "overdue"


@contextmanager
def working_folder(out_dir: Path, pair_id: str) -> Iterator[Path]:
    """A folder for what is unfinished, beside the results; it goes with all that is left in it."""
    parent = out_dir / WORK_FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{pair_id}.", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


def assess_files(entry: PairEntry, config: AssessConfig, scratch: Path) -> Found:
    """The pipeline itself, with its maps in ``scratch``."""
    from cv_pipeline.pipeline import conclude, prepare, segment_prepared

    prepared = prepare(entry.before, entry.after, entry.structures, config)
    return summary_of(conclude(prepared, segment_prepared(prepared, scratch / "segmentation.tif")), config)


def summary_of(result: Assessment, config: AssessConfig) -> Found:
    """What a batch needs to know of a result."""
    from cv_pipeline.matching.uncertainty import CE90_PER_SD
    from cv_pipeline.report.words import is_trusted

    pixel_sd_m = result.pair.after.grid.gsd_m / math.sqrt(12)
    position_sd_m = math.hypot(pixel_sd_m, (config.geolocation_ce90_m or 0.0) / CE90_PER_SD)
    return Found(len(result.impacts), is_trusted(result), result.warnings, position_sd_m)


class Clock:
    """Makes the records of one pair, with the time since it was made."""

    def __init__(self, pair_id: str) -> None:
        self._pair_id = pair_id
        self._start_s = time.monotonic()
        self._started_utc = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def record(self, status: PairStatus, key: str) -> PairRecord:
        """A record with what was measured up to now."""
        return PairRecord(
            self._pair_id,
            status,
            key,
            seconds=round(time.monotonic() - self._start_s, 3),
            started_utc=self._started_utc,
            peak_memory_bytes=_peak_memory_bytes(),
        )

    def failed(self, key: str, error: Exception, work: Path | None = None) -> PairRecord:
        """The record of an error; where the disk is full, of a run that must stop."""
        if _says_full(error) or (work is not None and _is_full(work)):
            return self.stopped(key)
        return replace(self.record(PairStatus.FAILED, key), error=_reason(error))

    def stopped(self, key: str) -> PairRecord:
        """The record of a pair that could not be written because the disk is full."""
        reason = "the disk is full; free some space and go on with --resume"
        return replace(self.record(PairStatus.PENDING, key), stop=reason, error=reason)


def _reason(error: Exception) -> str:
    """An error in words; of a defect also where it came from."""
    if isinstance(error, CvPipelineError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")
    if isinstance(error, MemoryError):
        return "not enough memory; run fewer workers, or split large scenes into smaller parts (--split-mpx)"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"a defect: {type(error).__name__}: {error}{where}"


def _says_full(error: BaseException) -> bool:
    """Whether an error, or one that led to it, is about a full disk or an exhausted quota."""
    cause: BaseException | None = error
    while cause is not None:
        number = cause.errno if isinstance(cause, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT) or any(text in str(cause) for text in _FULL):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < LEAST_FREE_BYTES


def _peak_memory_bytes() -> int:
    """The most memory that this process has held; 0 where the system does not tell."""
    try:
        # Not getrusage: its figure of a new process starts with that of the process that started it.
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
