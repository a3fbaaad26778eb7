"""Statistics of distances under one aim-point hypothesis, each with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cv_pipeline.accuracy.dispersion import dispersion
from cv_pipeline.accuracy.influence import influences
from cv_pipeline.accuracy.intervals import intervals
from cv_pipeline.accuracy.statement import statement
from cv_pipeline.types import AccuracySummary, Float64Array, NullModel

QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95)


def summarise(
    distances_m: Sequence[float] | Float64Array,
    hypothesis: str,
    *,
    crater_radii_m: Sequence[float | None] = (),
    blast_radii_m: Sequence[float | None] = (),
    null: NullModel | None = None,
    impact_ids: Sequence[str] | None = None,
    offsets_m: Float64Array | None = None,
    axis_deg: float | None = None,
    confidence: float = 0.95,
    bootstrap_draws: int = 2000,
    seed: int = 0,
) -> AccuracySummary:
    """Summarise distances (n,) in metres.

    Quantiles are linear interpolations of order statistics (Hyndman and Fan type 7,
    doi:10.1080/00031305.1996.10473566), keyed ``"0.25"`` ... ``"0.95"``; with n below 20 the 0.95
    quantile lies between the two largest values and says little. The median is the empirical one,
    no model's CEP. ``sd_sample_m`` divides by n - 1, ``sd_population_m`` by n.

    At n = 0 every statistic is None and at n = 1 the SDs are. Intervals: of the mean by a studentised bootstrap
    from n = 5, of the median from order statistics from n = 6, of the SD from the kurtosis from n = 9.
    ``missing`` says why anything is None or absent.

    Args:
        distances_m: finite distances.
        hypothesis: in words, what was measured to; it is shown with every figure.
        crater_radii_m: radii of the craters; None is left out of the mean.
        blast_radii_m: radii of the blast patterns; None is left out of the mean.
        null: what chance gives for the same measure, from :func:`null_model`.
        impact_ids: n names for the results without each impact; their number in the list by default.
        offsets_m: (n, 2) impact minus aim point, east and north; None where the places are not known.
        axis_deg: azimuth of a known axis, for bias and SD along and across it.
        confidence: level of the intervals.
        bootstrap_draws: resamples per interval.
        seed: seed of the resampling.

    Raises:
        ValueError: a distance is not finite.
    """
    values = np.asarray(distances_m, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("distances must be finite; leave unknown ones out and say so")
    n = len(values)
    mean_m = float(values.mean()) if n else None
    median_m = float(np.median(values)) if n else None
    ids = [str(number) for number in range(1, n + 1)] if impact_ids is None else impact_ids
    found, missing = intervals(values, confidence=confidence, draws=bootstrap_draws, seed=seed)
    return AccuracySummary(
        hypothesis=hypothesis,
        n=n,
        mean_m=mean_m,
        sd_sample_m=float(values.std(ddof=1)) if n > 1 else None,
        sd_population_m=float(values.std(ddof=0)) if n > 1 else None,
        median_m=median_m,
        quantiles_m={str(q): float(np.quantile(values, q, method="linear")) for q in QUANTILES} if n else {},
        intervals_m=found,
        confidence=confidence,
        mean_crater_radius_m=mean_of_known(crater_radii_m),
        mean_blast_radius_m=mean_of_known(blast_radii_m),
        null_model=null,
        statement=statement(n, mean_m, median_m, null),
        missing=_missing(n, offsets_m is not None) | missing,
        influences=influences(values, ids),
        dispersion=None if offsets_m is None else dispersion(offsets_m, axis_deg=axis_deg, confidence=confidence),
    )


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Mean of the values that are not None; None if there are none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _missing(n: int, has_offsets: bool) -> dict[str, str]:
    """Reasons for statistics that are None."""
    missing: dict[str, str] = {}
    if n == 0:
        missing |= dict.fromkeys(("mean_m", "median_m", "quantiles_m"), "there are no distances")
    if n < 2:
        missing |= dict.fromkeys(("sd_sample_m", "sd_population_m"), f"needs at least 2 distances, there are {n}")
    if not has_offsets:
        missing["dispersion"] = "the distances have no direction: the places of the aim points are not known"
    return missing
