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
    "groups": "Groups of like buildings",
    "centrelines": "Centrelines",
    "junctions": "Junctions and corners",
    "aim_points": "Aim points considered",
    "masked": "Ground that was left out",
    "rejected": "Impacts that the review rejected",
}
# KML colours are aabbggrr; each is a layer's line, fill and pin, by part or likelihood where a layer has several.
_STYLES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("impacts", ""): ("ff2827d6", ""),
    ("rejected", ""): ("ff7f7f7f", ""),
    ("patterns", ""): ("ff00b0ff", "2800b0ff"),
    ("patterns", "crater"): ("ff2827d6", "2800b0ff"),
    ("structures", ""): ("ffb27200", "3ce9b456"),
    ("links", ""): ("ffa779cc", ""),
    ("groups", ""): ("ffffc156", "1ee9b456"),
    ("centrelines", ""): ("ffffc156", ""),
    ("junctions", ""): ("ffffc156", ""),
    ("masked", ""): ("ffb0b0b0", "50b0b0b0"),
    ("aim_points", ""): ("ffb0b0b0", ""),
    ("aim_points", "likely"): ("ff73cd1e", ""),
    ("aim_points", "less likely"): ("fff08ab4", ""),
}
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
    styles = {key: _style(*colours) for key, colours in _STYLES.items()}
    for layer in all_layers(assessment):
        folder = kml.newfolder(name=_TITLES[layer.name], visibility=1)
        for row, shape in zip(layer.rows, projected(layer, frame.to_lonlat), strict=True):
            part = str(row.get("part") or row.get("likelihood") or "")
            style = styles.get((layer.name, part)) or styles[layer.name, ""]
            for piece in shapely.get_parts(shape):
                _add(folder, layer, row, piece, style)
    # Pretty-printing parses the whole text again, which takes longer than all else.
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{kml.kml(format=False)}\n', encoding="utf-8")
    return path


def _style(line: str, fill: str) -> Any:
    """One style for all marks of a kind: a style of its own for each would double the file."""
    import simplekml

    style = simplekml.Style()
    style.iconstyle.color = style.linestyle.color = line
    style.linestyle.width = 2
    if fill:
        style.polystyle.color = fill
    return style


def _add(folder: Any, layer: Layer, row: Mapping[str, Cell], shape: Any, style: Any) -> None:
    """One placemark in ``folder``; simplekml escapes names and descriptions."""
    common = {"name": _name(layer, row), "description": _description(row)}
    if shape.geom_type == "Point":
        mark = folder.newpoint(coords=[_coords(shape)[0]], **common)
    elif shape.geom_type == "LineString":
        mark = folder.newlinestring(coords=_coords(shape), tessellate=1, **common)
    else:
        holes = [_coords(ring) for ring in shape.interiors]
        mark = folder.newpolygon(outerboundaryis=_coords(shape.exterior), innerboundaryis=holes, tessellate=1, **common)
    mark.style = style


def _name(layer: Layer, row: Mapping[str, Cell]) -> str:
    if layer.name == "links":
        return f"{row['impact_id']}: {row['distance_edge_m']} m"
    if layer.name == "patterns":
        return f"{row['impact_id']} {row['part']}"
    if "landmark_id" in row:
        return f"{row['kind']} {row['landmark_id']}"
    if layer.name == "aim_points":
        return f"{row['impact_id']}: {row['likelihood']}, {row['kind']} {row['distance_m']} m"
    return str(row.get("name") or row.get("why") or row.get("impact_id") or row.get("structure_id"))


def _description(row: Mapping[str, Cell]) -> str:
    """Known attributes, one per line."""
    return "\n".join(f"{key}: {value}" for key, value in row.items() if value is not None)


def _coords(shape: Any) -> list[tuple[float, float]]:
    """Longitude and latitude to 8 decimals (a millimetre)."""
    return [(x, y) for x, y in shapely.get_coordinates(shape).round(8).tolist()]
