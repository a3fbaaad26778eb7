"""Reading a vector file as it stands: geometry, CRS and the few attributes that are used."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cv_pipeline.errors import CvPipelineError, StructuresError

STRUCTURES_LAYER = "structures"
"""A layer of this name is read alone, so that an ``assessment.gpkg`` can be given back as input."""


@dataclass(frozen=True, slots=True)
class Feature:
    """The attributes of one feature that are used; None where absent or empty."""

    own_id: str | None
    kind: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: shapely geometries (None where null), one row each, and the CRS (None: undeclared)."""

    geometries: tuple[Any, ...]
    rows: tuple[Feature, ...]
    crs: Any


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """All layers read from a file; ``notes`` says which were chosen where there was a choice."""

    layers: tuple[Layer, ...]
    notes: tuple[str, ...]


def read_features(path: Path) -> FeatureFile:
    """Read the layer ``structures`` if the file has one, else every layer with geometry.

    Raises:
        StructuresError: the file is missing, not a readable vector file, or has no features.
    """
    frames, notes = read_frames(path, StructuresError)
    layers = tuple(_layer(frame) for frame in frames)
    return FeatureFile(layers, notes)


def read_frames(path: Path, error: type[CvPipelineError]) -> tuple[list[Any], tuple[str, ...]]:
    """GeoDataFrames of the layers that hold features, in file order; ``crs`` None where undeclared.

    Args:
        path: the vector file.
        error: the class to raise, so that points and structures files are told apart.
    """
    if not path.exists():
        raise error(f"{path}: no such file. Check the path.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks on column types do not concern the geometry
            frames, notes = _parquet(path) if path.suffix.lower() == ".parquet" else _ogr_layers(path)
    except ImportError as cause:
        raise error(
            f"{path}: reading Parquet needs pyarrow. Install cv-pipeline[parquet] or give GeoPackage."
        ) from cause
    except Exception as cause:  # drivers raise many classes; all mean that the file cannot be read
        raise error(
            f"{path}: not a readable vector file ({cause}). Give GeoPackage, GeoJSON, Shapefile or KML."
        ) from cause
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        raise error(f"{path}: the file holds no features with geometry. Give a file with at least one.")
    if _declares_null_crs(path):
        frames = [frame.set_crs(None, allow_override=True) for frame in frames]
    return frames, notes


def _parquet(path: Path) -> tuple[list[Any], tuple[str, ...]]:
    import geopandas as gpd

    return [gpd.read_parquet(path)], ()


def _ogr_layers(path: Path) -> tuple[list[Any], tuple[str, ...]]:
    """Spatial layers through GDAL, and a note where the choice was not obvious."""
    import pyogrio

    spatial = [str(name) for name, geometry_type in pyogrio.list_layers(path) if geometry_type is not None]
    chosen = [name for name in spatial if name.lower() == STRUCTURES_LAYER] or spatial
    notes: tuple[str, ...] = ()
    if len(spatial) > 1:
        notes = (f"{path.name}: of {len(spatial)} layers these were read: {', '.join(chosen)}.",)
    return [pyogrio.read_dataframe(path, layer=name) for name in chosen], notes


def _declares_null_crs(path: Path) -> bool:
    """Whether a GeoJSON file says ``"crs": null``; GDAL reports WGS 84 for it all the same."""
    if path.suffix.lower() not in {".geojson", ".json"}:
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:  # newline-delimited GeoJSON; it cannot declare a CRS
        return False
    return isinstance(content, dict) and "crs" in content and content["crs"] is None


def _layer(frame: Any) -> Layer:
    columns = {str(column).lower(): column for column in frame.columns}
    own_ids = _texts(frame, columns, ("structure_id", "id"))
    kinds, names = _texts(frame, columns, ("kind",)), _texts(frame, columns, ("name",))
    rows = tuple(Feature(*values) for values in zip(own_ids, kinds, names, strict=True))
    return Layer(tuple(frame.geometry), rows, frame.crs)


def _texts(frame: Any, columns: dict[str, Any], wanted: Sequence[str]) -> list[str | None]:
    """The first wanted column as text."""
    column = next((columns[name] for name in wanted if name in columns), None)
    if column is None:
        return [None] * len(frame)
    return [as_text(value) for value in frame[column]]


def as_text(value: Any) -> str | None:
    """An attribute as text: whole numbers without a decimal point, blanks and NaN as None."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None
