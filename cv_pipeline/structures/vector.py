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

PARQUET = {".parquet", ".geoparquet", ".pq"}
PAVEMENT_COLUMNS = ("aeroway", "highway")
"""Columns of OpenStreetMap extracts; where one is filled the feature is pavement, whatever its geometry."""


class _NoLayerError(Exception):
    """The layer that was asked for is not in the file; the message lists those that are."""


@dataclass(frozen=True, slots=True)
class Feature:
    """The attributes of one feature that are used; None where absent or empty.

    ``width_m`` is a stated width, above 0.
    """

    own_id: str | None
    kind: str | None
    name: str | None
    width_m: float | None = None


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
    """Read the named layer of ``FILE:layer``, else the layer ``structures``, else every layer with geometry.

    Raises:
        StructuresError: the file is missing, not a readable vector file, or has no features.
    """
    frames, notes = read_frames(path, StructuresError)
    return FeatureFile(tuple(layer_of(frame) for frame in frames), notes)


def split_layer(path: Path) -> tuple[Path, str | None]:
    """File and layer of ``FILE:layer``; a path that exists as it stands, or without a colon, has no layer."""
    head, colon, layer = str(path).rpartition(":")
    if not colon or not layer or path.exists() or not Path(head).exists():
        return path, None
    return Path(head), layer


def read_frames(path: Path, error: type[CvPipelineError]) -> tuple[list[Any], tuple[str, ...]]:
    """GeoDataFrames of the layers that hold features, in file order; ``crs`` None where undeclared.

    Args:
        path: the vector file, or ``FILE:layer`` for one of its layers.
        error: the class to raise, so that points and structures files are told apart.
    """
    path, layer = split_layer(path)
    if not path.exists():
        raise error(f"{path}: no such file. Check the path.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's remarks on column types do not concern the geometry
            frames, notes = _parquet(path) if path.suffix.lower() in PARQUET else _ogr_layers(path, layer)
    except ImportError as cause:
        raise error(
            f"{path}: reading Parquet needs pyarrow. Install cv-pipeline[parquet] or give GeoPackage."
        ) from cause
    except _NoLayerError as cause:
        raise error(f"{path}: {cause}") from cause
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


def _ogr_layers(path: Path, wanted: str | None) -> tuple[list[Any], tuple[str, ...]]:
    """Spatial layers through GDAL, and a note where the choice was not obvious.

    Raises:
        _NoLayerError: there is no layer ``wanted``; the message lists those there are.
    """
    import pyogrio

    spatial = [str(name) for name, geometry_type in pyogrio.list_layers(path) if geometry_type is not None]
    if wanted is not None:
        if wanted not in spatial:
            raise _NoLayerError(f"has no layer {wanted!r} with geometry. Name one of: {', '.join(spatial)}.")
        return [pyogrio.read_dataframe(path, layer=wanted)], ()
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


def layer_of(frame: Any) -> Layer:
    """The features of a GeoDataFrame; column names are taken in any case, the first of several wins."""
    columns = {str(column).lower(): column for column in reversed(list(frame.columns))}
    own_ids = _texts(frame, columns, ("structure_id", "id"))
    kinds, names = _texts(frame, columns, ("kind",)), _texts(frame, columns, ("name",))
    paved = [any(values) for values in zip(*(_texts(frame, columns, (c,)) for c in PAVEMENT_COLUMNS), strict=True)]
    kinds = [kind or ("pavement" if is_paved else None) for kind, is_paved in zip(kinds, paved, strict=True)]
    widths = [_width_m(text) for text in _texts(frame, columns, ("width_m", "width"))]
    rows = tuple(Feature(*values) for values in zip(own_ids, kinds, names, widths, strict=True))
    return Layer(tuple(frame.geometry), rows, frame.crs)


def _width_m(text: str | None) -> float | None:
    """A width such as ``23``, ``23.5 m``; None for what is no number of metres above 0 (feet included)."""
    try:
        width_m = float((text or "").lower().removesuffix("m").strip())
    except ValueError:
        return None
    return width_m if 0 < width_m < math.inf else None


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
