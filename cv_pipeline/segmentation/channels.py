"""What the network's raw maps mean: which are probabilities, radii or directions, and how each is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cv_pipeline.segmentation.calibration import Calibration
from cv_pipeline.types import Channel

if TYPE_CHECKING:
    from torch import Tensor

RADII_M = frozenset({Channel.CRATER_RADIUS_M, Channel.BLAST_RADIUS_M})
AXES = frozenset({Channel.AXIS_RIGHT, Channel.AXIS_UP})
PROBABILITIES = tuple(channel for channel in Channel if channel not in RADII_M | AXES)
NUMBER = {channel: number for number, channel in enumerate(Channel)}
"""Each channel's place among the maps."""

_MAX_LOG_RADIUS = 4.85
"""Radii are kept below 128 m: what a stored raster can hold."""


def to_values(maps: Tensor, calibration: Calibration | None = None) -> Tensor:
    """Values of raw maps (batch, channels, height, width), in the order of :class:`~cv_pipeline.types.Channel`.

    Logits become calibrated probabilities and axes -1..1. Radii stay natural logarithms of metres, clamped, so
    that overlapping tiles are averaged by ratio.
    """
    values = maps.new_empty(maps.shape).copy_(maps)
    read_in_place(values, calibration)
    return values


def read_in_place(maps: Tensor, calibration: Calibration | None = None) -> None:
    """Make values of raw maps, as :func:`to_values`, without a copy; quick where they lie plane by plane."""
    for channel, number in NUMBER.items():
        plane = maps[:, number]
        if channel in RADII_M:
            plane.clamp_(-2.0, _MAX_LOG_RADIUS)
        elif channel in AXES:
            plane.tanh_()
        else:
            platt = (calibration or {}).get(channel)
            (plane if platt is None else plane.mul_(platt.slope).add_(platt.intercept)).sigmoid_()
