"""The driver of a batch: hands out tasks, notes outcomes, and survives what happens to workers.

It is the only writer of the run's record. It holds the manifest and the tasks that are out, nothing of those that are
done, so its memory does not grow with the run.
"""

from __future__ import annotations

import shutil
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from cv_pipeline.batch.deadline import overdue
from cv_pipeline.batch.executor import Answer, Executor, Job
from cv_pipeline.batch.key import pair_key
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.parts import jobs_of
from cv_pipeline.batch.record import PairRecord, PairStatus
from cv_pipeline.batch.state import Counts, RunState
from cv_pipeline.batch.task import WORK_FOLDER, Assess, PairTask, Split, assess_files, overdue_folder, run_pair
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError

MAX_ATTEMPTS = 2
"""A pair whose worker was killed is tried once more: it may have been another's memory. Twice, and it is the pair."""
WAIT_S = 0.5

Watcher = Callable[[PairRecord, Counts], None]
"""Told the record of each pair that ends, and the counts after it."""


def _unwatched(_record: PairRecord, _counts: Counts) -> None:
    """The default: nobody is told."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How a batch runs.

    ``config`` holds for all pairs but for their own overrides. ``split_px``: scenes with more pixels are split.
    ``limit_s``: a job that takes longer is ended, and its pair fails. ``assess`` is the pipeline.
    """

    out_dir: Path
    config: AssessConfig = field(default_factory=AssessConfig)
    resume: bool = False
    retry_failed: bool = False
    split_px: int | None = None
    limit_s: float | None = None
    assess: Assess = assess_files


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a batch ended: its counts, and why it stopped early (empty where it did not)."""

    counts: Counts
    stopped: str = ""


def run_batch(
    entries: Sequence[PairEntry],
    settings: BatchSettings,
    executor: Executor,
    watch: Watcher = _unwatched,
) -> BatchResult:
    """Run all pairs of a manifest that have no result yet.

    Args:
        entries: the whole manifest.
        settings: where to and how.
        executor: what runs the tasks; it is started and ended here.
        watch: told every outcome.

    Raises:
        BatchError: another batch writes to the folder, or the record cannot be written.
        OutputError: the folder is in use by something else.
        ModelError: the model cannot be used.
        KeyboardInterrupt: the run was interrupted; everything finished is recorded, nothing unfinished is left.
    """
    config = _settled(settings.config)
    with RunState(settings.out_dir, resume=settings.resume) as state:
        state.start(entries, _provenance(config))
        _sweep(settings.out_dir)
        driver = _Driver(entries, replace(settings, config=config), state, watch)
        try:
            with _terminated_as_interrupt(), executor:
                driver.run(executor)
        except KeyboardInterrupt:
            state.end("interrupted")
            raise
        finally:
            _sweep(settings.out_dir)
        state.end(driver.stopped or "finished")
        return BatchResult(state.counts(), driver.stopped)


class _Driver:
    """Knows what is to be done next."""

    def __init__(self, entries: Sequence[PairEntry], settings: BatchSettings, state: RunState, watch: Watcher) -> None:
        self._settings, self._state, self._watch = settings, state, watch
        self._tasks = (self._task(entry) for entry in entries)
        self._urgent: deque[Job] = deque()
        """Second attempts and parts of scenes, which come before pairs not yet begun."""
        self._out: set[Job] = set()
        self._splits: dict[str, _Parts] = {}
        self.stopped = ""

    def run(self, executor: Executor) -> None:
        while True:
            while (room := executor.room) and (job := self._next()) is not None:
                self._out.add(job)
                executor.submit(job)
            if room and not self._out:
                return
            for answer in executor.wait(WAIT_S):
                self._out.discard(answer.job)
                self._take(answer)

    def _task(self, entry: PairEntry) -> PairTask:
        known = self._state.get(entry.pair_id)
        settled = known if known.status is PairStatus.FAILED and not self._settings.retry_failed else None
        s = self._settings
        return PairTask(entry, s.config, s.out_dir.absolute(), s.assess, settled, s.split_px, s.limit_s)

    def _next(self) -> Job | None:
        if self.stopped:
            return None
        if self._urgent:
            return self._urgent.popleft()
        task = next(self._tasks, None)
        return None if task is None else Job(task.entry.pair_id, run_pair, (task,))

    def _take(self, answer: Answer) -> None:
        job, value = answer.job, answer.value
        if job.call is not run_pair and job.pair_id not in self._splits:
            return  # a part of a scene that is over
        if answer.lost:
            self._lost(job, answer.lost)
        elif isinstance(value, Split):
            self._splits[job.pair_id] = _Parts(job.arguments[0], value)
            self._go_on(job.pair_id)
        elif isinstance(value, PairRecord):
            self._end(value)
        else:
            parts = self._splits[job.pair_id]
            parts.left -= 1
            if parts.left == 0:
                parts.step += 1
                self._go_on(job.pair_id)

    def _go_on(self, pair_id: str) -> None:
        """Hand out the step that a split scene has come to."""
        parts = self._splits[pair_id]
        jobs = jobs_of(parts.task, parts.split, parts.step)
        parts.left = len(jobs)
        self._urgent.extend(jobs)

    def _lost(self, job: Job, reason: str) -> None:
        where = overdue(overdue_folder(self._settings.out_dir), job.pair_id)
        if where is not None:
            # Without a key, so --resume tries it again. To work one out may hang too, and this is the driver.
            limit = f"it took longer than the time limit of {self._settings.limit_s:.0f} s and was ended {where}"
            error = f"{limit}; give it more time with --resume --time-limit-min MINUTES"
            self._end(PairRecord(job.pair_id, PairStatus.FAILED, error=error))
        elif job.attempt < MAX_ATTEMPTS:
            self._urgent.append(replace(job, attempt=job.attempt + 1))
        else:
            error = f"{reason}, {job.attempt} times; run the pair alone to see more, or with more memory"
            task: PairTask = job.arguments[0]
            try:
                key = pair_key(task.entry, task.settings)  # so that it is not tried again before something changes
            except (CvPipelineError, OSError):
                key = ""
            self._end(PairRecord(job.pair_id, PairStatus.FAILED, key, error=error))

    def _end(self, record: PairRecord) -> None:
        """Note an outcome; of a split scene the first one counts, as its other parts are then in vain."""
        if (parts := self._splits.pop(record.pair_id, None)) is not None:
            self._urgent = deque(job for job in self._urgent if job.pair_id != record.pair_id)
            shutil.rmtree(parts.split.folder, ignore_errors=True)
        self.stopped = self.stopped or record.stop
        self._state.put(record)
        self._watch(record, self._state.counts())


@dataclass(slots=True)
class _Parts:
    """A scene whose parts are out: the step that it has come to, and how many of its jobs are still to end."""

    task: PairTask
    split: Split
    step: int = 0
    left: int = 0


def _settled(config: AssessConfig) -> AssessConfig:
    """Settings that are the same on every machine: ``auto`` is settled here, once."""
    from cv_pipeline.segmentation.zoo import find_model

    folder = find_model(config.model)
    if config.precision != "fp32":
        from cv_pipeline.segmentation.onnx_backend import choose_precision  # loads PyTorch, so only where it is asked

        precision = choose_precision(folder, config.backend, config.precision, config.device)
        config = config.model_copy(update={"precision": precision})
    return config.model_copy(update={"model": _portable(config.model)})


def _portable(model: str) -> str:
    """A shipped model's name, or a folder's whole path, since workers may run elsewhere."""
    return str(Path(model).absolute()) if (Path(model) / "model.yaml").is_file() else model


def _provenance(config: AssessConfig) -> dict[str, object]:
    from cv_pipeline.batch.key import model_sha256
    from cv_pipeline.report.provenance import package_versions

    return {
        "model_sha256": model_sha256(config.model),
        "config": config.model_dump(mode="json", exclude={"out_dir", "overwrite"}),
        "versions": package_versions(),
    }


def _sweep(out_dir: Path) -> None:
    """Remove what was left unfinished; nobody else works there, as the record's lock is ours."""
    shutil.rmtree(out_dir / WORK_FOLDER, ignore_errors=True)


@contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """A batch system ends a job with SIGTERM; it is to end as cleanly as with Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
