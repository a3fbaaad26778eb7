"""What assessing a pair costs one worker, as a line in its size and its impacts, fitted to a few measured pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

STAGES = ("prepare", "network", "measure", "finish")
"""In a split scene the second and third are shared out, the others are one task each (:mod:`cv_pipeline.batch.parts`):
opening and aligning; the maps; looking for peaks, fits in the images and patterns; and all that follows, which is
structures, statistics, rasters, figures and report."""


class Rate(NamedTuple):
    """An amount for each pair, for each of its megapixels at the model's GSD, and for each of its impacts."""

    fixed: float
    per_mpx: float
    per_impact: float = 0.0

    def of(self, megapixels: float, impacts: float = 0.0) -> float:
        """The amount of a pair."""
        return self.fixed + self.per_mpx * megapixels + self.per_impact * impacts


class Sample(NamedTuple):
    """One measured pair: seconds of each stage, what it wrote for good and meanwhile, and the worker's peak memory.

    Seconds are of the processor for workers of one thread, else of the wall; ``wall_s`` is always of the wall.
    """

    megapixels: float
    impacts: int
    wall_s: float
    prepare_s: float
    network_s: float
    measure_s: float
    finish_s: float
    output_bytes: float
    scratch_bytes: float
    memory_bytes: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a pair costs one worker; ``stage_s`` by :data:`STAGES`.

    ``slowed`` is how much longer than stated the largest pair took by the wall, because of other programs or a slow
    disk. ``probe_width_px`` is the width of the widest pair measured.
    """

    stage_s: Mapping[str, Rate]
    output_bytes: Rate
    memory_bytes: float
    scratch_bytes_per_mpx: float
    probe_width_px: int
    slowed: float = 1.0

    def seconds(self, megapixels: float, impacts: float = 0.0) -> float:
        """Time of a pair that is not split."""
        return sum(rate.of(megapixels, impacts) for rate in self.stage_s.values())

    @property
    def whole_s(self) -> Rate:
        """All stages together."""
        return Rate(*(sum(parts) for parts in zip(*self.stage_s.values(), strict=True)))


def fit_cost(small: Sample, large: Sample, dense: Sample | None = None) -> Cost:
    """Cost of pairs from two of different sizes.

    Args:
        small: the smaller.
        large: the larger; both as densely hit as the pairs that are to be estimated, or hardly hit at all.
        dense: of the size of ``large``, with more impacts, which show in the last two stages and in what is written;
            without it impacts are part of what a megapixel costs.
    """
    samples = [small, large] if dense is None else [small, large, dense]

    def line(name: str) -> Rate:
        low, high = getattr(small, name), getattr(large, name)
        per_impact = 0.0
        if dense is not None and name not in ("prepare_s", "network_s") and dense.impacts > large.impacts:
            per_impact = max((getattr(dense, name) - high) / (dense.impacts - large.impacts), 0.0)
            low, high = (max(y - per_impact * n, 0.0) for y, n in ((low, small.impacts), (high, large.impacts)))
        per_mpx = (high - low) / (large.megapixels - small.megapixels)
        if per_mpx <= 0:  # lost in what else the machine did: all of it counts by size, which is never too little
            per_mpx = high / large.megapixels
        return Rate(max(high - per_mpx * large.megapixels, 0.0), per_mpx, per_impact)

    biggest = samples[-1]
    return Cost(
        stage_s={stage: line(f"{stage}_s") for stage in STAGES},
        output_bytes=line("output_bytes"),
        memory_bytes=max(sample.memory_bytes for sample in samples),
        scratch_bytes_per_mpx=biggest.scratch_bytes / biggest.megapixels,
        probe_width_px=round((biggest.megapixels * 1e6) ** 0.5),
        slowed=biggest.wall_s / sum(getattr(biggest, f"{stage}_s") for stage in STAGES),
    )


def read_cost(document: Mapping[str, Any]) -> Cost:
    """A cost from its ``dataclasses.asdict`` as JSON."""
    values = dict(document)
    values["stage_s"] = {stage: Rate(*rate) for stage, rate in values["stage_s"].items()}
    values["output_bytes"] = Rate(*values["output_bytes"])
    return Cost(**values)


def cost_lines(cost: Cost) -> Iterator[str]:
    """The cost as a table in Markdown."""
    yield "| one worker, one thread | a pair | a megapixel | an impact |"
    yield "|---|---|---|---|"
    for name, rate in (*cost.stage_s.items(), ("all stages", cost.whole_s)):
        yield f"| {name}, s | {rate.fixed:.2f} | {rate.per_mpx:.2f} | {rate.per_impact:.3f} |"
    kept = Rate(*(amount / 1e6 for amount in cost.output_bytes))
    yield f"| results, MB | {kept.fixed:.2f} | {kept.per_mpx:.2f} | {kept.per_impact:.3f} |"
    yield f"| on the disk meanwhile, MB | | {cost.scratch_bytes_per_mpx / 1e6:.1f} | |"
    yield f"| peak memory, MB | {cost.memory_bytes / 1e6:.0f} | | |"
