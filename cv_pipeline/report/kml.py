"""``assessment.kml`` for Google Earth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely

from cv_pipeline.frame import local_frame
from cv_pipeline.report.frames import projected
from cv_pipeline.report.layers import Layer, all_layers
from cv_pipeline.report.rows import Cell
from cv_pipeline.types import Assessment

_TITLES = {
    "impacts": "Impacts",
    "patterns": "Craters and blast patterns",
    "structures": "Structures",
    "links": "Links",
    "landmarks": "Groups, centrelines, junctions",
    "aim_points": "Aim points considered",
}
# KML colours are aabbggrr.
_LINE_COLOURS = {"patterns": "ff00b0ff", "structures": "ffb27200", "links": "ffa779cc", "landmarks": "ffffc156"}
_FILL_COLOURS = {"patterns": "2800b0ff", "structures": "3ce9b456", "landmarks": "1ee9b456"}
_CRATER_LINE = "ff2827d6"
_NO_PLACES = "The image has no coordinate reference system, so nothing in this file can be placed on the globe."


def write_kml(assessment: Assessment, path: Path) -> Path:
    """Write a folder per layer; an image without a CRS gives a document that says so and has no places."""
    import simplekml

    name = assessment.pair.after.path.name
    # Ids count on across documents otherwise, so equal inputs would give unequal files.
    simplekml.Kml.resetidcounter()
    kml = simplekml.Kml(name=f"Craters and structures: {name}")
    kml.document.description = f"{len(assessment.impacts)} impacts found in {name}; a person has to review them."
    frame = local_frame(assessment.pair.after.grid)
    if not frame.is_georeferenced:
        kml.document.description += f" {_NO_PLACES}"
        kml.save(str(path))
        return path
    for layer in all_layers(assessment):
        folder = kml.newfolder(name=_TITLES[layer.name], visibility=1)
        for row, shape in zip(layer.rows, projected(layer, frame.to_lonlat), strict=True):
            for part in shapely.get_parts(shape):
                _add(folder, layer, row, part)
    kml.save(str(path))
    return path


def _add(folder: Any, layer: Layer, row: Mapping[str, Cell], shape: Any) -> None:
    """One placemark in ``folder``; simplekml escapes names and descriptions."""
    common = {"name": _name(layer, row), "description": _description(row)}
    if shape.geom_type == "Point":
        folder.newpoint(coords=[_coords(shape)[0]], **common)
        return
    if shape.geom_type == "LineString":
        mark = folder.newlinestring(coords=_coords(shape), **common)
    else:
        holes = [_coords(ring) for ring in shape.interiors]
        mark = folder.newpolygon(outerboundaryis=_coords(shape.exterior), innerboundaryis=holes, **common)
        mark.style.polystyle.color = _FILL_COLOURS[layer.name]
    mark.style.linestyle.color = _CRATER_LINE if row.get("part") == "crater" else _LINE_COLOURS[layer.name]
    mark.style.linestyle.width = 2
    mark.tessellate = 1


def _name(layer: Layer, row: Mapping[str, Cell]) -> str:
    if layer.name == "links":
        return f"{row['impact_id']}: {row['distance_edge_m']} m"
    if layer.name == "patterns":
        return f"{row['impact_id']} {row['part']}"
    if layer.name == "landmarks":
        return f"{row['kind']} {row['landmark_id']}"
    if layer.name == "aim_points":
        return f"{row['impact_id']}: {row['kind']} {row['distance_m']} m"
    return str(row.get("name") or row.get("impact_id") or row.get("structure_id"))


def _description(row: Mapping[str, Cell]) -> str:
    """Known attributes, one per line."""
    return "\n".join(f"{key}: {value}" for key, value in row.items() if value is not None)


def _coords(shape: Any) -> list[tuple[float, float]]:
    """Longitude and latitude to 8 decimals (a millimetre)."""
    return [(round(float(x), 8), round(float(y), 8)) for x, y in shapely.get_coordinates(shape)]
