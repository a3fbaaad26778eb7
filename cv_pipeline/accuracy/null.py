"""What random impacts over the same ground would give.

Distance to the nearest structure saturates at the spacing of the structures: among houses 40 m
apart any miss, of 59 m or of 471 m, reads about 8 m. A mean distance says something only beside the
mean that points scattered at random over the same region would give.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely

from cv_pipeline.types import Float64Array, Interval, NullModel

Measure = Callable[[Float64Array], Float64Array]
"""Points (m, 2) in local metres to their distances (m,)."""

POOL_SIZE = 4000
"""Random points that are measured once; the draws are samples from them. Measuring each draw afresh
would cost draws * n searches and change the rank by no more than about 1 / sqrt(POOL_SIZE * share)."""


def random_points(region_m: shapely.Geometry, count: int, rng: np.random.Generator) -> Float64Array:
    """``count`` points (count, 2), uniform over a polygon of positive area, by rejection."""
    min_x, min_y, max_x, max_y = region_m.bounds
    shapely.prepare(region_m)
    kept: list[Float64Array] = []
    have = 0
    while have < count:
        points = rng.uniform((min_x, min_y), (max_x, max_y), (2 * count, 2))
        inside = points[shapely.contains_xy(region_m, points[:, 0], points[:, 1])]
        kept.append(inside)
        have += len(inside)
    return np.concatenate(kept)[:count]


def null_model(
    observed_m: Float64Array,
    measure: Measure,
    region_m: shapely.Geometry,
    *,
    draws: int,
    confidence: float,
    seed: int,
) -> NullModel | None:
    """Compare the mean of observed distances (n,) with that of random samples of the same size.

    The rank is uniform over (0, 1] when the impacts themselves are random; a small rank means nearer
    to the structures than chance. None where there is nothing to compare: n = 0, or a region
    without area.

    Args:
        observed_m: distances of the impacts.
        measure: the same measurement applied to any points.
        region_m: the assessed ground, in local metres.
        draws: number of random samples.
        confidence: level of the interval of the random means.
        seed: seed of the random points.
    """
    n = len(observed_m)
    if not n or region_m.is_empty or region_m.area <= 0:
        return None
    rng = np.random.default_rng(seed)
    pool = measure(random_points(region_m, POOL_SIZE, rng))
    samples = pool[rng.integers(0, len(pool), (draws, n))]
    means = samples.mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return NullModel(
        draws=draws,
        mean_m=float(pool.mean()),
        median_m=float(np.median(pool)),
        mean_interval_m=Interval(float(low), float(high)),
        rank=float(np.mean(means <= observed_m.mean())),
    )
