"""Crater centres: peaks of the centre heat map, to sub-pixel, one per crater."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from cv_pipeline.types import BoolArray, Float32Array, Float64Array

MIN_SPACING_M = 1.2
"""Two centres closer than this are one crater: little more than the SD of a trained peak, two pixels of the map."""

RADIUS_SHARE = 0.6
"""Nor do two centres lie within this share of the stronger one's crater radius."""

SAME_WITHIN_M = 2.5
SAME_WITHIN_RADII = 1.1
"""Within either of these two peaks are one crater unless the map falls between: one half in shadow may have two."""

_VALLEY = 0.9  # of the weaker peak; two Gaussians of a trained peak's SD, 2.5 m apart, fall to 0.46

_MAX_SHIFT_PX = 0.499
_FLOOR = 1e-4  # the logarithm's floor; far below any score threshold of use


class Peaks(NamedTuple):
    """Peaks of a heat map, all (n,). Positions have pixel centre = integer + 0.5."""

    row_px: Float64Array
    col_px: Float64Array
    score: Float64Array
    width_px: Float64Array
    """Standard deviation of the Gaussian fitted to the peak; NaN where it has no such shape."""


def find_peaks(heat: Float32Array, valid: BoolArray, threshold: float) -> Peaks:
    """Local maxima of a heat map over 3x3 pixels, at or above a threshold.

    Args:
        heat: (h, w) scores from 0 to 1.
        valid: (h, w) False where no peak may lie.
        threshold: lowest score kept.

    Returns:
        Peaks sorted by row, then column. Every pixel of a plateau is a peak; :func:`suppress` keeps
        one of them. The score is the heat map's own value, not the fitted one.
    """
    known = np.where(valid, heat, 0.0)
    top = (known == maximum_filter(known, size=3, mode="constant")) & valid & (known >= max(threshold, _FLOOR))
    rows, cols = np.nonzero(top)
    shift_row, shift_col, width = _refine(known, rows, cols)
    return Peaks(rows + 0.5 + shift_row, cols + 0.5 + shift_col, heat[rows, cols].astype(np.float64), width)


def _refine(heat: Float32Array, rows: np.ndarray, cols: np.ndarray) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Vertex (n,), (n,) and width (n,) of a paraboloid fitted to the logarithm of 3x3 pixels.

    The logarithm of a Gaussian is a paraboloid, so the fit is exact for the peaks that the network is
    trained on. Least squares over nine pixels for six unknowns also evens out noise. The shift is
    held below half a pixel, so that a centre stays in its own, valid, pixel.
    """
    offsets = np.array([(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)], dtype=np.float64)
    r, c = offsets[:, 0], offsets[:, 1]
    solve = np.linalg.pinv(np.column_stack([np.ones(9), r, c, r * r, r * c, c * c]))
    padded = np.pad(np.log(np.maximum(heat, _FLOOR)), 1, mode="edge")
    patch = padded[rows[:, None] + 1 + r.astype(int), cols[:, None] + 1 + c.astype(int)]
    _, gr, gc, hrr, hrc, hcc = solve @ patch.T
    determinant = 4 * hrr * hcc - hrc * hrc
    peaked = (hrr < -1e-9) & (hcc < -1e-9) & (determinant > 1e-12)
    safe = np.where(peaked, determinant, 1.0)
    shift_row = np.where(peaked, (hrc * gc - 2 * hcc * gr) / safe, 0.0).clip(-_MAX_SHIFT_PX, _MAX_SHIFT_PX)
    shift_col = np.where(peaked, (hrc * gr - 2 * hrr * gc) / safe, 0.0).clip(-_MAX_SHIFT_PX, _MAX_SHIFT_PX)
    # log of a Gaussian has curvature -1/sd^2 = 2h along each axis
    width = np.where(peaked, np.sqrt(1.0 / np.sqrt(safe)), np.nan)
    return shift_row, shift_col, width


def close_pairs(points_m: Float64Array, crater_radius_m: Float64Array) -> np.ndarray:
    """Pairs (k, 2) of points near enough to be one crater with two peaks; none where there are fewer than two."""
    if len(points_m) < 2:
        return np.zeros((0, 2), dtype=np.intp)
    reach = np.maximum(SAME_WITHIN_M, SAME_WITHIN_RADII * crater_radius_m)
    near = cKDTree(points_m).query_ball_point(points_m, reach)
    pairs = {(min(i, j), max(i, j)) for i, others in enumerate(near) for j in others if i != j}
    return np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2)


def suppress(
    points_m: Float64Array,
    score: Float64Array,
    crater_radius_m: Float64Array,
    pairs: np.ndarray | None = None,
    valley: Float64Array | None = None,
) -> np.ndarray:
    """Greedy non-maximum suppression in metres.

    Args:
        points_m: (n, 2) positions.
        score: (n,) scores.
        crater_radius_m: (n,) crater radius predicted at each.
        pairs: (k, 2) from :func:`close_pairs`, or None.
        valley: (k,) lowest value of the map between the two, relative to the weaker peak.

    Returns:
        Indices kept, best first; ties in score go to the earlier point. A point is dropped when a
        better kept one lies within :data:`MIN_SPACING_M` or :data:`RADIUS_SHARE` of that one's radius, or where the
        map hardly falls between the two.
    """
    order = np.argsort(-score, kind="stable")
    if len(order) == 0:
        return order
    reach = np.maximum(MIN_SPACING_M, RADIUS_SHARE * crater_radius_m)
    near = cKDTree(points_m).query_ball_point(points_m, reach)
    if pairs is not None and valley is not None:
        for i, j in pairs[valley >= _VALLEY]:
            near[i].append(j)
            near[j].append(i)
    free = np.ones(len(order), dtype=bool)
    kept: list[int] = []
    for i in order:
        if free[i]:
            kept.append(int(i))
            free[near[i]] = False
    return np.array(kept, dtype=np.intp)
