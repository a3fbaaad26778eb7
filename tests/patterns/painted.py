"""Pictures with painted patterns of known size, and the maps of a network that sees them exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cv_pipeline.patterns.measure import Window
from cv_pipeline.patterns.rays import SECTORS, Sites
from cv_pipeline.types import Channel, Float64Array, UInt8Array

GSD_M = 0.6
SIDE_PX = 161
CENTRE_PX = np.array([80.3, 80.6])
NORTH_UP = np.array([[0.0, -1 / GSD_M], [1 / GSD_M, 0.0]])
"""(drow, dcol) of one metre east and one north."""


@dataclass(frozen=True)
class Ground:
    """Distance in metres and azimuth in radians of every pixel from the centre, and noise of unit SD."""

    distance_m: Float64Array
    azimuth_rad: Float64Array
    texture: Float64Array


def ground(seed: int = 0, jacobian: Float64Array = NORTH_UP) -> Ground:
    """The pixels around the centre, with texture that is correlated over a pixel."""
    rows, cols = np.indices((SIDE_PX, SIDE_PX)) + 0.5
    offset = np.stack([rows - CENTRE_PX[0], cols - CENTRE_PX[1]], axis=-1)
    metres = offset @ np.linalg.inv(jacobian).T
    noise = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((SIDE_PX, SIDE_PX)), (0, 0), 0.8)
    return Ground(
        np.hypot(metres[..., 0], metres[..., 1]), np.arctan2(metres[..., 0], metres[..., 1]), noise / noise.std()
    )


def picture(level: Float64Array | float, change: Float64Array, texture_dn: Float64Array) -> UInt8Array:
    """Grey ground of ``level`` with a change of brightness and texture, all in DN."""
    grey = np.clip(level + change + texture_dn, 0, 255)
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def inside(at: Ground, radius_m: Float64Array | float) -> Float64Array:
    """1 within a radius, 0 beyond, softened over a pixel as a sensor does."""
    return np.clip(0.5 + (radius_m - at.distance_m) / GSD_M, 0, 1)


def maps(
    at: Ground,
    crater_m: float,
    reach_m: Float64Array | float,
    *,
    head_m: float | None = None,
    axis: tuple[float, float] = (0.0, 0.0),
    structure: Float64Array | None = None,
) -> dict[Channel, np.ndarray]:
    """Maps of an exact network: ``reach_m`` is a number or an array (h, w) of each pixel's azimuth."""
    shape = at.distance_m.shape
    layers = {channel: np.zeros(shape, np.float32) for channel in Channel}
    layers[Channel.CRATER] = inside(at, crater_m).astype(np.float32)
    layers[Channel.BLAST] = inside(at, reach_m).astype(np.float32)
    layers[Channel.CRATER_RADIUS_M][:] = crater_m
    layers[Channel.BLAST_RADIUS_M][:] = float(np.median(reach_m)) if head_m is None else head_m
    layers[Channel.AXIS_RIGHT][:], layers[Channel.AXIS_UP][:] = axis
    if structure is not None:
        layers[Channel.STRUCTURE] = structure.astype(np.float32)
    return layers


def sites(jacobian: Float64Array = NORTH_UP, bounds_m: float = 80.0) -> Sites:
    """The one site at the centre."""
    return Sites(CENTRE_PX[None], jacobian[None], np.full((1, SECTORS), bounds_m))


def window(
    layers: dict[Channel, np.ndarray], after: UInt8Array | None = None, before: UInt8Array | None = None
) -> Window:
    """Everything valid."""
    return Window(layers, np.ones((SIDE_PX, SIDE_PX), dtype=bool), after, before, GSD_M)
