"""Files of a simulated scene: the recipe that is read, the images and truth that are written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.simulation.clutter import Vehicle
from cv_pipeline.simulation.scene import AlignmentError, PlannedStrike, SceneRecipe, TruthRow
from cv_pipeline.simulation.sensor import Sensor
from cv_pipeline.simulation.strike import ColourDelta, Strike
from cv_pipeline.simulation.surface import Sun
from cv_pipeline.types import Grid, Status, UInt8Array

_COLOURS = ("core_delta", "soot_delta", "ring_delta")


def read_recipe(path: Path, seed: int) -> SceneRecipe:
    """The recipe in a YAML file; ``seed`` sets the sensors' noise and the outline of each strike.

    Raises:
        CvPipelineError: a key is missing or unknown.
    """
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return SceneRecipe(
            strikes=tuple(_planned(row, seed + 100 * n) for n, row in enumerate(content["strikes"], start=1)),
            before_sun=Sun(**content["before_sun"]),
            after_sun=Sun(**content["after_sun"]),
            before_sensor=_sensor(content["before_sensor"], seed + 1),
            after_sensor=_sensor(content["after_sensor"], seed + 2),
            alignment=AlignmentError(**content["alignment"]),
            vehicles=tuple(_vehicle(row) for row in content.get("vehicles", [])),
            ground_change=float(content.get("ground_change", 0.0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CvPipelineError(f"{path}: not a usable scene recipe ({error}); compare it with SceneRecipe") from error


def _planned(row: Mapping[str, Any], ray_seed: int) -> PlannedStrike:
    fields = {key: value for key, value in row.items() if key not in ("id", "surface", "hit", "status")}
    fields |= {key: ColourDelta(*fields[key]) for key in _COLOURS if key in fields}
    strike = Strike(**fields, ray_seed=ray_seed, status=Status(row.get("status", "new")))
    return PlannedStrike(row["id"], row["surface"], strike)


def _vehicle(row: Mapping[str, Any]) -> Vehicle:
    red, green, blue = row["colour"]
    return Vehicle(**{**row, "colour": (float(red), float(green), float(blue))})


def _sensor(values: Mapping[str, Any], noise_seed: int) -> Sensor:
    triples = {key: tuple(values[key]) for key in ("gain", "offset_dn")}
    return Sensor(**{**values, **triples}, noise_seed=noise_seed)


def write_rgb(path: Path, image: UInt8Array, grid: Grid) -> None:
    """``image`` (height, width, 3) as a tiled, losslessly compressed GeoTIFF."""
    import rasterio

    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "height": grid.height, "width": grid.width}
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "predictor": 2, "zlevel": 9}
    with rasterio.open(
        path, "w", **profile, **layout, crs=grid.crs, transform=grid.transform, photometric="RGB"
    ) as out:
        out.write(image.transpose(2, 0, 1))


def structures_inside(labels: Path, grid: Grid, prefix: str) -> list[dict[str, Any]]:
    """GeoJSON features (longitude, latitude) of ``labels`` that touch the grid, whole, numbered in file order."""
    import geopandas as gpd
    from shapely.geometry import box, mapping
    from shapely.geometry.polygon import orient

    frame = gpd.read_file(labels)
    t = grid.transform
    inside = frame.to_crs(grid.crs).intersects(box(t.c, t.f + t.e * grid.height, t.c + t.a * grid.width, t.f))
    footprints = frame.to_crs("EPSG:4326").geometry[inside].explode(index_parts=False)
    return [
        {
            "type": "Feature",
            "properties": {"structure_id": f"{prefix}{number:03d}", "kind": "building"},
            "geometry": mapping(orient(footprint)),
        }
        for number, footprint in enumerate(footprints, start=1)
    ]


def truth_features(truth: Sequence[TruthRow]) -> list[dict[str, Any]]:
    """GeoJSON points of the true places; see :func:`cv_pipeline.evaluation.truth.read_truth` for the columns."""
    return [
        {
            "type": "Feature",
            "properties": {
                "id": row.strike_id,
                "row_px": round(row.row_px, 4),
                "col_px": round(row.col_px, 4),
                "crater_radius_m": row.crater_radius_m,
                "blast_radius_m": row.blast_radius_m,
                "direction_deg": None if row.direction_deg is None else round(row.direction_deg, 3),
                "status": str(row.status),
                "surface": row.surface,
                "structure_id": row.structure_id,
                "distance_edge_m": _rounded(row.distance_edge_m),
                "distance_centre_m": _rounded(row.distance_centre_m),
            },
            "geometry": {"type": "Point", "coordinates": [row.lon_deg, row.lat_deg]},
        }
        for row in truth
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def write_features(path: Path, features: Sequence[Mapping[str, Any]]) -> None:
    """An RFC 7946 feature collection, one feature a line."""
    lines = ",\n".join(json.dumps(feature) for feature in features)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', encoding="utf-8")
