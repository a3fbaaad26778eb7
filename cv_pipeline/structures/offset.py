"""A shift between footprints and the image, as an off-nadir lean, another source or another year leaves it.

The outline of each building is laid over the image's edges at every shift up to 10 m. At each outline
point only the gradient across the outline counts, and it saturates, so that one bright roof edge weighs
no more than a faint one. The footprints' scores, each standardised over the shifts, are averaged into
one score for one shift of the whole scene.

What comes out is an estimate to be shown, with what speaks for it. It cannot tell a leaning building's
roof from its foot, nor see shifts of more than 10 m or different shifts in different parts of a scene.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from cv_pipeline.frame import LocalFrame, transformed
from cv_pipeline.types import Float64Array, FootprintOffset, Grid, ImageSource, Structure, StructureKind, Window

if TYPE_CHECKING:
    from affine import Affine

    from cv_pipeline.imagery.view import GridView

SEARCH_M = 10.0
MIN_GSD_M, MAX_GSD_M = 0.5, 1.5
"""Finer imagery is averaged to the first; in coarser than the second an outline is too few pixels."""

MAX_FOOTPRINTS = 200
MIN_FOOTPRINTS = 8
MIN_PERIMETER_M = 16.0
MIN_SUPPORT = 0.4
MIN_PEAK_RATIO = 1.25
_APART_M = 2.5
"""Shifts nearer to the best one than this are its own flank, not another candidate."""

_TOP_SHARE = 0.1
"""A footprint supports a shift that is among the best tenth of all shifts for its own outline."""

_RESAMPLES = 200


def estimate_offset(structures: Sequence[Structure], image: ImageSource, frame: LocalFrame) -> FootprintOffset:
    """The shift in local metres that brings buildings onto the edges of ``image``, in whose frame they lie.

    Reliable when at least 8 footprints were tried, 40 % of them support the shift by themselves, no
    other shift scores nearly as well (peak ratio 1.25), and it is not at the border of the search.
    Otherwise ``reliable`` is False and ``reason`` says why; the shift is then (0, 0) with the
    search's SD where nothing could be tried, else the best one found. At most 200 footprints, taken
    evenly from the list, are used. ``sd_m`` is the bootstrap SD over footprints, at least half a pixel's.

    Args:
        structures: footprints; polygons of kind building take part.
        image: the image that they are compared with.
        frame: the local frame of that image.
    """
    from cv_pipeline.imagery.grid import working_grid

    gsd_m = max(image.grid.gsd_m, MIN_GSD_M)
    if gsd_m > MAX_GSD_M:
        return _unknown(0, f"the image's {gsd_m:g} m per pixel are too coarse for outlines")
    outlines = [
        structure.geometry_m
        for structure in structures
        if structure.kind is StructureKind.BUILDING and structure.geometry_m.area > 0
    ]
    outlines = [shape for shape in outlines if shape.length >= max(MIN_PERIMETER_M, 20 * gsd_m)]
    step = max(1, math.ceil(len(outlines) / MAX_FOOTPRINTS))
    reach = math.ceil(SEARCH_M / gsd_m)
    grid = working_grid(image.grid, gsd_m)
    scores = _scores(outlines[::step], image, frame, grid, reach)
    if len(scores) < MIN_FOOTPRINTS:
        few = f"only {len(scores)} building footprints have imagery all around; {MIN_FOOTPRINTS} are needed"
        return _unknown(len(scores), few)
    return _judged(scores, grid, reach, frame)


def moved(structures: Sequence[Structure], offset: FootprintOffset) -> tuple[Structure, ...]:
    """Structures shifted by the offset."""
    return tuple(
        replace(
            structure,
            geometry_m=_shifted(structure.geometry_m, offset),
            centreline_m=None if structure.centreline_m is None else _shifted(structure.centreline_m, offset),
        )
        for structure in structures
    )


def _shifted(shape: shapely.Geometry, offset: FootprintOffset) -> shapely.Geometry:
    move = np.array([offset.dx_m, offset.dy_m])
    return shapely.transform(shape, lambda points: points + move)


def _unknown(tried: int, reason: str) -> FootprintOffset:
    return FootprintOffset(0.0, 0.0, SEARCH_M / math.sqrt(3), 0, tried, 1.0, False, reason)


def _scores(
    outlines: Sequence[shapely.Geometry], image: ImageSource, frame: LocalFrame, grid: Grid, reach: int
) -> Float64Array:
    """(k, d, d) standardised scores of the k footprints with imagery all around; d = 2 reach + 1 shifts a side.

    Element (reach + i, reach + j) is the shift by i rows and j columns of ``grid``.
    """
    from cv_pipeline.imagery.grid import pixel_matrix
    from cv_pipeline.imagery.view import GridView

    shapes = np.array(outlines, dtype=object)
    # All at once: a projection takes longer to set up than to use.
    pixels = _to_grid(shapely.segmentize(shapes, grid.gsd_m), frame, pixel_matrix(frame.grid, grid))
    kept = []
    with GridView(image, grid) as view:
        for outline in pixels:
            score = _score(*_outline_points(outline), view, grid, reach)
            if score is not None:
                kept.append(score)
    return np.array(kept, dtype=np.float64).reshape(-1, 2 * reach + 1, 2 * reach + 1)


def _to_grid(shapes: npt.NDArray[Any], frame: LocalFrame, to_grid: Affine) -> npt.NDArray[Any]:
    """Geometries in local metres as geometries in (col, row) of a grid."""

    def convert(points_m: Float64Array) -> Float64Array:
        rows, cols = frame.metres_to_pixel(points_m).T
        return np.column_stack(transformed(to_grid, cols, rows))

    return np.asarray(shapely.transform(shapes, convert), dtype=object)


def _outline_points(outline: shapely.Geometry) -> tuple[Float64Array, Float64Array]:
    """Middles of the pieces of an outline in (col, row) as (row, col) (n, 2), and unit normals there (n, 2)."""
    middles, normals = [], []
    for ring in shapely.get_rings(outline):
        corners = shapely.get_coordinates(ring)[:, ::-1]
        along = np.diff(corners, axis=0)
        length = np.hypot(*along.T)
        used = length > 0
        middles.append(((corners[1:] + corners[:-1]) / 2)[used])
        normals.append(np.column_stack([-along[used, 1], along[used, 0]]) / length[used, None])
    return np.concatenate(middles), np.concatenate(normals)


def _score(
    points_px: Float64Array, normals: Float64Array, view: GridView, grid: Grid, reach: int
) -> Float64Array | None:
    """Standardised score (d, d) of one footprint; None where part of its surroundings holds no imagery."""
    top, left = np.floor(points_px.min(axis=0)).astype(int) - reach - 2
    bottom, right = np.ceil(points_px.max(axis=0)).astype(int) + reach + 3
    if top < 0 or left < 0 or bottom > grid.height or right > grid.width:
        return None
    rgb, valid = view.read(Window(int(top), int(left), int(bottom - top), int(right - left)))
    if not valid.all():
        return None
    down, across = _edges(rgb.mean(axis=2, dtype=np.float64))
    # Pixel (r, c) has its centre at r + 0.5. Between centres values are interpolated: taking the nearest
    # would shift outlines that follow the pixels' borders by half a pixel.
    places = points_px - (top + 0.5, left + 0.5)
    corners = np.floor(places).astype(int)
    side = 2 * reach + 1
    total = np.zeros((side, side))
    for (row, col), (f_row, f_col), (n_row, n_col) in zip(corners - reach, places - corners, normals, strict=True):
        part = np.s_[row : row + side + 1, col : col + side + 1]
        across_edge = np.abs(n_row * down[part] + n_col * across[part])
        by_row = across_edge[:-1] + f_row * (across_edge[1:] - across_edge[:-1])
        total += by_row[:, :-1] + f_col * (by_row[:, 1:] - by_row[:, :-1])
    spread = total.std()
    return None if spread == 0 else (total - total.mean()) / spread


def _edges(grey: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Gradient along rows and along columns, saturating: length 1/2 at the median length, towards 1 above."""
    from scipy.ndimage import gaussian_filter

    down, across = np.gradient(gaussian_filter(grey, 1.0))
    length = np.hypot(down, across)
    scale = length + max(float(np.median(length)), 1e-6)
    return down / scale, across / scale


def _judged(scores: Float64Array, grid: Grid, reach: int, frame: LocalFrame) -> FootprintOffset:
    """The best shift of all footprints together, with its support, its SD and the verdict."""
    gsd_m, mean = grid.gsd_m, scores.mean(axis=0)
    best = _peak(mean)
    at = tuple(np.round(best).astype(int))
    steps = np.arange(2 * reach + 1)
    away_m = np.hypot(steps[:, None] - best[0], steps[None, :] - best[1]) * gsd_m
    others = mean[away_m > _APART_M].max()
    ratio = float(mean[at] / others) if others > 0 else math.inf
    limits = np.quantile(scores, 1 - _TOP_SHARE, axis=(1, 2))
    support = int((scores[:, *at] >= limits).sum())
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(scores), (_RESAMPLES, len(scores)))
    peaks = np.array([_peak(scores[draw].mean(axis=0)) for draw in draws])
    sd_m = math.hypot(float(np.sqrt(peaks.var(axis=0).mean())) * gsd_m, gsd_m / math.sqrt(12) / 2)
    dx_m, dy_m = _to_metres(best - reach, grid, frame)
    reasons = []
    if support < MIN_SUPPORT * len(scores):
        reasons.append(f"only {support} of {len(scores)} footprints support it")
    if ratio < MIN_PEAK_RATIO:
        reasons.append("another shift fits nearly as well")
    if (np.abs(best - reach) >= reach - 1).any():
        reasons.append(f"it lies at the border of the search ({SEARCH_M:g} m)")
    reason = " and ".join(reasons) or f"{support} of {len(scores)} footprints support it"
    return FootprintOffset(dx_m, dy_m, sd_m, support, len(scores), ratio, not reasons, reason)


def _peak(score: Float64Array) -> Float64Array:
    """(row, col) of the highest element, refined by a parabola along each axis."""
    row, col = np.unravel_index(int(score.argmax()), score.shape)
    place = np.array([row, col], dtype=np.float64)
    for axis, (k, line) in enumerate(((int(row), score[:, col]), (int(col), score[row, :]))):
        if 0 < k < len(line) - 1:
            before, here, after = line[k - 1 : k + 2]
            bend = before - 2 * here + after
            if bend < 0:
                place[axis] += 0.5 * (before - after) / bend
    return place


def _to_metres(shift: Float64Array, grid: Grid, frame: LocalFrame) -> tuple[float, float]:
    """A shift in (rows, cols) of the grid as (dx_m, dy_m), at the scene's centre."""
    centre = np.array([grid.height / 2, grid.width / 2])
    ends = LocalFrame(grid, frame.crs).pixel_to_metres(*np.array([centre, centre + shift]).T)
    return float(ends[1, 0] - ends[0, 0]), float(ends[1, 1] - ends[0, 1])
