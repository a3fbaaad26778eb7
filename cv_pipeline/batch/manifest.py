"""The manifest of a batch: which pairs are to be assessed, checked whole before the first one runs.

Three forms give the same rows: a CSV file, a folder of scenes (:mod:`cv_pipeline.batch.folder`), and a STAC
catalogue or item collection (:mod:`cv_pipeline.batch.stac`). Every row is then checked the same way here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError, ManifestError

PATH_COLUMNS = ("before", "after", "structures")
OVERRIDES = (
    "gsd_m", "before_gsd_m", "bands", "before_bands", "score_threshold", "confidence", "geolocation_ce90_m",
    "footprint_ce90_m", "footprint_offset", "seed",
)  # fmt: skip
"""Settings that a row may change. The others say how the work is done and are one for the whole run."""
COLUMNS = ("pair_id", *PATH_COLUMNS, "gsd", *OVERRIDES)
ONLINE_SOURCES = ("overture", "osm")
_PAIR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MOST_LISTED = 200
"""Problems told one by one; a manifest with more has one cause for most of them."""


class Row(NamedTuple):
    """A row as it was read: where it stands, and its filled cells by column."""

    origin: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PairEntry:
    """One pair of a manifest; paths are absolute or names that GDAL or the structures' reader knows.

    ``before`` None: detection in the after image alone. ``overrides`` are settings that differ from the run's.
    """

    pair_id: str
    before: str | None
    after: str
    structures: str | None
    overrides: tuple[tuple[str, Any], ...] = ()

    def config(self, base: AssessConfig) -> AssessConfig:
        """The settings of this pair."""
        return AssessConfig.model_validate(base.model_dump() | dict(self.overrides))


def read_manifest(
    path: Path, base: AssessConfig | None = None, *, collections: tuple[str, str] = ("before", "after")
) -> tuple[PairEntry, ...]:
    """All pairs of a manifest, in its order.

    Args:
        path: a ``.csv`` file, a folder, or a ``.json`` file of STAC; relative paths in it are taken from its folder.
        base: the run's settings, with which each row's own must agree.
        collections: the STAC collections of before and after images.

    Raises:
        ManifestError: anything is wrong; the message lists all of it, so that one correction is enough.
    """
    if path.is_dir():
        from cv_pipeline.batch.folder import folder_rows

        rows, problems = folder_rows(path)
    elif path.suffix.lower() in (".json", ".geojson"):
        from cv_pipeline.batch.stac import stac_rows

        rows, problems = stac_rows(path, collections)
    else:
        rows, problems = _csv_rows(path)
    folder = path if path.is_dir() else path.parent
    entries = []
    for row in rows:
        entry, wrong = _entry(row, folder.absolute(), base or AssessConfig())
        problems += [f"{row.origin}: {text}" for text in wrong]
        if entry is not None:
            entries.append((row.origin, entry))
    problems += _repeated(entries)
    if not rows and not problems:
        problems = ["it names no pair"]
    if problems:
        raise ManifestError(_listed(path, problems))
    return tuple(entry for _, entry in entries)


def _listed(path: Path, problems: Sequence[str]) -> str:
    lines = [f"  {problem}" for problem in problems[:MOST_LISTED]]
    if len(problems) > MOST_LISTED:
        lines.append(f"  and {len(problems) - MOST_LISTED} more")
    return "\n".join([f"{path}: {len(problems)} problem(s); nothing was run. Mend these and start again:", *lines])


def _csv_rows(path: Path) -> tuple[list[Row], list[str]]:
    """Rows of a CSV file with a header; unknown columns and cells beyond the header are problems.

    Spreadsheets of some countries separate by semicolons; what separates the header separates all.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            separator = max(",;\t", key=head.count)
            columns = [name.strip().lower() for name in next(csv.reader([head], delimiter=separator), [])]
            reader = csv.DictReader(stream, columns, delimiter=separator)
            lines = [(reader.line_num + 1, cells) for cells in reader]
    except FileNotFoundError as error:
        raise ManifestError(f"{path}: no such file; check the path") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "save it as CSV in UTF-8, with a header line"
        raise ManifestError(f"{path}: cannot be read as a CSV manifest ({error}); {hint}") from error
    problems = [f"column {name!r} stands there twice" for name in COLUMNS if columns.count(name) > 1]
    if unknown := [name for name in columns if name not in COLUMNS]:
        problems.append(
            f"{'columns' if len(unknown) > 1 else 'column'} {', '.join(map(repr, unknown))} not known; "
            f"the columns are {', '.join(COLUMNS)}"
        )
    if "after" not in columns:
        return [], [*problems, "there is no column 'after'"]
    rows = []
    for line, cells in lines:
        if None in cells:
            problems.append(f"line {line}: more cells than the header has columns")
        filled = {name: cell.strip() for name, cell in cells.items() if isinstance(cell, str) and cell.strip()}
        if filled:
            rows.append(Row(f"line {line}", {name: cell for name, cell in filled.items() if name in COLUMNS}))
    return rows, problems


def _entry(row: Row, folder: Path, base: AssessConfig) -> tuple[PairEntry | None, list[str]]:
    """The checked pair of a row, and what is wrong with it."""
    cells = dict(row.cells)
    if "gsd" in cells:
        if "gsd_m" in cells:
            return None, ["gsd and gsd_m are the same; give one"]
        cells["gsd_m"] = cells.pop("gsd")
    if "after" not in cells:
        return None, ["there is no after image"]
    paths = {name: _absolute(cells[name], folder) for name in PATH_COLUMNS if name in cells}
    problems = [text for name, path in paths.items() for text in _path_problems(name, path)]
    if paths.get("before") == paths["after"]:
        problems.append("before and after are the same file; leave 'before' empty for the after image alone")
    pair_id = cells.get("pair_id") or Path(paths["after"]).stem
    if not _PAIR_ID.fullmatch(pair_id):
        problems.append(
            f"pair_id {pair_id!r} cannot name a folder; take up to 100 letters, digits, '.', '-' or '_', "
            "the first a letter or digit"
        )
    overrides = {name: _value(name, cells[name]) for name in OVERRIDES if name in cells}
    problems += _setting_problems(overrides, base)
    entry = PairEntry(
        pair_id, paths.get("before"), paths["after"], paths.get("structures"), tuple(sorted(overrides.items()))
    )
    return entry, problems


def _value(name: str, text: str) -> Any:
    return tuple(text.split(",")) if name.endswith("bands") else text


def _setting_problems(overrides: Mapping[str, Any], base: AssessConfig) -> Iterator[str]:
    from pydantic import ValidationError

    try:
        AssessConfig.model_validate(base.model_dump() | dict(overrides))
    except ValidationError as error:
        messages = {str(wrong["loc"][0]): wrong["msg"] for wrong in reversed(error.errors())}
        for name, value in overrides.items():
            if name.endswith("bands") and name in messages:
                yield f"{name}: give three band numbers from 1, for instance 3,2,1 (got {','.join(value)})"
            elif name in messages:
                yield f"{name}: {messages[name]} (got {value})"


def _absolute(text: str, folder: Path) -> str:
    """A path as seen from the manifest's folder; names of virtual files and online sources as they are."""
    from cv_pipeline.imagery.location import gdal_name

    if text in ONLINE_SOURCES or gdal_name(text).startswith("/vsi") or re.match(r"[A-Za-z]\w+:[^/\\]", text):
        return text
    return str(folder / text)


def _path_problems(name: str, text: str) -> Iterator[str]:
    """What can be said of a path without opening the file."""
    import os

    from cv_pipeline.imagery.location import check_file, is_plain

    path = Path(text)
    if name == "structures":
        from cv_pipeline.structures.vector import split_layer

        if text in ONLINE_SOURCES:
            return
        path = split_layer(path)[0]
    if not is_plain(path):
        return
    try:
        check_file(path)
    except CvPipelineError as error:
        yield f"{name}: {error}"
        return
    if not os.access(path, os.R_OK):
        yield f"{name}: {path}: may not be read; change its permissions"


def _repeated(entries: Sequence[tuple[str, PairEntry]]) -> list[str]:
    """Pairs that would write to one folder, also where the file system does not tell capitals apart."""
    first: dict[str, str] = {}
    problems = []
    for origin, entry in entries:
        earlier = first.setdefault(entry.pair_id.casefold(), origin)
        if earlier != origin:
            problems.append(f"{origin}: pair_id {entry.pair_id!r} is that of {earlier}; give each pair its own")
    return problems
