from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cv_pipeline.evaluation import throughput
from cv_pipeline.evaluation.planted_pairs import places
from cv_pipeline.evaluation.repeated import write_pair
from cv_pipeline.evaluation.throughput import Job, Measured, StageClock, beyond, measure, peak_mib
from cv_pipeline.simulation.pair import simulate_pair


def measured(**changes: object) -> Measured:
    values: dict[str, object] = {
        "working_mp": 10.0, "image_mp": 14.4, "km2": 3.6, "wall_s": 20.0, "cpu_s": 40.0, "stage_s": {},
        "stage_cpu_s": {}, "peak_mib": {}, "segment_cpu_s": {}, "forward_s": 1.0, "forward_cpu_s": 1.0, "impacts": 0,
    }  # fmt: skip
    return Measured(**(values | changes))  # type: ignore[arg-type]


def test_a_run_as_fast_as_its_forward_pass_has_ratio_one() -> None:
    assert measured(wall_s=10.0).ratio == pytest.approx(1.0)
    assert measured().ratio == pytest.approx(0.5)
    assert measured().cpu_ratio == pytest.approx(0.25)


def test_what_every_run_costs_once_is_not_a_further_pixels() -> None:
    once_s, per_mp_s = 7.0, 1.25

    def run(mp: float) -> Measured:
        wall_s = once_s + per_mp_s * mp
        stages = {"opening": once_s, "segmenting": per_mp_s * mp}
        return measured(working_mp=mp, wall_s=wall_s, cpu_s=2 * wall_s, stage_s=stages, impacts=int(mp))

    found = beyond(run(4.0), run(20.0))
    assert found.wall_s / found.working_mp == pytest.approx(per_mp_s)
    assert found.stage_s == pytest.approx({"opening": 0.0, "segmenting": 16 * per_mp_s})
    assert found.ratio == pytest.approx(1.0 / per_mp_s)
    assert found.impacts == 16


def test_time_since_the_last_call_belongs_to_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 5.0, 6.0, 9.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    clock = StageClock()
    clock("opening", 1, 1)
    clock("segmenting", 1, 4)
    clock("segmenting", 2, 4)
    assert clock.stage_s == {"opening": 5.0, "segmenting": 4.0}
    assert clock.tiles == (2, 4)
    assert 0 < clock.peak_mib["opening"] <= clock.peak_mib["segmenting"]


def test_the_clock_stops_a_run_that_has_gone_far_enough() -> None:
    clock = StageClock(stop_after_tiles=2)
    clock("segmenting", 1, 4)
    clock("aligning", 3, 4)
    with pytest.raises(throughput._StoppedError):
        clock("segmenting", 2, 4)


def test_peak_memory_sees_a_large_array() -> None:
    before = peak_mib()
    block = np.ones(100 * 2**17)
    assert peak_mib() - before > 50
    assert block.nbytes == 100 * 2**20


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"none\.tif: the run failed: (.|\n)*no_such"):
        measure(Job("none.tif", "none.tif", str(tmp_path / "out"), {"no_such": 1}))


def test_a_small_pair_is_repeated_to_any_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 255, (2, 60, 80, 3), dtype=np.uint8)
    paths = write_pair(before, after, 0.5, 150, tmp_path)
    for path, image in zip(paths, (before, after), strict=True):
        with rasterio.open(path) as file:
            assert file.shape == (150, 150)
            assert file.res == (0.5, 0.5)
            found = np.moveaxis(file.read(), 0, -1)
        np.testing.assert_array_equal(found, np.tile(image, (3, 2, 1))[:150, :150])


@pytest.mark.slow
def test_a_whole_run_stays_below_one_and_a_half_gigabytes(tmp_path: Path) -> None:
    """Registration, the small model, measuring and all files of a scene as wide as a strip of tiles."""
    backgrounds, _ = places(Path(), "kampala")
    pair = simulate_pair(backgrounds, (660_001, 0), (1024, 1024), 0.5)
    before, after = write_pair(pair.before, pair.after, 0.5, 4096, tmp_path)
    found = measure(Job(str(before), str(after), str(tmp_path / "out"), {"model": "small"}))
    print(found)
    assert found.impacts is not None and found.impacts > 0
    assert set(found.peak_mib) >= {"segmenting", "measuring", "writing"}
    assert max(found.peak_mib.values()) < 1.5e9 / 2**20
