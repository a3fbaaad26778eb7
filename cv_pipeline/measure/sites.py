"""Site outlines from a vector file or from typed coordinates, made whole across the antimeridian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from cv_pipeline.errors import MeasureError
from cv_pipeline.measure.text import read_crs, read_outline
from cv_pipeline.types import Float64Array

NAME_COLUMNS = ("name", "title", "label")


@dataclass(frozen=True, slots=True)
class Site:
    """A named polygon or multipolygon in degrees (lon, lat).

    Longitudes run on without a jump, so beyond 180 for a site that lies across the antimeridian.
    """

    name: str
    outline: shapely.Polygon | shapely.MultiPolygon


def read_sites(text: str, crs: str | None = None) -> tuple[Site, ...]:
    """The polygons of a vector file, one site per feature, or one site from ``NAME=X,Y X,Y X,Y ...``.

    Args:
        text: an existing file, or coordinates in ``crs``.
        crs: system of typed coordinates (default WGS 84, longitude first) or of a file that names none.

    Raises:
        MeasureError: no such file and no coordinates either; no polygon; no CRS; an outline that crosses itself.
    """
    if not _is_typed(text):
        return _from_file(Path(text), crs)
    name, ring = read_outline(text, crs or "EPSG:4326")
    return (_site(name, shapely.Polygon(ring), "the typed outline"),)


def _is_typed(text: str) -> bool:
    """Coordinates hold commas and spaces; a file of such a name is still a file."""
    try:
        return "," in text and " " in text.strip() and not Path(text).is_file()
    except OSError:  # too long for a file's name
        return True


def _from_file(path: Path, crs: str | None) -> tuple[Site, ...]:
    from cv_pipeline.structures.vector import as_text, read_frames

    frames, _ = read_frames(path, MeasureError)
    sites: list[Site] = []
    for frame in frames:
        if frame.crs is None and crs is None:
            raise MeasureError(f"{path}: names no coordinate reference system. Give it with --crs EPSG:....")
        known = frame.set_crs(read_crs(crs)) if frame.crs is None and crs is not None else frame
        lonlat = known.geometry.to_crs("EPSG:4326").force_2d()
        names = next((frame[column] for column in frame.columns if str(column).lower() in NAME_COLUMNS), None)
        for row, geometry in enumerate(lonlat):
            if geometry is None or geometry.is_empty or shapely.get_dimensions(geometry) < 2:
                continue
            name = None if names is None else as_text(names.iloc[row])
            sites.append(_site(name or f"site {len(sites) + 1}", geometry, str(path)))
    if not sites:
        raise MeasureError(f"{path}: holds no polygon. Give the outline of the site as a polygon.")
    return tuple(sites)


def _site(name: str, geometry: Any, where: str) -> Site:
    """A site whose parts are unrolled and joined where the antimeridian had cut them."""
    polygons = [part for part in shapely.get_parts(geometry) if shapely.get_dimensions(part) == 2]
    parts = [_unrolled(part) for part in polygons]
    reference = parts[0].exterior.coords[0][0]
    parts = [shapely.transform(p, lambda xy, p=p: _nearer(xy, p, reference)) for p in parts]
    crossing = [part for part in parts if not part.is_valid and not _rounds_a_pole(part)]
    if crossing:
        raise MeasureError(
            f"{where}: the outline of {name} is not a simple polygon ({shapely.is_valid_reason(crossing[0])}). "
            "Give its corners in order, without crossings."
        )
    whole = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    return Site(name, whole)


def _unrolled(polygon: shapely.Polygon) -> shapely.Polygon:
    """The polygon with each longitude within 180 degrees of the one before it."""
    shell = _unroll(np.asarray(polygon.exterior.coords)[:, :2])
    holes = [_nearer_ring(_unroll(np.asarray(hole.coords)[:, :2]), shell) for hole in polygon.interiors]
    return shapely.Polygon(shell, holes)


def _unroll(ring: Float64Array) -> Float64Array:
    return np.column_stack([np.unwrap(ring[:, 0], period=360), ring[:, 1]])


def _nearer_ring(ring: Float64Array, shell: Float64Array) -> Float64Array:
    turns = np.round((shell[:, 0].mean() - ring[:, 0].mean()) / 360)
    return np.asarray(ring + np.array([360 * turns, 0]))


def _nearer(xy: Float64Array, part: shapely.Polygon, reference: float) -> Float64Array:
    """Coordinates moved by whole turns so that the part lies beside the reference longitude."""
    left, _, right, _ = part.bounds
    turns = np.round((reference - (left + right) / 2) / 360)
    return np.asarray(xy + np.array([360 * turns, 0]))


def _rounds_a_pole(polygon: shapely.Polygon) -> bool:
    """Whether the unrolled ring does not come back to its first longitude."""
    lon = np.asarray(polygon.exterior.coords)[:, 0]
    return bool(abs(np.unwrap(lon[:-1], period=360)[-1] - lon[0]) > 180)


def rings(site: Site) -> Sequence[tuple[Float64Array, bool]]:
    """All rings (k, 2) as (lon, lat), each with whether it is an outer one."""
    found: list[tuple[Float64Array, bool]] = []
    for polygon in shapely.get_parts(site.outline):
        found.append((np.asarray(polygon.exterior.coords), True))
        found += [(np.asarray(hole.coords), False) for hole in polygon.interiors]
    return found
