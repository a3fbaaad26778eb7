"""Everything that was asked of a set of places and sites, as a value, as JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from cv_pipeline.errors import MeasureError
from cv_pipeline.measure.geodesy import Leg, SiteSize, ToSite, leg, site_size, to_site
from cv_pipeline.measure.sites import Site
from cv_pipeline.measure.text import Place


@dataclass(frozen=True, slots=True)
class Measurement:
    """Legs between all pairs of places, the size of each site, and each place's distance to each site."""

    legs: tuple[Leg, ...]
    sites: tuple[SiteSize, ...]
    to_sites: tuple[ToSite, ...]


def measure(places: Sequence[Place], sites: Sequence[Site]) -> Measurement:
    """Measure all pairs, in the order given.

    Raises:
        MeasureError: there is nothing to measure: no site and fewer than two places.
    """
    if not sites and len(places) < 2:
        raise MeasureError("nothing to measure: give --place twice, or --site.")
    return Measurement(
        legs=tuple(leg(start, end) for start, end in combinations(places, 2)),
        sites=tuple(site_size(site) for site in sites),
        to_sites=tuple(to_site(place, site) for site in sites for place in places),
    )


def document(measurement: Measurement) -> dict[str, Any]:
    """The measurement as JSON holds it, metres and square metres on the WGS 84 ellipsoid."""
    return {"ellipsoid": "WGS 84", **asdict(measurement)}


def lines(measurement: Measurement) -> list[str]:
    """One line of text per figure."""
    text = [
        f"{way.start} to {way.end}: {_length(way.distance_m)}, azimuth {way.azimuth_deg:.1f} degrees"
        for way in measurement.legs
    ]
    for site in measurement.sites:
        holes = f" (and {_length(site.hole_perimeter_m)} around holes)" if site.hole_perimeter_m else ""
        parts = f", {site.parts} parts" if site.parts > 1 else ""
        text.append(f"{site.site}: perimeter {_length(site.perimeter_m)}{holes}, area {_area(site.area_m2)}{parts}")
    text += [
        f"{way.place} to the edge of {way.site}: {_length(way.distance_to_edge_m)}"
        f"{' (from inside)' if way.is_inside else ''}"
        for way in measurement.to_sites
    ]
    return text


def _length(metres: float) -> str:
    return f"{metres:.2f} m" if metres < 1000 else f"{metres / 1000:.3f} km"


def _area(square_metres: float) -> str:
    return f"{square_metres:.1f} m2" if square_metres < 1e5 else f"{square_metres / 1e6:.4f} km2"
