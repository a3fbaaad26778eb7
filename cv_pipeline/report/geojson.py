"""``impacts.geojson`` and ``structures.geojson`` (RFC 7946: longitude and latitude on WGS 84)."""

from __future__ import annotations

import warnings
from pathlib import Path

from cv_pipeline.frame import local_frame
from cv_pipeline.report.frames import geo_frame
from cv_pipeline.report.layers import Layer, impacts_layer, structures_layer
from cv_pipeline.types import Assessment

NO_CRS_WARNING = (
    "The image has no coordinate reference system: the GeoJSON files carry attributes with null geometry, the KML "
    "has no places, and the GeoPackage is in metres from the image's upper-left corner (x right, y up)."
)


def write_impacts_geojson(assessment: Assessment, path: Path) -> Path:
    """Write the impacts with all columns of the table; null geometry where the image has no CRS.

    No impacts give an empty FeatureCollection.
    """
    return _write(assessment, impacts_layer(assessment), path)


def write_structures_geojson(assessment: Assessment, path: Path) -> Path:
    """Write the footprints; null geometry where the image has no CRS, empty where there are none."""
    return _write(assessment, structures_layer(assessment), path)


def _write(assessment: Assessment, layer: Layer, path: Path) -> Path:
    import pyogrio

    frame = local_frame(assessment.pair.after.grid)
    table = geo_frame(layer, frame.to_lonlat if frame.is_georeferenced else None, "EPSG:4326")
    with warnings.catch_warnings():
        # RFC 7946 fixes the CRS, so the writer has none to record for null geometries.
        warnings.filterwarnings("ignore", message=".*crs.*")
        pyogrio.write_dataframe(
            table,
            path,
            driver="GeoJSON",
            layer=layer.name,
            geometry_type=layer.geometry_type,
            RFC7946="YES",
            COORDINATE_PRECISION=8,
        )
    return path
