"""The truth that a network is trained on, as planes of one array."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.types import Float32Array


class Plane(StrEnum):
    """Planes of a truth array, in order.

    ``structure_known`` is 0 where the ground is real imagery whose buildings nobody mapped, ``visible``
    is 0 under clouds. Radii are 0 where there is no crater. Labels by hand know less than the simulator: what they
    do not tell is NaN (:mod:`cv_pipeline.training.labels`).
    """

    CRATER = "crater"
    BLAST = "blast"
    SECONDARY = "secondary"
    CENTRE = "centre"
    NEW = "new"
    STRUCTURE = "structure"
    STRUCTURE_KNOWN = "structure_known"
    VISIBLE = "visible"
    CRATER_RADIUS_M = "crater_radius_m"
    BLAST_RADIUS_M = "blast_radius_m"
    AXIS_RIGHT = "axis_right"
    AXIS_UP = "axis_up"


def truth_planes(pair: SimulatedPair) -> Float32Array:
    """(height, width, planes) float32 of a pair's truth."""
    truth = pair.truth
    return np.dstack([getattr(truth, plane.value) for plane in Plane]).astype(np.float32)
