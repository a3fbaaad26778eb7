"""What a manifest would take, in time, memory and disk: its sizes and what a probe measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cv_pipeline.batch.cost import STAGES, Cost
from cv_pipeline.batch.probe import Size
from cv_pipeline.batch.schedule import Played, SceneTime, play, split_evenly
from cv_pipeline.defaults import TILE_PX

SEAM_BYTES_PER_PX = 1300
"""Memory of the seams between tiles, for each pixel of a scene's width (:mod:`cv_pipeline.segmentation.blend`)."""
SLOWED = 1.3
"""From here on a plan says that the machine was not free while it was probed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An estimate for a batch. ``played`` is the run as the driver would order it."""

    pairs: int
    megapixels: float
    area_km2: float
    largest_mpx: float
    split_pairs: int
    workers: int
    played: Played
    memory_bytes_per_worker: int
    output_bytes: float
    scratch_bytes: float


def make_plan(sizes: Sequence[Size], cost: Cost, *, workers: int, split_mpx: float) -> Plan:
    """Estimate a batch; see :class:`Plan`.

    Args:
        sizes: of the pairs, in the manifest's order.
        cost: measured by :func:`~cv_pipeline.batch.probe.probe` with the threads that each worker will have.
        workers: processes at work at once.
        split_mpx: megapixels above which a scene is split.
    """
    scenes = [scene_time(size.megapixels, cost, split_mpx) for size in sizes]
    widest = max(size.width_px for size in sizes)
    largest = sorted((size.megapixels for size in sizes), reverse=True)
    return Plan(
        pairs=len(sizes),
        megapixels=sum(largest),
        area_km2=sum(size.area_km2 for size in sizes),
        largest_mpx=largest[0],
        split_pairs=sum(len(scene.steps_s) > 1 for scene in scenes),
        workers=workers,
        played=play(scenes, workers),
        memory_bytes_per_worker=round(cost.memory_bytes) + SEAM_BYTES_PER_PX * max(widest - cost.probe_width_px, 0),
        output_bytes=sum(cost.output_bytes.of(megapixels) for megapixels in largest),
        # A scene's maps lie on the disk until its results do.
        scratch_bytes=sum(cost.scratch_bytes_per_mpx * mpx + cost.output_bytes.of(mpx) for mpx in largest[:workers]),
    )


def scene_time(
    megapixels: float, cost: Cost, split_mpx: float, *, impacts: float = 0.0, tile_px: int = TILE_PX
) -> SceneTime:
    """Times of a scene's steps on one worker; one step where it has no more than ``split_mpx`` megapixels.

    Each part of a split scene but the first runs the row of tiles above its own too, for the seam; the scene is taken
    to be square.
    """
    parts = split_evenly(megapixels, split_mpx)
    if len(parts) == 1:
        return SceneTime(((cost.seconds(megapixels, impacts),),))
    prepare_s, network_s, measure_s, finish_s = (cost.stage_s[stage].of(megapixels, impacts) for stage in STAGES)
    seam_s = cost.stage_s["network"].per_mpx * tile_px * math.sqrt(megapixels * 1e6) / 1e6
    maps_s = (network_s / len(parts), *(network_s / len(parts) + seam_s for _ in parts[1:]))
    return SceneTime(((prepare_s,), maps_s, (measure_s / len(parts),) * len(parts), (finish_s,)))


def plan_lines(plan: Plan, cost: Cost) -> Iterator[str]:
    """The estimate in words."""
    played = plan.played
    yield (
        f"{plan.pairs} pairs, {_short(plan.area_km2)} km², {_short(plan.megapixels)} megapixels at the model's GSD "
        f"(the largest {_short(plan.largest_mpx)}; {plan.split_pairs} split)"
    )
    one = cost.whole_s
    yield (
        f"measured on one worker: {one.fixed:.1f} s a pair and {one.per_mpx:.2f} s a megapixel, "
        f"{cost.stage_s['network'].per_mpx:.2f} s of these in the network"
    )
    yield (
        f"time: {in_hours(played.wall_s)} with {plan.workers} worker(s) busy {played.busy:.0%} of it; "
        f"{in_hours(played.work_s)} of work in all"
    )
    if cost.slowed > SLOWED:
        yield (
            f"but while this was measured everything took {cost.slowed:.1f} times as long, for other programs or "
            "a slow disk; as long as that stays so, the batch will too"
        )
    memory_gb = plan.memory_bytes_per_worker / 1e9
    yield f"memory: {memory_gb:.1f} GB a worker, {plan.workers * memory_gb:.1f} GB in all"
    results_gb, meanwhile_gb = _short(plan.output_bytes / 1e9), _short(plan.scratch_bytes / 1e9)
    yield f"disk: {results_gb} GB of results, and {meanwhile_gb} GB more meanwhile"


def _short(value: float) -> str:
    """Two digits of a small figure, whole numbers of a large one."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def in_hours(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.1f} days"
