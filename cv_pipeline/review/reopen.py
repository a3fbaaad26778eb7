"""A finished result opened again, with the images that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import ReviewError
from cv_pipeline.imagery.location import file_sha256
from cv_pipeline.report import checksums
from cv_pipeline.report.state import NAME as STATE_NAME
from cv_pipeline.report.state import read_state
from cv_pipeline.report.verify import State, read_provenance, verify_inputs
from cv_pipeline.types import Assessment


@dataclass(frozen=True, slots=True)
class Opened:
    """A result: what it found, its settings, its provenance, and the SHA-256 of its ``SHA256SUMS``."""

    folder: Path
    assessment: Assessment
    config: AssessConfig
    provenance: Mapping[str, Any]
    sha256: str


def open_result(folder: Path, *, before: Path | None = None, after: Path | None = None) -> Opened:
    """Open what ``assess`` or ``detect`` wrote.

    An image that is not given is looked for under its recorded name in the result's folder, in the folder around it and
    in the current one.

    Args:
        folder: the result.
        before: the before image.
        after: the after image.

    Raises:
        ReviewError: the result was itself made from a review or was changed, or an image is not the one that was read.
        OutputError: the folder is no result of this version.
    """
    record = read_provenance(folder)
    sums = checksums.read_checksums(folder)
    for name in (STATE_NAME, "summary.json"):
        if (folder / name).is_file() and file_sha256(folder / name) != sums.get(name):
            raise ReviewError(f"{folder / name}: was changed after it was written; see 'cv-pipeline verify {folder}'")
    images = {role: _image(folder, record, role, given) for role, given in (("after", after), ("before", before))}
    assessment = read_state(folder, after=images["after"], before=images["before"])
    if assessment.review is not None:
        raise ReviewError(f"{folder}: was made from a review already; review the result that it was made from")
    config = AssessConfig.model_validate(record["config"])
    return Opened(folder, assessment, config, record, file_sha256(folder / checksums.NAME))


def _image(folder: Path, record: Mapping[str, Any], role: str, given: Path | None) -> Path | None:
    known = record["inputs"].get(role)
    if known is None:
        if given is not None:
            raise ReviewError(f"--{role} {given}: the result was made without a {role} image; leave it out")
        return None
    name = known["file"]
    places = (folder, folder.resolve().parent, Path())
    path = given or next((place / name for place in places if (place / name).is_file()), None)
    if path is None:
        raise ReviewError(f"{folder}: the {role} image {name} is not at hand; say where it is with --{role}")
    (check,) = [check for check in verify_inputs(record, {role: path}) if check.name == role]
    if check.state not in (State.SAME, State.UNCHECKED):
        raise ReviewError(f"{path}: is not the {name} that the result was made from ({check.detail}); give --{role}")
    return path
