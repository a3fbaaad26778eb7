"""Distances between places, and the perimeter and area of sites, on the ellipsoid."""

from __future__ import annotations

from cv_pipeline.measure.geodesy import Leg, SiteSize, ToSite, leg, site_size, to_site
from cv_pipeline.measure.report import Measurement, measure
from cv_pipeline.measure.sites import Site, read_sites
from cv_pipeline.measure.text import Place, read_place

__all__ = [
    "Leg",
    "Measurement",
    "Place",
    "Site",
    "SiteSize",
    "ToSite",
    "leg",
    "measure",
    "read_place",
    "read_sites",
    "site_size",
    "to_site",
]
