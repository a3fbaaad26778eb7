"""A batch in a process that a test may kill: python -m tests.batch.driver IN OUT MODEL [--dask ADDRESS]."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from cv_pipeline.batch.executor import Executor
from cv_pipeline.batch.pool import ProcessWorkers
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.config import AssessConfig
from tests.batch.standins import entry, obey

if __name__ == "__main__":
    # A shell's background job ignores Ctrl-C, and so does all that it starts: the tests may run in one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, out, model = (Path(word) for word in sys.argv[1:4])
    executor: Executor = ProcessWorkers(2, 1)
    if "--dask" in sys.argv:
        from cv_pipeline.batch.dask_workers import DaskWorkers

        executor = DaskWorkers(sys.argv[-1], 2, 1)
    settings = BatchSettings(
        out,
        AssessConfig(model=str(model), precision="fp32", threads=1),
        resume=(out / "run.sqlite").exists(),
        assess=obey,
    )
    pairs = [entry(path) for path in sorted(folder.glob("*.tif"))]
    try:
        result = run_batch(pairs, settings, executor, lambda record, counts: print(record.pair_id, flush=True))
    except KeyboardInterrupt:
        sys.exit(130)
    print(result, flush=True)
