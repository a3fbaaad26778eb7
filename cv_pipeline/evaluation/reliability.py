"""Whether scores are probabilities: reliability diagrams, calibration error, Brier score, isotonic regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.stats import beta

from cv_pipeline.types import BoolArray, Float64Array, Interval

BINS = 10


class Bin(NamedTuple):
    """Samples whose scores fall into one of the equal parts of 0..1."""

    samples: int
    mean_score: float
    share_true: float
    interval: Interval
    """95 % for the share, by Jeffreys' prior; samples taken as independent."""


def reliability(score: Float64Array, truth: BoolArray, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of scores (n,) that hold any, rising; a score on a border belongs to the upper bin."""
    place = np.minimum((np.asarray(score) * bins).astype(int), bins - 1)
    found = []
    for number in np.unique(place):
        mine = place == number
        count, hits = int(mine.sum()), int(np.asarray(truth)[mine].sum())
        low, high = (float(beta.ppf(p, hits + 0.5, count - hits + 0.5)) for p in (0.025, 0.975))
        interval = Interval(0.0 if hits == 0 else low, 1.0 if hits == count else high)
        found.append(Bin(count, float(np.asarray(score)[mine].mean()), hits / count, interval))
    return tuple(found)


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: mean gap between score and share of true, by count; 0 without samples.

    Source: Guo et al. 2017, doi:10.48550/arXiv.1706.04599.
    """
    total = sum(b.samples for b in bins)
    return sum(b.samples * abs(b.mean_score - b.share_true) for b in bins) / total if total else 0.0


def brier(score: Float64Array, truth: BoolArray) -> float:
    """Mean squared difference of scores (n,) from the truth (n,); 0 without samples."""
    return float(np.mean((np.asarray(score) - np.asarray(truth)) ** 2)) if len(score) else 0.0


class Isotonic(NamedTuple):
    """A rising step function through knots, straight between them; to compare with, not shipped."""

    score: Float64Array
    probability: Float64Array

    def __call__(self, score: Float64Array) -> Float64Array:
        """Probabilities of scores."""
        return np.asarray(np.interp(score, self.score, self.probability))


def fit_isotonic(score: Float64Array, truth: BoolArray) -> Isotonic:
    """The rising function of least squares (pool adjacent violators, scipy); the identity without samples."""
    if len(score) == 0:
        return Isotonic(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    order = np.argsort(score, kind="stable")
    return Isotonic(np.asarray(score)[order], np.asarray(isotonic_regression(np.asarray(truth, float)[order]).x))


def draw_reliability(path: Path, curves: Mapping[str, Sequence[Bin]], title: str) -> None:
    """A reliability diagram with intervals as PNG; the numbers are samples per bin."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="a true probability")
    for name, bins in curves.items():
        x, y = [b.mean_score for b in bins], [b.share_true for b in bins]
        spread = [[b.share_true - b.interval.low for b in bins], [b.interval.high - b.share_true for b in bins]]
        label = f"{name}: calibration error {calibration_error(bins):.3f}"
        line = axes.errorbar(x, y, yerr=np.maximum(spread, 0), marker="o", markersize=4, capsize=2, label=label)
        for b in bins:
            axes.annotate(
                str(b.samples), (b.mean_score, b.share_true), (4, -9), textcoords="offset points", fontsize=6,
                color=line[0].get_color(),
            )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", ylabel="share that are true craters", title=title)
    axes.legend(loc="upper left", fontsize=8)
    figure.savefig(path, dpi=110)
