"""Workers of a Dask cluster (https://distributed.dask.org, extra ``dask``): of this machine, or behind a scheduler.

The tasks are those of :mod:`cv_pipeline.batch.pool`. Dask's nannies keep each worker's memory limit and start a worker
that died anew. All workers must see the images and the output folder under the same paths and have the same version.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from typing import Any, Self
from uuid import uuid4

from cv_pipeline.batch.executor import Answer, Job
from cv_pipeline.batch.pool import KILLED
from cv_pipeline.errors import BatchError

CONNECT_S = 30
"""How long a scheduler may take to answer at the start."""
RETURN_S = 600
"""How long a scheduler that went away is waited for; its tasks are then handed out again."""
_RETRY_S = 1.0


class DaskWorkers:
    """An :class:`~cv_pipeline.batch.executor.Executor` on Dask.

    Args:
        scheduler: address of a scheduler; None starts a cluster of this machine for the time of the run.
        workers: processes of that cluster.
        threads: CPU threads of the network in each.
    """

    def __init__(self, scheduler: str | None, workers: int, threads: int) -> None:
        if find_spec("distributed") is None:
            raise BatchError("Dask needs the extra: pip install 'cv-pipeline[dask]'")
        self._address, self._workers, self._threads = scheduler, workers, threads
        self._cluster: Any = None
        self._client: Any = None
        self._jobs: dict[Any, Job] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()
        """Futures that are done, or that were cancelled because the scheduler was lost."""
        self._lost = False
        self._settings = ExitStack()

    def __enter__(self) -> Self:
        import dask
        from distributed import LocalCluster

        if self._address is None:
            settings = {
                # One death is enough: the driver itself tries a pair a second time.
                "distributed.scheduler.allowed-failures": 0,
                # A busy machine may take long to start a worker anew; given up, it would never come back.
                "distributed.deploy.lost-worker-timeout": "1h",
            }
            threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), self._threads)
            # For as long as the cluster lives, as it asks for some of these only when a worker is lost.
            self._settings.enter_context(dask.config.set(settings | {"distributed.nanny.pre-spawn-environ": threads}))
            self._cluster = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=self._workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
            )
            self._address = self._cluster.scheduler_address
        self._connect(CONNECT_S)
        return self

    def __exit__(self, *error: object) -> None:
        for part in (self._client, self._cluster):
            if part is not None:
                part.close(timeout=10)
        self._client = self._cluster = None
        self._settings.close()

    @property
    def room(self) -> bool:
        """Whether a worker is without a job.

        None waits behind another: when a worker dies, Dask suspects all that it had.
        """
        if self._lost or self._client.status != "running":
            return False
        return len(self._jobs) < len(self._client.scheduler_info(n_workers=-1)["workers"])

    def submit(self, job: Job) -> None:
        """Hand a job to the cluster."""
        key = f"{job.call.__name__}-{job.pair_id}-{uuid4().hex[:8]}"
        future = self._client.submit(job.call, *job.arguments, key=key, pure=False)
        self._jobs[future] = job
        future.add_done_callback(self._ended.put)

    def wait(self, seconds: float) -> Sequence[Answer]:
        """Answers that have come; where the scheduler was lost, everything that is out is handed out again."""
        if self._lost or self._client.status != "running":
            self._return()
        try:
            future = self._ended.get(timeout=seconds)
        except Empty:
            return []
        job = self._jobs.get(future)
        if job is None:  # of before the scheduler was lost
            return []
        if future.cancelled():
            self._lost = True
            return []
        del self._jobs[future]
        return [_answer(job, future)]

    def _connect(self, seconds: float) -> None:
        from distributed import Client

        end_s = time.monotonic() + seconds
        while True:
            try:
                self._client = Client(self._address, timeout=min(seconds, CONNECT_S), set_as_default=False)  # type: ignore[no-untyped-call]
                return
            except (OSError, TimeoutError) as error:
                if time.monotonic() > end_s:
                    raise BatchError(
                        f"{self._address}: no Dask scheduler answers there ({error}); start one with 'dask scheduler' "
                        "and workers with 'dask worker', then go on with --resume"
                    ) from error
                time.sleep(_RETRY_S)

    def _return(self) -> None:
        """Connect again and hand out everything that was out: a task that is run twice does no harm."""
        jobs = list(self._jobs.values())
        self._jobs.clear()
        self._client.close(timeout=2)
        self._connect(RETURN_S)
        self._lost = False
        for job in jobs:
            self.submit(job)


def _answer(job: Job, future: Any) -> Answer:
    from distributed import KilledWorker

    try:
        return Answer(job, future.result(timeout=CONNECT_S))
    except KilledWorker:
        return Answer(job, lost=KILLED)
    except Exception as error:  # whatever kept the worker from running it, such as another version there
        return Answer(job, lost=f"its worker could not run it ({type(error).__name__}: {error})")
