"""Registering a scene: from image files to an aligned pair with its gate and uncertainty."""

from __future__ import annotations

import math

import numpy as np
from affine import Affine

from cv_pipeline.imagery.grid import crop, overlap, pixel_matrix, working_grid
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.coarse import IDENTITY
from cv_pipeline.registration.estimate import estimate
from cv_pipeline.registration.gate import judge
from cv_pipeline.registration.similarity import Fit, apply, rotation_deg, scale
from cv_pipeline.registration.structure import local_structure
from cv_pipeline.registration.windows import Matches, window_side_px
from cv_pipeline.types import (
    AlignedPair,
    Float32Array,
    Float64Array,
    Gate,
    Grid,
    ImageSource,
    Registration,
    ScenePair,
    TiePoint,
    Window,
)

MAX_SIDE_PX = 4096
"""Longest side of the registration grid: a whole scene is never read at full resolution."""


def register(pair: ScenePair, working_gsd_m: float, *, max_side_px: int = MAX_SIDE_PX) -> AlignedPair:
    """Align the before image to the after image and measure how well that went.

    Never raises on a poor match: the gate says so, the matrix is then the identity and ``sd_m`` as large as the
    search reached.

    Args:
        pair: the scene; without a before image nothing is registered.
        working_gsd_m: ground sample distance at which the model will read the pair.
        max_side_px: longest side of the grid on which the pair is compared.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    working = working_grid(pair.after.grid, working_gsd_m)
    if pair.before is None:
        return AlignedPair(pair=pair, working_grid=working, registration=None)
    grid = registration_grid(pair.after.grid, pair.before.grid, max_side_px)
    before, after = _structure(pair.before, grid), _structure(pair.after, grid)
    matches, fit = estimate(before, after)
    registration = _describe(matches, fit, grid, pair.after.grid)
    return AlignedPair(pair=pair, working_grid=working, registration=registration)


def before_view(aligned: AlignedPair) -> GridView:
    """The before image, registered, on the working grid; ValueError in after-only mode."""
    if aligned.pair.before is None or aligned.registration is None:
        raise ValueError("the pair has no before image")
    to_after = pixel_matrix(aligned.working_grid, aligned.pair.after.grid)
    return GridView(aligned.pair.before, aligned.working_grid, _conjugate(aligned.registration.matrix, ~to_after))


def registration_grid(after: Grid, before: Grid, max_side_px: int) -> Grid:
    """The common ground in the after image's CRS, no finer than the coarser image and within the side."""
    window = overlap(after, before) or Window(0, 0, after.height, after.width)
    common = crop(after, window)
    gsd_m = max(after.gsd_m, before.gsd_m)
    grid = working_grid(common, gsd_m)
    longest = max(grid.height, grid.width)
    return grid if longest <= max_side_px else working_grid(common, gsd_m * longest / max_side_px)


def _structure(source: ImageSource, grid: Grid) -> Float32Array:
    with GridView(source, grid) as view:
        return local_structure(*view.read(Window(0, 0, grid.height, grid.width)))


def _describe(matches: Matches, fit: Fit | None, grid: Grid, after: Grid) -> Registration:
    """The registration in after-image pixels and metres."""
    used = 0 if fit is None else int(fit.used.sum())
    residual = math.sqrt(float((fit.residual_px[fit.used] ** 2).mean())) if fit is not None and used else 0.0
    gate, reason = judge(used, len(matches.source), matches.tried, residual)
    to_after = pixel_matrix(grid, after)
    found = fit.matrix if fit is not None and gate is not Gate.FAIL else IDENTITY
    matrix = _conjugate(found, to_after)
    centre = np.array([[after.width / 2, after.height / 2]])
    reach_m = window_side_px((grid.height, grid.width)) * grid.gsd_m
    return Registration(
        matrix=matrix,
        shift_px=float(np.linalg.norm(apply(matrix, centre) - centre)),
        rotation_deg=rotation_deg(found),
        scale=scale(found),
        residual_px=residual * grid.gsd_m / after.gsd_m,
        residual_m=residual * grid.gsd_m,
        sd_m=reach_m
        if fit is None or gate is Gate.FAIL
        else _sd_m(residual * grid.gsd_m, matches.target[fit.used], grid),
        windows_tried=matches.tried,
        windows_used=used,
        gate=gate,
        reason=reason,
        tie_points=_tie_points(matches, fit, to_after, grid.gsd_m / after.gsd_m),
    )


def _sd_m(residual_m: float, ties_px: Float64Array, grid: Grid) -> float:
    """Standard deviation per axis of where the fit puts one place of the scene, root mean square over it, in metres.

    The local misfit itself (relief is not corrected, so it does not average out) and the fit's own error,
    which grows away from the tie points. The matching's noise is in the misfit: this errs on the large side.

    Args:
        residual_m: RMS distance left at the used tie points.
        ties_px: the used tie points (n, 2) as (col, row) on the grid.
        grid: the registration grid.
    """
    middle = ties_px.mean(axis=0)
    spread = max(float(((ties_px - middle) ** 2).sum()), 1e-9)
    off_centre = float(((np.array([grid.width, grid.height]) / 2 - middle) ** 2).sum())
    mean_square = off_centre + (grid.width**2 + grid.height**2) / 12
    return residual_m / math.sqrt(2) * math.sqrt(1 + 1 / len(ties_px) + mean_square / spread)


def _conjugate(matrix: Float64Array, change: Affine) -> Float64Array:
    """A (2, 3) matrix of one grid's pixels in those of another, ``change`` mapping the first to the second."""
    moved = change @ Affine(*np.asarray(matrix, dtype=float).ravel()) @ ~change
    return np.array([[moved.a, moved.b, moved.c], [moved.d, moved.e, moved.f]])


def _tie_points(matches: Matches, fit: Fit | None, to_after: Affine, factor: float) -> tuple[TiePoint, ...]:
    """The matches in after-image pixels."""
    points = []
    for index, (source, target) in enumerate(zip(matches.source, matches.target, strict=True)):
        col, row = to_after @ tuple(target)
        col_from, row_from = to_after @ tuple(source)
        residual = float("nan") if fit is None else float(fit.residual_px[index]) * factor
        used = fit is not None and bool(fit.used[index])
        points.append(TiePoint(row, col, row - row_from, col - col_from, residual, used))
    return tuple(points)
