"""Geodesic lengths and areas on the WGS 84 ellipsoid.

Karney 2013, doi:10.1007/s00190-012-0578-z, through ``pyproj.Geod``: true to nanometres at any distance, with
no projection, zone or antimeridian in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from cv_pipeline.measure.sites import Site, rings
from cv_pipeline.measure.text import Place
from cv_pipeline.types import Float64Array

STEP_M = 1000.0
"""Edges are cut to this length before they are drawn straight in a plane, which leaves an error of millimetres."""


@dataclass(frozen=True, slots=True)
class Leg:
    """From one place to another; the azimuth is the one at the start, clockwise from north, 0 to 360."""

    start: str
    end: str
    distance_m: float
    azimuth_deg: float


@dataclass(frozen=True, slots=True)
class SiteSize:
    """``perimeter_m`` is the length of the outer rings, ``hole_perimeter_m`` of the others; holes are no area."""

    site: str
    perimeter_m: float
    hole_perimeter_m: float
    area_m2: float
    parts: int


@dataclass(frozen=True, slots=True)
class ToSite:
    """From a place to the nearest point of a site's edge; ``is_inside`` places are measured to the edge as well."""

    place: str
    site: str
    distance_to_edge_m: float
    is_inside: bool


def leg(start: Place, end: Place) -> Leg:
    """Shortest way between two places; the azimuth of a leg of no length is 0."""
    azimuth, _, distance = _ellipsoid().inv(start.lon_deg, start.lat_deg, end.lon_deg, end.lat_deg)
    return Leg(start.name, end.name, float(distance), float(azimuth) % 360 if distance > 0 else 0.0)


def site_size(site: Site) -> SiteSize:
    """Perimeter and area of a site whose edges are geodesics between its corners."""
    outer, inner, area = 0.0, 0.0, 0.0
    for ring, is_outer in rings(site):
        of_ring, length = _ellipsoid().polygon_area_perimeter(ring[:, 0], ring[:, 1])
        area += abs(of_ring) if is_outer else -abs(of_ring)
        outer, inner = (outer + length, inner) if is_outer else (outer, inner + length)
    parts = len(shapely.get_parts(site.outline))
    return SiteSize(site.name, float(outer), float(inner), float(area), parts)


def to_site(place: Place, site: Site) -> ToSite:
    """Distance from a place to a site's edge; 0 on the edge.

    Measured in an equidistant projection centred on the place, in which every distance from it is true.
    """
    from pyproj import Transformer

    plane = f"+proj=aeqd +lat_0={place.lat_deg:.12f} +lon_0={place.lon_deg:.12f} +datum=WGS84 +units=m"
    to_plane = Transformer.from_crs("EPSG:4326", plane, always_xy=True)
    planar = [np.column_stack(to_plane.transform(*_densified(ring).T)) for ring, _ in rings(site)]
    here = shapely.Point(0, 0)
    distance = min(shapely.distance(here, shapely.LinearRing(ring)) for ring in planar)
    # A point is inside when it is enclosed by an odd number of rings.
    enclosing = sum(shapely.contains(shapely.Polygon(ring), here) for ring in planar)
    return ToSite(place.name, site.name, float(distance), bool(enclosing % 2))


@cache
def _ellipsoid() -> Any:
    from pyproj import Geod

    return Geod(ellps="WGS84")


def _densified(ring: Float64Array) -> Float64Array:
    """The closed ring (k, 2) with points along each geodesic edge, at most STEP_M apart, 1000 an edge at most."""
    found: list[Float64Array] = []
    for (lon1, lat1), (lon2, lat2) in pairwise(ring):
        length = _ellipsoid().inv(lon1, lat1, lon2, lat2)[2]
        count = min(1000, int(length // STEP_M))
        between = _ellipsoid().npts(lon1, lat1, lon2, lat2, count) if count else ()
        found.append(np.array([(lon1, lat1), *between], dtype=np.float64))
    found.append(ring[-1:])
    return np.concatenate(found)
