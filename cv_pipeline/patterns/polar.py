"""The ground around a centre along rays: colours and maps as arrays of (sector, step outwards)."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from cv_pipeline.patterns.rays import DIRECTIONS, SECTORS
from cv_pipeline.types import BoolArray, Float32Array, Float64Array, UInt8Array

MAX_REACH_M = 80.0


class Polar(NamedTuple):
    """What lies along the rays of one centre; ``reach_m`` (steps,), the others (SECTORS, steps).

    ``colour`` and ``earlier`` are (SECTORS, steps, 3) float32, of the after and the before image; ``earlier`` is None
    in after-only mode. ``known`` is False without imagery, on a neighbour's ground, and on what is excluded.
    """

    reach_m: Float64Array
    colour: Float32Array
    known: BoolArray
    earlier: Float32Array | None = None


def sample_polar(
    rgb: UInt8Array,
    usable: BoolArray,
    at_px: Float64Array,
    jacobian: Float64Array,
    bounds_m: Float64Array,
    *,
    length_m: float,
    step_m: float,
    before: UInt8Array | None = None,
) -> Polar:
    """Colours along the rays of one centre, bilinear.

    Args:
        rgb: (h, w, 3).
        usable: (h, w) False where a pixel must not be looked at: no imagery, a structure.
        at_px: (2,) row, col of the centre, pixel centre = integer + 0.5.
        jacobian: (2, 2) pixels per metre, see :class:`cv_pipeline.patterns.rays.Sites`.
        bounds_m: (SECTORS,) where each ray leaves its own ground.
        length_m: how far to look; at most :data:`MAX_REACH_M`.
        step_m: distance of samples along a ray; the first lies half a step out.
        before: (h, w, 3) the before image on the same pixels; usable where ``usable`` is.

    Returns:
        Samples outside the window are unknown and hold 0.
    """
    reach = np.asarray((np.arange(max(int(min(length_m, MAX_REACH_M) / step_m), 4)) + 0.5) * step_m, np.float64)
    per_metre = DIRECTIONS @ jacobian.T
    rows = (at_px[0] - 0.5 + per_metre[:, :1] * reach).astype(np.float32)
    cols = (at_px[1] - 0.5 + per_metre[:, 1:] * reach).astype(np.float32)
    # A cut-out first: remap converts only what lies around this centre, and its coordinates have 16 bits.
    top, left = max(int(rows.min()) - 1, 0), max(int(cols.min()) - 1, 0)
    part = (slice(top, max(int(rows.max()) + 3, top + 1)), slice(left, max(int(cols.max()) + 3, left + 1)))
    known = np.broadcast_to(reach <= bounds_m[:, None], (SECTORS, len(reach)))
    if rgb[part].size == 0:
        return Polar(reach, np.zeros((SECTORS, len(reach), 3), np.float32), np.zeros_like(known))
    rows, cols = rows - top, cols - left
    colour, seen = _sampled(rgb[part], rows, cols), _sampled(usable[part], rows, cols)
    earlier = None if before is None else _sampled(before[part], rows, cols)
    return Polar(reach, colour, known & (seen > 0.99), earlier)


def _sampled(part: UInt8Array | BoolArray, rows: Float32Array, cols: Float32Array) -> Float32Array:
    image = part.astype(np.float32)
    return np.asarray(cv2.remap(image, cols, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)
