"""Statistics of distances to aim points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cv_pipeline.types.intervals import Interval


@dataclass(frozen=True, slots=True)
class NullModel:
    """What random impacts over the same ground would give for the same statistic.

    ``rank`` is the share of random draws whose mean distance is at or below the observed mean.
    ``distance_quantiles_m`` are evenly spaced quantiles, from the least to the greatest, of a single random
    impact's distance; empty where they were not kept.
    """

    draws: int
    mean_m: float
    median_m: float
    mean_interval_m: Interval
    rank: float
    distance_quantiles_m: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CepEstimate:
    """Radius of the circle that holds ``level`` of the impacts, by one estimator of ``accuracy.cep``.

    ``about`` is ``mean`` (dispersion) or ``aim`` (dispersion and bias). ``radius_m`` is None where the
    estimator has no value for this sample; ``reason`` then says why.
    """

    estimator: str
    level: float
    about: str
    radius_m: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse about the mean impact: half axes and the azimuth of the longer, 0 to 180 degrees.

    ``kind`` says what it holds with probability ``level``: see :mod:`cv_pipeline.accuracy.ellipse`.
    """

    kind: str
    level: float
    semi_major_m: float
    semi_minor_m: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How impacts scatter about their aim points, from offsets east and north in metres.

    ``bias`` is the mean offset, ``sd`` has denominator n - 1. ``along`` and ``across`` refer to the axis
    ``axis_deg``: positive along it and to the right of it. ``mean_radius_m`` and ``r95_m`` (the sample's
    95 % quantile) are about the mean impact, ``maximum_spread_m`` is the greatest distance between two.
    What n does not allow is None and named in ``missing`` with the reason.
    """

    n: int
    bias_east_m: float | None
    bias_north_m: float | None
    sd_east_m: float | None
    sd_north_m: float | None
    axis_deg: float | None
    bias_along_m: float | None
    bias_across_m: float | None
    sd_along_m: float | None
    sd_across_m: float | None
    mean_radius_m: float | None
    r95_m: float | None
    maximum_spread_m: float | None
    ellipses: tuple[Ellipse, ...]
    cep: tuple[CepEstimate, ...]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Influence:
    """One impact's weight in a summary: how far out it lies, and the statistics without it.

    ``robust_z`` is its distance from the median in scaled MADs; None where more than half of the
    distances are equal. Statistics without it are None where too few impacts would be left.
    """

    impact_id: str
    distance_m: float
    robust_z: float | None
    is_outlier: bool
    mean_without_m: float | None
    median_without_m: float | None
    sd_sample_without_m: float | None


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of a statistic over all combinations of aim points.

    Where ``is_exact`` is False, ``high`` is an upper bound that no combination exceeds and that may not be reached.
    """

    low: float
    high: float
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class CombinationRange:
    """What any choice of one aim point per impact can make of the statistics.

    ``count`` is the number of combinations; ``with_choice`` how many of the ``n`` impacts have more than one.
    SDs are None at n = 1.
    """

    n: int
    with_choice: int
    count: int
    mean_m: Range
    median_m: Range
    sd_sample_m: Range | None
    sd_population_m: Range | None


@dataclass(frozen=True, slots=True)
class AccuracySummary:
    """Statistics of distances under one aim-point hypothesis.

    ``intervals_m`` holds intervals at ``confidence`` for the keys ``mean_m``, ``median_m``,
    ``sd_sample_m``. Statistics that n does not allow are None (all of them at n = 0, SD at n = 1).
    """

    hypothesis: str
    n: int
    mean_m: float | None
    sd_sample_m: float | None
    sd_population_m: float | None
    median_m: float | None
    quantiles_m: Mapping[str, float]
    intervals_m: Mapping[str, Interval]
    confidence: float
    mean_crater_radius_m: float | None
    mean_blast_radius_m: float | None
    null_model: NullModel | None
    statement: str
    missing: Mapping[str, str] = field(default_factory=dict)
    """Statistics and intervals that are None or absent, each with the reason."""
    influences: tuple[Influence, ...] = ()
    dispersion: Dispersion | None = None
