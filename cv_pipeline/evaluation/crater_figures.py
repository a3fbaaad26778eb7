"""Figures of craters measured in simulated scenes: centres, radii, how the stated SDs hold, new or old.

Intervals are 95 %: of medians by ranks, of shares by Wilson's formula.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cv_pipeline.accuracy.order import median_interval
from cv_pipeline.evaluation.crater_scenes import positions_m
from cv_pipeline.evaluation.crater_verdicts import calibration_error
from cv_pipeline.evaluation.objects import match_scene
from cv_pipeline.evaluation.plain import Figure
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.types import Float64Array, Impact, Status

WORKING_M = 0.6
BANDS = (0.0, 1.5, 3.0, np.inf)
"""Of conspicuity, in SDs of the ground: what an image can tell of a centre depends on it."""

LABELS = {
    "centre_native_px": "centre, native px, median",
    "centre_native_px_p95": "  95th percentile",
    "centre_working_px": f"centre, working px ({WORKING_M:g} m), median",
    "centre_working_px_p95": "  95th percentile",
    "centre_m": "centre, m, median",
    "centre_m_p95": "  95th percentile",
    "centre_within_1_sd": "centre within 1 stated SD, per axis (0.683 if true)",
    "centre_within_95": "  within 1.96 SD (0.95)",
    "radius_error": "radius, relative error, median",
    "radius_bias": "  bias",
    "radius_within_1_sd": "radius within 1 stated SD (0.683 if true)",
    "radius_within_95": "  within 1.96 SD (0.95)",
    "status_right": "new or old told right",
    "status_ece": "  ECE",
}
"""What each figure is, for people."""


@dataclass(frozen=True, slots=True)
class Found:
    """An impact matched to the crater it is of, how far that stands out, and the scene's GSD."""

    impact: Impact
    strike: Strike
    conspicuity: float
    gsd_m: float

    @property
    def error_m(self) -> Float64Array:
        """(2,) down and right in the image."""
        rows, cols = self.impact.row_px - self.strike.row_px, self.impact.col_px - self.strike.col_px
        return np.array([rows, cols]) * self.gsd_m


def matched(pair: SimulatedPair, strikes: Sequence[Strike], impacts: Sequence[Impact]) -> list[Found]:
    """Impacts with the craters they are of, one to one within 5 m, best score first."""
    order = sorted(impacts, key=lambda impact: -impact.score)
    at_m = np.array([(i.col_px, i.row_px) for i in order]).reshape(-1, 2) * pair.gsd_m
    numbers = match_scene(positions_m(pair, strikes), at_m, np.array([i.score for i in order])).label
    stands_out = dict(zip(pair.strikes, pair.conspicuity, strict=True))
    return [
        Found(i, strikes[k], stands_out[strikes[k]], pair.gsd_m) for i, k in zip(order, numbers, strict=True) if k >= 0
    ]


def wilson(hits: int, n: int) -> Figure:
    """A share with its 95 % interval (Wilson 1927, doi:10.1080/01621459.1927.10502953); no value for n = 0."""
    if n == 0:
        return Figure(None, None, None, 0)
    p, z = hits / n, 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Figure(p, float(middle - half), float(middle + half), n)


def median(values: Float64Array) -> Figure:
    """A median; no interval for fewer than six values."""
    between = median_interval(values, confidence=0.95)
    low, high = (None, None) if between is None else between
    return Figure(float(np.median(values)), low, high, len(values))


def geometry(found: Sequence[Found]) -> dict[str, Figure]:
    """Centres, radii, how the stated SDs hold, status; empty where nothing was found."""
    if not found:
        return {}
    n, error = len(found), np.array([f.error_m for f in found])
    off_m, gsd = np.hypot(*error.T), np.array([f.gsd_m for f in found])
    figures = {}
    for name, values in (("native_px", off_m / gsd), ("working_px", off_m / WORKING_M), ("m", off_m)):
        figures[f"centre_{name}"] = median(values)
        figures[f"centre_{name}_p95"] = _bare(np.quantile(values, 0.95), n)
    radius = np.array([f.impact.crater_radius_m for f in found])
    true = np.array([f.strike.crater_radius_m for f in found])
    centre_sds = np.abs(error) / np.array([f.impact.centre_sd_m for f in found])[:, None]
    radius_sds = np.abs(radius - true) / np.array([f.impact.crater_radius_sd_m for f in found])
    figures |= {
        "centre_within_1_sd": _bare((centre_sds < 1).mean(), n),
        "centre_within_95": _bare((centre_sds < 1.96).mean(), n),
        "radius_error": median(np.abs(radius / true - 1)),
        "radius_bias": median(radius / true - 1),
        "radius_within_1_sd": wilson(int((radius_sds < 1).sum()), n),
        "radius_within_95": wilson(int((radius_sds < 1.96).sum()), n),
    }
    told = [f for f in found if f.impact.status is not Status.UNKNOWN]
    if told:
        new = np.array([f.strike.status is StrikeStatus.NEW for f in told])
        right = np.array([f.impact.status is Status.NEW for f in told]) == new
        chance = np.array([f.impact.status_probability for f in told], np.float64)
        figures["status_right"] = wilson(int(right.sum()), len(told))
        figures["status_ece"] = _bare(calibration_error(chance, new), len(told))
    return figures


def _bare(value: float, n: int) -> Figure:
    return Figure(float(value), None, None, n)


def lines(figures: Mapping[str, Figure]) -> list[str]:
    """Figures as text, one a line."""
    return [f"  {LABELS[name]}: {figure}" for name, figure in figures.items()] or ["  nothing found"]


def band_lines(found: Sequence[Found]) -> list[str]:
    """Centres and radii by how far the craters stand out, as text."""
    rows = []
    for low, high in itertools.pairwise(BANDS):
        figures = geometry([f for f in found if low <= f.conspicuity < high])
        if figures:
            told = (figures[name].value for name in ("centre_native_px", "centre_m", "radius_error"))
            px, metres, radius = (f"{value:.3f}" for value in told)
            n = figures["centre_m"].n
            rows.append(
                f"  standing out by {low:g} to {high:g} SD, n {n}: centre {px} native px, {metres} m, radius {radius}"
            )
    return rows
