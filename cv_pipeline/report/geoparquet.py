"""``geoparquet/``: a GeoParquet 1.1 file per vector layer, with the extra ``parquet``."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path

from cv_pipeline.errors import ConfigError
from cv_pipeline.frame import local_frame
from cv_pipeline.report.frames import geo_frame
from cv_pipeline.report.layers import all_layers, to_image_crs
from cv_pipeline.types import Assessment

FOLDER = "geoparquet"
SCHEMA_VERSION = "1.1.0"


def check_geoparquet() -> None:
    """Raise ConfigError unless the extra is installed; meant to be called before the work starts."""
    if find_spec("pyarrow") is None:
        raise ConfigError(
            "GeoParquet files need the extra 'parquet', which is not installed: pip install 'cv-pipeline[parquet]', "
            "or leave out --geoparquet"
        )


def write_geoparquet(assessment: Assessment, folder: Path) -> list[Path]:
    """Write each layer of the GeoPackage, in the same coordinates, as ``folder/LAYER.parquet``.

    An image without a CRS gives files whose CRS is stated as undefined (null), not the format's default of
    longitude and latitude. Empty layers have no rows.

    Raises:
        ConfigError: the extra ``parquet`` is not installed.
    """
    check_geoparquet()
    folder.mkdir(parents=True, exist_ok=True)
    frame = local_frame(assessment.pair.after.grid)
    project, crs = to_image_crs(frame), frame.grid.crs if frame.is_georeferenced else None
    written = []
    for layer in all_layers(assessment):
        path = folder / f"{layer.name}.parquet"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*crs.*")  # an undefined CRS is meant
            table = geo_frame(layer, project, crs)
            table.to_parquet(path, index=False, schema_version=SCHEMA_VERSION, write_covering_bbox=True)
        written.append(path)
    return written
