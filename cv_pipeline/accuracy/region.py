"""The ground on which the null model throws its random impacts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import shapely

from cv_pipeline.errors import StructuresError
from cv_pipeline.frame import LocalFrame
from cv_pipeline.structures import read_structures
from cv_pipeline.types import Float64Array, Structure


def assumed_region(points_m: Float64Array, structures: Sequence[Structure], greatest_m: float) -> shapely.Geometry:
    """The ground on which random impacts are thrown when nobody states what was assessed.

    The convex hull of the impacts (n, 2), widened by their greatest distance to a structure (at least
    50 m), but not beyond the convex hull of impacts and structures together: ground past the last
    footprint is far from every structure, and taking it in would make any impacts look aimed.
    """
    impacts = shapely.MultiPoint(points_m)
    known = shapely.convex_hull(shapely.GeometryCollection([impacts, *(s.geometry_m for s in structures)]))
    return shapely.intersection(shapely.convex_hull(impacts).buffer(max(50.0, greatest_m)), known)


def stated_region(path: Path, frame: LocalFrame, extent_m: tuple[float, float, float, float]) -> shapely.Geometry:
    """The union of a file's polygons, in local metres.

    Raises:
        StructuresError: the file cannot be used (see :func:`read_structures`) or has no area.
    """
    region = shapely.union_all([s.geometry_m for s in read_structures(path, frame, extent_m=extent_m).structures])
    if region.area <= 0:
        raise StructuresError(f"{path}: holds no polygon with an area. Give the outline of the assessed ground.")
    return region
