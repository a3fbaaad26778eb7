"""Simulated scenes: a set of strikebench, or a data set of ``cv-pipeline simulate``.

Each scene is a folder with before.tif, after.tif, truth.geojson, truth.tif, structures.geojson and scene.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cv_pipeline.datasets.scene import CRATER, DataScene, Dataset, Entry, RasterBand, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.types import Float64Array, Status

_BANDS = ("crater", "blast")
_AZIMUTHS_RAD = np.arange(72) * 2 * np.pi / 72


@dataclass(frozen=True, slots=True)
class SimulatedDataset(Dataset):
    """A folder of simulated scenes."""

    format = "simulated"
    layout = "SCENE/{before.tif, after.tif, truth.geojson, truth.tif, structures.geojson, scene.yaml}"
    is_simulated = True

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether a scene folder with its truth lies in it."""
        return next(folder.glob("*/truth.geojson"), None) is not None

    def entries(self) -> Sequence[Entry]:
        """All scenes, by name."""
        found = [Entry(path, partial(_scene, path.parent)) for path in sorted(self.folder.glob("*/truth.geojson"))]
        if not found:
            raise LabelsError(f"{self.folder}: no scene folders with a truth.geojson; render them first")
        return found


def _scene(folder: Path) -> DataScene:
    truth = folder / "truth.geojson"
    try:
        facts: dict[str, Any] = yaml.safe_load((folder / "scene.yaml").read_text(encoding="utf-8"))
        rows = [f["properties"] for f in json.loads(truth.read_text(encoding="utf-8"))["features"]]
        gsd_m = float(facts["gsd_m"])
        shift = facts["misalignment_of_before"]
        return DataScene(
            name=folder.name,
            place="|".join(facts["places"]),
            split=str(facts["split"]),
            after=folder / "after.tif",
            before=folder / "before.tif",
            gsd_m=gsd_m,
            objects=tuple(_object(row, gsd_m) for row in rows if row["status"] != "gone" and row["visible"]),
            condition=str(facts.get("condition", "")),
            structures=folder / "structures.geojson" if facts["structures"] else None,
            masks=_masks(folder / "truth.tif"),
            known=_band(folder / "truth.tif", "visible"),
            facts={
                "shift_row_px": float(shift["shift_px"][0]),
                "shift_col_px": float(shift["shift_px"][1]),
                "rotation_deg": float(shift["rotation_deg"]),
                "scale": float(shift["scale"]),
                "relief_px": float(shift["relief_px"]),
                "relief_wavelength_px": float(shift["relief_wavelength_px"]),
                "relief_seed": float(shift["seed"]),
            },
        )
    except OSError as error:
        raise LabelsError(f"{folder}: cannot be read ({error}); render the data set again") from error
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise LabelsError(f"{folder}: not a simulated scene ({error!r}); render the data set again") from error


def _object(row: dict[str, Any], gsd_m: float) -> TrueObject:
    at_px = np.array([row["row_px"], row["col_px"]], np.float64)
    return TrueObject(
        object_id=str(row["id"]),
        kind=CRATER,
        row_px=float(at_px[0]),
        col_px=float(at_px[1]),
        radius_m=float(row["crater_radius_m"]),
        outline_px=ellipse_px(
            at_px, row["crater_semi_major_m"], row["crater_semi_minor_m"], row["crater_axis_deg"] or 0.0, gsd_m
        ),
        blast_radius_m=row["blast_radius_m"],
        direction_deg=row["direction_deg"],
        status=Status(row["status"]),
        structure_id=row["structure_id"] or "",
        distance_edge_m=row["distance_edge_m"],
        attributes={"family": str(row["family"]), "surface": str(row["surface"])},
    )


def ellipse_px(
    at_px: Float64Array, semi_major_m: float, semi_minor_m: float, axis_deg: float, gsd_m: float
) -> Float64Array:
    """The outline (72, 2) as (row, col) of an ellipse around (row, col); ``axis_deg`` is clockwise from image up."""
    off = _AZIMUTHS_RAD - np.deg2rad(axis_deg)
    edge_m = semi_major_m * semi_minor_m / np.hypot(semi_minor_m * np.cos(off), semi_major_m * np.sin(off))
    edge_px = edge_m / gsd_m
    return np.column_stack([at_px[0] - edge_px * np.cos(_AZIMUTHS_RAD), at_px[1] + edge_px * np.sin(_AZIMUTHS_RAD)])


def _masks(path: Path) -> dict[str, RasterBand]:
    bands = {name: _band(path, name) for name in _BANDS}
    return {name: band for name, band in bands.items() if band is not None}


def _band(path: Path, name: str) -> RasterBand | None:
    """The band of that name; None where the scene has no truth rasters."""
    if not path.is_file():
        return None
    import rasterio

    with rasterio.open(path) as file:
        return RasterBand(path, file.descriptions.index(name) + 1)
