"""ARCADE: suspected artillery craters in eastern Ukraine, 2014, from a local clone of the public repository.

https://github.com/Rudiment-Info/arcade. Centres in degrees stand in ``arcade_ukraine_data_processed.csv``, whose
columns ``lat`` and ``lon`` are exchanged: what is called lat is the longitude. Images are in
``sampledata/ukraine/google_satellite_export``; they carry no georeference, so a ``registration.csv`` is needed: at
least three points of each field as (field, lon, lat, col_px, row_px), picked by eye. Images are third parties' and
are never passed on.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.datasets.scene import CRATER, DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.types import Float64Array

IMAGES = Path("sampledata/ukraine/google_satellite_export")
CENTRES = Path("sampledata/ukraine/positives/tasks/2_create_bounding_boxes/output/arcade_ukraine_data_processed.csv")
REGISTRATION = "registration.csv"
LEAST_POINTS = 3
MOST_RESIDUAL_M = 5.0
"""Points that disagree by more are not of one image, or one is mistyped."""

_DEGREE_M = 111_320.0


@dataclass(frozen=True, slots=True)
class ArcadeDataset(Dataset):
    """A clone of the repository with a registration.csv at its top."""

    format = "arcade"
    layout = f"a clone of Rudiment-Info/arcade, and {REGISTRATION} (field, lon, lat, col_px, row_px) at its top"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether the repository's list of craters is there."""
        return (folder / CENTRES).is_file()

    def entries(self) -> Sequence[Entry]:
        """One scene a registered field, by number; the other fields have nothing to lay labels on."""
        path = self.folder / REGISTRATION
        points = _by_field(path, _rows(path), ("lon", "lat", "col_px", "row_px"), "field")
        craters = _by_field(self.folder / CENTRES, _rows(self.folder / CENTRES), ("lat", "lon"), "cfield_id")
        return [
            Entry(path, partial(_scene, self.folder, field, points[field], craters.get(field)))
            for field in sorted(points, key=lambda name: (len(name), name))
        ]


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror}); see datasets/arcade/README.md") from error


def _by_field(
    path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], field: str
) -> dict[str, Float64Array]:
    found: dict[str, list[list[float]]] = {}
    try:
        for row in rows:
            found.setdefault(str(row[field]), []).append([float(row[name]) for name in columns])
    except (KeyError, TypeError, ValueError) as error:
        raise LabelsError(f"{path}: needs numbers in {', '.join(columns)} and a column {field}: {error!r}") from error
    return {name: np.array(table, np.float64) for name, table in found.items()}


def _scene(folder: Path, field: str, points: Float64Array, centres: Float64Array | None) -> DataScene:
    """A field is a place and all of the set is a test set. Labels are incomplete: unmarked craters are visible."""
    matrix, gsd_m = fit_registration(points, f"{folder / REGISTRATION}: field {field}")
    lonlat = np.zeros((0, 2)) if centres is None else centres
    at = np.column_stack([lonlat, np.ones(len(lonlat))]) @ matrix.T
    return DataScene(
        name=field,
        place=field,
        split="test",
        after=folder / IMAGES / f"mapvestigation_crater_field_{field}.jpg",
        gsd_m=gsd_m,
        objects=tuple(
            TrueObject(f"{field}-{n}", CRATER, row, col) for n, (col, row) in enumerate(at.tolist(), start=1)
        ),
        is_complete=False,
    )


def fit_registration(points: Float64Array, source: str) -> tuple[Float64Array, float]:
    """The affine map (2, 3) from (lon, lat, 1) to (col_px, row_px) of points (n, 4), and its metres per pixel.

    Raises:
        LabelsError: fewer than three points, points on one line, or points that contradict each other.
    """
    if len(points) < LEAST_POINTS:
        raise LabelsError(f"{source}: {len(points)} control points, at least {LEAST_POINTS} are needed")
    centre = points[:, :2].mean(axis=0)
    scale = np.array([np.cos(np.deg2rad(centre[1])), 1.0]) * _DEGREE_M
    local_m = np.column_stack([(points[:, :2] - centre) * scale, np.ones(len(points))])
    if np.linalg.matrix_rank(local_m, tol=1.0) < 3:
        raise LabelsError(f"{source}: the control points lie on one line; add one beside it")
    solved, *_ = np.linalg.lstsq(local_m, points[:, 2:], rcond=None)
    px_per_m = np.sqrt(abs(float(np.linalg.det(solved[:2]))))
    worst_m = float(np.hypot(*(local_m @ solved - points[:, 2:]).T).max() / px_per_m)
    if worst_m > MOST_RESIDUAL_M:
        raise LabelsError(f"{source}: the control points contradict each other by {worst_m:.1f} m; check each")
    linear = solved[:2].T * scale
    return np.column_stack([linear, solved[2] - linear @ centre]), 1 / px_per_m
