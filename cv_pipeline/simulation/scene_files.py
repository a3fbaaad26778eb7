"""The files of a simulated scene: images, truth rasters, and vectors in longitude and latitude.

All of them come out byte for byte the same for the same scene: nothing in them depends on time or machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cv_pipeline.frame import local_frame
from cv_pipeline.simulation.scene_truth import TruthRow
from cv_pipeline.types import Grid, UInt8Array

if TYPE_CHECKING:
    from cv_pipeline.simulation.lookalikes.base import Lookalike
    from cv_pipeline.simulation.truth import TruthRasters

Feature = dict[str, Any]
_DEGREE_DIGITS = 8
_LAYOUT = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 9}


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything about a scene that goes into files.

    ``before`` and ``after`` (height, width, 3) are uint8, or uint16 where they are 11-bit products, on ``grid``.
    ``structures`` are GeoJSON features. ``lookalikes`` stand in pixels of the after image. A scene on real
    imagery may come without ``rasters``: what else stands there nobody knows to the pixel.
    """

    before: UInt8Array | npt.NDArray[np.uint16]
    after: UInt8Array | npt.NDArray[np.uint16]
    grid: Grid
    strikes: tuple[TruthRow, ...]
    structures: tuple[Feature, ...]
    lookalikes: tuple[Lookalike, ...] = ()
    rasters: TruthRasters | None = None


def write_scene(folder: Path, scene: Scene) -> None:
    """Write before.tif, after.tif, truth.geojson, structures.geojson, lookalikes.geojson and truth.tif.

    ``truth.tif`` is left out where the scene has no rasters. Files of these names in ``folder`` are replaced.
    """
    write_image(folder / "before.tif", scene.before, scene.grid)
    write_image(folder / "after.tif", scene.after, scene.grid)
    write_features(folder / "truth.geojson", truth_features(scene.strikes))
    write_features(folder / "structures.geojson", scene.structures)
    write_features(folder / "lookalikes.geojson", lookalike_features(scene.lookalikes, scene.grid))
    if scene.rasters is not None:
        write_rasters(folder / "truth.tif", scene.rasters, scene.grid)


def write_image(path: Path, image: npt.NDArray[Any], grid: Grid) -> None:
    """``image`` (height, width, 3), uint8 or uint16, as a tiled, losslessly compressed GeoTIFF."""
    import rasterio

    with rasterio.open(path, "w", **_profile(grid, str(image.dtype), 3), predictor=2, photometric="RGB") as out:
        out.write(image.transpose(2, 0, 1))


def write_rasters(path: Path, truth: TruthRasters, grid: Grid) -> None:
    """Every truth raster as a named 32-bit band, in the order of :class:`TruthRasters`; masks are 0 and 1."""
    import rasterio

    names = [field.name for field in fields(truth)]
    with rasterio.open(path, "w", **_profile(grid, "float32", len(names)), predictor=3, interleave="band") as out:
        for number, name in enumerate(names, start=1):
            out.write(getattr(truth, name).astype(np.float32), number)
            out.set_band_description(number, name)


def _profile(grid: Grid, dtype: str, count: int) -> dict[str, Any]:
    size = {"driver": "GTiff", "dtype": dtype, "count": count, "height": grid.height, "width": grid.width}
    return {**size, **_LAYOUT, "crs": grid.crs, "transform": grid.transform}


def truth_features(truth: Sequence[TruthRow]) -> list[Feature]:
    """GeoJSON points at the true places; :func:`cv_pipeline.evaluation.truth.read_truth` reads them back."""
    return [
        {
            "type": "Feature",
            "properties": {
                "id": row.strike_id,
                "row_px": round(row.row_px, 4),
                "col_px": round(row.col_px, 4),
                "status": str(row.status),
                "visible": row.visible,
                "family": row.family,
                "surface": row.surface,
                **{name: _rounded(getattr(row, name)) for name in _MEASURES},
                "structure_id": row.structure_id,
                "distance_edge_m": _rounded(row.distance_edge_m),
                "distance_centre_m": _rounded(row.distance_centre_m),
            },
            "geometry": _point(row.lon_deg, row.lat_deg),
        }
        for row in truth
    ]


_MEASURES = (
    "crater_radius_m",
    "crater_semi_major_m",
    "crater_semi_minor_m",
    "crater_axis_deg",
    "blast_radius_m",
    "secondary_radius_m",
    "direction_deg",
    "directionality",
    "age",
)


def lookalike_features(lookalikes: Sequence[Lookalike], grid: Grid) -> list[Feature]:
    """GeoJSON points of things that are no craters, with their place in pixels of the after image."""
    where = pixels_to_lonlat([(thing.row_px, thing.col_px) for thing in lookalikes], grid)
    return [
        {
            "type": "Feature",
            "properties": {
                "kind": thing.kind,
                "row_px": round(thing.row_px, 2),
                "col_px": round(thing.col_px, 2),
                "radius_m": round(thing.radius_m, 2),
            },
            "geometry": _point(*lonlat),
        }
        for thing, lonlat in zip(lookalikes, where, strict=True)
    ]


def polygon_feature(corners_px: Iterable[tuple[float, float]], grid: Grid, properties: Mapping[str, Any]) -> Feature:
    """A GeoJSON polygon from (row, col) corners on a georeferenced grid, wound as RFC 7946 asks."""
    from shapely.geometry import Polygon, mapping
    from shapely.geometry.polygon import orient

    ring = [[round(value, _DEGREE_DIGITS) for value in lonlat] for lonlat in pixels_to_lonlat(corners_px, grid)]
    return {"type": "Feature", "properties": dict(properties), "geometry": mapping(orient(Polygon(ring)))}


def pixels_to_lonlat(points_px: Iterable[tuple[float, float]], grid: Grid) -> list[tuple[float, float]]:
    """(lon_deg, lat_deg) of (row, col) positions on a georeferenced grid."""
    points = np.array([*points_px], np.float64).reshape(-1, 2)
    if not len(points):
        return []
    frame = local_frame(grid)
    lonlat = frame.to_lonlat(frame.pixel_to_metres(points[:, 0], points[:, 1]))
    return [(float(lon), float(lat)) for lon, lat in lonlat]


def _point(lon_deg: float | None, lat_deg: float | None) -> Feature | None:
    if lon_deg is None or lat_deg is None:
        return None
    return {"type": "Point", "coordinates": [round(lon_deg, _DEGREE_DIGITS), round(lat_deg, _DEGREE_DIGITS)]}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def write_features(path: Path, features: Sequence[Mapping[str, Any]]) -> None:
    """An RFC 7946 feature collection, one feature a line."""
    lines = ",\n".join(json.dumps(feature, allow_nan=False) for feature in features)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', encoding="utf-8")
