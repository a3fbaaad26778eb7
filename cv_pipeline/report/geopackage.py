"""``assessment.gpkg``: every vector layer in the image's own CRS, with styles that QGIS applies by itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cv_pipeline.frame import local_frame
from cv_pipeline.report.frames import geo_frame
from cv_pipeline.report.layers import all_layers, to_image_crs
from cv_pipeline.report.qml import style_qml
from cv_pipeline.types import Assessment

if TYPE_CHECKING:
    import pandas as pd

GEOMETRY_COLUMN = "geom"


def write_geopackage(assessment: Assessment, path: Path, created: datetime) -> Path:
    """Write every layer of :func:`cv_pipeline.report.layers.all_layers` and the table ``layer_styles``.

    Coordinates are in the after image's CRS; without one they are metres from its upper-left corner
    (x right, y up) in an undefined CRS. Every layer exists even where it is empty.

    Args:
        assessment: what to write.
        path: the file, which must not exist yet.
        created: the time recorded in the file, so that equal inputs give equal files.
    """
    import pyogrio

    frame = local_frame(assessment.pair.after.grid)
    project, layers = to_image_crs(frame), all_layers(assessment)
    with _recorded_time(created), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*crs.*")  # an undefined CRS is meant, and stated in the report
        for layer in layers:
            table = geo_frame(layer, project, frame.grid.crs if frame.is_georeferenced else None)
            pyogrio.write_dataframe(
                table,
                path,
                driver="GPKG",
                layer=layer.name,
                geometry_type=layer.geometry_type,
                layer_options={"GEOMETRY_NAME": GEOMETRY_COLUMN},
            )
        # The table has no geometry, so the driver registers it in gpkg_contents as "attributes".
        pyogrio.write_dataframe(
            _style_table([layer.name for layer in layers], created), path, driver="GPKG", layer="layer_styles", FID="id"
        )
    return path


def _style_table(names: Sequence[str], created: datetime) -> pd.DataFrame:
    """The table that QGIS looks up by layer and geometry column; names and order are QGIS's own."""
    import pandas as pd

    n = len(names)
    return pd.DataFrame(
        {
            "f_table_catalog": [""] * n,
            "f_table_schema": [""] * n,
            "f_table_name": list(names),
            "f_geometry_column": [GEOMETRY_COLUMN] * n,
            "styleName": list(names),
            "styleQML": [style_qml(name) for name in names],
            "styleSLD": [""] * n,
            "useAsDefault": [True] * n,
            "description": [f"cv-pipeline: {name}" for name in names],
            "owner": [""] * n,
            "ui": [""] * n,
            "update_time": pd.to_datetime([created.replace(tzinfo=None, microsecond=0)] * n),
        }
    )


@contextmanager
def _recorded_time(created: datetime) -> Iterator[None]:
    """Make GDAL record ``created`` in the file instead of the clock."""
    import pyogrio

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": created.strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
