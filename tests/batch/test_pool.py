"""Worker processes of this machine: none outlives its driver's leaving, whenever that was interrupted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cv_pipeline.batch.executor import Job
from cv_pipeline.batch.pool import ProcessWorkers


def tell_and_sleep(path: str) -> None:
    """Leave the process' number and stay for ten minutes."""
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


def test_an_interrupt_before_a_job_is_noted_leaves_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "pid"
    workers = ProcessWorkers(1, 1)

    class Interrupted(dict[object, object]):
        """Ctrl-C falls as the job, which runs already, is written down."""

        def __setitem__(self, key: object, value: object) -> None:
            while not told.exists() or not told.read_text():
                time.sleep(0.02)
            raise KeyboardInterrupt

    monkeypatch.setattr(workers, "_busy", Interrupted())
    with pytest.raises(KeyboardInterrupt), workers:
        workers.submit(Job("a", tell_and_sleep, (str(told),)))
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
