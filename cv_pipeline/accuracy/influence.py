"""Which impacts carry a summary: robust distance from the rest, and the statistics without each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cv_pipeline.types import Float64Array, Influence

OUTLIER_Z = 3.5
"""Iglewicz and Hoaglin 1993 (ASQC Basic References 16) label values beyond 3.5 scaled MADs. Distances are
skewed, so a label asks for a second look at the impact; nothing is left out because of it."""

MAD_PER_SD = 0.6744897501960817
"""Median absolute deviation of a normal variable over its SD."""


MAX_LISTED = 200
"""More impacts than this make a list that nobody reads and a summary.json of many megabytes."""


def robust_z(values: Float64Array) -> Float64Array | None:
    """Deviation from the median of values (n,) in scaled MADs; None where more than half are equal, or n < 3."""
    if len(values) < 3:
        return None
    deviation = values - np.median(values)
    mad = np.median(np.abs(deviation))
    if mad <= 1e-12 * np.abs(values).max():
        return None
    return np.asarray(MAD_PER_SD * deviation / mad)


def influences(values: Float64Array, impact_ids: Sequence[str]) -> tuple[Influence, ...]:
    """The distances (n,) with the statistics without each, in the same order; the SD without one divides by n - 2.

    Of more than ``MAX_LISTED`` impacts those that move the mean most.
    """
    n = len(values)
    z = robust_z(values)
    mean, median, sd = _without_each(values)
    listed = np.sort(np.argsort(-np.abs(values - values.mean()), kind="stable")[:MAX_LISTED]) if n else ()
    return tuple(
        Influence(
            impact_id=impact_ids[row],
            distance_m=float(values[row]),
            robust_z=None if z is None else float(z[row]),
            is_outlier=z is not None and bool(abs(z[row]) > OUTLIER_Z),
            mean_without_m=float(mean[row]) if n > 1 else None,
            median_without_m=float(median[row]) if n > 1 else None,
            sd_sample_without_m=float(sd[row]) if n > 2 else None,
        )
        for row in listed
    )


def _without_each(values: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Mean, median and SD (n,) each of the other values; nan where too few are left."""
    n = len(values)
    if n < 2:
        return (np.full(n, np.nan),) * 3
    centred = values - values.mean()
    mean = values.mean() - centred / (n - 1)
    squares = np.maximum(np.sum(centred**2) - centred**2 * n / (n - 1), 0.0)
    sd = np.sqrt(squares / (n - 2)) if n > 2 else np.full(n, np.nan)
    ordered = np.sort(values)
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    low, high = (n - 2) // 2, (n - 1) // 2  # middle positions among the other n - 1
    median = (ordered[low + (rank <= low)] + ordered[high + (rank <= high)]) / 2
    return mean, median, sd
