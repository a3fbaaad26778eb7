"""Whether a result is still what was written, and whether it belongs to the inputs at hand.

Checksums tell of damage and of edits by mistake. They are not signed: whoever changes a file on purpose can
change the list with it, so a copy of ``SHA256SUMS`` kept elsewhere is what an edit cannot reach.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from cv_pipeline.errors import ModelError, OutputError
from cv_pipeline.imagery.location import file_sha256
from cv_pipeline.report.checksums import files_of, read_checksums

INPUTS = ("after", "before", "structures")


class State(StrEnum):
    """What a check found."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"
    ADDED = "added"
    UNCHECKED = "not checked"


FAULTS = frozenset({State.DIFFERS, State.MISSING, State.ADDED})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: ``part`` is output, input, model or rerun; ``name`` says which."""

    part: str
    name: str
    state: State
    detail: str = ""


def verify_outputs(folder: Path) -> list[Check]:
    """Every file of a result against its ``SHA256SUMS``.

    Raises:
        OutputError: the folder holds no list, or a malformed one.
    """
    sums, present = read_checksums(folder), set(files_of(folder))
    checks = []
    for name, digest in sums.items():
        if name not in present:
            checks.append(Check("output", name, State.MISSING, "is listed but not there"))
        elif file_sha256(folder / name) != digest:
            checks.append(Check("output", name, State.DIFFERS, "was changed after it was written"))
        else:
            checks.append(Check("output", name, State.SAME))
    added = sorted(present - sums.keys())
    return checks + [Check("output", name, State.ADDED, "was not written by the run") for name in added]


def read_provenance(folder: Path) -> dict[str, Any]:
    """The provenance block of a result's ``summary.json``.

    Raises:
        OutputError: it is missing or unreadable.
    """
    path = folder / "summary.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["provenance"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{path}: holds no provenance ({error!r}); give the folder of a result") from error
    return record


def verify_inputs(record: Mapping[str, Any], given: Mapping[str, Path]) -> list[Check]:
    """The input files at hand against those that the run read.

    Args:
        record: from :func:`read_provenance`.
        given: paths by role (:data:`INPUTS`); a role that the run had and that is not given is not checked.
    """
    checks = []
    for role in INPUTS:
        known = record["extras"].get("structures") if role == "structures" else record["inputs"].get(role)
        path = given.get(role)
        if not known:
            if path is not None:
                checks.append(Check("input", role, State.DIFFERS, f"the run had no {role}"))
        elif not known.get("sha256"):
            checks.append(Check("input", role, State.UNCHECKED, "was not a file of the machine that ran it"))
        elif path is None:
            checks.append(Check("input", role, State.UNCHECKED, f"give {known['file']} with --{role}"))
        elif not path.is_file():
            checks.append(Check("input", role, State.MISSING, f"{path} is not there"))
        elif file_sha256(path) != known["sha256"]:
            checks.append(Check("input", role, State.DIFFERS, f"{path} is not the {known['file']} that was read"))
        else:
            checks.append(Check("input", role, State.SAME))
    return checks


def verify_model(record: Mapping[str, Any]) -> Check:
    """The weights that the recorded model name or path leads to against those that were used."""
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    wanted = record["config"]["model"]
    try:
        folder = find_model(wanted)
        same = file_sha256(folder / "weights.safetensors") == record["model"]["weights_sha256"]
        name = read_model_file(folder).name
    except (ModelError, OSError) as error:
        return Check("model", str(wanted), State.UNCHECKED, str(error))
    return Check("model", name, State.SAME if same else State.DIFFERS, "" if same else "other weights are installed")


def verify_rerun(folder: Path, record: Mapping[str, Any], given: Mapping[str, Path]) -> list[Check]:
    """Run again with the recorded settings and time, and compare every file byte for byte.

    Raises:
        OutputError: an input that the run had is not given.
        CvPipelineError: the run itself fails.
    """
    from cv_pipeline.config import AssessConfig
    from cv_pipeline.pipeline import assess

    lacking = [check.name for check in verify_inputs(record, given) if check.state is not State.SAME]
    if lacking:
        raise OutputError(f"{folder}: cannot be run again; other inputs, or not given: {', '.join(lacking)}")
    layer = (record["extras"].get("structures") or {}).get("layer")
    structures = given.get("structures")
    source = None if structures is None else f"{structures}:{layer}" if layer else str(structures)
    with tempfile.TemporaryDirectory(prefix="cv_pipeline-verify-") as scratch:
        again = Path(scratch) / "result"
        config = AssessConfig.model_validate({**record["config"], "out_dir": again})
        with _source_date(record["created_utc"]):
            assess(given.get("before"), given["after"], source, config)
        return [_compare(name, folder, again) for name in sorted({*files_of(folder), *files_of(again)})]


def _compare(name: str, folder: Path, again: Path) -> Check:
    one, other = folder / name, again / name
    if not one.is_file() or not other.is_file():
        return Check("rerun", name, State.ADDED if one.is_file() else State.MISSING, "is in one of both runs only")
    same = file_sha256(one) == file_sha256(other)
    return Check("rerun", name, State.SAME if same else State.DIFFERS, "" if same else "the new run wrote otherwise")


@contextmanager
def _source_date(created_utc: str) -> Iterator[None]:
    """Have the run record ``created_utc`` as its time, by the convention of reproducible builds."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime.fromisoformat(created_utc).timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
