"""What a worker of a batch takes, measured on simulated pairs; ``scripts/benchmark_batch.py`` prints it.

Scenes repeat one simulated ground, so that they can be of any size. Times are of the processor, which other programs on
other cores do not change; those on the same core, or its other hyperthread, do.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from cv_pipeline.batch.cost import Cost, Rate, Sample, fit_cost
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.probe import measure_pairs
from cv_pipeline.config import AssessConfig
from cv_pipeline.evaluation.planted_pairs import places
from cv_pipeline.evaluation.repeated import write_pair
from cv_pipeline.simulation.config import SimulationConfig, StrikeConfig
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair

SCENE_PX, GSD_M, SEED = 1024, 0.5, 660_002


def measure_cost(folder: Path, side_px: int, config: AssessConfig) -> tuple[Cost, list[Sample]]:
    """Cost of one worker, and the pairs it was fitted to: half of ``side_px`` and the whole without strikes, and with.

    Args:
        folder: to work in; everything stays there.
        side_px: side of the large pairs at 0.5 m.
        config: settings; the model counts.

    Raises:
        BatchError: a pair cannot be assessed.
    """
    calm, hit = (_draw(empty_share) for empty_share in (1.0, 0.0))
    scenes = (("warm", calm, side_px // 2), ("small", calm, side_px // 2), ("large", calm, side_px))
    entries = [_entry(folder / name, pair, side) for name, pair, side in (*scenes, ("dense", hit, side_px))]
    _, *samples = measure_pairs(entries, config, 1, folder / "out")
    cost = fit_cost(*samples)
    # Alignment matches 400 windows at most: what a pixel more costs shows in wide pairs only, and those say it here.
    wide = [_prepared(_entry(folder / f"wide{k}", calm, k * side_px), config) for k in (1, 2, 4)]  # the first loads all
    (mpx, seconds), (more_mpx, more_s) = wide[1:]
    slope = max(more_s - seconds, 0.0) / (more_mpx - mpx)
    prepare = Rate(max(seconds - slope * mpx, 0.0), slope)
    return replace(cost, stage_s={**cost.stage_s, "prepare": prepare}), samples


def _draw(empty_share: float) -> SimulatedPair:
    """The same ground with strikes (0) or without (1)."""
    backgrounds, _ = places(Path(), "kampala")
    config = SimulationConfig(strikes=StrikeConfig(empty_share=empty_share))
    return simulate_pair(backgrounds, (SEED, 0), (SCENE_PX, SCENE_PX), GSD_M, config)


def _entry(folder: Path, pair: SimulatedPair, side_px: int) -> PairEntry:
    folder.mkdir(parents=True)
    before, after = write_pair(pair.before, pair.after, GSD_M, side_px, folder)
    return PairEntry(folder.name, str(before), str(after), None)


def _prepared(entry: PairEntry, config: AssessConfig) -> tuple[float, float]:
    """Megapixels of a pair at the model's GSD, and seconds to open and align it."""
    from cv_pipeline.pipeline import prepare

    start_s = time.process_time()
    grid = prepare(entry.before, entry.after, None, config).aligned.working_grid
    return grid.height * grid.width / 1e6, time.process_time() - start_s
