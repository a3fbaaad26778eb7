"""How often the interval of the number of missed impacts holds what was planted: python scripts/check_recall.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import typer

from cv_pipeline.review.estimate import missed_total
from cv_pipeline.types import Interval

Draw = Callable[[np.random.Generator, int, float], np.ndarray]
SCENES = ((100, 40), (400, 60), (1500, 100))
"""Windows without a find, and how many of them are looked at."""
RATES = (0.01, 0.05, 0.2)
PLANTED: dict[str, Draw] = {
    "at random": lambda rng, n, rate: rng.poisson(rate, n),
    "clusters of 1 to 4": lambda rng, n, rate: (rng.random(n) < rate) * rng.integers(1, 5, n),
}


def coverage(draw: Draw, windows: int, seen: int, rate: float, repeats: int) -> tuple[float, float]:
    """Shares of planted numbers below and above their 95 % interval; no guess at the clusters is given."""

    @cache
    def interval(found: tuple[int, ...]) -> Interval:
        missed = missed_total(windows, [*found, *[0] * (seen - len(found))], 1.0, 0.95)
        assert missed is not None
        return missed.interval

    rng = np.random.default_rng([windows, seen, round(1000 * rate)])
    low = high = 0
    for _ in range(repeats):
        counts = draw(rng, windows, rate)
        limits = interval(tuple(sorted(int(c) for c in rng.permutation(counts)[:seen] if c)))
        low += counts.sum() < limits.low - 1e-9
        high += counts.sum() > limits.high + 1e-9
    return low / repeats, high / repeats


def main(repeats: int = 1000) -> None:
    """Print a line per scene, rate and way of planting."""
    for name, draw in PLANTED.items():
        for windows, seen in SCENES:
            for rate in RATES:
                low, high = coverage(draw, windows, seen, rate, repeats)
                print(
                    f"{name}, {rate:g} a window, {seen} of {windows} looked at: held {1 - low - high:.1%}, "
                    f"fewer than the interval {low:.1%}, more {high:.1%}",
                    flush=True,
                )


if __name__ == "__main__":
    typer.run(main)
