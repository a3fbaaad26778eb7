"""Ellipses of a group of impacts, all along its principal axes; they differ in what they hold.

- ``mean``: the confidence region of the true mean impact (Hotelling).
- ``next``: the region that holds one further impact of the same normal group.
- ``published``: ``sqrt(2 F(2, n - 1))`` as the R package shotGroups and others print it under the name of a
  confidence ellipse. It is neither of the two above: at n = 9 and 95 % its axes are 2.7 times those for the
  mean and 14 % short of those for a further impact. Given so that other people's figures can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from cv_pipeline.accuracy.cep.sample import Sample, UndefinedError, need_spread
from cv_pipeline.types import Ellipse

LEAST_N = 3


def _mean(n: int, level: float) -> float:
    return 2 * (n - 1) / (n * (n - 2)) * _f_quantile(level, n - 2)


def _next(n: int, level: float) -> float:
    return 2 * (n - 1) * (n + 1) / (n * (n - 2)) * _f_quantile(level, n - 2)


def _published(n: int, level: float) -> float:
    return 2 * _f_quantile(level, n - 1)


SQUARED_FACTORS: Mapping[str, Callable[[int, float], float]] = {"mean": _mean, "next": _next, "published": _published}
"""Squared half axis over principal variance, from n and the level."""


def ellipse(sample: Sample, level: float, kind: str) -> Ellipse:
    """The ellipse of one kind; collinear points give one without width.

    The azimuth is clockwise from the second axis (north), of the longer half axis; 0 for a circle.

    Raises:
        UndefinedError: fewer than 3 points, or all in one place.
    """
    need_spread(sample, LEAST_N)
    factor = math.sqrt(SQUARED_FACTORS[kind](sample.n, level))
    semi = factor * np.sqrt(sample.variances)
    is_circle = semi[0] - semi[1] <= 1e-9 * semi[0]
    east, north = sample.axes[:, 0]
    azimuth = 0.0 if is_circle else math.degrees(math.atan2(east, north)) % 180
    return Ellipse(kind, level, float(semi[0]), float(semi[1]), azimuth)


def ellipses(sample: Sample, level: float) -> tuple[Ellipse, ...]:
    """All kinds, or none where they are undefined."""
    try:
        return tuple(ellipse(sample, level, kind) for kind in SQUARED_FACTORS)
    except UndefinedError:
        return ()


def _f_quantile(level: float, freedom: int) -> float:
    """Quantile of F(2, freedom), which has a closed form: freedom / 2 * ((1 - level)^(-2 / freedom) - 1)."""
    return freedom / 2 * math.expm1(-2 / freedom * math.log1p(-level))
