"""Sun and sensor position: shading, cast shadows, and the lean of what stands up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cv_pipeline.simulation.ground import Ground
from cv_pipeline.types import Float32Array


class Sun(NamedTuple):
    """Where the light comes from: azimuth clockwise from image up, elevation above the horizon."""

    azimuth_deg: float
    elevation_deg: float


class View(NamedTuple):
    """Where the sensor stands: degrees off nadir, and the azimuth from the ground towards it, clockwise from image up."""

    off_nadir_deg: float
    azimuth_deg: float


NADIR = View(0.0, 0.0)


def photograph(ground: Ground, sun: Sun, view: View = NADIR) -> Float32Array:
    """The scene as light reaches the sensor, (height, width, 3) DN: shaded, shadowed, leaning away from the sensor."""
    raise NotImplementedError
