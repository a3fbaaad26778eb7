"""Label files as plain values, with errors that name the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

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
        raise LabelsError(f"{path}: is no YAML ({error}); mend what it points at") from error


def facts_of(folder: Path) -> dict[str, Any]:
    """What a ``dataset.yaml`` beside the labels adds, such as ``gsd_m``, ``places`` and ``splits``; may be absent."""
    path = folder / "dataset.yaml"
    content = read_yaml(path) if path.is_file() else {}
    if not isinstance(content, dict):
        raise LabelsError(f"{path}: must hold names and values, such as gsd_m: 0.5")
    return content
