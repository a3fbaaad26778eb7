"""Registration against what was planted: how far off it is, what its gate said, and whether its SD holds."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cv_pipeline.evaluation.planted_pairs import PlantedPair
from cv_pipeline.registration.bent import shift_at
from cv_pipeline.registration.register import register_arrays
from cv_pipeline.registration.similarity import apply, invert
from cv_pipeline.types import Float64Array, Gate, Interval, Registration

OFF_PX = 2.0
"""A pair that is off by more must be refused; one that is off by less must not."""
_NODES = 12
_MARGIN_PX = 20
_Z95 = 1.96


class Score(NamedTuple):
    """One pair: its error in px (median and greatest over the scene), the gate's word, and the stated SD per axis.

    ``within`` is the share of places, axis by axis, where the truth lies within 1.96 SD. ``unrelated`` pairs show two
    places; their error is infinite.
    """

    name: str
    unrelated: bool
    median_px: float
    greatest_px: float
    gate: Gate
    sd_px: float
    within: float
    bent: bool
    reason: str


def score(name: str, pair: PlantedPair) -> Score:
    """Register a planted pair and compare."""
    found = register_arrays(pair.before, pair.after, before_valid=pair.before_valid)
    errors = errors_px(found, pair)
    length = np.linalg.norm(errors, axis=1)
    return Score(
        name, False, float(np.median(length)), float(length.max()), found.gate, found.sd_m,
        float((np.abs(errors) <= _Z95 * found.sd_m).mean()), found.local is not None, found.reason,
    )  # fmt: skip


def score_unrelated(name: str, first: PlantedPair, second: PlantedPair) -> Score:
    """Register the before image of one place with the after image of another."""
    found = register_arrays(first.before, second.after, before_valid=first.before_valid)
    return Score(
        name, True, math.inf, math.inf, found.gate, found.sd_m, math.nan, found.local is not None, found.reason
    )


def append_score(path: Path, found: Score) -> None:
    """Add one line to a file of scores."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found._asdict()) + "\n")


def read_scores(path: Path) -> list[Score]:
    """The scores of such a file; a last line that was cut short is an error of :mod:`json`."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Score(**(row | {"gate": Gate(row["gate"])})) for row in rows]


def errors_px(found: Registration, pair: PlantedPair) -> Float64Array:
    """At places (n, 2) spread over the after image, by how much the before pixel put there is wrong, (col, row)."""
    height, width = pair.after.shape[:2]
    cols, rows = (np.linspace(_MARGIN_PX, size - _MARGIN_PX, _NODES) for size in (width, height))
    places = np.stack(np.meshgrid(cols, rows), axis=-1).reshape(-1, 2)
    relief = pair.relief_px[places[:, 1].astype(int), places[:, 0].astype(int)]
    bent = np.zeros_like(places) if found.local is None else shift_at(found.local, places)
    wrong: Float64Array = apply(invert(found.matrix), places - bent) - apply(invert(pair.matrix), places - relief)
    return wrong


def share(hits: int, n: int) -> tuple[float, Interval]:
    """A share and its 95 % interval (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404); (0, 1) for n = 0."""
    from scipy.stats import binomtest

    if n == 0:
        return math.nan, Interval(0.0, 1.0)
    ci = binomtest(hits, n).proportion_ci(0.95, "exact")
    return hits / n, Interval(float(ci.low), float(ci.high))


def summary_lines(scores: Sequence[Score]) -> list[str]:
    """The figures of a run in words."""
    real = [s for s in scores if not s.unrelated]
    accepted = [s for s in real if s.gate is not Gate.FAIL]
    good = [s for s in real if s.gate is Gate.FAIL or s.median_px <= OFF_PX]
    off = [s for s in scores if s.unrelated or (s.median_px > OFF_PX)]
    lines = [f"{len(real)} related pairs, {len(scores) - len(real)} unrelated"]
    if accepted:
        errors = np.array([s.median_px for s in accepted])
        lines.append(
            f"error of accepted pairs: median {np.median(errors):.2f} px, 95th percentile "
            f"{np.percentile(errors, 95):.2f}, greatest {errors.max():.2f} (n={len(errors)})"
        )
        squares = np.array([s.median_px / max(s.sd_px, 1e-9) for s in accepted])
        lines.append(
            f"truth within 1.96 SD per axis: {np.mean([s.within for s in accepted]):.1%} of places; "
            f"error over SD: median {np.median(squares):.2f}, greatest {squares.max():.2f}"
        )
    gated, (low, high) = share(sum(s.gate is Gate.FAIL for s in off), len(off))
    lines.append(f"gated of pairs off by more than {OFF_PX:g} px or unrelated: {gated:.1%} ({low:.1%} to {high:.1%})")
    refused, (low, high) = share(sum(s.gate is Gate.FAIL for s in good), len(good))
    lines.append(f"refused of all related pairs: {refused:.1%} ({low:.1%} to {high:.1%}), n={len(good)}")
    return lines
