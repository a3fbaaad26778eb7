"""Tie points as a table and as a map: where the images were compared, and what the registration leaves there."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.errors import OutputError
from cv_pipeline.frame import local_frame
from cv_pipeline.types import Grid, Registration

COLUMNS = (
    "col_px", "row_px", "shift_col_px", "shift_row_px", "residual_px", "residual_m", "used", "lon", "lat",
)  # fmt: skip
_DIGITS = 4
_LONLAT_DIGITS = 8


def tie_rows(registration: Registration, after: Grid) -> list[dict[str, Any]]:
    """A row per local match, with :data:`COLUMNS`: after-image pixels, the shift found there, what is left of it.

    ``used`` says whether it agrees with the registration. Longitude and latitude are None without a CRS, the residual
    is None where nothing was fitted.
    """
    ties = registration.tie_points
    rows_px, cols_px = (np.array([getattr(tie, name) for tie in ties]) for name in ("row_px", "col_px"))
    frame = local_frame(after)
    lonlat: list[Any] = [(None, None)] * len(ties)
    if ties and frame.is_georeferenced:
        lonlat = frame.to_lonlat(frame.pixel_to_metres(rows_px, cols_px)).round(_LONLAT_DIGITS).tolist()
    rows = []
    for tie, (lon, lat) in zip(ties, lonlat, strict=True):
        known = np.isfinite(tie.residual_px)
        rows.append(
            {
                "col_px": round(tie.col_px, _DIGITS),
                "row_px": round(tie.row_px, _DIGITS),
                "shift_col_px": round(tie.shift_col_px, _DIGITS),
                "shift_row_px": round(tie.shift_row_px, _DIGITS),
                "residual_px": round(tie.residual_px, _DIGITS) if known else None,
                "residual_m": round(tie.residual_px * after.gsd_m, _DIGITS) if known else None,
                "used": tie.used,
                "lon": lon,
                "lat": lat,
            }
        )
    return rows


def check_ties_path(path: Path) -> None:
    """Raise OutputError unless the name says which kind of file is wanted."""
    if path.suffix.lower() not in (".csv", ".geojson", ".json"):
        raise OutputError(f"{path}: give the tie points a name that ends in .csv or .geojson")


def write_ties(registration: Registration, after: Grid, path: Path) -> Path:
    """Write the tie points as CSV or as GeoJSON (RFC 7946), by the file's name; without a CRS geometries are null.

    Raises:
        OutputError: another kind of name, or the file cannot be written.
    """
    check_ties_path(path)
    rows = tie_rows(registration, after)
    try:
        if path.suffix.lower() == ".csv":
            with path.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        else:
            path.write_text(json.dumps(_collection(rows), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); give another name") from error
    return path


def _collection(rows: list[dict[str, Any]]) -> dict[str, Any]:
    features = []
    for row in rows:
        place = None if row["lon"] is None else {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
        properties = {name: row[name] for name in COLUMNS[:-2]}
        features.append({"type": "Feature", "geometry": place, "properties": properties})
    return {"type": "FeatureCollection", "features": features}
