"""``impacts.csv`` and ``hypotheses.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

from cv_pipeline.report.rows import COLUMNS, ERROR_PARTS, Cell, impact_rows
from cv_pipeline.types import Assessment

# A spreadsheet runs a text cell that starts with one of these; structure ids come from other people's files.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_impacts_csv(assessment: Assessment, path: Path) -> Path:
    """Write the impacts table as UTF-8 CSV; an unknown value is an empty cell.

    No impacts give a file with the header alone. Text that a spreadsheet would take for a formula is
    written with a leading apostrophe.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in impact_rows(assessment):
            writer.writerow([_text(row[name]) for name in COLUMNS])
    return path


HYPOTHESIS_COLUMNS = (
    "impact_id", "hypothesis", "kind", "structure_id", "distance_m", "distance_sd_m", "weight",
    "offset_east_m", "offset_north_m", *ERROR_PARTS,
)  # fmt: skip


def write_hypotheses_csv(assessment: Assessment, path: Path) -> Path:
    """Write every aim point that was weighed, likeliest first within an impact.

    ``hypothesis`` is the name by which ``cv-pipeline accuracy --hypotheses`` knows it; the offset is impact
    minus aim point. The last columns are the parts of ``distance_sd_m``. Rows picked from this file are
    such a file. No matches give the header alone.
    """
    places = {impact.impact_id: (impact.x_m, impact.y_m) for impact in assessment.impacts}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HYPOTHESIS_COLUMNS)
        for match in assessment.matches:
            for h in match.hypotheses:
                x_m, y_m = places[match.impact_id]
                east_m, north_m = (None, None) if h.aim_m is None else (x_m - h.aim_m[0], y_m - h.aim_m[1])
                parts = [None if h.error is None else getattr(h.error, name) for name in ERROR_PARTS]
                cells = (h.distance_m, h.distance_sd_m, h.weight, east_m, north_m, *parts)
                names = (match.impact_id, h.hypothesis_id or h.kind, h.kind, h.structure_id)
                writer.writerow([_text(cell) for cell in (*names, *cells)])
    return path


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
    return f"{cell:.8f}".rstrip("0").rstrip(".")
