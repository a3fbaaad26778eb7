"""Pixels for the report: the whole scene small, and a chip around each impact.

All pictures come through one function, a :data:`PixelReader`, so that tests can feed arrays.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Literal

import numpy as np

from cv_pipeline.frame import LocalFrame
from cv_pipeline.types import Assessment, Grid, Impact, Match, UInt8Array, Window

ImageKind = Literal["before", "after"]
PixelReader = Callable[[ImageKind, Grid], UInt8Array]
"""Gives colours (height, width, 3) of an image on a grid; ``before`` already registered."""

MAX_OVERVIEW_PX = 2048
CHIP_PX = 320
_MIN_HALF_M, _MAX_HALF_M = 8.0, 150.0
_JPEG_QUALITY = 82
NO_IMAGERY_GREY = np.uint8(110)
"""Black would pass for a shadow or a crater."""


def source_reader(assessment: Assessment) -> PixelReader:
    """Read from the image files; before pixels pass through the registration."""

    def read(kind: ImageKind, grid: Grid) -> UInt8Array:
        from cv_pipeline.imagery.view import GridView
        from cv_pipeline.registration.bent import registered_view

        pair, registration = assessment.pair, assessment.registration
        source = pair.after if kind == "after" else pair.before
        if source is None:
            raise ValueError("the assessment has no before image")
        if kind == "before" and registration is not None:
            shown = registered_view(source, registration, pair.after.grid, grid, show_obscured=True)
        else:
            shown = GridView(source, grid, show_obscured=True)
        with shown as view:
            rgb, valid = view.read(Window(0, 0, grid.height, grid.width))
        return np.where(valid[..., None], rgb, NO_IMAGERY_GREY)

    return read


def overview_grid(after: Grid) -> Grid:
    """The whole scene, square on the ground, its longer side at most ``MAX_OVERVIEW_PX``."""
    from cv_pipeline.imagery.grid import working_grid

    native = working_grid(after, after.gsd_m)
    return working_grid(after, after.gsd_m * max(1.0, max(native.height, native.width) / MAX_OVERVIEW_PX))


def chip_grid(impact: Impact, match: Match, frame: LocalFrame) -> Grid:
    """The ``CHIP_PX`` pixels around an impact that show its pattern and, if near, its structure."""
    from cv_pipeline.imagery.grid import crop, working_grid

    reach_m = (4.0 * impact.crater_radius_m, 1.3 * (impact.blast_radius_m or 0.0))
    link_m = 1.25 * (match.distance_edge_m or 0.0)
    half_m = min(max(*reach_m, link_m, _MIN_HALF_M), max(_MAX_HALF_M, *reach_m))
    fine = working_grid(frame.grid, 2.0 * half_m / CHIP_PX)
    row, col = LocalFrame(fine, frame.crs).metres_to_pixel(np.array([[impact.x_m, impact.y_m]]))[0]
    return crop(fine, Window(round(row - CHIP_PX / 2), round(col - CHIP_PX / 2), CHIP_PX, CHIP_PX))


def jpeg_uri(rgb: UInt8Array) -> str:
    """Colours (h, w, 3) as a JPEG data URI."""
    import cv2

    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def svg_uri(data: bytes) -> str:
    """An SVG file's bytes as a data URI."""
    return "data:image/svg+xml;base64," + base64.b64encode(data).decode("ascii")
