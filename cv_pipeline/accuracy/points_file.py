"""Impact positions or published distances from a file, with every gap named."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cv_pipeline.errors import PointsError

NUMBER_COLUMNS = (
    "lon",
    "lat",
    "x_m",
    "y_m",
    "likely_m",
    "less_likely_m",
    "crater_radius_m",
    "blast_radius_m",
    "centre_sd_m",
)
MAY_BE_NEGATIVE = frozenset((*NUMBER_COLUMNS[:4], "offset_east_m", "offset_north_m"))


class Basis(StrEnum):
    """Where a published distance comes from: its source states it, or a reader inferred it."""

    STATED = "stated"
    INFERRED = "inferred"


class Plane(StrEnum):
    """What the coordinates of a points file are."""

    LONLAT = "lon, lat"
    METRES = "x_m, y_m"


@dataclass(frozen=True, slots=True)
class PointRecord:
    """One impact of a points file; None where the file leaves the cell empty or lacks the column."""

    impact_id: str
    x: float | None = None
    y: float | None = None
    likely_m: float | None = None
    less_likely_m: float | None = None
    likely_basis: Basis = Basis.STATED
    crater_radius_m: float | None = None
    blast_radius_m: float | None = None
    centre_sd_m: float = 0.0
    likely_aim_point: str | None = None
    less_likely_aim_point: str | None = None


@dataclass(frozen=True, slots=True)
class PointsFile:
    """Records in file order. ``plane`` is None without coordinates."""

    path: Path
    records: tuple[PointRecord, ...]
    plane: Plane | None
    has_distances: bool


def read_points(path: Path) -> PointsFile:
    """Read a CSV or any vector file of points.

    CSV columns: ``impact_id``, and ``lon,lat`` (WGS 84 degrees) or ``x_m,y_m`` (metres of one plane)
    or ``likely_m``; optional ``less_likely_m``, ``likely_basis`` (stated or inferred; empty means
    stated), ``likely_aim_point`` and ``less_likely_aim_point`` (in words), ``crater_radius_m``,
    ``blast_radius_m``, ``centre_sd_m``. Other columns are ignored.
    A vector file's CRS is honoured; without one its coordinates are metres. Features that are not
    points count at their centroid.

    Raises:
        PointsError: the file is missing, unreadable or empty, lacks the columns, repeats an impact
            ID, or holds a value that is no finite number, is negative or out of range.
    """
    if path.suffix.lower() == ".csv":
        header, rows = csv_rows(path)
    else:
        header, rows = _vector_rows(path)
    if not rows:
        raise PointsError(f"{path}: the file holds no impacts. Give at least one row.")
    plane = _plane(header)
    has_distances = "likely_m" in header
    if plane is None and not has_distances:
        raise PointsError(f"{path}: no usable columns. Give lon,lat or x_m,y_m or likely_m (and impact_id).")
    records = tuple(_record(path, number, row, plane) for number, row in enumerate(rows, start=1))
    ids = [record.impact_id for record in records]
    repeated = [impact_id for impact_id, count in Counter(ids).items() if count > 1]
    if repeated:
        raise PointsError(f"{path}: impact_id {', '.join(repeated[:5])} occurs more than once. Give each its own.")
    return PointsFile(path, records, plane, has_distances)


def csv_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Lower-case header and non-blank rows of a CSV with comma or semicolon.

    Raises:
        PointsError: the file is missing, empty or no CSV in UTF-8.
    """
    if not path.is_file():
        raise PointsError(f"{path}: no such file. Check the path.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as cause:
        raise PointsError(f"{path}: cannot be read as UTF-8 text ({cause}). Save it as CSV in UTF-8.") from cause
    if not text.strip():
        raise PointsError(f"{path}: the file is empty. Give a header line and at least one row.")
    first_line = text.partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    try:
        table = [[cell.strip() for cell in cells] for cells in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as cause:
        raise PointsError(f"{path}: not a readable CSV ({cause}). Save it as CSV in UTF-8.") from cause
    header = [name.lower() for name in table[0]]
    for number, cells in enumerate(table[1:], start=1):
        if len(cells) > len(header):
            raise PointsError(f"{path}: row {number} has more cells than the header. Quote cells that hold commas.")
    rows = [dict(zip(header, cells, strict=False)) for cells in table[1:] if any(cells)]
    return header, rows


def _vector_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of a vector file, with its coordinates put into the columns of their plane."""
    from cv_pipeline.structures.vector import as_text, read_frames

    frames, _ = read_frames(path, PointsError)
    undeclared = [frame.crs is None for frame in frames]
    if any(undeclared) and not all(undeclared):
        raise PointsError(f"{path}: some layers have a CRS and some have none. Give one layer.")
    x_name, y_name = ("x_m", "y_m") if undeclared[0] else ("lon", "lat")
    rows: list[dict[str, str]] = []
    for frame in frames:
        centres = (frame.geometry if frame.crs is None else frame.geometry.to_crs("EPSG:4326")).force_2d()
        attributes = frame.drop(columns=frame.geometry.name).to_dict("records")
        for point, values in zip(centres, attributes, strict=True):
            row = {str(key).lower(): as_text(value) or "" for key, value in values.items()}
            row = {key: value for key, value in row.items() if key not in {"lon", "lat", "x_m", "y_m"}}
            if point is not None and not point.is_empty:
                row |= {x_name: repr(float(point.centroid.x)), y_name: repr(float(point.centroid.y))}
            rows.append(row)
    header = sorted({key for row in rows for key in row} | {x_name, y_name})
    return header, rows


def _plane(header: Sequence[str]) -> Plane | None:
    for plane in Plane:
        if set(plane.value.split(", ")) <= set(header):
            return plane
    return None


def _record(path: Path, number: int, row: Mapping[str, str], plane: Plane | None) -> PointRecord:
    """One checked record; ``number`` counts rows below the header."""
    impact_id = row.get("impact_id") or str(number)
    values = {name: parse_number(path, impact_id, name, row.get(name, "")) for name in NUMBER_COLUMNS}
    x_name, y_name = plane.value.split(", ") if plane else ("x_m", "y_m")
    x, y = values[x_name], values[y_name]
    if plane is Plane.LONLAT and ((x is not None and abs(x) > 360) or (y is not None and abs(y) > 90)):
        raise PointsError(f"{path}: impact {impact_id}: lon {x}, lat {y} are not degrees. Name metres x_m, y_m.")
    basis = row.get("likely_basis", "").lower() or Basis.STATED.value
    if basis not in set(Basis):
        raise PointsError(f"{path}: impact {impact_id}: likely_basis is {basis!r}. Write stated or inferred.")
    return PointRecord(
        impact_id=impact_id,
        x=x,
        y=y,
        likely_m=values["likely_m"],
        less_likely_m=values["less_likely_m"],
        likely_basis=Basis(basis),
        crater_radius_m=values["crater_radius_m"],
        blast_radius_m=values["blast_radius_m"],
        centre_sd_m=values["centre_sd_m"] or 0.0,
        likely_aim_point=row.get("likely_aim_point") or None,
        less_likely_aim_point=row.get("less_likely_aim_point") or None,
    )


def parse_number(path: Path, impact_id: str, name: str, text: str) -> float | None:
    """A finite number or None for an empty cell.

    Raises:
        PointsError: the text is no finite number, or negative where ``name`` is a length.
    """
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise PointsError(
            f"{path}: impact {impact_id}: {name} is {text!r}, not a number. Leave unknown cells empty."
        ) from None
    if not math.isfinite(value) or (name not in MAY_BE_NEGATIVE and value < 0):
        raise PointsError(f"{path}: impact {impact_id}: {name} is {text}. Give a finite value, 0 or more for lengths.")
    return value
