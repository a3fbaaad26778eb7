"""Registering a scene: from image files to an aligned pair with its gate and uncertainty."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from affine import Affine
from rasterio import Env

from cv_pipeline.defaults import WIDE_CACHE_BYTES
from cv_pipeline.imagery.grid import crop, overlap, pixel_matrix, working_grid
from cv_pipeline.imagery.view import GridView
from cv_pipeline.registration.bent import conjugate, local_shift, registered_view
from cv_pipeline.registration.coarse import IDENTITY
from cv_pipeline.registration.estimate import estimate
from cv_pipeline.registration.gate import Evidence, judge
from cv_pipeline.registration.local import Bend, find_bend
from cv_pipeline.registration.reader import Reader, array_reader, file_reader, plain_grid
from cv_pipeline.registration.similarity import Fit, apply, rotation_deg, scale
from cv_pipeline.registration.uncertainty import lean_px, sd_px
from cv_pipeline.registration.windows import Matches
from cv_pipeline.types import (
    AlignedPair,
    BoolArray,
    Float64Array,
    Gate,
    Grid,
    Registration,
    ScenePair,
    TiePoint,
    UInt8Array,
    Window,
)


class Measured(NamedTuple):
    """A fit and what speaks for it, in pixels of the registration ``grid``, before anyone judged it.

    ``used`` (n,) are the matches that hold it, ``left`` (n, 2) what it leaves at each, NaN where nothing was fitted.
    """

    grid: Grid
    matches: Matches
    fit: Fit | None
    bend: Bend | None
    used: BoolArray
    left: Float64Array
    evidence: Evidence


def register(pair: ScenePair, working_gsd_m: float) -> AlignedPair:
    """Align the before image to the after image and measure how well that went.

    Never raises on a poor match: the gate says so, the matrix is then the identity and ``sd_m`` as large as the
    search reached. Both images are read by windows; memory does not grow with their size.

    Args:
        pair: the scene; without a before image nothing is registered.
        working_gsd_m: ground sample distance at which the model will read the pair.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    working = working_grid(pair.after.grid, working_gsd_m)
    if pair.before is None:
        return AlignedPair(pair=pair, working_grid=working, registration=None)
    grid = registration_grid(pair.after.grid, pair.before.grid)
    with Env(GDAL_CACHEMAX=WIDE_CACHE_BYTES), file_reader(pair.before) as before, file_reader(pair.after) as after:
        measured = measure(before, after, grid)
    registration = describe(measured, pair.after.grid, *judge(measured.evidence))
    return AlignedPair(pair=pair, working_grid=working, registration=registration)


def register_arrays(
    before: UInt8Array,
    after: UInt8Array,
    *,
    before_valid: BoolArray | None = None,
    after_valid: BoolArray | None = None,
    gsd_m: float = 1.0,
) -> Registration:
    """The same for two images in memory, (height, width, 3) each, whose upper-left corners are thought to coincide.

    Args:
        before: the earlier image.
        after: the later image.
        before_valid: (height, width), where it shows anything; None for everywhere.
        after_valid: the same of the later image.
        gsd_m: metres per pixel of both, for the results in metres.
    """
    known = [
        np.ones(image.shape[:2], dtype=bool) if valid is None else valid
        for image, valid in ((before, before_valid), (after, after_valid))
    ]
    early, late = (plain_grid(image.shape, gsd_m) for image in (before, after))
    readers = array_reader(before, known[0], early), array_reader(after, known[1], late)
    measured = measure(*readers, registration_grid(late, early))
    return describe(measured, late, *judge(measured.evidence))


def before_view(aligned: AlignedPair) -> GridView:
    """The before image, registered, on the working grid; ValueError in after-only mode."""
    if aligned.pair.before is None or aligned.registration is None:
        raise ValueError("the pair has no before image")
    return registered_view(aligned.pair.before, aligned.registration, aligned.pair.after.grid, aligned.working_grid)


def registration_grid(after: Grid, before: Grid) -> Grid:
    """The common ground in the after image's CRS, no finer than the coarser image."""
    window = overlap(after, before) or Window(0, 0, after.height, after.width)
    return working_grid(crop(after, window), max(after.gsd_m, before.gsd_m))


def measure(before: Reader, after: Reader, grid: Grid) -> Measured:
    """Find the transform on the common ground and what speaks for it."""
    matches, fit = estimate(before, after, grid)
    bend, used = None, np.zeros(len(matches.source), dtype=bool)
    left = np.full((len(matches.source), 2), np.nan)
    if fit is not None:
        left = matches.target - apply(fit.matrix, matches.source)
        bend, used = find_bend(matches, fit, left)
        if bend is not None:
            left = left - bend.at(matches.target)
    return Measured(grid, matches, fit, bend, used, left, _evidence(matches, fit, bend, used, left, grid))


def _evidence(
    matches: Matches, fit: Fit | None, bend: Bend | None, used: BoolArray, left: Float64Array, grid: Grid
) -> Evidence:
    found = Evidence(int(used.sum()), len(matches.source), matches.tried, 0.0, math.inf, repeating=matches.repeating)
    if fit is None or not found.used:
        return found
    lean = lean_px(left)
    sd = sd_px(matches.source[used], matches.target[used], bend, (grid.height, grid.width))
    corners = np.array([[0, 0], [grid.width, 0], [0, grid.height], [grid.width, grid.height]], dtype=np.float64)
    return found._replace(
        residual_px=math.sqrt(float((left[used] ** 2).sum(axis=1).mean())),
        sd_px=math.hypot(sd, lean / math.sqrt(2)),  # the lean is along one line, the SD that of either axis
        lean_px=lean,
        moved_px=float(np.linalg.norm(apply(fit.matrix, corners) - corners, axis=1).max()),
    )


def describe(measured: Measured, after: Grid, gate: Gate, reason: str) -> Registration:
    """A measured fit in after-image pixels and metres, as the gate's verdict has it; the identity where it fails."""
    grid, matches, fit, bend, used, left, evidence = measured
    to_after = pixel_matrix(grid, after)
    trusted = fit is not None and gate is not Gate.FAIL
    found = fit.matrix if fit is not None and trusted else IDENTITY
    matrix = conjugate(found, to_after)
    centre = np.array([[after.width / 2, after.height / 2]])
    return Registration(
        matrix=matrix,
        shift_px=float(np.linalg.norm(apply(matrix, centre) - centre)),
        rotation_deg=rotation_deg(found),
        scale=scale(found),
        residual_px=evidence.residual_px * grid.gsd_m / after.gsd_m,
        residual_m=evidence.residual_px * grid.gsd_m,
        sd_m=(evidence.sd_px if trusted else matches.side_px) * grid.gsd_m,
        windows_tried=matches.tried,
        windows_used=evidence.used,
        gate=gate,
        reason=reason,
        tie_points=_tie_points(matches, left, used, to_after, grid.gsd_m / after.gsd_m),
        local=local_shift(bend, to_after) if bend is not None and trusted else None,
    )


def _tie_points(
    matches: Matches, left: Float64Array, used: BoolArray, to_after: Affine, factor: float
) -> tuple[TiePoint, ...]:
    """The matches in after-image pixels."""
    points = []
    residual_px = np.linalg.norm(left, axis=1) * factor
    for source, target, residual, held in zip(matches.source, matches.target, residual_px, used, strict=True):
        col, row = to_after @ tuple(target)
        col_from, row_from = to_after @ tuple(source)
        points.append(TiePoint(row, col, row - row_from, col - col_from, float(residual), bool(held)))
    return tuple(points)
