"""Objects from what annotation tools draw: polygons, boxes, circles and points in pixels of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cv_pipeline.datasets.scene import TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.types import BoolArray

_ROUND = np.arange(72) * 2 * np.pi / 72


def kind_of(label: str) -> str:
    """An object's kind from what a person called it: lower case, without spaces around it."""
    return label.strip().lower()


def polygon(
    object_id: str, kind: str, xy_px: npt.ArrayLike, attributes: Mapping[str, str] | None = None, *, source: str
) -> TrueObject:
    """An object from its corners (n, 2) as (x, y), as tools give them: from the image's corner, x right, y down.

    Raises:
        LabelsError: fewer than three corners, or no area; ``source`` says where.
    """
    import shapely

    corners = np.asarray(xy_px, np.float64).reshape(-1, 2)
    shape = shapely.Polygon(corners) if len(corners) >= 3 else None
    if shape is None or not np.isfinite(corners).all() or shape.area <= 0:
        raise LabelsError(f"{source}: object {object_id} is a polygon without an area; draw it again")
    if len(corners) > 3 and (corners[0] == corners[-1]).all():
        corners = corners[:-1]
    centre = shape.centroid
    return TrueObject(object_id, kind, centre.y, centre.x, outline_px=corners[:, ::-1], attributes=attributes or {})


def box(
    object_id: str,
    kind: str,
    xywh_px: tuple[float, float, float, float],
    attributes: Mapping[str, str] | None = None,
    *,
    turn_deg: float = 0.0,
    source: str,
) -> TrueObject:
    """An object from the box (left, top, width, height) around it: the ellipse that touches its sides.

    ``turn_deg`` turns the box about its middle, clockwise as the image is seen.

    Raises:
        LabelsError: a side is not above 0.
    """
    left, top, width, height = xywh_px
    if not (np.isfinite(xywh_px).all() and width > 0 and height > 0):
        raise LabelsError(f"{source}: object {object_id} has a box of {width:g} by {height:g} px; draw it again")
    row, col = top + height / 2, left + width / 2
    right, down = width / 2 * np.cos(_ROUND), height / 2 * np.sin(_ROUND)
    cos, sin = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    edge = np.column_stack([row + sin * right + cos * down, col + cos * right - sin * down])
    return TrueObject(object_id, kind, row, col, outline_px=edge, attributes=attributes or {})


def painted(
    object_id: str,
    kind: str,
    mask: BoolArray,
    corner_px: tuple[float, float],
    attributes: Mapping[str, str] | None = None,
    *,
    source: str,
) -> TrueObject:
    """An object from its mask (height, width) whose upper-left pixel begins at ``corner_px`` (left, top).

    Of several parts the largest counts; its outline runs along the pixels' edges, so that its area is theirs.

    Raises:
        LabelsError: the mask is empty.
    """
    import shapely

    if not mask.any():
        raise LabelsError(f"{source}: object {object_id} is an empty mask; paint it again")
    rows, cols = np.nonzero(mask)
    pixels = shapely.union_all(shapely.box(cols, rows, cols + 1, rows + 1))
    largest = max(getattr(pixels, "geoms", [pixels]), key=lambda part: part.area)
    edge = shapely.get_coordinates(largest.exterior) + np.array(corner_px)
    return polygon(object_id, kind, edge, attributes, source=source)


def largest(parts: Sequence[TrueObject]) -> TrueObject:
    """Of the parts of one object the one of greatest area, the first of equals; something covers the rest of it.

    A point has no area. There must be one part at least.
    """
    import shapely

    areas = [shapely.Polygon(part.outline_px).area if len(part.outline_px) else 0.0 for part in parts]
    return parts[int(np.argmax(areas))]


def point(
    object_id: str, kind: str, x_px: float, y_px: float, attributes: Mapping[str, str] | None = None
) -> TrueObject:
    """An object of which only the centre is marked."""
    return TrueObject(object_id, kind, y_px, x_px, attributes=attributes or {})
