"""``impacts.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

from cv_pipeline.report.rows import COLUMNS, Cell, impact_rows
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


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
    return f"{cell:.8f}".rstrip("0").rstrip(".")
