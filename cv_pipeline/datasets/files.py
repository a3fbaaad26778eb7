"""Label files as plain values, with errors that name the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cv_pipeline.errors import LabelsError

IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".webp")


def read_text(path: Path) -> str:
    """The content of a text file.

    Raises:
        LabelsError: it is missing or no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror}); is the data set complete?") from error
    except UnicodeDecodeError as error:
        raise LabelsError(f"{path}: is no text ({error}); fetch or export it again") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        LabelsError: it is missing or no JSON.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise LabelsError(f"{path}: is no JSON ({error}); fetch or export it again") from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        LabelsError: it is missing or no YAML.
    """
    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise LabelsError(f"{path}: is no YAML ({' '.join(str(error).split())}); mend that place") from error


class Facts(BaseModel):
    """What a ``dataset.yaml`` beside the labels adds to a format that knows no GSD, place or date.

    ``gsd_m`` is for all images without a CRS; ``places``, ``splits`` and ``before`` (an image) are by scene name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str | None = None
    gsd_m: float | None = Field(None, gt=0)
    places: dict[str, str] = {}
    splits: dict[str, str] = {}
    before: dict[str, Path] = {}


def facts_of(folder: Path) -> Facts:
    """The facts in a folder's ``dataset.yaml``; none where there is no such file.

    Raises:
        LabelsError: it cannot be read, or holds what is none of them.
    """
    path = folder / "dataset.yaml"
    if not path.is_file():
        return Facts()
    try:
        return Facts.model_validate(read_yaml(path))
    except ValidationError as error:
        raise LabelsError(
            f"{path}: {faults(error)}; it may hold {', '.join(Facts.model_fields)}, as datasets/coco/README.md shows"
        ) from error


def faults(error: ValidationError) -> str:
    """What pydantic found, in a line: where it is, and what is wrong with it."""
    found = [(".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in error.errors()]
    return "; ".join(f"{where}: {what}" if where else what for where, what in found)
