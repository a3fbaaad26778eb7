"""The standard deviation of one measured distance, part by part."""

from __future__ import annotations

import math
from dataclasses import replace

from cv_pipeline.types import ErrorBudget, Landmark

CE90_PER_SD = math.sqrt(2 * math.log(10))
"""Radius holding 90 % of a circular normal error, in its per-axis SD: sqrt(2 ln 10) = 2.146."""


def error_budget(
    centre_sd_m: float,
    *,
    registration_sd_m: float = 0.0,
    gsd_m: float = 0.0,
    geolocation_ce90_m: float | None = None,
    footprint_ce90_m: float | None = None,
    offset_sd_m: float = 0.0,
) -> ErrorBudget:
    """The independent per-axis parts of a distance's SD, in metres.

    The pixel in which an edge is seen is uniform over one GSD: SD = GSD / sqrt(12). A CE90 is the
    radius that holds 90 % of a circular normal error: SD = CE90 / 2.146. To first order the SD of a
    distance is the SD along its direction, which for circular errors is the per-axis SD. Nearer to the
    aim point than about twice this SD, the distance itself is biased upwards and its SD is smaller, down
    to 0.655 of it at the aim point (a Rayleigh variable). Parts that nobody states are 0, not small.

    Args:
        centre_sd_m: of the impact's centre.
        registration_sd_m: of the co-registration.
        gsd_m: metres per pixel of the image.
        geolocation_ce90_m: the image's stated CE90.
        footprint_ce90_m: the stated CE90 of the footprints, independent from one footprint to the next.
        offset_sd_m: a shift common to all footprints, as found by :mod:`cv_pipeline.structures.offset`.
    """
    return ErrorBudget(
        centre_sd_m=centre_sd_m,
        pixel_sd_m=gsd_m / math.sqrt(12),
        registration_sd_m=registration_sd_m,
        geolocation_sd_m=(geolocation_ce90_m or 0.0) / CE90_PER_SD,
        footprint_sd_m=(footprint_ce90_m or 0.0) / CE90_PER_SD,
        offset_sd_m=offset_sd_m,
    )


def budget_of_landmark(error: ErrorBudget, landmark: Landmark) -> ErrorBudget:
    """The budget of a distance to a landmark, from that of a distance to a single footprint.

    Drawing errors of a group's members average out; what the group's centre leaves open comes in.
    """
    return replace(
        error,
        footprint_sd_m=error.footprint_sd_m * landmark.footprint_share,
        geometry_sd_m=landmark.centre_sd_m,
    )
