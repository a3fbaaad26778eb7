"""Workers of this machine: each is a ``concurrent.futures.ProcessPoolExecutor`` of one process.

In one pool of many, a process that is killed breaks the whole pool and all that runs in it
(https://docs.python.org/3/library/concurrent.futures.html, ``BrokenProcessPool``; loky does the same), and nobody can
say which task did it. A pool of one loses just the task it had, and is then made anew.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from multiprocessing.connection import wait as wait_for_end
from typing import Any, Self

from cv_pipeline.batch.executor import Answer, Job

RENEW_AFTER = 100
"""Jobs after which a worker is replaced: over days, libraries leak."""
START_S = 60.0
"""How long a process may take to start before it is no longer waited for."""
KILLED = "its worker process was killed or crashed (out of memory, or a library's fault)"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(workers: int | None, threads: int) -> int:
    """How many workers to have; None: as many as there are cores for, at least one."""
    return workers or max(available_cores() // threads, 1)


def visible_gpus() -> list[str]:
    """CUDA's names of the devices that this process may use; ConfigError where there is none."""
    import torch

    from cv_pipeline.segmentation.onnx_backend import check_device

    check_device("cuda")
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return named.split(",") if named else [str(number) for number in range(torch.cuda.device_count())]


class ProcessWorkers:
    """An :class:`~cv_pipeline.batch.executor.Executor` of ``workers`` processes with ``threads`` threads each.

    ``gpus`` are CUDA's names of devices; each worker sees one of them only, in turn. None: every worker sees all.
    """

    def __init__(self, workers: int, threads: int, gpus: Sequence[str] | None = None) -> None:
        values = dict.fromkeys(_THREADS, str(threads))
        seen = [{"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {} for number in range(workers)]
        self._workers = tuple(_Worker(values | own) for own in seen)
        self._idle = list(self._workers)
        self._busy: dict[Future[Any], tuple[_Worker, Job]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # All of them: an interrupt may fall between a worker's leaving the idle ones and its job's being noted.
        for worker in self._workers:
            worker.kill()

    @property
    def room(self) -> bool:
        """Whether a worker is idle."""
        return bool(self._idle)

    def submit(self, job: Job) -> None:
        """Give a job to an idle worker."""
        worker = self._idle.pop()
        self._busy[worker.submit(job)] = worker, job

    def wait(self, seconds: float) -> Sequence[Answer]:
        """Answers that have come within so many seconds."""
        answers = []
        for future in wait_for(self._busy, seconds, FIRST_COMPLETED).done:
            worker, job = self._busy.pop(future)
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                worker.kill()
                answers.append(Answer(job, lost=KILLED))
            elif error is not None:
                answers.append(Answer(job, lost=f"its worker could not run it ({type(error).__name__}: {error})"))
            else:
                answers.append(Answer(job, future.result()))
            self._idle.append(worker)
        return answers


class _Worker:
    """One process, started with its first job and renewed when it is gone or has done many."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._pool: ProcessPoolExecutor | None = None
        self._pid: Future[int] | None = None
        self._jobs = 0

    def submit(self, job: Job) -> Future[Any]:
        if self._jobs >= RENEW_AFTER and self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = self._pid = None
        # A worker that was killed while idle shows only when it is asked; it took no job with it.
        with contextlib.suppress(BrokenExecutor):
            return self._start().submit(job.call, *job.arguments)
        self.kill()
        return self._start().submit(job.call, *job.arguments)

    def _start(self) -> ProcessPoolExecutor:
        self._jobs += 1
        if self._pool is None:
            self._jobs = 1
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, initializer=prepare_worker)
            # Numerical libraries read these when they are loaded, so the process must be born with them.
            with _environment(self._environment):
                self._pid = self._pool.submit(os.getpid)
        return self._pool

    def kill(self) -> None:
        if self._pool is None:
            return
        # A process that is just starting tells its number first; one that is gone already has nothing to tell. One
        # that was interrupted before it was asked has no job either.
        if self._pid is not None:
            with contextlib.suppress(BrokenExecutor, TimeoutError, ProcessLookupError):
                os.kill(self._pid.result(START_S), signal.SIGKILL)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._pid = None


def prepare_worker() -> None:
    """Leave Ctrl-C to the driver, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """A driver that was killed must not leave workers behind that go on writing."""
    wait_for_end([sentinel])
    os._exit(1)


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that a process started here inherits."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
