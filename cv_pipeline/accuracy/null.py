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
QUANTILES = 101
"""Of the distance of a random point: enough to draw what a histogram would look like by chance."""


def random_points(region_m: shapely.Geometry, count: int, rng: np.random.Generator) -> Float64Array:
    """``count`` points (count, 2), uniform over a polygon of positive area.

    Drawn from a triangulation, so a region of scattered scraps (a cloud mask) costs no more than a square.
    """
    # The triangulation wants valid polygons that do not overlap.
    parts = [part for part in shapely.get_parts(shapely.make_valid(region_m)) if part.area > 0]
    whole = shapely.union_all(parts)
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(whole))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    areas = shapely.area(triangles)
    chosen = corners[rng.choice(len(triangles), count, p=areas / areas.sum())]
    u, v = rng.random((2, count, 1))
    folded = u + v > 1
    u, v = np.where(folded, 1 - u, u), np.where(folded, 1 - v, v)
    return np.asarray(chosen[:, 0] + u * (chosen[:, 1] - chosen[:, 0]) + v * (chosen[:, 2] - chosen[:, 0]))


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

    The rank is ``(1 + k) / (1 + draws)`` with k the random samples whose mean is as small or smaller, which
    keeps a rank of 5 % or less to 5 % of the scenes when the impacts themselves are random (Davison and
    Hinkley 1997, section 4.2.3, doi:10.1017/CBO9780511802843); it is then uniform, up to ties of distances
    such as zeros inside footprints. A small rank means nearer to the structures than chance.

    None where there is nothing to compare: n = 0, or a region without area.

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
        distance_quantiles_m=tuple(np.quantile(pool, np.linspace(0, 1, QUANTILES)).tolist()),
        rank=float((1 + np.sum(means <= observed_m.mean() * (1 + 1e-12))) / (1 + draws)),
    )
