"""Statistics of distances under one aim-point hypothesis, each with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cv_pipeline.accuracy.bootstrap import bca_interval, mean, median, sd_sample
from cv_pipeline.accuracy.statement import statement
from cv_pipeline.types import AccuracySummary, Float64Array, Interval, NullModel

QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95)


def summarise(
    distances_m: Sequence[float] | Float64Array,
    hypothesis: str,
    *,
    crater_radii_m: Sequence[float | None] = (),
    blast_radii_m: Sequence[float | None] = (),
    null: NullModel | None = None,
    confidence: float = 0.95,
    bootstrap_draws: int = 2000,
    seed: int = 0,
) -> AccuracySummary:
    """Summarise distances (n,) in metres.

    Quantiles are linear interpolations of order statistics (Hyndman and Fan type 7,
    doi:10.1080/00031305.1996.10473566), keyed ``"0.25"`` ... ``"0.95"``; with n below 20 the 0.95
    quantile lies between the two largest values and says little. The median is the empirical one,
    no model's CEP. ``sd_sample_m`` divides by n - 1, ``sd_population_m`` by n.

    At n = 0 every statistic is None; at n = 1 the SDs are None and there are no intervals; at n = 2
    there is none for the SD. See :func:`bca_interval` for the rest.

    Args:
        distances_m: finite distances.
        hypothesis: in words, what was measured to; it is shown with every figure.
        crater_radii_m: radii of the craters; None is left out of the mean.
        blast_radii_m: radii of the blast patterns; None is left out of the mean.
        null: what chance gives for the same measure, from :func:`null_model`.
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
    return AccuracySummary(
        hypothesis=hypothesis,
        n=n,
        mean_m=mean_m,
        sd_sample_m=float(values.std(ddof=1)) if n > 1 else None,
        sd_population_m=float(values.std(ddof=0)) if n > 1 else None,
        median_m=median_m,
        quantiles_m={str(q): float(np.quantile(values, q, method="linear")) for q in QUANTILES} if n else {},
        intervals_m=_intervals(values, confidence, bootstrap_draws, seed),
        confidence=confidence,
        mean_crater_radius_m=mean_of_known(crater_radii_m),
        mean_blast_radius_m=mean_of_known(blast_radii_m),
        null_model=null,
        statement=statement(n, mean_m, median_m, null),
    )


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Mean of the values that are not None; None if there are none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _intervals(values: Float64Array, confidence: float, draws: int, seed: int) -> dict[str, Interval]:
    """Those of the three intervals that the sample allows."""
    bca = partial(bca_interval, values, confidence=confidence, draws=draws, seed=seed)
    intervals = {"mean_m": bca(mean), "median_m": bca(median), "sd_sample_m": bca(sd_sample, min_n=3)}
    return {key: interval for key, interval in intervals.items() if interval is not None}
