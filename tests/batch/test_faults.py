"""What goes wrong in a run of days: nothing is lost, nothing is doubled, and nothing half-written looks whole."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cv_pipeline.batch.executor import Answer, Job
from cv_pipeline.batch.index import write_index
from cv_pipeline.batch.manifest import read_manifest
from cv_pipeline.batch.pool import ProcessWorkers
from cv_pipeline.batch.record import PairStatus
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import Counts, read_counts, read_last_run, read_records
from cv_pipeline.batch.task import WORK_FOLDER
from cv_pipeline.errors import OutputError
from tests.batch.standins import Inline, entries, entry, write_model, write_pair
from tests.batch.test_run import starts, whole

Make = Callable[..., BatchSettings]
ROOT = Path(__file__).parents[2]


def start_driver(tmp_path: Path, *more: str) -> subprocess.Popen[bytes]:
    words = [
        sys.executable,
        "-m",
        "tests.batch.driver",
        *(str(tmp_path / name) for name in ("in", "out", "model")),
        *more,
    ]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)


def whole_so_far(out: Path) -> set[str]:
    """Pairs with outputs, all of them whole, whatever else lies about."""
    found = set()
    for folder in (out / "pairs").glob("*"):
        record = json.loads((folder / "pair.json").read_text())
        assert json.loads((folder / "result" / "summary.json").read_text())["name"] == record["pair_id"]
        assert (folder / "result" / "bulk.bin").stat().st_size == 200_000
        found.add(folder.name)
    return found


@pytest.mark.slow
def test_a_run_that_is_killed_ten_times_ends_as_if_it_was_not(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    log = tmp_path / "log"
    names = {pair.pair_id for pair in entries(tmp_path / "in", 60, seconds=0.4, bytes=200_000, log=str(log))}
    rng = random.Random(9)
    done_before: set[str] = set()
    for kill in range(10):
        driver = start_driver(tmp_path)
        assert driver.stdout is not None
        if kill % 5:
            driver.stdout.readline()  # a first pair is through, so that workers run; else it may be killed at its start
        time.sleep(rng.uniform(0, 1.5))
        if kill % 2:
            os.killpg(driver.pid, signal.SIGKILL)  # everything at once, as when a machine goes down
        else:
            os.kill(driver.pid, signal.SIGKILL)  # the driver alone; its workers must notice by themselves
        driver.wait()
        done = whole_so_far(tmp_path / "out")
        assert done_before <= done
        done_before = done
        time.sleep(1.0)
        again = starts(log)
        time.sleep(1.0)
        assert starts(log) == again  # no orphan goes on working
    driver = start_driver(tmp_path)
    driver.communicate(timeout=300)
    assert driver.returncode == 0
    assert whole(tmp_path / "out") == names == whole_so_far(tmp_path / "out")
    assert read_counts(tmp_path / "out") == Counts(0, 60, 0, 0)
    # what was whole is never done again: two workers were at work at each of ten kills
    assert sum(starts(log).values()) <= 60 + 2 * 10


def test_a_run_that_was_killed_as_it_began_can_be_started_again(tmp_path: Path, settings: Make) -> None:
    pairs = entries(tmp_path / "in", 1)
    for begun in ((), ("run.lock",), ("run.lock", "run.sqlite")):
        out = tmp_path / f"out{len(begun)}"
        out.mkdir()
        for name in begun:
            (out / name).touch()
        wanted = settings(out_dir=out, resume="run.sqlite" in begun)
        assert run_batch(pairs, wanted, Inline()).counts == Counts(0, 1, 0, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    write_model(tmp_path / "model")
    entries(tmp_path / "in", 2, bytes=200_000)
    write_pair(tmp_path / "in", "z", bytes=200_000, seconds=600)
    driver = start_driver(tmp_path)
    assert driver.stdout is not None
    driver.stdout.readline(), driver.stdout.readline()
    os.killpg(driver.pid, number) if number == signal.SIGINT else driver.send_signal(number)
    driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert whole(tmp_path / "out") == {"p00000", "p00001"}
    assert read_counts(tmp_path / "out") == Counts(1, 2, 0, 0)
    assert read_last_run(tmp_path / "out")["ending"] == "interrupted"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_stops_the_run_and_more_space_ends_it(tmp_path: Path, settings: Make, small_disk: Path) -> None:
    pairs = entries(tmp_path / "in", 8, bytes=1_000_000)
    out = small_disk / "out"
    result = run_batch(pairs, settings(out_dir=out), Inline())
    assert "disk is full" in result.stopped
    assert 2 <= result.counts.done <= 5
    assert result.counts.failed == 0 and result.counts.pending == 8 - result.counts.done
    assert len(whole(out)) == result.counts.done
    for folder in (out / "pairs").iterdir():
        assert (folder / "result" / "bulk.bin").stat().st_size == 1_000_000
    subprocess.run(["mount", "-o", "remount,size=40m", small_disk], check=True)
    assert run_batch(pairs, settings(out_dir=out, resume=True), Inline()).counts == Counts(0, 8, 0, 0)
    assert len(whole(out)) == 8


def test_an_index_that_does_not_fit_is_told(tmp_path: Path, settings: Make, small_disk: Path) -> None:
    out = small_disk / "out"
    run_batch(entries(tmp_path / "in", 3), settings(out_dir=out), Inline())
    (small_disk / "others").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 8192))
    with pytest.raises(OutputError, match="the index over them cannot be written"):
        write_index(out)
    assert not (out / "index.html").exists() and not list(out.glob(".*"))
    (small_disk / "others").unlink()
    assert write_index(out).is_file()


def test_a_disk_filled_by_others_stops_the_run_too(tmp_path: Path, settings: Make, small_disk: Path) -> None:
    """GDAL may not tell that the last bytes of a file did not fit, so a full disk is never trusted."""
    pairs = entries(tmp_path / "in", 2, bytes=5_250_000)
    result = run_batch(pairs, settings(out_dir=small_disk / "out"), Inline())
    assert result.stopped and result.counts == Counts(2, 0, 0, 0)
    assert not (small_disk / "out" / "pairs").exists()


def test_an_input_that_is_damaged_or_removed_while_the_run_goes_on(tmp_path: Path, settings: Make) -> None:
    pairs = entries(tmp_path / "in", 5)
    Path(pairs[1].after).write_bytes(os.urandom(1000))
    Path(pairs[3].after).unlink()
    result = run_batch(pairs, settings(), Inline())
    assert result.counts == Counts(0, 3, 0, 2)
    damaged, gone = read_records(tmp_path / "out", [PairStatus.FAILED])
    assert damaged.pair_id == "p00001" and damaged.error
    assert gone.pair_id == "p00003" and "No such file" in gone.error
    write_pair(tmp_path / "in", "p00001")
    write_pair(tmp_path / "in", "p00003")
    assert run_batch(pairs, settings(resume=True), Inline()).counts == Counts(0, 5, 0, 0)


@pytest.fixture
def other_user(tmp_path: Path, settings: Make) -> Iterator[tuple[int, Path]]:
    """A user who is not root, and a folder of theirs that they can reach."""
    bad = write_pair(tmp_path / "first", "bad", error="damaged")
    run_batch([entry(bad)], settings(out_dir=tmp_path / "first out"), Inline())  # imports what they may not read
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid() or 65534
    os.chown(folder, user, -1)
    yield user, folder
    shutil.rmtree(folder)


def as_user(user: int, work: Callable[[], bool]) -> bool:
    """The answer of some work done in a child process as another user, since root may read and write everything."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            if os.geteuid() == 0:
                os.setgid(user)
                os.setuid(user)
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_input_that_may_not_be_read_fails_alone(settings: Make, other_user: tuple[int, Path]) -> None:
    user, folder = other_user
    write_model(folder / "model")
    wanted = settings(out_dir=folder / "out")
    wanted = replace(wanted, config=wanted.config.model_copy(update={"model": str(folder / "model")}))
    pairs = entries(folder / "in", 3)
    for path in folder.rglob("*"):
        os.chown(path, user, -1)
    Path(pairs[1].after).chmod(0)
    assert as_user(user, lambda: run_batch(pairs, wanted, Inline()).counts == Counts(0, 2, 0, 1))
    (failed,) = read_records(folder / "out", [PairStatus.FAILED])
    assert failed.error.endswith("p00001.tif: Permission denied")
    Path(pairs[1].after).chmod(0o644)
    again = replace(wanted, resume=True)
    assert as_user(user, lambda: run_batch(pairs, again, Inline()).counts == Counts(0, 3, 0, 0))


def test_a_folder_that_may_not_be_written_is_told(settings: Make, other_user: tuple[int, Path]) -> None:
    user, folder = other_user
    (folder / "closed").mkdir(mode=0o555)
    write_model(folder / "model")
    wanted = settings(out_dir=folder / "closed" / "out")
    wanted = replace(wanted, config=wanted.config.model_copy(update={"model": str(folder / "model")}))

    def is_told() -> bool:
        with pytest.raises(OutputError, match="cannot be created"):
            run_batch(entries(folder / "in", 1), wanted, Inline())
        return True

    assert as_user(user, is_told)


def test_a_clock_that_is_set_changes_nothing(tmp_path: Path, settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    pairs = entries(tmp_path / "in", 4, log=str(log))
    years = 3600 * 24 * 365 * 10
    os.utime(pairs[0].after, (time.time() + years, time.time() + years))
    os.utime(pairs[1].after, (0, 0))
    run_batch(pairs, settings(), Inline())
    now = time.time()
    for skew in (-years, years):
        monkeypatch.setattr(time, "time", lambda skew=skew: now + skew)
        os.utime(pairs[2].after, (now + skew, now + skew))
        result = run_batch(pairs, settings(resume=True), Inline())
        assert result.counts == Counts(0, 4, 0, 0)
    assert set(starts(log).values()) == {1}
    assert all(record.seconds >= 0 for record in read_records(tmp_path / "out"))


class Nothing:
    """An executor whose tasks end at once and write nothing, to look at the driver alone."""

    def __init__(self, width: int = 8) -> None:
        self.width, self.most, self._answers = width, 0, list[Answer]()

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    @property
    def room(self) -> bool:
        return len(self._answers) < self.width

    def submit(self, job: Job) -> None:
        from cv_pipeline.batch.record import PairRecord

        record = PairRecord(job.pair_id, PairStatus.DONE, "k" * 64, 3, warnings=("a sentence of warning " * 5,))
        self._answers.append(Answer(job, record))
        self.most = max(self.most, len(self._answers))

    def wait(self, seconds: float) -> list[Answer]:
        return [self._answers.pop(0)]


def resident_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="Linux only; ten thousand commits take minutes on a disk")
def test_the_drivers_memory_stays_flat_over_ten_thousand_rows(settings: Make) -> None:
    used: dict[int, int] = {}

    def watch(record: object, counts: Counts) -> None:
        if counts.succeeded in (1_000, 10_000):
            used[counts.succeeded] = resident_bytes()

    executor = Nothing()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        (folder / "a.tif").write_bytes(b"x")
        rows = "".join(f"p{number:05d},a.tif\n" for number in range(10_000))
        (folder / "pairs.csv").write_text("pair_id,after\n" + rows)
        wanted = settings(out_dir=folder / "out")
        run_batch(read_manifest(folder / "pairs.csv", wanted.config), wanted, executor, watch)
        assert read_counts(folder / "out").done == 10_000
    assert executor.most == 8
    assert used[10_000] - used[1_000] < 3_000_000  # bytes; the records of 9,000 pairs would be over 7 million


def test_leftovers_of_a_killed_run_are_swept(tmp_path: Path, settings: Make) -> None:
    pairs = entries(tmp_path / "in", 1)
    run_batch(pairs, settings(), Inline())
    (tmp_path / "out" / WORK_FOLDER / "p00000.xyz" / "result").mkdir(parents=True)
    shutil.rmtree(tmp_path / "out" / "pairs" / "p00000")  # as if killed between taking the old away and the new
    assert run_batch(pairs, settings(resume=True), Inline()).counts == Counts(0, 1, 0, 0)
    assert whole(tmp_path / "out") == {"p00000"}


def test_an_idle_worker_that_was_killed_costs_no_pair(tmp_path: Path, settings: Make) -> None:
    log = tmp_path / "log"
    pairs = entries(tmp_path / "in", 2, log=str(log))
    workers = ProcessWorkers(1, 1)

    def kill_it(record: object, counts: Counts) -> None:
        if counts.done == 1:
            import multiprocessing

            (child,) = multiprocessing.active_children()
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join(10)

    assert run_batch(pairs, settings(), workers, kill_it).counts == Counts(0, 2, 0, 0)
    assert set(starts(log).values()) == {1}
