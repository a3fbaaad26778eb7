"""Which adapter reads a folder: the first that recognises what lies in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, cast

from cv_pipeline.datasets.fields import FieldsDataset
from cv_pipeline.datasets.scene import Dataset
from cv_pipeline.datasets.simulated import SimulatedDataset
from cv_pipeline.errors import LabelsError


class Adapter(Protocol):
    """A data set's class: tells its folders from others, and reads one."""

    def __call__(self, folder: Path) -> Dataset:
        """The data set in a folder."""
        ...

    @property
    def recognises(self) -> Callable[[Path], bool]:
        """Whether a folder looks like this format."""
        ...


FORMATS: Mapping[str, Adapter] = {
    "simulated": cast("Adapter", SimulatedDataset),
    "fields": cast("Adapter", FieldsDataset),
}
"""By name, in the order in which they are asked."""


def open_dataset(folder: Path, format_name: str | None = None) -> Dataset:
    """The data set in a folder, by the named format or else the first that recognises it.

    Raises:
        LabelsError: no such folder or format, or no format recognises it.
    """
    if not folder.is_dir():
        raise LabelsError(f"{folder}: no such folder; give the data set's folder")
    if format_name is not None and format_name not in FORMATS:
        raise LabelsError(f"there is no format '{format_name}'; there are {', '.join(FORMATS)}")
    for name, adapter in FORMATS.items():
        if name == format_name or (format_name is None and adapter.recognises(folder)):
            return adapter(folder)
    raise LabelsError(
        f"{folder}: none of the known layouts ({', '.join(FORMATS)}); see datasets/README.md for what each looks like"
    )
