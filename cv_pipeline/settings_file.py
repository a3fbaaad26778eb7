"""Settings in a YAML file, checked as a whole; the one way in which they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from cv_pipeline.errors import ConfigError, CvPipelineError

Settings = TypeVar("Settings", bound=BaseModel)


def read_settings(
    path: Path, kind: type[Settings], what: str, advice: str, error: type[CvPipelineError] = ConfigError
) -> Settings:
    """The settings in a YAML file; an empty file has none.

    Args:
        path: the file.
        kind: what it must hold.
        what: how such a file is called in messages, "valid training settings".
        advice: what to do where it cannot be read.
        error: what is raised.

    Raises:
        CvPipelineError: as ``error``: the file is missing, is no YAML, or a setting is unknown or out of range.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return kind.model_validate({} if content is None else content)
    except OSError as problem:
        raise error(f"{path}: cannot be read ({problem.strerror}); {advice}") from problem
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as problem:
        raise error(f"{path}: not {what}: {problem}") from problem
