"""How far a pattern reaches from a centre in each direction, measured along rays.

Sector ``k`` of ``SECTORS`` is centred on azimuth ``k * 360 / SECTORS`` degrees, clockwise from true north.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from cv_pipeline.types import BoolArray, Float32Array, Float64Array

SECTORS = 72
AZIMUTHS_RAD = np.arange(SECTORS) * 2 * np.pi / SECTORS
DIRECTIONS = np.column_stack([np.sin(AZIMUTHS_RAD), np.cos(AZIMUTHS_RAD)])
"""(SECTORS, 2) unit vectors as (x, y), y north."""

MAX_EXTENT_M = 80.0
"""No pattern is followed farther than this from its centre."""

_INSIDE = 0.5
_GAP_M = 2.0  # a road or a wall across the pattern does not end it
_NEIGHBOURS = 12
_FIRST_PASS_M = 20.0  # most patterns end within this; the others are measured again to the full length
_CHUNK = 128


class Extents(NamedTuple):
    """Reach of a pattern, each (n, SECTORS).

    ``censored`` marks sectors whose ray met a neighbour's ground, invalid pixels or the full length
    while still inside the pattern: the extent is then a lower bound.
    """

    extent_m: Float64Array
    censored: BoolArray


class Sites(NamedTuple):
    """Where rays start in an array and how far they may go."""

    at_px: Float64Array
    """(n, 2) row, col of the centres, pixel centre = integer + 0.5."""
    jacobians: Float64Array
    """(n, 2, 2) pixels per metre, see :meth:`cv_pipeline.patterns.ground.GroundMap.pixels_per_metre`."""
    bounds_m: Float64Array
    """(n, SECTORS) from :func:`neighbour_bounds`."""


def neighbour_bounds(points_m: Float64Array, crater_radius_m: Float64Array) -> Float64Array:
    """Where each ray leaves its own centre's ground, (n, SECTORS) metres.

    Ground is shared between two centres by a line across their link, placed in proportion to their
    crater radii (at the middle, as in a Voronoi diagram, for equal craters). Capped at MAX_EXTENT_M.
    """
    bounds = np.full((len(points_m), SECTORS), MAX_EXTENT_M)
    count = min(_NEIGHBOURS + 1, len(points_m))
    if count < 2:
        return bounds
    index = np.asarray(cKDTree(points_m).query(points_m, k=count)[1])
    radius = np.maximum(crater_radius_m, 1e-3)
    for near in index.T[1:]:
        link = points_m[near] - points_m
        length = np.hypot(link[:, 0], link[:, 1])
        share = length * radius / (radius + radius[near])
        cosine = (link @ DIRECTIONS.T) / np.maximum(length, 1e-9)[:, None]
        bounds = np.where(cosine > 1e-6, np.minimum(bounds, share[:, None] / np.maximum(cosine, 1e-6)), bounds)
    return bounds


def ray_extents(
    probability: Float32Array, valid: BoolArray, sites: Sites, *, step_m: float, gap_m: float = _GAP_M
) -> Extents:
    """Reach of ``probability >= 0.5`` from each centre in each sector.

    Args:
        probability: (h, w).
        valid: (h, w) False where there is no imagery.
        sites: centres in this array.
        step_m: sampling step along the rays; the edge is interpolated between steps.
        gap_m: longest interruption that does not end the pattern.

    Returns:
        Extents; 0 where the pattern does not begin within ``gap_m`` of the centre.
    """
    extent = np.zeros((len(sites.at_px), SECTORS))
    censored = np.zeros((len(sites.at_px), SECTORS), dtype=bool)
    known = np.where(valid, probability, np.float32(-1.0))
    for length_m in (_FIRST_PASS_M, MAX_EXTENT_M):
        todo = np.arange(len(sites.at_px))
        if length_m == MAX_EXTENT_M:
            todo = np.nonzero((extent >= _FIRST_PASS_M - gap_m - 2 * step_m).any(axis=1))[0]
        for start in range(0, len(todo), _CHUNK):
            part = todo[start : start + _CHUNK]
            bounded = Sites(sites.at_px[part], sites.jacobians[part], np.minimum(sites.bounds_m[part], length_m))
            extent[part], censored[part] = _trace(known, bounded, step_m, gap_m)
    return Extents(extent, censored)


def _trace(known: Float32Array, sites: Sites, step_m: float, gap_m: float) -> tuple[Float64Array, BoolArray]:
    """Extents (n, SECTORS) and censoring (n, SECTORS); ``known`` is -1 where there is no imagery."""
    bounds_m = sites.bounds_m
    steps = int(np.ceil(bounds_m.max() / step_m)) + 1
    reach = np.arange(steps) * step_m
    per_metre = np.einsum("nij,sj->nsi", sites.jacobians, DIRECTIONS)
    at = sites.at_px[:, None, None, :] + per_metre[:, :, None, :] * reach[None, None, :, None]
    # map_coordinates counts from pixel centres: position minus 0.5.
    rows, cols = at[..., 0] - 0.5, at[..., 1] - 0.5
    value = map_coordinates(known, [rows, cols], order=1, mode="constant", cval=-1.0, prefilter=False)
    lost = value < -0.01
    inside = (value >= _INSIDE) & (reach <= bounds_m[..., None])
    ended = _run_end(inside, max(round(gap_m / step_m), 0))
    last = np.maximum(ended, 0)
    after = np.minimum(last + 1, steps - 1)
    here = np.take_along_axis(value, last[..., None], -1)[..., 0]
    there = np.take_along_axis(value, after[..., None], -1)[..., 0]
    edge = np.where(here > there, (here - _INSIDE) / np.maximum(here - there, 1e-6), 0.0).clip(0, 1)
    beyond = np.minimum(last + 2, steps - 1)  # interpolation blurs the border of the imagery by one step
    at_border = np.take_along_axis(lost, after[..., None], -1)[..., 0]
    at_border |= np.take_along_axis(lost, beyond[..., None], -1)[..., 0]
    at_bound = (last + 1) * step_m > bounds_m
    none = ended < 0
    free_end = np.minimum((last + edge) * step_m, bounds_m)
    extent = np.where(at_bound, bounds_m, np.where(at_border, last * step_m, free_end))
    return np.where(none, 0.0, extent), (at_border | at_bound) & ~none


def _run_end(inside: BoolArray, gap_steps: int) -> np.ndarray:
    """Index of the last True reached from the start without crossing more than ``gap_steps`` False.

    Args:
        inside: (..., steps).
        gap_steps: longest run of False that is passed over.

    Returns:
        (...) indices, -1 where no True lies within ``gap_steps`` of the start.
    """
    index = np.arange(inside.shape[-1])
    seen = np.maximum.accumulate(np.where(inside, index, -1), axis=-1)
    broken = (index - seen) > gap_steps
    first = np.where(broken.any(axis=-1), broken.argmax(axis=-1), inside.shape[-1])
    end = np.take_along_axis(seen, np.maximum(first - 1, 0)[..., None], -1)[..., 0]
    return np.asarray(np.where(first == 0, -1, end))
