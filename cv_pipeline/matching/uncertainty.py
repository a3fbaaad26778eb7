"""The standard deviation of one measured distance."""

from __future__ import annotations

import math

CE90_PER_SD = math.sqrt(2 * math.log(10))
"""Radius holding 90 % of a circular normal error, in its per-axis SD: sqrt(2 ln 10) = 2.146."""


def distance_sd_m(
    centre_sd_m: float, *, registration_sd_m: float = 0.0, gsd_m: float = 0.0, geolocation_ce90_m: float | None = None
) -> float:
    """Root sum of squares of the independent per-axis parts, in metres.

    The parts are the impact centre's SD, the registration's SD, the pixel in which a footprint's
    edge is seen (uniform over one GSD: SD = GSD / sqrt(12)) and the geolocation error (CE90 / 2.146).
    To first order the SD of a distance is the SD along its direction, which for circular errors is
    the per-axis SD. Closer to 0 than this SD, the distance itself is biased upwards. The footprint
    source's own error is not known and not in it.
    """
    geolocation_sd_m = (geolocation_ce90_m or 0.0) / CE90_PER_SD
    return math.hypot(centre_sd_m, registration_sd_m, gsd_m / math.sqrt(12), geolocation_sd_m)
