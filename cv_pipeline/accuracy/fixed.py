"""Aim points that a person has decided on, from a CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cv_pipeline.accuracy.choices import Choice
from cv_pipeline.accuracy.points_file import csv_rows, parse_number
from cv_pipeline.errors import PointsError

SAME_M = 0.011
"""Distances are written to the centimetre; a greater difference means another run or another aim point."""


@dataclass(frozen=True, slots=True)
class FixedAim:
    """One row: a name of one of the impact's choices, or a distance of the user's own, or both."""

    impact_id: str
    hypothesis: str | None
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class FixedAims:
    """The rows of a file by impact."""

    path: Path
    rows: Mapping[str, FixedAim]


def plain_text(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it as a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in set("=+-@") else cell


def read_fixed_aims(path: Path) -> FixedAims:
    """Read ``impact_id``, ``hypothesis`` and ``distance_m``; other columns are ignored, as those of ``hypotheses.csv``.

    Raises:
        PointsError: the file is missing, unreadable or without these columns, names an impact twice, or
            leaves both cells of a row empty.
    """
    header, rows = csv_rows(path)
    if "impact_id" not in header or not {"hypothesis", "distance_m"} & set(header):
        raise PointsError(f"{path}: needs the columns impact_id and hypothesis, or distance_m. Add them.")
    found: dict[str, FixedAim] = {}
    for row in rows:
        impact_id = row.get("impact_id", "")
        if impact_id in found:
            raise PointsError(f"{path}: impact {impact_id} has more than one row. Keep the aim point you decided on.")
        distance_m = parse_number(path, impact_id, "distance_m", row.get("distance_m", ""))
        name = plain_text(row.get("hypothesis", "")) or None
        if name is None and distance_m is None:
            raise PointsError(f"{path}: impact {impact_id}: names no hypothesis and no distance_m. Give one or both.")
        found[impact_id] = FixedAim(impact_id, name, distance_m)
    if not found:
        raise PointsError(f"{path}: the file holds no rows. Give at least one impact.")
    return FixedAims(path, found)


def apply_fixed(fixed: FixedAims | None, choices: Mapping[str, Sequence[Choice]]) -> dict[str, Sequence[Choice]]:
    """The choices (by impact) with each fixed impact's list cut down to the one decided on.

    A hypothesis that bears the name of a choice picks that choice; a distance beside it must agree. Any
    other name needs a distance, which then is the user's own.

    Raises:
        PointsError: an impact is not in ``choices``, a name is not among its choices and has no
            distance, or a distance contradicts the choice of that name.
    """
    narrowed = dict(choices)
    for impact_id, row in ({} if fixed is None else fixed.rows).items():
        assert fixed is not None
        if impact_id not in choices:
            raise PointsError(f"{fixed.path}: impact {impact_id} is not among the impacts. Check its ID.")
        narrowed[impact_id] = (_decide(fixed.path, row, choices[impact_id]),)
    return narrowed


def _decide(path: Path, row: FixedAim, choices: Sequence[Choice]) -> Choice:
    name = (row.hypothesis or "").casefold()
    named = [choice for choice in choices if name in {known.casefold() for known in choice.names}]
    if not named:
        if row.distance_m is None:
            known = "; ".join(choice.names[0] for choice in choices if choice.names) or "none"
            raise PointsError(
                f"{path}: impact {row.impact_id}: {row.hypothesis!r} is none of its aim points ({known}). "
                "Name one of them, or give a distance_m of your own."
            )
        return Choice((row.hypothesis,) if row.hypothesis else (), row.distance_m)
    chosen = named[0]
    if row.distance_m is not None and abs(row.distance_m - chosen.distance_m) > SAME_M:
        raise PointsError(
            f"{path}: impact {row.impact_id}: {row.hypothesis} lies {chosen.distance_m:.2f} m away, not "
            f"{row.distance_m:g} m. Leave distance_m empty, or name an aim point of your own."
        )
    return chosen
