"""Test-time augmentation: the mean over the eight ways to turn and mirror a tile, at eight times the cost."""

from __future__ import annotations

import numpy as np

from cv_pipeline.segmentation.backend import Backend
from cv_pipeline.segmentation.channels import NUMBER
from cv_pipeline.types import BoolArray, Channel, Float32Array

_RIGHT, _UP = NUMBER[Channel.AXIS_RIGHT], NUMBER[Channel.AXIS_UP]


def turned(tiles: Float32Array, quarter_turns: int, mirror: bool) -> Float32Array:
    """Arrays (..., h, w) turned counterclockwise, then mirrored left to right if asked."""
    result = np.rot90(tiles, quarter_turns, axes=(-2, -1))
    return np.ascontiguousarray(result[..., ::-1] if mirror else result)


def turned_back(maps: Float32Array, quarter_turns: int, mirror: bool) -> Float32Array:
    """Maps (n, channels, h, w) of :func:`turned` tiles as the tiles were: pixels and axis vectors."""
    result = np.rot90(maps[..., ::-1] if mirror else maps, -quarter_turns, axes=(-2, -1)).copy()
    if mirror:
        result[:, _RIGHT] *= -1
    for _ in range(quarter_turns):
        # A quarter turn made of what pointed right what points up, and of what pointed up what points left.
        result[:, [_RIGHT, _UP]] = result[:, [_UP, _RIGHT]]
        result[:, _UP] *= -1
    return result


class Symmetric:
    """A :class:`Backend` that gives the mean of another one's values over the symmetries of the square.

    The mean of radii is that of their logarithms. The result turns with its input.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        """See :class:`Backend`."""
        ways = [(turns, mirror) for turns in range(4) for mirror in (False, True)]
        total: Float32Array | None = None
        for way in ways:
            early = None if before is None else turned(before, *way)
            maps = turned_back(self._backend(turned(after, *way), early, has_before), *way)
            total = maps if total is None else total + maps
        assert total is not None
        return total / np.float32(len(ways))
