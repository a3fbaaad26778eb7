"""The same crater seen in several scenes: which impacts of different pairs are one.

Two impacts are taken for one where they lie within their uncertainty of each other, and no scene has a nearer one to
offer. That uncertainty is of the centres, the pixel, and the images' stated geolocation error (``--geolocation-ce90``);
an error that nobody states is not known here, and craters that it separates stay two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cv_pipeline.types import Float64Array

WITHIN = 5.991
"""Squared distance over its variance up to which two places may be one: 95 % of chi squared, two degrees."""
_LEAST_RADIUS_M = 6_335_000.0
"""The least radius of curvature of the ellipsoid, so that an angle found with it is never too small."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Impacts of all pairs, n of each; ``lonlat_deg`` (n, 2) is NaN where an image has no CRS.

    ``sd_m`` is per axis; ``pair`` numbers the pairs in the manifest's order. ``rank`` is lower the more is known of an
    impact (:class:`cv_pipeline.batch.sightings.Sightings` says what).
    """

    lonlat_deg: Float64Array
    sd_m: Float64Array
    score: Float64Array
    pair: IntArray
    rank: IntArray


def kept_for(places: Places) -> IntArray:
    """For each impact the index of the one that stands for it: its own where it is kept, (n,).

    Of impacts that are one the lowest rank is kept, of equal ones the highest score, of ties that of the earlier pair.
    Pairs of impacts are joined from the likeliest on, and never so that two of one scene become one. Impacts without a
    place are always kept.
    """
    from pyproj import Geod

    n = len(places.score)
    first, second = _near(places)
    lon, lat = places.lonlat_deg.T
    distance_m = np.asarray(Geod(ellps="WGS84").inv(lon[first], lat[first], lon[second], lat[second])[2], np.float64)
    variance = places.sd_m[first] ** 2 + places.sd_m[second] ** 2
    squared = distance_m**2 / variance
    group: dict[int, list[int]] = {}
    one = np.flatnonzero(squared <= WITHIN)
    for k in one[np.lexsort((second[one], first[one], squared[one]))]:
        a, b = (group.setdefault(int(index), [int(index)]) for index in (first[k], second[k]))
        if a is b or {*places.pair[a].tolist()} & {*places.pair[b].tolist()}:
            continue
        a += b
        for index in b:
            group[index] = a
    kept = np.arange(n)
    for members in {id(m): m for m in group.values()}.values():
        best = min(members, key=lambda index: (places.rank[index], -places.score[index], places.pair[index]))
        kept[members] = best
    return kept


def _near(places: Places) -> tuple[IntArray, IntArray]:
    """Index pairs of impacts of different scenes that are near enough to be looked at."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(places.lonlat_deg).all(axis=1))
    if len(known) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    lon, lat = np.deg2rad(places.lonlat_deg[known]).T
    # On a sphere in space there is no antimeridian. Geodetic angles: true distances follow for what is near.
    points = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    reach = 1.01 * np.sqrt(2 * WITHIN) * places.sd_m[known].max() / _LEAST_RADIUS_M
    found = cKDTree(points).query_pairs(reach, output_type="ndarray")
    found = found[places.pair[known[found[:, 0]]] != places.pair[known[found[:, 1]]]]
    return known[found[:, 0]].astype(np.int64), known[found[:, 1]].astype(np.int64)
