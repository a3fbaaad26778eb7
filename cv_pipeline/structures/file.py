"""Footprints from a vector file, brought into the local metres of a scene.

Every part of a multi-geometry becomes a structure of its own (``S007.1``, ``S007.2``), because the
centre of a scattered multipolygon lies on open ground; a feature of kind ``group`` stays whole,
because being one unit is what the kind means. Parts that touch, such as those of a building cut at
the antimeridian, are one structure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.errors import StructuresError
from cv_pipeline.frame import LocalFrame, transformer
from cv_pipeline.structures.centreline import centreline
from cv_pipeline.structures.vector import Feature, FeatureFile, read_features
from cv_pipeline.types import Structure, StructureKind

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_CUT_M = 0.02
"""Widest gap between parts of one feature that is taken for a cut, not for open ground."""

FAR_M = 5000.0
"""If every structure is farther than this from the scene, the file is taken to show another place."""


@dataclass(frozen=True, slots=True)
class StructureSet:
    """Structures in file order, and plain sentences on what was repaired, left out or assumed.

    ``source`` records where they came from, for the provenance of a result; empty for a file, which is
    recorded by its hash.
    """

    structures: tuple[Structure, ...]
    notes: tuple[str, ...]
    source: Mapping[str, str] = field(default_factory=dict)


def read_structures(
    path: Path, frame: LocalFrame, *, extent_m: tuple[float, float, float, float] | None = None
) -> StructureSet:
    """Read footprints in any vector format and CRS into local metres.

    Points, lines and polygons are taken. ``kind`` comes from a column of that name where it holds a
    known kind; else what OpenStreetMap calls ``aeroway`` or ``highway`` is pavement, other polygons are
    buildings, lines pavement and points points. A line with a ``width`` or ``width_m`` in metres becomes
    the strip of that width, the line its centreline; a long paved area gets its medial axis
    (:func:`cv_pipeline.structures.centreline.centreline`). The ID is the file's ``structure_id`` or ``id``
    where that is filled and unique, else ``S001``, ``S002`` ... in file order. Z is dropped. Invalid
    geometry is repaired (``shapely.make_valid``) and counted in the notes.

    Without an image CRS only a file that declares no CRS is accepted, and its coordinates are
    (col, row) pixels of the after image.

    Args:
        path: the vector file, or ``FILE:layer`` for one of its layers.
        frame: the scene's local frame.
        extent_m: (min x, min y, max x, max y) in local metres that stands for the scene; default:
            the frame's grid.

    Raises:
        StructuresError: the file is missing, unreadable or empty, has only null geometry, its CRS
            does not go with the image's, or all of it is farther than 5 km from the extent.
    """
    return build_structures(path, read_features(path), frame, extent_m=extent_m)


def build_structures(
    path: Path, features: FeatureFile, frame: LocalFrame, *, extent_m: tuple[float, float, float, float] | None = None
) -> StructureSet:
    """Structures of features that were read from ``path``, or under that name from elsewhere; see above."""
    local = [_to_local(path, layer.geometries, layer.crs, frame) for layer in features.layers]
    rows = [row for layer in features.layers for row in layer.rows]
    geometries = [geometry for layer in local for geometry in layer]
    structures, notes = _build(path, geometries, rows)
    _check_near(path, structures, extent_m or _grid_extent_m(frame))
    return StructureSet(structures, features.notes + notes)


def _to_local(path: Path, geometries: Sequence[Any], crs: Any, frame: LocalFrame) -> list[Any]:
    """Geometries of one layer in local metres; null stays None."""
    import shapely

    array = np.asarray(shapely.force_2d(np.asarray(geometries, dtype=object)))
    if frame.crs is None:
        if crs is not None:
            raise StructuresError(
                f"{path}: the file has a CRS but the image has none, so the two cannot be laid over each other. "
                'Give pixel coordinates (col, row) in a file without a CRS (GeoJSON with "crs": null, a '
                "Shapefile without .prj), or use a georeferenced image."
            )
        return list(shapely.transform(array, lambda p: frame.pixel_to_metres(p[:, 1], p[:, 0])))
    if crs is None:
        raise StructuresError(
            f"{path}: the file declares no CRS but the image has one. Write the file again with its CRS "
            "(for a Shapefile, add the .prj)."
        )
    to_local = transformer(crs, frame.crs)
    return list(shapely.transform(array, lambda p: np.column_stack(to_local.transform(p[:, 0], p[:, 1]))))


def _build(
    path: Path, geometries: Sequence[Any], rows: Sequence[Feature]
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """Structures from local geometries and their attributes, with notes on losses and repairs."""
    import shapely

    structures: list[Structure] = []
    null = outside = repaired = 0
    unknown_kinds: set[str] = set()
    for structure_id, geometry, row in zip(_ids(rows), geometries, rows, strict=True):
        if geometry is None or geometry.is_empty:
            null += 1
            continue
        if not np.isfinite(shapely.get_coordinates(geometry)).all():
            outside += 1
            continue
        kind = _kind(row.kind, geometry)
        if row.kind and row.kind.lower() not in set(StructureKind):
            unknown_kinds.add(row.kind)
        for part_id, part in _parts(structure_id, geometry, keep_whole=kind is StructureKind.GROUP):
            repaired += not part.is_valid
            structures.append(_structure(part_id, kind, _repair(part), row))
    if not structures:
        reason = "lies outside what its CRS can describe" if outside else "has null or empty geometry"
        raise StructuresError(f"{path}: every feature {reason}. Check the file and its CRS in a GIS.")
    counts = (
        (null, "features without geometry were left out"),
        (outside, "features with coordinates outside what the CRS can describe were left out"),
        (repaired, "invalid geometries were repaired"),
    )
    notes = [f"{path.name}: {count} {text}." for count, text in counts if count]
    if unknown_kinds:
        listed = ", ".join(sorted(unknown_kinds)[:5])
        notes.append(f"{path.name}: kinds not known here ({listed}) were replaced by the geometry's own kind.")
    return tuple(structures), tuple(notes)


def _structure(structure_id: str, kind: StructureKind, geometry: BaseGeometry, row: Feature) -> Structure:
    """One part as a structure, with its centreline where it has one."""
    import shapely

    if shapely.get_dimensions(geometry) == 1 and row.width_m is not None:
        strip = geometry.buffer(row.width_m / 2, cap_style="flat")
        return Structure(structure_id, kind, strip, row.name, centreline_m=geometry, width_m=row.width_m)
    axis = centreline(geometry) if kind is StructureKind.PAVEMENT else None
    return Structure(structure_id, kind, geometry, row.name, centreline_m=axis)


def _ids(rows: Sequence[Feature]) -> list[str]:
    """The file's own IDs where all are filled and unique, else S001, S002 ..."""
    own = [row.own_id for row in rows if row.own_id]
    if len(own) == len(rows) == len(set(own)):
        return own
    width = max(3, len(str(len(rows))))
    return [f"S{number:0{width}d}" for number in range(1, len(rows) + 1)]


def _kind(text: str | None, geometry: BaseGeometry) -> StructureKind:
    """The stated kind if it is one of ours, else what the geometry's dimension suggests."""
    import shapely

    if text and text.lower() in set(StructureKind):
        return StructureKind(text.lower())
    by_dimension = (StructureKind.POINT, StructureKind.PAVEMENT, StructureKind.BUILDING)
    return by_dimension[int(shapely.get_dimensions(geometry))]


def _parts(structure_id: str, geometry: BaseGeometry, *, keep_whole: bool) -> Iterator[tuple[str, BaseGeometry]]:
    """Single parts with their IDs; the whole geometry where it is single or must stay whole."""
    import shapely

    parts = [part for part in shapely.get_parts(geometry) if not part.is_empty]
    if not keep_whole and len(parts) > 1 and shapely.get_dimensions(geometry) == 2:
        parts = _touching_joined(parts)
    if keep_whole or len(parts) == 1:
        yield structure_id, geometry if keep_whole else parts[0]
        return
    for number, part in enumerate(parts, start=1):
        yield f"{structure_id}.{number}", part


def _touching_joined(parts: list[BaseGeometry]) -> list[BaseGeometry]:
    """Polygons with those merged that share a border, to a centimetre; as they are where none do."""
    import shapely

    if not all(part.is_valid for part in parts):
        return parts
    # Closing the gap that rounding to a file's decimals leaves along a cut.
    joined = shapely.union_all([part.buffer(_CUT_M / 2, join_style="mitre") for part in parts])
    whole = shapely.get_parts(joined.buffer(-_CUT_M / 2, join_style="mitre"))
    return parts if len(whole) >= len(parts) else list(whole)


def _repair(geometry: BaseGeometry) -> BaseGeometry:
    """A valid geometry of the highest dimension that the repair leaves; a repaired part stays one structure."""
    import shapely

    if geometry.is_valid:
        return geometry
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(geometry)))
    dimensions = shapely.get_dimensions(parts)
    kept = parts[dimensions == dimensions.max()]
    repaired: BaseGeometry = kept[0] if len(kept) == 1 else shapely.union_all(kept)
    return repaired


def _grid_extent_m(frame: LocalFrame) -> tuple[float, float, float, float]:
    """Bounds of the grid's corners in local metres."""
    height, width = frame.grid.height, frame.grid.width
    corners = frame.pixel_to_metres(np.array([0.0, 0, height, height]), np.array([0.0, width, 0, width]))
    (min_x, min_y), (max_x, max_y) = corners.min(axis=0), corners.max(axis=0)
    return float(min_x), float(min_y), float(max_x), float(max_y)


def _check_near(path: Path, structures: Sequence[Structure], extent_m: tuple[float, float, float, float]) -> None:
    """Refuse a file that shows another place."""
    import shapely

    scene = shapely.box(*extent_m)
    nearest_m = float(shapely.distance(scene, [structure.geometry_m for structure in structures]).min())
    if nearest_m > FAR_M:
        raise StructuresError(
            f"{path}: the nearest structure is {nearest_m / 1000:,.0f} km from the scene; the file probably shows "
            "another place or has a wrong CRS. Give the footprints of this place."
        )
