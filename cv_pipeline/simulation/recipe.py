"""Recipes of planned scenes, read from YAML, and the footprints that lie on a scene."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.simulation.ground import Material
from cv_pipeline.simulation.light import Sun
from cv_pipeline.simulation.scene import AlignmentError, PlannedStrike, SceneRecipe
from cv_pipeline.simulation.scene_files import Feature
from cv_pipeline.simulation.sensor import Sensor
from cv_pipeline.simulation.strike import ColourDelta, Strike, StrikeStatus
from cv_pipeline.simulation.vehicles import Vehicle
from cv_pipeline.types import Grid


def read_recipe(path: Path, seed: int) -> SceneRecipe:
    """The recipe in a YAML file; ``seed`` sets the sensors' noise and the outline of each strike.

    Raises:
        CvPipelineError: no file, no YAML, or a key is missing or unknown.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CvPipelineError(f"{path}: cannot be read ({error.strerror}); give a scene recipe") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise CvPipelineError(f"{path}: is no YAML ({text}); mend that place") from error
    try:
        return SceneRecipe(
            strikes=tuple(_planned(row, seed + 100 * n) for n, row in enumerate(content["strikes"], start=1)),
            sun=Sun(**content["sun"]),
            before_sensor=_sensor(content["before_sensor"], seed + 1),
            after_sensor=_sensor(content["after_sensor"], seed + 2),
            alignment=AlignmentError(**content["alignment"]),
            vehicles=tuple(_vehicle(row) for row in content.get("vehicles", [])),
            ground_change=float(content.get("ground_change", 0.0)),
            roof_height_m=float(content["roof_height_m"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CvPipelineError(f"{path}: not a usable scene recipe ({error}); compare it with SceneRecipe") from error


def _planned(row: Mapping[str, Any], ray_seed: int) -> PlannedStrike:
    fields = {key: value for key, value in row.items() if key not in ("id", "hit")}
    fields |= {key: ColourDelta(*fields[key]) for key in fields if key.endswith("_delta")}
    fields["material"] = Material[fields["material"].upper()]
    fields["status"] = StrikeStatus(fields.get("status", "new"))
    return PlannedStrike(row["id"], Strike(**{"ray_seed": ray_seed, **fields}))


def _vehicle(row: Mapping[str, Any]) -> Vehicle:
    red, green, blue = row["colour"]
    return Vehicle(**{**row, "colour": (float(red), float(green), float(blue))})


def _sensor(values: Mapping[str, Any], noise_seed: int) -> Sensor:
    triples = {key: tuple(values[key]) for key in ("gain", "offset_dn")}
    return Sensor(**{**values, **triples}, noise_seed=noise_seed)


def structures_inside(labels: Path, grid: Grid, prefix: str) -> list[Feature]:
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
