"""Fields of craters labelled by centre: ``labels.csv`` and one ``field_<field>.jpg`` each, after image only.

Labels are incomplete, so precision is a lower bound. The images are third parties' and need not be there to score
detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cv_pipeline.datasets.scene import CRATER, DataScene, TrueObject
from cv_pipeline.evaluation.labelled import LabelledScene, read_scenes


@dataclass(frozen=True, slots=True)
class FieldsDataset:
    """A folder with ``labels.csv``."""

    folder: Path
    format: str = "fields"
    is_simulated: bool = False

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether a folder looks like this."""
        return (folder / "labels.csv").is_file()

    def scenes(self) -> Sequence[DataScene]:
        """One scene a field, in the order of the file."""
        return [_scene(field) for field in read_scenes(self.folder)]


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
