"""Places and outlines from what a user types."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cv_pipeline.errors import MeasureError

if TYPE_CHECKING:
    from pyproj import CRS


@dataclass(frozen=True, slots=True)
class Place:
    """A named point, WGS 84 degrees; longitude in [-180, 180]."""

    name: str
    lon_deg: float
    lat_deg: float


def read_crs(text: str) -> CRS:
    """A CRS from its code, WKT or PROJ string.

    Raises:
        MeasureError: it is none of these.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(text)
    except CRSError as cause:
        raise MeasureError(
            f"--crs {text}: not a known coordinate reference system. Give for instance EPSG:32638."
        ) from cause


def read_place(text: str, crs: str = "EPSG:4326", number: int = 1) -> Place:
    """A place from ``NAME=X,Y`` or ``X,Y`` in ``crs`` (x first, so longitude before latitude).

    Without a name it is called ``place NUMBER``.

    Raises:
        MeasureError: not two finite numbers, or off the globe.
    """
    name, _, pair = text.rpartition("=")
    ((lon, lat),) = to_lonlat([_pair(pair, text)], crs, text)
    return Place(name.strip() or f"place {number}", lon, lat)


def read_outline(text: str, crs: str = "EPSG:4326") -> tuple[str, list[tuple[float, float]]]:
    """Name and ring of (lon, lat) from ``NAME=X,Y X,Y X,Y ...``; the ring need not be closed.

    Raises:
        MeasureError: fewer than three places, or one that is not two numbers.
    """
    name, _, pairs = text.rpartition("=")
    ring = [_pair(pair, text) for pair in pairs.split()]
    if ring and ring[0] == ring[-1]:
        ring = ring[:-1]
    if len(set(ring)) < 3:
        raise MeasureError(
            f"{text!r}: an outline needs three places or more. Write X,Y X,Y X,Y with spaces between them."
        )
    return name.strip() or "site", to_lonlat(ring, crs, text)


def to_lonlat(pairs: list[tuple[float, float]], crs: str, where: str) -> list[tuple[float, float]]:
    """Pairs (x, y) of ``crs`` as (lon, lat) of WGS 84.

    Raises:
        MeasureError: a pair lies off the globe or outside what the CRS can represent.
    """
    from cv_pipeline.frame import transformer

    known = read_crs(crs)
    if known.is_geographic:
        for lon, lat in pairs:
            if abs(lat) > 90 or abs(lon) > 360:
                raise MeasureError(
                    f"{where!r}: {lon:g},{lat:g} are not degrees of longitude and latitude. "
                    "Write longitude first, or name the coordinates' system with --crs."
                )
    x, y = zip(*pairs, strict=True)
    lon, lat = transformer(known, "EPSG:4326").transform(x, y)
    if not all(map(math.isfinite, (*lon, *lat))):
        raise MeasureError(f"{where!r}: lies outside what {crs} can represent. Check --crs and the order x,y.")
    return [(math.remainder(a, 360), b) for a, b in zip(lon, lat, strict=True)]


def _pair(text: str, where: str) -> tuple[float, float]:
    parts = text.split(",")
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        raise MeasureError(f"{where!r}: {text!r} is not X,Y. Write two numbers, for instance 42.44,33.78.") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise MeasureError(f"{where!r}: {text!r} is not finite. Write two numbers, for instance 42.44,33.78.")
    return x, y
