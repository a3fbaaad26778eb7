"""Bomb craters of the Vietnam War in KH-9 satellite film (Barthelme et al. 2024, doi:10.1016/j.srs.2024.100143).

Layout of the authors' code and of their deposit (doi:10.5281/zenodo.10629987), under ``data/`` or in the folder itself:
``1_crater_labels/AREA/labels.geojson`` (polygons with ``class_id`` 1 to 5), ``0_data_processing/AREA/catalog.geojson``
(extent of each labelled tile, column ``fn``) or ``2_training_data/AREA/catalog.geojson`` (the same with the columns
``train``, ``val`` and ``test``), and ``0_data_processing/AREA/tiles/FN``, 256 x 256 px of 1 m, one band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.datasets.drawn import polygon
from cv_pipeline.datasets.scene import CRATER, DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.frame import transformed
from cv_pipeline.imagery.source import open_source
from cv_pipeline.structures.vector import read_frames

CLASSES = {1: "pattern", 2: "rim", 3: "group", 4: "crescent", 5: "bowl"}
GROUP = 3
"""Several craters in one polygon: no crater that a centre could be asked of."""


@dataclass(frozen=True, slots=True)
class Kh9Dataset(Dataset):
    """The authors' data folder."""

    format = "kh9"
    layout = "1_crater_labels/AREA/labels.geojson, {0_data_processing, 2_training_data}/AREA/catalog.geojson, tiles/FN"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there are labels of a study area."""
        return bool(_labels(folder))

    def entries(self) -> Sequence[Entry]:
        """One scene a tile, by study area and in the catalogue's order."""
        return [entry for labels in _labels(self.folder) for entry in _area(labels)]


def _labels(folder: Path) -> list[Path]:
    return sorted(
        [*folder.glob("1_crater_labels/*/labels.geojson"), *folder.glob("data/1_crater_labels/*/labels.geojson")]
    )


def _area(labels: Path) -> list[Entry]:
    root, area = labels.parents[2], labels.parent.name
    places = [root / part / area / "catalog.geojson" for part in ("2_training_data", "0_data_processing")]
    catalogue = next((path for path in places if path.is_file()), places[1])
    frame = _frame(catalogue)
    if "fn" not in frame.columns:
        raise LabelsError(f"{catalogue}: lacks the column fn with the tiles' file names; fetch the deposit again")
    tiles = root / "0_data_processing" / area / "tiles"
    return [
        Entry(tiles / str(row.fn), partial(_scene, tiles / str(row.fn), labels, area, _split(row)))
        for row in frame.itertuples()
    ]


@lru_cache(maxsize=8)
def _frame(path: Path) -> Any:
    frames, _ = read_frames(path, LabelsError)
    return frames[0]


def _split(row: Any) -> str:
    return next((name for name in ("train", "val", "test") if getattr(row, name, 0) == 1), "")


def _scene(tile: Path, labels: Path, area: str, split: str) -> DataScene:
    """The study area is the place: the authors split by random tile, and neighbouring tiles share raids and film."""
    grid = open_source(tile).grid
    frame = _frame(labels)
    if grid.crs is None or frame.crs is None:
        raise LabelsError(f"{tile if grid.crs is None else labels}: carries no CRS, so labels cannot be placed")
    drawn = frame.to_crs(grid.crs)
    t, inverse = grid.transform, ~grid.transform
    right, bottom = t @ (grid.width, grid.height)
    near = drawn.cx[min(t.c, right) : max(t.c, right), min(t.f, bottom) : max(t.f, bottom)]
    objects: list[TrueObject] = []
    for place, row in enumerate(near.itertuples()):
        number = int(getattr(row, "class_id", 0))
        for part in getattr(row.geometry, "geoms", [row.geometry]):
            x, y = np.asarray(part.exterior.coords).T[:2]
            corners = np.column_stack(transformed(inverse, x, y))
            kind = "crater group" if number == GROUP else CRATER
            look = {"class": CLASSES.get(number, "unknown")}
            thing = polygon(str(getattr(row, "id", place)), kind, corners, look, source=str(labels))
            if 0 <= thing.row_px < grid.height and 0 <= thing.col_px < grid.width:
                objects.append(thing)
    return DataScene(
        name=f"{area}-{tile.stem}", place=area, split=split, after=tile, gsd_m=grid.gsd_m, objects=tuple(objects)
    )
