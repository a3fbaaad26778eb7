"""What a manifest would take, in time, memory and disk: its sizes and what a probe measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cv_pipeline.batch.probe import Cost, Size
from cv_pipeline.batch.schedule import Played, SceneTime, play, split_evenly

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
        split_pairs=sum(len(scene.parts_s) > 1 for scene in scenes),
        workers=workers,
        played=play(scenes, workers),
        memory_bytes_per_worker=cost.memory_bytes + SEAM_BYTES_PER_PX * max(widest - cost.probe_width_px, 0),
        output_bytes=sum(cost.output_bytes(megapixels) for megapixels in largest),
        # The parts of a split scene and the whole made of them lie side by side for a while, and results beside both.
        scratch_bytes=sum(2 * cost.scratch_bytes_per_mpx * mpx + cost.output_bytes(mpx) for mpx in largest[:workers]),
    )


def scene_time(megapixels: float, cost: Cost, split_mpx: float) -> SceneTime:
    """Times of a scene's steps. Of what is not the network, a tenth is taken to come before it and the rest after."""
    parts = split_evenly(megapixels, split_mpx)
    rest_s = cost.fixed_s + cost.rest_s_per_mpx * megapixels
    return SceneTime(0.1 * rest_s, tuple(cost.network_s_per_mpx * part for part in parts), 0.9 * rest_s)


def plan_lines(plan: Plan, cost: Cost) -> Iterator[str]:
    """The estimate in words."""
    played = plan.played
    yield (
        f"{plan.pairs} pairs, {_short(plan.area_km2)} km², {_short(plan.megapixels)} megapixels at the model's GSD "
        f"(the largest {_short(plan.largest_mpx)}; {plan.split_pairs} split)"
    )
    rate = cost.network_s_per_mpx + cost.rest_s_per_mpx
    yield (
        f"measured on one worker: {cost.fixed_s:.1f} s a pair and {rate:.2f} s a megapixel, "
        f"{cost.network_s_per_mpx:.2f} s of these in the network"
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
