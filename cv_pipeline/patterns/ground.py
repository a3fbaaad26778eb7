"""Where the working grid's pixels lie on the ground and in the after image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine

from cv_pipeline.frame import LocalFrame, transformed
from cv_pipeline.types import Float64Array, Grid

_STEP_M = 1.0  # short enough for any projection to be straight over it, long enough for rounding


@dataclass(frozen=True, slots=True)
class GroundMap:
    """Conversions between working-grid pixels, after-image pixels and local metres.

    All arrays of positions are (n, 2): pixels as (row_px, col_px), metres as (x_m, y_m).
    """

    working: Grid
    source: Grid
    frame: LocalFrame

    def working_to_source(self, points_px: Float64Array) -> Float64Array:
        """After-image pixels of working-grid pixels; both grids are in one CRS."""
        return _apply(~self.source.transform @ self.working.transform, points_px)

    def source_to_working(self, points_px: Float64Array) -> Float64Array:
        """Working-grid pixels of after-image pixels."""
        return _apply(~self.working.transform @ self.source.transform, points_px)

    def working_to_metres(self, points_px: Float64Array) -> Float64Array:
        """Local metres of working-grid pixels."""
        if len(points_px) == 0:
            return np.zeros((0, 2))
        source = self.working_to_source(points_px)
        return self.frame.pixel_to_metres(source[:, 0], source[:, 1])

    def metres_to_working(self, points_m: Float64Array) -> Float64Array:
        """Working-grid pixels of local metres."""
        return self.source_to_working(self.frame.metres_to_pixel(points_m))

    def pixels_per_metre(self, points_m: Float64Array) -> Float64Array:
        """Jacobians (n, 2, 2) at local metres (n, 2): ``jacobian @ (dx_m, dy_m) = (drow, dcol)``.

        Within one pattern the ground is flat, so a Jacobian replaces a projection per ray sample.
        """
        if len(points_m) == 0:
            return np.zeros((0, 2, 2))
        east, north = np.array([_STEP_M, 0.0]), np.array([0.0, _STEP_M])
        along_x = self.metres_to_working(points_m + east) - self.metres_to_working(points_m - east)
        along_y = self.metres_to_working(points_m + north) - self.metres_to_working(points_m - north)
        return np.stack([along_x, along_y], axis=-1) / (2 * _STEP_M)


def _apply(transform: Affine, points_px: Float64Array) -> Float64Array:
    return np.column_stack(transformed(transform, points_px[:, 1], points_px[:, 0])[::-1])
