"""Which adapter reads a folder: the one that its dataset.yaml names, or the first that recognises what lies in it."""

from __future__ import annotations

from pathlib import Path

from cv_pipeline.datasets.arcade import ArcadeDataset
from cv_pipeline.datasets.bright import BrightDataset
from cv_pipeline.datasets.coco import CocoDataset
from cv_pipeline.datasets.cvat import CvatDataset
from cv_pipeline.datasets.fields import FieldsDataset
from cv_pipeline.datasets.files import read_yaml
from cv_pipeline.datasets.kh9 import Kh9Dataset
from cv_pipeline.datasets.labelme import LabelmeDataset
from cv_pipeline.datasets.levir import LevirDataset
from cv_pipeline.datasets.scene import Dataset
from cv_pipeline.datasets.simulated import SimulatedDataset
from cv_pipeline.datasets.vector import VectorDataset
from cv_pipeline.datasets.xbd import XbdDataset
from cv_pipeline.errors import LabelsError

FORMATS: dict[str, type[Dataset]] = {
    adapter.format: adapter
    for adapter in (
        VectorDataset,
        SimulatedDataset,
        ArcadeDataset,
        Kh9Dataset,
        XbdDataset,
        BrightDataset,
        LevirDataset,
        FieldsDataset,
        CvatDataset,
        CocoDataset,
        LabelmeDataset,
    )
}
"""By name, in the order in which they are asked: those that say what they are before those that are guessed."""


def open_dataset(folder: Path, format_name: str | None = None) -> Dataset:
    """The data set in a folder: of the named format, else of its dataset.yaml's, else of the first that recognises it.

    Raises:
        LabelsError: no such folder or format, a dataset.yaml that cannot be read, or no format recognises it.
    """
    if not folder.is_dir():
        raise LabelsError(f"{folder}: no such folder; give the data set's folder")
    wanted = format_name or _stated(folder)
    if wanted is not None:
        if wanted not in FORMATS:
            raise LabelsError(f"{folder}: there is no format '{wanted}'; there are {', '.join(FORMATS)}")
        return FORMATS[wanted](folder)
    for adapter in FORMATS.values():
        if adapter.recognises(folder):
            return adapter(folder)
    known = "\n".join(f"  {name}: {adapter.layout}" for name, adapter in FORMATS.items())
    raise LabelsError(f"{folder}: none of the known layouts, which are\n{known}")


def _stated(folder: Path) -> str | None:
    """The format that a folder's dataset.yaml states."""
    path = folder / "dataset.yaml"
    content = read_yaml(path) if path.is_file() else None
    return str(content["format"]) if isinstance(content, dict) and "format" in content else None
