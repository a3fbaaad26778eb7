"""The why-figure of an impact for its card: a picture with north up, and what the measures rest on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cv_pipeline.frame import LocalFrame
from cv_pipeline.report.pictures import PixelReader, svg_uri
from cv_pipeline.report.why import half_width_m, why_svg
from cv_pipeline.types import Impact, UInt8Array, Window

MAX_FIGURES = 24
"""Impacts that get a figure, best first: each is 30 kB of the report, and its evidence has to be kept."""

_SIDE_PX = 324


def explained(impacts: Sequence[Impact]) -> frozenset[str]:
    """Identifiers of the impacts whose figure a report shows: those on its first cards."""
    return frozenset(impact.impact_id for impact in ranked(impacts)[:MAX_FIGURES])


def ranked(impacts: Sequence[Impact]) -> list[Impact]:
    """Impacts by score, best first; ties by identifier. The order of a report's cards."""
    return sorted(impacts, key=lambda impact: (-impact.score, impact.impact_id))


def why_uri(impact: Impact, frame: LocalFrame, read: PixelReader) -> str | None:
    """The figure as an SVG data URI; None for an impact that carries no evidence."""
    if impact.evidence is None:
        return None
    half_m = half_width_m(impact)
    return svg_uri(why_svg(impact, north_up(impact, half_m, frame, read), half_m).encode("utf-8"))


def north_up(impact: Impact, half_m: float, frame: LocalFrame, read: PixelReader) -> UInt8Array:
    """The after image around an impact (side, side, 3), turned so that true north is up, ``half_m`` to each edge."""
    import cv2

    from cv_pipeline.imagery.grid import crop, working_grid

    fine = working_grid(frame.grid, 2 * half_m / _SIDE_PX)
    corners_m = np.array([impact.x_m, impact.y_m]) + half_m * np.array([(-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0), (1, -1)])
    corners_px = LocalFrame(fine, frame.crs).metres_to_pixel(corners_m)
    top, left = np.floor(corners_px.min(axis=0)).astype(int) - 1
    bottom, right = np.ceil(corners_px.max(axis=0)).astype(int) + 1
    chip = read("after", crop(fine, Window(int(top), int(left), int(bottom - top), int(right - left))))
    # OpenCV counts (x, y) from pixel centres; the square is small, so three corners give its whole mapping.
    source = (corners_px[:3, ::-1] - [left, top] - 0.5).astype(np.float32)
    target = np.array([(0, 0), (_SIDE_PX, 0), (0, _SIDE_PX)], np.float32) - np.float32(0.5)
    matrix = cv2.getAffineTransform(source, target)
    turned = cv2.warpAffine(chip, matrix, (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)
