"""Bias and scatter of impacts about their aim points, in local axes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cv_pipeline.accuracy.cep import About, cep, cep_table
from cv_pipeline.accuracy.cep.sample import Sample
from cv_pipeline.accuracy.ellipse import LEAST_N, ellipses
from cv_pipeline.types import Dispersion, Float64Array


def dispersion(offsets_m: ArrayLike, *, axis_deg: float | None = None, confidence: float = 0.95) -> Dispersion:
    """Bias, SD, radii, ellipses and CEP of offsets (n, 2) as (east_m, north_m) from each impact's aim point.

    At n = 0 everything is None; at n = 1 there is a bias only; from n = 2 SDs, mean radius and
    spread; from n = 3 ellipses and the CEP estimators that need a covariance.

    Args:
        offsets_m: impact minus aim point.
        axis_deg: azimuth of an axis that is known for other reasons, such as a road or a line of craters.
        confidence: level of the ellipses.

    Raises:
        ValueError: the offsets are not finite (n, 2).
    """
    sample = Sample(np.asarray(offsets_m, dtype=np.float64).reshape(-1, 2))
    n = sample.n
    missing = _missing(n, axis_deg)
    bias = sample.mean if n else np.full(2, np.nan)
    sd = sample.points.std(axis=0, ddof=1) if n > 1 else np.full(2, np.nan)
    turned = Sample(sample.points @ _turn(axis_deg))
    has_axis = axis_deg is not None
    bias_axis = turned.mean if n and has_axis else np.full(2, np.nan)
    sd_axis = turned.points.std(axis=0, ddof=1) if n > 1 and has_axis else np.full(2, np.nan)
    r95 = cep(sample.points, 0.95, "sample", About.MEAN)
    if r95.radius_m is None:
        missing["r95_m"] = r95.reason
    return Dispersion(
        n=n,
        bias_east_m=_known(bias[0]),
        bias_north_m=_known(bias[1]),
        sd_east_m=_known(sd[0]),
        sd_north_m=_known(sd[1]),
        axis_deg=axis_deg,
        bias_along_m=_known(bias_axis[0]),
        bias_across_m=_known(bias_axis[1]),
        sd_along_m=_known(sd_axis[0]),
        sd_across_m=_known(sd_axis[1]),
        mean_radius_m=float(sample.radii(About.MEAN).mean()) if n > 1 else None,
        r95_m=r95.radius_m,
        maximum_spread_m=maximum_spread_m(sample.points) if n > 1 else None,
        ellipses=ellipses(sample, confidence),
        cep=cep_table(sample.points),
        missing=missing,
    )


def maximum_spread_m(points_m: Float64Array) -> float:
    """Greatest distance between two of n points (n, 2); 0 for fewer than two."""
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    corners = points_m
    if len(points_m) > 500:
        try:
            corners = points_m[ConvexHull(points_m).vertices]  # the farthest two are corners of the hull
        except QhullError:
            order = np.lexsort(points_m.T)  # collinear: the farthest two are the ends
            corners = points_m[order[[0, -1]]]
    return float(pdist(corners).max()) if len(corners) > 1 else 0.0


def _turn(axis_deg: float | None) -> Float64Array:
    """(2, 2) that takes (east, north) rows to (along, across), across to the right of the axis."""
    angle = math.radians(axis_deg or 0.0)
    return np.array([[math.sin(angle), math.cos(angle)], [math.cos(angle), -math.sin(angle)]])


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _missing(n: int, axis_deg: float | None) -> dict[str, str]:
    """Reasons for what :func:`dispersion` leaves out."""
    missing = {}
    if n == 0:
        missing["bias"] = "there are no offsets"
    if n < 2:
        missing |= dict.fromkeys(
            ("sd", "mean_radius_m", "maximum_spread_m"), f"needs at least 2 impacts, there are {n}"
        )
    if n < LEAST_N:
        missing["ellipses"] = f"needs at least {LEAST_N} impacts, there are {n}"
    if axis_deg is None:
        missing["along_across"] = "no axis is known"
    return missing
