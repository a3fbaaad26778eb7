"""Craters that a person marked on an image: points or outlines of any vector file, as truth to train on.

A radius comes from an outline's area or from the column ``crater_radius_m`` (or ``radius_m``) of a point; the
column ``status`` may say ``new`` or ``old``. So a reviewed ``impacts.geojson`` of this package is a label file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from rasterio.features import rasterize

from cv_pipeline.errors import LabelsError
from cv_pipeline.frame import transformed
from cv_pipeline.simulation.truth import CENTRE_SIGMA_M
from cv_pipeline.structures.vector import read_frames
from cv_pipeline.training.planes import Plane
from cv_pipeline.types import BoolArray, Float32Array, Float64Array, Grid, Window

RADIUS_COLUMNS = ("crater_radius_m", "radius_m")
MAX_RADIUS_M = 128.0
UNKNOWN_REACH_M = 10.0
"""Around a centre without a radius nobody knows how far the crater reaches: there its mask is not trained."""

_NO_OUTLINE = np.zeros((0, 2))


@dataclass(frozen=True, slots=True)
class Label:
    """One crater, in pixels of a grid. ``radius_m`` and ``is_new`` are None where the file does not tell.

    ``outline_px`` (n, 2) holds (row, col); (0, 2) for a point.
    """

    row_px: float
    col_px: float
    radius_m: float | None
    is_new: bool | None
    outline_px: Float64Array


def read_labels(path: Path, grid: Grid, image: Path) -> tuple[Label, ...]:
    """The craters in a vector file (``FILE:layer`` for one of several layers), on ``grid``.

    A file without a CRS goes with an image without one: its x points right and y up, in metres from the image's
    upper-left corner, as in this package's own GeoPackage of such an image.

    Raises:
        LabelsError: no file, no features, other geometries than points and polygons, a CRS that does not go with
            the image's, a place outside the image, a radius that cannot be.
    """
    frame = _only_frame(path, grid, image)
    radii, statuses = _radii_m(path, frame), _statuses(frame)
    labels = []
    for row, (geometry, radius_m, is_new) in enumerate(zip(frame.geometry, radii, statuses, strict=True), start=1):
        if geometry is None or geometry.is_empty:
            raise LabelsError(f"{path}: feature {row} has no geometry; remove it, or draw it")
        for part in getattr(geometry, "geoms", [geometry]):
            labels.append(_label(path, row, part, radius_m, is_new, grid))
    _check_inside(path, labels, grid, image)
    return tuple(labels)


def read_area(path: Path, grid: Grid, image: Path) -> tuple[Float64Array, ...]:
    """The polygons in which every crater is labelled, as rings (n, 2) of (row, col) on ``grid``; holes are ignored.

    Raises:
        LabelsError: as :func:`read_labels`, or a geometry that is no polygon.
    """
    rings = []
    for geometry in _only_frame(path, grid, image).geometry:
        for part in getattr(geometry, "geoms", [geometry]):
            if part is None or part.geom_type != "Polygon":
                raise LabelsError(f"{path}: the labelled area must be drawn as polygons")
            rings.append(_pixels(np.asarray(part.exterior.coords)[:, :2], grid))
    return tuple(rings)


def _only_frame(path: Path, grid: Grid, image: Path) -> Any:
    """The file's one layer, in the grid's CRS."""
    frames, notes = read_frames(path, LabelsError)
    if len(frames) > 1 or notes:
        raise LabelsError(f"{path}: holds several layers; name the one with the labels as {path}:layer")
    frame = frames[0]
    if grid.crs is None and frame.crs is not None:
        raise LabelsError(
            f"{path}: is in {frame.crs.to_string()}, but {image} has no CRS, so nobody knows where the labels lie "
            "on it; give a georeferenced image, or labels without a CRS in metres from the image's upper-left corner "
            "(x right, y up; a GeoPackage can have no CRS)"
        )
    if grid.crs is not None and frame.crs is None:
        raise LabelsError(
            f"{path}: carries no CRS, but {image} has one; say which it is: ogr2ogr -a_srs EPSG:... OUT.gpkg IN"
        )
    return frame if grid.crs is None else frame.to_crs(grid.crs)


def _label(path: Path, row: int, part: Any, radius_m: float | None, is_new: bool | None, grid: Grid) -> Label:
    if part.geom_type == "Point":
        centre, outline = _pixels(np.array([[part.x, part.y]]), grid)[0], _NO_OUTLINE
    elif part.geom_type == "Polygon":
        from shapely import Polygon

        outline = _pixels(np.asarray(part.exterior.coords)[:, :2], grid)
        drawn = Polygon(outline)
        centre = np.array([drawn.centroid.x, drawn.centroid.y])
        radius_m = math.sqrt(drawn.area / math.pi) * grid.gsd_m
    else:
        raise LabelsError(f"{path}: feature {row} is a {part.geom_type}; draw craters as points or polygons")
    if radius_m is not None and not 0 < radius_m <= MAX_RADIUS_M:
        raise LabelsError(
            f"{path}: feature {row} has a radius of {radius_m:g} m; craters are larger than 0 and up to "
            f"{MAX_RADIUS_M:g} m (are these metres, and is the CRS right?)"
        )
    return Label(float(centre[0]), float(centre[1]), radius_m, is_new, outline)


def _pixels(points: Float64Array, grid: Grid) -> Float64Array:
    """(n, 2) map coordinates as (row, col) of ``grid``."""
    return np.column_stack(transformed(~grid.transform, points[:, 0], points[:, 1])[::-1])


def _radii_m(path: Path, frame: Any) -> list[float | None]:
    """The radius column, None where it is empty or absent."""
    name = next((column for column in RADIUS_COLUMNS if column in frame.columns), None)
    if name is None:
        return [None] * len(frame)
    try:
        values = [math.nan if value is None or value == "" else float(value) for value in frame[name]]
    except (TypeError, ValueError) as error:
        raise LabelsError(f"{path}: the column {name} holds what is no number ({error}); give metres") from error
    return [None if math.isnan(value) else value for value in values]


def _statuses(frame: Any) -> list[bool | None]:
    if "status" not in frame.columns:
        return [None] * len(frame)
    return [{"new": True, "old": False}.get(str(value).lower()) for value in frame["status"]]


def _check_inside(path: Path, labels: Sequence[Label], grid: Grid, image: Path) -> None:
    outside = [lb for lb in labels if not (0 <= lb.row_px < grid.height and 0 <= lb.col_px < grid.width)]
    if len(outside) == len(labels):
        raise LabelsError(
            f"{path}: none of its {len(labels)} labels lies on {image}; "
            "check that both show the same place, the CRS of each, and that x and y are not swapped"
        )
    if outside:
        raise LabelsError(
            f"{path}: {len(outside)} of {len(labels)} labels lie outside {image}, the first at row "
            f"{outside[0].row_px:.0f}, column {outside[0].col_px:.0f} of {grid.height} by {grid.width} working pixels; "
            "clip the labels to the image"
        )


def label_planes(labels: Sequence[Label], window: Window, gsd_m: float, known: BoolArray) -> Float32Array:
    """Truth (height, width, planes) of a window, see :class:`.planes.Plane`; NaN where the labels do not tell.

    Blast and secondary patterns, structures and axes are not labelled, and so never told. Ground without a label
    counts as free of craters where ``known`` (height, width) is True, and is not asked elsewhere.
    """
    shape = window.height, window.width
    rows = np.arange(window.height)[:, None] + 0.5 + window.row
    cols = np.arange(window.width)[None, :] + 0.5 + window.col
    planes = {plane: np.full(shape, np.nan, np.float32) for plane in Plane}
    for plane in (Plane.CRATER, Plane.CENTRE, Plane.CRATER_RADIUS_M, Plane.BLAST_RADIUS_M, Plane.STRUCTURE_KNOWN):
        planes[plane][:] = 0
    planes[Plane.VISIBLE] = known.astype(np.float32)
    labels = [label for label in labels if _reaches(label, window, gsd_m)]
    distances_m = [np.hypot(rows - label.row_px, cols - label.col_px) * gsd_m for label in labels]
    for label, distance_m in zip(labels, distances_m, strict=True):
        if label.radius_m is None:
            planes[Plane.CRATER][distance_m <= UNKNOWN_REACH_M] = np.nan
    nearest = np.full(shape, np.inf)
    for label, distance_m in zip(labels, distances_m, strict=True):
        peak = np.exp(-0.5 * (distance_m / CENTRE_SIGMA_M) ** 2).astype(np.float32)
        planes[Plane.CENTRE] = np.maximum(planes[Plane.CENTRE], peak)
        if label.radius_m is None:
            continue
        inside = _inside(label, window, distance_m)
        planes[Plane.CRATER][inside] = 1
        mine = (distance_m <= 1.3 * label.radius_m) & (distance_m / label.radius_m < nearest)
        nearest[mine] = distance_m[mine] / label.radius_m
        planes[Plane.CRATER_RADIUS_M][mine] = label.radius_m
        planes[Plane.NEW][inside] = np.nan if label.is_new is None else float(label.is_new)
    return np.dstack([planes[plane] for plane in Plane])


def _reaches(label: Label, window: Window, gsd_m: float) -> bool:
    """Whether a label can have any part in a window's truth."""
    reach_px = max(UNKNOWN_REACH_M, 1.3 * (label.radius_m or 0.0)) / gsd_m
    if len(label.outline_px):
        reach_px = max(reach_px, float(np.ptp(label.outline_px, axis=0).max()))
    down, right = label.row_px - window.row, label.col_px - window.col
    return -reach_px <= down <= window.height + reach_px and -reach_px <= right <= window.width + reach_px


def _inside(label: Label, window: Window, distance_m: Float64Array) -> BoolArray:
    """Pixels (height, width) whose centre lies in the outline, or in the circle of a point's radius."""
    if not len(label.outline_px):
        assert label.radius_m is not None
        return np.asarray(distance_m <= label.radius_m)
    return drawn((label.outline_px,), window)


def drawn(rings: Sequence[Float64Array], window: Window) -> BoolArray:
    """Pixels (height, width) of a window whose centre lies in one of the rings, each (n, 2) of (row, col)."""
    if not rings:
        return np.zeros((window.height, window.width), bool)
    shapes = [{"type": "Polygon", "coordinates": [[(col, row) for row, col in ring]]} for ring in rings]
    to_window = Affine.translation(window.col, window.row)
    return np.asarray(rasterize(shapes, (window.height, window.width), transform=to_window, dtype="uint8")) > 0
