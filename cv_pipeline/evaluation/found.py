"""What any tool found in the scenes of a data set: a CSV or GeoJSON file, read into one form.

CSV columns: ``scene`` (or ``field``), ``col_px``, ``row_px`` and ``score``; pixel centre = integer + 0.5. What else is
known may stand in the columns of :data:`NUMBERS` and :data:`TEXTS`, empty where it is not. A GeoJSON feature carries
the same as properties; without ``col_px`` and ``row_px`` its geometry (a point, or a polygon as the crater's outline)
says where it is, in degrees as GeoJSON has it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.datasets.scene import DataScene
from cv_pipeline.datasets.simulated import ellipse_px
from cv_pipeline.errors import ConfigError
from cv_pipeline.types import BoolArray, Float64Array

NUMBERS = (
    "centre_sd_m", "crater_radius_m", "crater_radius_sd_m", "crater_semi_major_m", "crater_semi_minor_m",
    "crater_axis_deg", "width_px", "height_px", "blast_radius_m", "direction_deg", "direction_sd_deg",
    "distance_edge_m", "distance_sd_m",
)  # fmt: skip
TEXTS = ("status", "structure_id")
_CIRCLE = 72


@dataclass(frozen=True, slots=True)
class Found:
    """Detections of one scene.

    ``at_px`` (n, 2) is (row, col), ``score`` (n,) the higher the surer. ``numbers`` holds (n,) by column, NaN where
    unknown; a column that a tool does not have is missing. ``outline_px`` has an (k, 2) outline as (row, col) for each,
    or None.
    """

    at_px: Float64Array
    score: Float64Array
    numbers: Mapping[str, Float64Array] = field(default_factory=dict)
    texts: Mapping[str, np.ndarray] = field(default_factory=dict)
    outline_px: tuple[Float64Array | None, ...] = ()

    def __len__(self) -> int:
        return len(self.score)

    def number(self, name: str) -> Float64Array:
        """A column (n,); NaN throughout where the tool has none."""
        return self.numbers.get(name, np.full(len(self), np.nan))

    def keep(self, some: BoolArray) -> Found:
        """Those where ``some`` (n,) is True."""
        outlines = tuple(o for o, kept in zip(self.outline_px, some, strict=True) if kept) if self.outline_px else ()
        return Found(
            self.at_px[some],
            self.score[some],
            {name: values[some] for name, values in self.numbers.items()},
            {name: values[some] for name, values in self.texts.items()},
            outlines,
        )


NOTHING = Found(np.zeros((0, 2)), np.zeros(0))


def edges_px(found: Found, gsd_m: float) -> list[Float64Array | None]:
    """Outlines (k, 2) as (row, col): as drawn, else ellipse, circle, or the ellipse in the box; None: a point."""
    major, minor = found.number("crater_semi_major_m"), found.number("crater_semi_minor_m")
    axis, radius = found.number("crater_axis_deg"), found.number("crater_radius_m")
    height, width = found.number("height_px") * gsd_m / 2, found.number("width_px") * gsd_m / 2
    edges: list[Float64Array | None] = []
    for n in range(len(found)):
        if found.outline_px and found.outline_px[n] is not None:
            edges.append(found.outline_px[n])
        elif np.isfinite([major[n], minor[n], axis[n]]).all():
            edges.append(ellipse_px(found.at_px[n], major[n], minor[n], axis[n], gsd_m))
        elif np.isfinite(radius[n]):
            edges.append(ellipse_px(found.at_px[n], radius[n], radius[n], 0.0, gsd_m))
        elif np.isfinite([height[n], width[n]]).all():
            edges.append(ellipse_px(found.at_px[n], height[n], width[n], 0.0, gsd_m))
        else:
            edges.append(None)
    return edges


def read_found(path: Path, scenes: Sequence[DataScene]) -> dict[str, Found]:
    """Detections by scene.

    Raises:
        ConfigError: the file cannot be read, lacks a column, holds what is no number, or names scenes that are not in
            the data set.
    """
    try:
        rows = _geojson_rows(path, scenes) if path.suffix.lower() in (".geojson", ".json") else _csv_rows(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a CSV or GeoJSON file") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigError(f"{path}: is no text of that kind ({error}); give a CSV or GeoJSON file") from error
    by_scene: dict[str, list[dict[str, Any]]] = {}
    for number, row in enumerate(rows, start=1):
        name = row.get("scene") or row.get("field")
        if not name:
            raise ConfigError(f"{path}: detection {number} names no scene; needed: scene, col_px, row_px, score")
        by_scene.setdefault(str(name), []).append(row)
    known = {scene.name for scene in scenes}
    strange = sorted(set(by_scene) - known)
    if strange:
        raise ConfigError(
            f"{path}: {len(strange)} of its {len(by_scene)} scenes are not in the data set, the first is "
            f"'{strange[0]}'; scenes are called like '{min(known, default='?')}'"
        )
    return {name: _found(path, name, some) for name, some in by_scene.items()}


def write_found(path: Path, found: Mapping[str, Found]) -> None:
    """Write what :func:`read_found` reads; drawn outlines are not kept."""
    numbers = [name for name in NUMBERS if any(name in one.numbers for one in found.values())]
    texts = [name for name in TEXTS if any(name in one.texts for one in found.values())]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scene", "col_px", "row_px", "score", *numbers, *texts])
        for scene, one in found.items():
            columns = [one.number(name) for name in numbers]
            words = [one.texts.get(name, np.full(len(one), "")) for name in texts]
            for n in range(len(one)):
                values = ["" if np.isnan(column[n]) else f"{column[n]:.3f}" for column in columns]
                row, col = one.at_px[n]
                writer.writerow(
                    [scene, f"{col:.3f}", f"{row:.3f}", f"{one.score[n]:.6f}", *values, *(w[n] for w in words)]
                )


def _found(path: Path, scene: str, rows: Sequence[dict[str, Any]]) -> Found:
    try:
        at_px = np.array([(float(row["row_px"]), float(row["col_px"])) for row in rows], np.float64)
        score = np.array([float(row["score"]) for row in rows], np.float64)
        names = {name for row in rows for name in NUMBERS if row.get(name) not in (None, "")}
        numbers = {name: np.array([_number(row.get(name)) for row in rows]) for name in NUMBERS if name in names}
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: scene '{scene}': needs numbers in scene, col_px, row_px, score; problem: {error!r}"
        ) from error
    if not (np.isfinite(at_px).all() and np.isfinite(score).all()):
        raise ConfigError(f"{path}: scene '{scene}': a place or a score is not a finite number; remove such rows")
    texts = {
        name: np.array([str(row.get(name) or "") for row in rows], dtype="U40")
        for name in TEXTS
        if any(row.get(name) for row in rows)
    }
    outlines = tuple(row.get("outline_px") for row in rows)
    return Found(at_px, score, numbers, texts, outlines if any(o is not None for o in outlines) else ())


def _number(value: Any) -> float:
    return float("nan") if value is None or value == "" else float(value)


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _geojson_rows(path: Path, scenes: Sequence[DataScene]) -> Iterable[dict[str, Any]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("features"), list):
        raise ConfigError(f"{path}: is no GeoJSON feature collection")
    by_name = {scene.name: scene for scene in scenes}
    rows = []
    for feature in content["features"]:
        row = dict(feature.get("properties") or {})
        scene = by_name.get(str(row.get("scene")))
        if scene is not None and feature.get("geometry") and ("col_px" not in row or "row_px" not in row):
            row |= _placed(path, feature["geometry"], scene)
        rows.append(row)
    return rows


def _placed(path: Path, geometry: Mapping[str, Any], scene: DataScene) -> dict[str, Any]:
    """Pixel position, and outline, of a geometry in degrees."""
    import shapely
    from shapely.geometry import shape

    from cv_pipeline.frame import transformer
    from cv_pipeline.imagery.source import has_crs, open_source

    if not has_crs(scene.after):
        raise ConfigError(f"{path}: {scene.after} has no CRS; give col_px and row_px for each detection on it")
    grid = open_source(scene.after).grid
    drawn = shape(geometry)
    lonlat = shapely.get_coordinates(drawn)
    x, y = transformer("EPSG:4326", grid.crs).transform(lonlat[:, 0], lonlat[:, 1])
    inverse = ~grid.transform
    points = np.column_stack([inverse.d * x + inverse.e * y + inverse.f, inverse.a * x + inverse.b * y + inverse.c])
    if drawn.geom_type == "Point":
        return {"row_px": points[0, 0], "col_px": points[0, 1]}
    outline = shapely.Polygon(points)
    return {"row_px": outline.centroid.x, "col_px": outline.centroid.y, "outline_px": points[:-1]}
