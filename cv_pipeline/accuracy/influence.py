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
    """One entry per distance (n,), in the same order; the SD without it divides by n - 2."""
    z = robust_z(values)
    found = []
    for row, (impact_id, value) in enumerate(zip(impact_ids, values, strict=True)):
        rest = np.delete(values, row)
        found.append(
            Influence(
                impact_id=impact_id,
                distance_m=float(value),
                robust_z=None if z is None else float(z[row]),
                is_outlier=z is not None and bool(abs(z[row]) > OUTLIER_Z),
                mean_without_m=float(rest.mean()) if len(rest) else None,
                median_without_m=float(np.median(rest)) if len(rest) else None,
                sd_sample_without_m=float(rest.std(ddof=1)) if len(rest) > 1 else None,
            )
        )
    return tuple(found)
