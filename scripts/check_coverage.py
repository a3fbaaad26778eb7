"""How often the intervals of mean, median and SD hold the truth: python scripts/check_coverage.py."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

import numpy as np
import typer

from cv_pipeline.accuracy.bootstrap import bca_interval, mean
from cv_pipeline.accuracy.order import median_interval
from cv_pipeline.accuracy.spread import sd_interval
from cv_pipeline.accuracy.studentised import mean_interval
from cv_pipeline.types import Float64Array, Interval

Draw = Callable[[np.random.Generator, int], Float64Array]
Method = Callable[[Float64Array], Interval | None]


def _some_zero(rng: np.random.Generator, n: int) -> Float64Array:
    """Rayleigh distances to an edge with every third impact inside the footprint."""
    return np.asarray(rng.rayleigh(1.0, n) * (rng.random(n) > 1 / 3))


_SOME_ZERO_MEAN = 2 / 3 * math.sqrt(math.pi / 2)
DISTANCES: Mapping[str, tuple[Draw, tuple[float, float, float]]] = {
    "Rayleigh": (
        lambda rng, n: rng.rayleigh(1.0, n),
        (math.sqrt(math.pi / 2), math.sqrt(2 * math.log(2)), math.sqrt(2 - math.pi / 2)),
    ),
    "half-normal": (
        lambda rng, n: np.abs(rng.normal(0.0, 1.0, n)),
        (math.sqrt(2 / math.pi), 0.6744897501960817, math.sqrt(1 - 2 / math.pi)),
    ),
    "exponential": (lambda rng, n: rng.exponential(1.0, n), (1.0, math.log(2), 1.0)),
    "Rayleigh, a third 0": (
        _some_zero,
        (_SOME_ZERO_MEAN, math.sqrt(2 * math.log(4 / 3)), math.sqrt(4 / 3 - _SOME_ZERO_MEAN**2)),
    ),
}
"""Draws and their true mean, median and SD."""


def coverage(
    draw: Draw, truth: float, method: Method, n: int, trials: int, seed: int
) -> tuple[float | None, float | None]:
    """Share of samples whose interval holds the truth and the median width over it; None without an interval."""
    rng = np.random.default_rng(seed)
    found = [interval for interval in (method(draw(rng, n)) for _ in range(trials)) if interval is not None]
    if not found:
        return None, None
    held = np.mean([interval.low <= truth <= interval.high for interval in found])
    return float(held), float(np.median([interval.high - interval.low for interval in found]) / truth)


def main(
    trials: Annotated[int, typer.Option(min=1, help="samples per cell")] = 2000,
    draws: Annotated[int, typer.Option(min=100, help="resamples per interval")] = 1000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.95,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Print a table: share of intervals that hold the truth (and their median width over it)."""
    of_mean = partial(mean_interval, confidence=confidence, draws=draws, seed=seed)
    by_bca = partial(bca_interval, statistic=mean, confidence=confidence, draws=draws, seed=seed)
    methods: list[tuple[str, int, Method]] = [
        ("mean", 0, of_mean),
        ("mean by BCa", 0, by_bca),
        ("median", 1, partial(median_interval, confidence=confidence)),
        ("SD", 2, partial(sd_interval, confidence=confidence)),
    ]
    sizes = (5, 9, 20, 50)
    typer.echo("| interval | distances | " + " | ".join(f"n = {n}" for n in sizes) + " |")
    typer.echo("|---" * (2 + len(sizes)) + "|")
    for name, which, method in methods:
        for kind, (draw, truths) in DISTANCES.items():
            cells = [coverage(draw, truths[which], method, n, trials, seed + n) for n in sizes]
            shown = [
                "none" if held is None or width is None else f"{100 * held:.1f} ({width:.2f})" for held, width in cells
            ]
            typer.echo(f"| {name} | {kind} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    typer.run(main)
