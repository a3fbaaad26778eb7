"""The same tasks on Dask: the same bytes, and a scheduler that may go away and come back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.pool import ProcessWorkers
from cv_pipeline.batch.record import PairStatus
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import Counts, read_records
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import BatchError
from tests.batch.standins import entries, entry, write_model, write_pair
from tests.batch.test_run import starts, whole

pytest.importorskip("distributed")
from cv_pipeline.batch.dask_workers import DaskWorkers

Make = Callable[..., BatchSettings]
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A part of a Dask cluster, with all that it starts, ended at the end."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    }
    started = subprocess.Popen(
        [sys.executable, "-m", "dask", *words], cwd=ROOT, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield started
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def scheduler(port: int) -> tuple[str, ...]:
    return "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"


def worker(port: int, *more: str) -> tuple[str, ...]:
    return "worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard", *more


def tables(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.glob("pairs/*/result/*"))
        if path.is_file()
    }


def test_every_executor_gives_the_same_bytes_and_a_killed_worker_takes_only_its_pair(
    tmp_path: Path, settings: Make
) -> None:
    pairs = entries(tmp_path / "in", 6)
    pairs.insert(2, entry(write_pair(tmp_path / "in", "always", die="always")))
    pairs.insert(4, entry(write_pair(tmp_path / "in", "hangs", seconds=600)))
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(process(*scheduler(port)))
        stack.enter_context(process(*worker(port)))
        executors = {
            "processes": ProcessWorkers(2, 1),
            "cluster": DaskWorkers(None, 2, 1),
            "scheduler": DaskWorkers(f"tcp://127.0.0.1:{port}", 1, 1),
        }
        for name, executor in executors.items():
            result = run_batch(pairs, settings(out_dir=tmp_path / name, limit_s=5), executor)
            assert result.counts == Counts(0, 6, 0, 2), name
            assert len(whole(tmp_path / name)) == 6
            always, hangs = read_records(tmp_path / name, [PairStatus.FAILED])
            assert always.pair_id == "always" and "killed or crashed" in always.error
            assert hangs.pair_id == "hangs" and "time limit of 5 s" in hangs.error
    assert tables(tmp_path / "processes") == tables(tmp_path / "cluster") == tables(tmp_path / "scheduler")


@pytest.fixture
def planted_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network that knows the planted colours as a model folder of ONNX graphs, which every process can load."""
    pytest.importorskip("onnxscript")
    from cv_pipeline.segmentation import export_graph
    from tests.segmentation.factories import PlantedNet, make_model
    from tests.test_pipeline import BLAST_M, CRATER_M

    make_model(tmp_path / "source")
    with monkeypatch.context() as patched:
        patched.setattr(export_graph, "load_network", lambda folder, model: PlantedNet(CRATER_M, BLAST_M).eval())
        export_graph.export_model_folder(tmp_path / "source", "onnx", tmp_path / "planted")
    return tmp_path / "planted"


def test_the_pipeline_itself_gives_the_same_bytes_on_every_executor(
    tmp_path: Path, planted_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Image files to reports; on Dask the larger scene is split and merged, on the processes it is not."""
    from tests.test_pipeline import CRATERS, UTM, scene

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    pairs = []
    for name, gsd_m in (("large", 0.5), ("small", 1.0)):
        (tmp_path / name).mkdir()
        paths = scene(tmp_path / name, (UTM, gsd_m), (UTM, gsd_m))
        pairs.append(PairEntry(name, *(str(paths[part]) for part in ("before", "after", "structures"))))
    config = AssessConfig(model=str(planted_model), threads=1, tile_px=256)
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(process(*scheduler(port)))
        stack.enter_context(process(*worker(port)))
        executors = (
            ("processes", ProcessWorkers(1, 1), None),
            ("cluster", DaskWorkers(None, 2, 1), 40_000),
            ("scheduler", DaskWorkers(f"tcp://127.0.0.1:{port}", 1, 1), 40_000),
        )
        for name, executor, split_px in executors:
            result = run_batch(pairs, BatchSettings(tmp_path / "out" / name, config, split_px=split_px), executor)
            assert result.counts == Counts(0, 2, 0, 0), list(read_records(tmp_path / "out" / name))
    (large, small) = read_records(tmp_path / "out" / "processes")
    assert large.impacts == len(CRATERS) and small.impacts > 0
    found = {name: tables(tmp_path / "out" / name) for name, *_ in executors}
    assert len(found["processes"]) > 20
    for name in ("cluster", "scheduler"):
        assert found[name].keys() == found["processes"].keys()
        assert [path for path, data in found[name].items() if data != found["processes"][path]] == []


def test_a_scheduler_that_is_restarted_costs_nothing(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    log = tmp_path / "log"
    names = {pair.pair_id for pair in entries(tmp_path / "in", 24, seconds=0.5, bytes=1000, log=str(log))}
    port = free_port()
    words = (*(str(tmp_path / name) for name in ("in", "out", "model")), "--dask", f"tcp://127.0.0.1:{port}")
    with ExitStack() as stack:
        with process(*scheduler(port)), process(*worker(port)):
            driver = subprocess.Popen(
                [sys.executable, "-m", "tests.batch.driver", *words], cwd=ROOT, stdout=subprocess.PIPE
            )
            stack.callback(driver.kill)
            assert driver.stdout is not None
            for _ in range(4):
                driver.stdout.readline()
        time.sleep(3)
        stack.enter_context(process(*scheduler(port)))
        stack.enter_context(process(*worker(port)))
        driver.communicate(timeout=300)
        assert driver.returncode == 0
    assert whole(tmp_path / "out") == names
    assert {record.status for record in read_records(tmp_path / "out")} == {PairStatus.DONE}
    assert sum(starts(log).values()) <= len(names) + 2  # what ran when it went away is run again, no more


def test_a_pair_that_needs_more_memory_than_a_worker_may_have_fails_alone(tmp_path: Path, settings: Make) -> None:
    pairs = entries(tmp_path / "in", 2)
    pairs.insert(1, entry(write_pair(tmp_path / "in", "greedy", memory=900_000_000, seconds=120)))
    port = free_port()
    with process(*scheduler(port)), process(*worker(port, "--memory-limit", "600MB")):
        result = run_batch(pairs, settings(), DaskWorkers(f"tcp://127.0.0.1:{port}", 1, 1))
    assert result.counts == Counts(0, 2, 0, 1)
    (failed,) = read_records(tmp_path / "out", [PairStatus.FAILED])
    assert failed.pair_id == "greedy" and "out of memory" in failed.error


def test_no_scheduler_is_told(tmp_path: Path, settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from cv_pipeline.batch import dask_workers

    monkeypatch.setattr(dask_workers, "CONNECT_S", 2)
    pairs = entries(tmp_path / "in", 1)
    with pytest.raises(BatchError, match="no Dask scheduler answers"):
        run_batch(pairs, settings(), DaskWorkers(f"tcp://127.0.0.1:{free_port()}", 1, 1))
