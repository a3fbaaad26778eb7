"""Pictures of a place at any magnification, and how their pixels lie on the ground."""

from __future__ import annotations

import numpy as np
from affine import Affine

from cv_pipeline.errors import ReviewError
from cv_pipeline.frame import LocalFrame
from cv_pipeline.imagery.grid import crop, pixel_matrix, working_grid
from cv_pipeline.report.overlays import Canvas
from cv_pipeline.types import Float64Array, Grid, UInt8Array, Window

SIDE_PX = 560
MIN_HALF_M, MAX_HALF_M = 2.0, 500.0
_JPEG_QUALITY = 90


def view_grid(centre_px: tuple[float, float], half_m: float, frame: LocalFrame) -> Grid:
    """A square of :data:`SIDE_PX` pixels around a place (row, col) of the after image, ``half_m`` to each edge.

    Raises:
        ReviewError: the magnification is out of range.
    """
    if not MIN_HALF_M <= half_m <= MAX_HALF_M:
        raise ReviewError(f"a picture shows {MIN_HALF_M:g} to {MAX_HALF_M:g} m to each side, not {half_m:g}")
    fine = working_grid(frame.grid, 2 * half_m / SIDE_PX)
    col, row = pixel_matrix(frame.grid, fine) @ (centre_px[1], centre_px[0])
    return crop(fine, Window(round(row - SIDE_PX / 2), round(col - SIDE_PX / 2), SIDE_PX, SIDE_PX))


def to_after(grid: Grid, frame: LocalFrame) -> Affine:
    """The affine from (x, y) of a picture to (col, row) of the after image."""
    return pixel_matrix(grid, frame.grid)


def metres_per_pixel(canvas: Canvas) -> Float64Array:
    """(2, 2) from a step (right, down) in a picture's pixels to (east, north) in metres, at its middle."""
    middle = np.array([canvas.grid.height / 2, canvas.grid.width / 2])
    rows, cols = middle[0] + np.array([0.0, 0.0, 1.0]), middle[1] + np.array([0.0, 1.0, 0.0])
    here, right, down = LocalFrame(canvas.grid, canvas.frame.crs).pixel_to_metres(rows, cols)
    return np.column_stack([right - here, down - here])


def encode_picture(pixels: UInt8Array) -> bytes:
    """Colours (h, w, 3) as a JPEG."""
    import cv2

    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()
