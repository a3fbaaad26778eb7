"""Any raster with labels in GeoJSON, GeoPackage or another vector file: one's own data, as for fine-tuning.

``dataset.yaml`` beside them::

    format: vector
    scenes:
      - {after: east.tif, labels: east.gpkg:craters, before: early.tif, area: done.geojson, place: east, split: fit}

Labels are read as fine-tuning reads them (:mod:`cv_pipeline.training.labels`); ``area`` are polygons in which every
crater is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from cv_pipeline.datasets.files import faults, read_yaml
from cv_pipeline.datasets.own import SceneFiles
from cv_pipeline.datasets.scene import CRATER, NO_SCALE, DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import LabelsError
from cv_pipeline.imagery.source import has_crs, open_source
from cv_pipeline.training.labels import Label, read_area, read_labels
from cv_pipeline.types import Status


class VectorScene(SceneFiles):
    """One scene of ``dataset.yaml``; ``name`` is the after image's own where none is given, ``place`` the name."""

    name: str = ""
    place: str = ""
    split: str = ""
    structures: Path | None = None


class _Listed(BaseModel):
    """The whole of ``dataset.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["vector"]
    scenes: list[VectorScene]


@dataclass(frozen=True, slots=True)
class VectorDataset(Dataset):
    """A folder with a dataset.yaml that lists scenes."""

    format = "vector"
    layout = "dataset.yaml (format: vector, scenes: [{after, labels, ...}]), the files that it names"

    @staticmethod
    def recognises(folder: Path) -> bool:  # noqa: ARG004
        """Never: a dataset.yaml names it."""
        return False

    def entries(self) -> Sequence[Entry]:
        """One scene an item of the list, in its order."""
        path = self.folder / "dataset.yaml"
        try:
            listed = _Listed.model_validate(read_yaml(path)).scenes
        except ValidationError as error:
            raise LabelsError(f"{path}: {faults(error)}; datasets/vector/README.md shows how it is written") from error
        return [Entry(self.folder / scene.labels, partial(_scene, self.folder, scene)) for scene in listed]


def _scene(folder: Path, given: VectorScene) -> DataScene:
    files = given.within(folder)
    in_metres = has_crs(files.after)
    if not in_metres and files.gsd_m is None:
        raise LabelsError(f"{files.after}: {NO_SCALE}")
    grid = open_source(files.after, gsd_m=None if in_metres else files.gsd_m).grid
    name = given.name or files.after.stem
    labels = read_labels(files.labels, grid, files.after)
    return DataScene(
        name=name,
        place=given.place or name,
        split=given.split,
        after=files.after,
        before=files.before,
        gsd_m=grid.gsd_m,
        objects=tuple(_object(number, label) for number, label in enumerate(labels, start=1)),
        structures=None if given.structures is None else folder / given.structures,
        area_px=() if files.area is None else read_area(files.area, grid, files.after),
    )


def _object(number: int, label: Label) -> TrueObject:
    outline = label.outline_px
    if len(outline) > 3 and np.array_equal(outline[0], outline[-1]):
        outline = outline[:-1]
    status = {None: Status.UNKNOWN, True: Status.NEW, False: Status.OLD}[label.is_new]
    return TrueObject(
        str(number), CRATER, label.row_px, label.col_px, radius_m=label.radius_m, outline_px=outline, status=status
    )
