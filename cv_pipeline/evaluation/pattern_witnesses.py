"""What each kind of evidence says of a direction alone, side by side, and all together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cv_pipeline.evaluation.pattern_cases import Case, angle_deg
from cv_pipeline.evaluation.pattern_text import SIGMAS_90, auroc
from cv_pipeline.patterns.direction import combined_axis, vector_log_density
from cv_pipeline.patterns.one_sided import weigh_axis
from cv_pipeline.patterns.rays import AZIMUTHS_RAD, SECTORS
from cv_pipeline.patterns.weights import DirectionWeights
from cv_pipeline.types import Float64Array, SectorUse

_DRAWS = 200
_RUN = 5
"""Neighbouring rays end at the same clods: they are drawn in runs of 25 degrees."""


class Told(NamedTuple):
    """An axis, its stated SD, and a strength by which directional patterns may be told; 0 where nothing is said."""

    azimuth_deg: float
    sd_deg: float
    strength: float


def witness_table(cases: Sequence[Case], weights: DirectionWeights) -> list[str]:
    """A row for each kind of evidence, over the axes that can be seen and of which it says something.

    ``in 90 %`` is the share of errors within 1.645 stated SDs, ``factor`` what those SDs would have to be multiplied
    with for that share to be 0.90.
    """
    seen = np.array([c.is_directional for c in cases], bool)
    round_ones = np.array([c.is_round for c in cases], bool)
    true_deg = np.array([c.truth.axis_deg or 0.0 for c in cases])
    rows = ["by one kind of evidence alone, axes that can be seen:"]
    rows.append(f"  {'':34} {'n':>4} {'median':>7} {'p90':>6} {'flips':>6} {'AUROC':>6} {'in 90 %':>8} {'factor':>7}")
    for name, witness in _WITNESSES.items():
        told = np.array([witness(c, weights) for c in cases]).reshape(-1, 3)
        error = np.abs([angle_deg(a, t) for a, t in zip(told[:, 0], true_deg, strict=True)])
        used = seen & (told[:, 2] > 0)
        power = auroc(told[seen, 2], told[round_ones, 2])
        if used.sum() < 5:
            rows.append(f"  {name:34} {int(used.sum()):4}")
            continue
        e, ratio = error[used], error[used] / np.maximum(told[used, 1], 1e-9) / SIGMAS_90
        rows.append(
            f"  {name:34} {len(e):4} {np.median(e):7.1f} {np.quantile(e, 0.9):6.1f} {(e > 90).mean():6.3f} {power:6.3f}"
            f" {(ratio <= 1).mean():8.3f} {np.quantile(ratio, 0.9):7.2f}"
        )
    return rows


def bootstrap_axis(reach: Float64Array, used: Float64Array) -> Told:
    """Axis by the vector sum of the sectors' areas, and its circular SD over draws of runs of rays.

    The strength is the length of the vector sum relative to the area; 0 where nothing is reached.
    """
    area = np.where(used > 0, reach**2, 0.0)
    steps = area * np.exp(1j * AZIMUTHS_RAD)
    total = steps.sum()
    if abs(total) < 1e-9:
        return Told(0.0, 360.0, 0.0)
    starts = np.random.default_rng(0).integers(SECTORS, size=(_DRAWS, SECTORS // _RUN))
    drawn = steps[(starts[..., None] + np.arange(_RUN)) % SECTORS].sum(axis=(1, 2))
    length = float(np.clip(np.abs((drawn / np.maximum(np.abs(drawn), 1e-12)).mean()), 1e-9, 1 - 1e-9))
    sd_deg = float(np.rad2deg(np.sqrt(-2 * np.log(length))))
    return Told(float(np.rad2deg(np.angle(total)) % 360), sd_deg, float(abs(total) / area.sum()))


def _lobe(place: int) -> Callable[[Case, DirectionWeights], Told]:
    def told(case: Case, _: DirectionWeights) -> Told:
        density = case.found.sides.densities[place]
        axis = combined_axis([density], [1.0])
        return Told(axis.azimuth_deg, axis.sd_deg, max(float(density.max()), 0.0))

    return told


def _bootstrap(case: Case, _: DirectionWeights) -> Told:
    return bootstrap_axis(case.found.reach_m, case.found.use == SectorUse.USED)


def _network(case: Case, weights: DirectionWeights) -> Told:
    east, north = case.found.sides.east, case.found.sides.north
    axis = combined_axis([vector_log_density(east, north, weights.head_concentration)], [1.0])
    return Told(axis.azimuth_deg, axis.sd_deg, float(np.hypot(east, north)))


def _all(case: Case, weights: DirectionWeights) -> Told:
    axis, chance = weigh_axis(case.found.sides, weights)
    return Told(axis.azimuth_deg, axis.sd_deg * weights.sd_scale, chance)


_WITNESSES: dict[str, Callable[[Case, DirectionWeights], Told]] = {
    "von Mises lobe in the mask's reach": _lobe(0),
    "von Mises lobe in the colours": _lobe(1),
    "von Mises lobe in the core's hue": _lobe(2),
    "bootstrap over the mask's rays": _bootstrap,
    "learned head (network)": _network,
    "all, weighed": _all,
}
