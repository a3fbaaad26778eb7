"""Fields of craters labelled by centre: ``labels.csv`` and one ``field_<field>.jpg`` each, after image only.

Labels are incomplete, so precision is a lower bound. The images are third parties' and need not be there to score
detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cv_pipeline.datasets.scene import CRATER, DataScene, Dataset, Entry, TrueObject
from cv_pipeline.errors import ConfigError, LabelsError
from cv_pipeline.evaluation.labelled import LabelledScene, read_scenes


@dataclass(frozen=True, slots=True)
class FieldsDataset(Dataset):
    """A folder with ``labels.csv``."""

    format = "fields"
    layout = "labels.csv (field, col_px, row_px, gsd_m), field_FIELD.jpg"

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether there is a labels.csv."""
        return (folder / "labels.csv").is_file()

    def entries(self) -> Sequence[Entry]:
        """One scene a field, in the order of the file."""
        try:
            fields = read_scenes(self.folder)
        except ConfigError as error:
            raise LabelsError(str(error)) from error
        return [Entry(field.image, partial(_scene, field)) for field in fields]


def _scene(field: LabelledScene) -> DataScene:
    """A field's place is the field: fields do not share ground."""
    return DataScene(
        name=field.field,
        place=field.field,
        split="test",
        after=field.image,
        gsd_m=field.gsd_m,
        objects=tuple(
            TrueObject(f"{field.field}-{n}", CRATER, float(row), float(col))
            for n, (col, row) in enumerate(field.labels_px, start=1)
        ),
        is_complete=False,
    )
