"""Estimates: the run that is played through against sums done by hand, sizes, and the probe."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.batch.cost import STAGES, Cost, Rate, Sample, cost_lines, fit_cost, read_cost
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.plan import in_hours, make_plan, plan_lines, scene_time
from cv_pipeline.batch.probe import Size, size_of, sizes_of
from cv_pipeline.batch.schedule import Faults, SceneTime, play, split_evenly
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import ManifestError
from tests.batch.standins import write_model
from tests.conftest import texture

ROOT = Path(__file__).parents[2]
COST = Cost(
    {"prepare": Rate(0.5, 0.2), "network": Rate(0.0, 3.0), "measure": Rate(0.1, 0.3), "finish": Rate(1.4, 0.5)},
    output_bytes=Rate(1e6, 2e6), memory_bytes=10**9, scratch_bytes_per_mpx=5e6, probe_width_px=2048,
)  # fmt: skip


def small(seconds: float) -> SceneTime:
    return SceneTime(((seconds,),))


def test_whole_pairs_go_to_the_worker_that_is_free_first() -> None:
    assert play([small(s) for s in (3, 1, 1, 1)], 2).wall_s == 3
    played = play([small(s) for s in (1, 1, 1, 3)], 2)
    assert (played.wall_s, played.work_s, played.longest_scene_s) == (4, 6, 3)
    assert played.busy == pytest.approx(6 / 8)
    assert play([small(1)] * 200, 1).wall_s == pytest.approx(2 * play([small(1)] * 200, 2).wall_s)
    assert play([], 3).wall_s == 0


def test_a_split_scene_uses_all_workers_and_waits_for_its_last_part() -> None:
    scene = SceneTime(((1.0,), (2.0,) * 8, (3.0,)))
    assert play([scene], 1).wall_s == 20
    assert play([scene], 8).wall_s == 6
    assert play([scene], 3).wall_s == 1 + 3 * 2 + 3
    assert play([scene, small(5.0)], 2).wall_s == pytest.approx(14)  # parts and the small pair share two workers
    twice = SceneTime(((1.0,), (2.0,) * 4, (1.0,) * 4, (3.0,)))
    assert (play([twice], 4).wall_s, play([twice], 2).wall_s) == (7, 10)


def test_deaths_cost_what_was_done_and_the_restart() -> None:
    scenes = [small(100.0)] * 2000
    faults = Faults(mean_between_h=1.0, restart_s=20, seed=4)
    played = play(scenes, 4, faults)
    # a job of t dies with 1 - exp(-t/m); each death costs its mean lost time and the restart
    m, t = 3600.0, 100.0
    deaths = 2000 * (np.exp(t / m) - 1)
    lost_s = m - t / (np.exp(t / m) - 1)
    assert played.deaths == pytest.approx(deaths, abs=4 * np.sqrt(deaths))
    assert played.wall_s * 4 == pytest.approx(2000 * t + played.deaths * (lost_s + 20), rel=0.01)


def test_plan_adds_up() -> None:
    sizes = [Size(10.0, 3000, 2.5)] * 9 + [Size(1000.0, 40_000, 250.0)]
    plan = make_plan(sizes, COST, workers=2, split_mpx=256)
    seams_s = 3 * 3.0 * 512 * 1000**0.5 / 1000
    assert plan.played.work_s == pytest.approx(9 * 42 + 2 + 4000 + seams_s)
    assert plan.split_pairs == 1 and plan.area_km2 == pytest.approx(272.5)
    assert plan.output_bytes == pytest.approx(10 * 1e6 + 1090 * 2e6)
    assert plan.memory_bytes_per_worker == 10**9 + 1300 * (40_000 - 2048)
    assert plan.scratch_bytes == pytest.approx(5e6 * 1010 + 2 * 1e6 + 1010 * 2e6)
    lines = list(plan_lines(plan, COST))
    assert lines[0] == "10 pairs, 272 km², 1,090 megapixels at the model's GSD (the largest 1,000; 1 split)"
    assert lines[-1] == "disk: 2.2 GB of results, and 7.1 GB more meanwhile"
    scene = scene_time(1000.0, COST, 256)
    assert [len(step) for step in scene.steps_s] == [1, 4, 4, 1]
    assert scene.total_s == pytest.approx(COST.seconds(1000.0) + seams_s)
    assert scene.steps_s[0] == (pytest.approx(200.5),) and scene.steps_s[3] == (pytest.approx(501.4),)
    assert split_evenly(256.0, 256.0) == (256.0,)


def sample(megapixels: float, impacts: int) -> Sample:
    """What a pair would take if every stage were a line in its size and the last two in its impacts."""
    seconds = [k + 2 * k * megapixels + 0.1 * k * impacts * (k > 2) for k in (1.0, 2.0, 3.0, 4.0)]
    return Sample(megapixels, impacts, 2 * sum(seconds), *seconds, 5 + 6 * megapixels + 7 * impacts, 8 * megapixels, 9)


def test_a_planted_cost_is_recovered_and_read_back() -> None:
    cost = fit_cost(sample(1.0, 2), sample(4.0, 3), sample(4.0, 50))
    for k, stage in enumerate(STAGES, start=1):
        assert cost.stage_s[stage] == pytest.approx((k, 2 * k, 0.1 * k * (k > 2)))
    assert cost.output_bytes == pytest.approx((5, 6, 7))
    assert cost.whole_s == pytest.approx((10, 20, 0.7))
    assert (cost.scratch_bytes_per_mpx, cost.memory_bytes, cost.probe_width_px) == (pytest.approx(8), 9, 2000)
    assert cost.slowed == pytest.approx(2)
    assert read_cost(json.loads(json.dumps(asdict(cost)))) == cost
    assert "| all stages, s | 10.00 | 20.00 | 0.700 |" in list(cost_lines(cost))
    without = fit_cost(sample(1.0, 0), sample(4.0, 0))
    assert without.stage_s["network"] == pytest.approx((2, 4, 0))
    # Where the larger pair came out cheaper all of it counts by size, never as free.
    odd = fit_cost(sample(1.0, 0)._replace(finish_s=100.0), sample(4.0, 0))
    assert odd.stage_s["finish"] == pytest.approx((0, 9, 0))


@pytest.mark.parametrize(("seconds", "text"), [(12, "12 s"), (600, "10 min"), (7200, "2 h"), (864_000, "10.0 days")])
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert in_hours(seconds) == text


def test_sizes_are_at_the_models_gsd(make_tiff: Callable[..., Path], tmp_path: Path) -> None:
    write_model(tmp_path / "model")  # works at 0.5 m
    config = AssessConfig(model=str(tmp_path / "model"))
    fine = make_tiff(texture(200, 100), name="fine.tif")
    bare = make_tiff(texture(200, 100), name="bare.tif", crs=None)
    size = size_of(PairEntry("a", None, str(fine), None), config)
    assert size.megapixels == pytest.approx(0.02, rel=0.002)
    assert size.area_km2 == pytest.approx(0.005, rel=0.002)
    coarse = size_of(PairEntry("b", None, str(bare), None, (("gsd_m", "1.0"),)), config)
    assert coarse == (0.08, 200, 0.02)
    with pytest.raises(ManifestError, match="1 pair"):
        sizes_of([PairEntry("c", None, str(bare), None)], config)


@pytest.mark.slow
def test_plan_runs_to_its_end_and_feeds_the_simulated_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole command on a small drawn pair: a real probe in a worker of its own, then the archive made of it."""
    from typer.testing import CliRunner

    from cv_pipeline.cli import app
    from tests.segmentation.factories import make_model
    from tests.test_pipeline import UTM, scene

    make_model(tmp_path / "model")
    paths = scene(tmp_path, (UTM, 0.5), (UTM, 0.5))
    (tmp_path / "pairs.csv").write_text(
        f"pair_id,before,after,structures\npair,{paths['before']},{paths['after']},{paths['structures']}\n"
        f"alone,,{paths['after']},\n"
    )
    words = ["plan", str(tmp_path / "pairs.csv"), "--model", str(tmp_path / "model"), "--precision", "fp32"]
    result = CliRunner().invoke(app, [*words, "--workers", "2", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    plan, cost = document["plan"], read_cost(document["cost"])
    assert (plan["pairs"], plan["workers"], plan["split_pairs"]) == (2, 2, 0)
    assert plan["megapixels"] == pytest.approx(2 * 0.276**2, rel=0.01)  # 138 m at 0.5 m
    assert plan["area_km2"] == pytest.approx(2 * 0.138**2, rel=0.01)
    assert all(rate.per_mpx > 0 for rate in cost.stage_s.values())
    assert cost.memory_bytes > 10**8 and cost.scratch_bytes_per_mpx > 10**5
    assert plan["played"]["work_s"] == pytest.approx(2 * cost.seconds(plan["megapixels"] / 2))
    assert plan["output_bytes"] > 2 * 10**5

    (tmp_path / "plan.json").write_text(result.stdout)
    main = runpy.run_path(str(ROOT / "scripts" / "simulate_archive.py"))["main"]
    main(tmp_path / "plan.json", area_km2=2000)
    printed = capsys.readouterr().out
    assert "terapixels at 0.6 m" in printed and "4096" in printed


def test_the_page_holds_what_the_simulation_makes_of_the_measured_costs(tmp_path: Path) -> None:
    """No figure of the archive is typed: scripts/simulate_archive.py --plan docs/batch_benchmark.json --page ..."""
    page = ROOT / "docs" / "scaling.md"
    again = tmp_path / "scaling.md"
    again.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    main = runpy.run_path(str(ROOT / "scripts" / "simulate_archive.py"))["main"]
    main(ROOT / "docs" / "batch_benchmark.json", page=again)
    assert again.read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
