"""How fast a whole run is and how much memory it takes: one run of ``assess`` in a process of its own.

``python -m cv_pipeline.evaluation.throughput`` reads a :class:`Job` as JSON on stdin and prints a :class:`Measured`
as JSON; :func:`measure` calls it so, because a process's peak memory cannot be reset.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

if TYPE_CHECKING:
    from cv_pipeline.config import AssessConfig

FORWARD_TILE_PX = 512
FORWARD_RUNS = 3


@dataclass(frozen=True)
class Job:
    """What is run: files, ``assess`` settings, and after how many tiles to stop (None: run to the end)."""

    before: str
    after: str
    out: str
    settings: dict[str, Any] = field(default_factory=dict)
    stop_after_tiles: int | None = None


@dataclass(frozen=True)
class Measured:
    """What one run took; seconds are of the wall clock unless a name says CPU.

    ``stage_s``, ``stage_cpu_s`` and ``peak_mib`` (memory up to its end) are by stage. ``segment_cpu_s`` is what
    segmentation's threads take beside the network. ``working_mp`` is what the network answered for,
    ``image_mp`` the after image. ``forward_s`` and ``forward_cpu_s`` are seconds per megapixel of the bare forward
    pass in the same process. A run that was stopped has ``impacts`` None and no stages after segmentation.
    """

    working_mp: float
    image_mp: float
    km2: float
    wall_s: float
    cpu_s: float
    stage_s: dict[str, float]
    stage_cpu_s: dict[str, float]
    peak_mib: dict[str, float]
    segment_cpu_s: dict[str, float]
    forward_s: float
    forward_cpu_s: float
    impacts: int | None

    @property
    def ratio(self) -> float:
        """The run's rate over that of the bare forward pass, by the wall clock."""
        return self.forward_s * self.working_mp / self.wall_s

    @property
    def cpu_ratio(self) -> float:
        """The same by CPU time, which other work on the machine changes less."""
        return self.forward_cpu_s * self.working_mp / self.cpu_s


def beyond(less: Measured, more: Measured) -> Measured:
    """What a run of a large scene took more than one of a small scene: the cost of further pixels alone.

    Peak memory and the bare forward pass are those of the large one.
    """
    values: dict[str, Any] = {"peak_mib": more.peak_mib, "forward_s": more.forward_s}
    values["forward_cpu_s"] = more.forward_cpu_s
    for name in {each.name for each in fields(Measured)} - values.keys():
        high, low = getattr(more, name), getattr(less, name)
        values[name] = {k: high[k] - low.get(k, 0.0) for k in high} if isinstance(high, dict) else high - low
    return Measured(**values)


def measure(job: Job) -> Measured:
    """Run a job in a fresh process.

    Raises:
        RuntimeError: the run failed; its last words are in the message.
    """
    found = subprocess.run(
        [sys.executable, "-m", __name__], input=json.dumps(asdict(job)), capture_output=True, text=True, check=False
    )
    if found.returncode != 0:
        raise RuntimeError(f"{job.after}: the run failed: {found.stderr.strip()[-2000:]}")
    return Measured(**json.loads(found.stdout.splitlines()[-1]))


def peak_mib() -> float:
    """The most memory that this process has held so far, what it shares with others included."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):  # ru_maxrss would also count the process that started this one
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


class _StoppedError(Exception):
    """The run has gone as far as it was to go."""


class StageClock:
    """A progress function that notes how long each stage takes and the peak memory up to its end."""

    def __init__(self, stop_after_tiles: int | None = None) -> None:
        self.stage_s: dict[str, float] = defaultdict(float)
        self.stage_cpu_s: dict[str, float] = defaultdict(float)
        self.peak_mib: dict[str, float] = {}
        self.tiles = (0, 1)
        self._stop_after = stop_after_tiles
        self._last = time.perf_counter(), time.process_time()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Time since the last call belongs to ``stage``."""
        at = time.perf_counter(), time.process_time()
        self.stage_s[stage] += at[0] - self._last[0]
        self.stage_cpu_s[stage] += at[1] - self._last[1]
        self._last = at
        self.peak_mib[stage] = peak_mib()
        if stage == "segmenting":
            self.tiles = done, total
            if self._stop_after is not None and done >= self._stop_after:
                raise _StoppedError


@contextmanager
def _thread_times() -> Iterator[dict[str, float]]:
    """CPU seconds of what segmentation's threads do."""
    from cv_pipeline.segmentation import predict
    from cv_pipeline.segmentation.blend import Blender
    from cv_pipeline.segmentation.raster import SegmentationWriter
    from cv_pipeline.segmentation.tile_input import read_tile

    seconds: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[name] += time.thread_time() - start

        return call

    with (
        patch.object(predict, "read_tile", timed("read and normalise", read_tile)),
        patch.object(Blender, "add", timed("blend", Blender.add)),
        patch.object(SegmentationWriter, "write_maps", timed("write", SegmentationWriter.write_maps)),
    ):
        yield seconds


def run(job: Job) -> Measured:
    """The job in this process; :func:`measure` is what callers want."""
    from cv_pipeline.config import AssessConfig
    from cv_pipeline.imagery.grid import working_grid
    from cv_pipeline.imagery.source import open_source
    from cv_pipeline.pipeline import assess
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    config = AssessConfig(**job.settings, out_dir=Path(job.out))
    forward_s, forward_cpu_s = bare_forward(config)  # first, so that imports count for neither
    clock = StageClock(job.stop_after_tiles)
    impacts: int | None = None
    with _thread_times() as seconds:
        start, start_cpu = time.perf_counter(), time.process_time()
        with suppress(_StoppedError):
            impacts = len(assess(job.before, job.after, config=config, progress=clock).impacts)
        wall_s, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    grid = open_source(Path(job.after), gsd_m=config.gsd_m).grid
    working = working_grid(grid, read_model_file(find_model(config.model)).working_gsd_m)
    share = clock.tiles[0] / clock.tiles[1]
    return Measured(
        working_mp=share * working.height * working.width / 1e6,
        image_mp=share * grid.height * grid.width / 1e6,
        km2=share * grid.height * grid.width * grid.gsd_m**2 / 1e6,
        wall_s=wall_s, cpu_s=cpu_s, stage_s=dict(clock.stage_s),
        stage_cpu_s=dict(clock.stage_cpu_s), peak_mib=clock.peak_mib, segment_cpu_s=dict(seconds), forward_s=forward_s,
        forward_cpu_s=forward_cpu_s, impacts=impacts,
    )  # fmt: skip


def bare_forward(config: AssessConfig) -> tuple[float, float]:
    """Seconds and CPU seconds per megapixel of the network alone, on a ready pair; the least of some runs."""
    from cv_pipeline.memory import give_back
    from cv_pipeline.segmentation.backend import pin_threads
    from cv_pipeline.segmentation.onnx_backend import choose_precision, load_backend
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    folder = find_model(config.model)
    precision = choose_precision(folder, config.backend, config.precision)
    pin_threads(config.threads)
    backend = load_backend(folder, read_model_file(folder), config.backend, precision)
    shape = 2, 1, 4, FORWARD_TILE_PX, FORWARD_TILE_PX
    after, before = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    backend(after, before, None)
    times = []
    for _ in range(FORWARD_RUNS):
        start, start_cpu = time.perf_counter(), time.process_time()
        backend(after, before, None)
        times.append((time.perf_counter() - start, time.process_time() - start_cpu))
    megapixels = FORWARD_TILE_PX**2 / 1e6
    give_back()  # what is measured next is a run without it
    return min(wall for wall, _ in times) / megapixels, min(cpu for _, cpu in times) / megapixels


if __name__ == "__main__":
    print(json.dumps(asdict(run(Job(**json.load(sys.stdin))))))
