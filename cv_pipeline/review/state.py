"""What a review has come to: the run's impacts with every edit applied, by pure functions.

Nothing but the record is kept of a review; whoever replays it over the same impacts gets the same state.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cv_pipeline.errors import ReviewError
from cv_pipeline.review.record import Edit, Value
from cv_pipeline.types import Decision, Impact

MEASURES = ("centre_px", "crater_radius_m", "blast_radius_m", "direction_deg")
"""What a person may measure anew: centre (row, col) in after-image pixels, radii, azimuth of the axis."""
MAX_RADIUS_M = 1000.0
ADDED_ID = re.compile(r"R\d{3,6}")
WINDOW_ID = re.compile(r"W\d{4,6}")
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class ReviewedImpact:
    """One impact as the review has it; ``original`` is None where a person added it.

    ``aim`` is the ID of the aim point that was picked, None for the likeliest.
    """

    impact_id: str
    original: Impact | None
    decision: Decision
    centre_px: tuple[float, float]
    crater_radius_m: float
    blast_radius_m: float | None = None
    direction_deg: float | None = None
    aim: str | None = None

    @property
    def measured(self) -> tuple[str, ...]:
        """The measures that are a person's: all that an added impact has, else those that differ from the run's."""
        if self.original is None:
            return tuple(name for name in MEASURES if getattr(self, name) is not None)
        untouched = untouched_impact(self.original)
        return tuple(name for name in MEASURES if not _same(getattr(self, name), getattr(untouched, name)))


@dataclass(frozen=True, slots=True)
class ReviewState:
    """All impacts by ID, rejected ones included, in the run's order, added ones last; and the windows looked at.

    ``added`` counts all impacts that were ever added, so that no identifier is used twice.
    """

    impacts: Mapping[str, ReviewedImpact]
    windows_seen: frozenset[str] = frozenset()
    added: int = 0

    @property
    def kept(self) -> tuple[ReviewedImpact, ...]:
        """All that was not rejected."""
        return tuple(impact for impact in self.impacts.values() if impact.decision is not Decision.REJECTED)


def untouched_impact(impact: Impact) -> ReviewedImpact:
    """An impact that nobody has looked at."""
    return ReviewedImpact(
        impact.impact_id, impact, Decision.UNREVIEWED, (impact.row_px, impact.col_px), impact.crater_radius_m,
        impact.blast_radius_m, impact.direction_deg,
    )  # fmt: skip


def start(impacts: Sequence[Impact]) -> ReviewState:
    """The state before the first edit."""
    return ReviewState({impact.impact_id: untouched_impact(impact) for impact in impacts})


def replay(impacts: Sequence[Impact], edits: Iterable[Edit]) -> ReviewState:
    """The state after all edits, in order.

    Raises:
        ReviewError: an edit does not fit the state before it; the message names its line of the record.
    """
    state = start(impacts)
    for line, edit in enumerate(edits, start=2):
        try:
            state = apply_edit(state, edit)
        except ReviewError as error:
            raise ReviewError(f"line {line} of the record: {error}") from error
    return state


def apply_edit(state: ReviewState, edit: Edit) -> ReviewState:
    """The state after one edit.

    Raises:
        ReviewError: the field or value makes no sense, or ``old`` is not what the state holds.
    """
    new = checked_value(state, edit.impact_id, edit.field, edit.new)
    if not _same(current_value(state, edit.impact_id, edit.field), edit.old):
        raise ReviewError(f"{edit.impact_id}: the old {edit.field} is not {edit.old!r}; the edit is of another state")
    if edit.field == "window":
        seen = state.windows_seen
        return replace(state, windows_seen=seen | {edit.impact_id} if new else seen - {edit.impact_id})
    impacts = dict(state.impacts)
    if edit.field == "added":
        if new is None:
            del impacts[edit.impact_id]
            return replace(state, impacts=impacts)
        impacts[edit.impact_id] = ReviewedImpact(edit.impact_id, None, Decision.ADDED, **new)
        return replace(state, impacts=impacts, added=state.added + 1)
    impacts[edit.impact_id] = replace(impacts[edit.impact_id], **{edit.field: new})
    return replace(state, impacts=impacts)


def current_value(state: ReviewState, impact_id: str, field: str) -> Value:
    """What a field holds now, as the record writes it; None for what is not there."""
    if field == "window":
        return True if impact_id in state.windows_seen else None
    impact = state.impacts.get(impact_id)
    if field == "added":
        return None if impact is None else _as_added(impact)
    value = None if impact is None else getattr(impact, field)
    if isinstance(value, Decision):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def checked_value(state: ReviewState, impact_id: str, field: str, value: Value) -> Any:
    """A field's new value in the type that the state holds.

    Raises:
        ReviewError: there is no such impact or field, or the value is out of range.
    """
    if field == "window":
        if not WINDOW_ID.fullmatch(impact_id) or value not in (True, None):
            raise ReviewError(f"{impact_id}: a window is looked at (true) or not (null), not {value!r}")
        return value
    if field == "added":
        return _checked_addition(state, impact_id, value)
    if impact_id not in state.impacts:
        raise ReviewError(f"{impact_id}: there is no such impact in this review")
    if field not in _CHECKS:
        raise ReviewError(f"{impact_id}: {field!r} cannot be edited; one of {', '.join(_CHECKS)} can")
    impact = state.impacts[impact_id]
    if field == "decision" and value not in _decisions(impact):
        raise ReviewError(f"{impact_id}: the decision is one of {', '.join(_decisions(impact))}, not {value!r}")
    try:
        return _CHECKS[field](value)
    except (TypeError, ValueError) as error:
        raise ReviewError(f"{impact_id}: {field} cannot be {value!r} ({error})") from error


def next_added_id(state: ReviewState) -> str:
    """The identifier of the next impact that a person adds."""
    return f"R{state.added + 1:03d}"


def edit_to_undo(edits: Sequence[Edit]) -> tuple[int, Edit] | None:
    """The last edit that was not taken back yet, with its line of the record; None where there is none."""
    undone = {edit.undoes for edit in edits}
    for line in range(len(edits) + 1, 1, -1):
        edit = edits[line - 2]
        if edit.undoes is None and line not in undone:
            return line, edit
    return None


def _decisions(impact: ReviewedImpact) -> tuple[str, ...]:
    """What may be decided on an impact; one that a person added is taken out again instead of rejected."""
    if impact.original is None:
        return (Decision.ADDED.value,)
    return (Decision.ACCEPTED.value, Decision.REJECTED.value, Decision.UNREVIEWED.value)


def _checked_addition(state: ReviewState, impact_id: str, value: Value) -> Any:
    if value is None:
        if impact_id in state.impacts and state.impacts[impact_id].original is None:
            return None
        raise ReviewError(f"{impact_id}: was not added by a person, so it cannot be taken out; reject it")
    if not ADDED_ID.fullmatch(impact_id) or impact_id in state.impacts:
        raise ReviewError(f"{impact_id}: is no new identifier of an added impact; use {next_added_id(state)}")
    if not isinstance(value, Mapping) or not {"centre_px", "crater_radius_m"} <= set(value) <= set(_ADDED):
        raise ReviewError(f"{impact_id}: an added impact has centre_px and crater_radius_m, not {value!r}")
    try:
        return {name: _CHECKS[name](item) for name, item in value.items()}
    except (TypeError, ValueError) as error:
        raise ReviewError(f"{impact_id}: cannot be added with {value!r} ({error})") from error


def _as_added(impact: ReviewedImpact) -> Value:
    """All that is known of an added impact, so that taking it out can be undone."""
    values = {name: getattr(impact, name) for name in _ADDED}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items() if v is not None}


def _number(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("it has to be a finite number")
    return float(value)


def _radius(value: Value) -> float:
    radius_m = _number(value)
    if not 0 < radius_m <= MAX_RADIUS_M:
        raise ValueError(f"it has to be above 0 and at most {MAX_RADIUS_M:g} m")
    return radius_m


def _point(value: Value) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("it has to be a row and a column")
    return _number(value[0]), _number(value[1])


def _azimuth(value: Value) -> float:
    azimuth_deg = _number(value)
    if not 0 <= azimuth_deg < 360:
        raise ValueError("it has to be from 0 to below 360 degrees")
    return azimuth_deg


def _text(value: Value) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 500:
        raise ValueError("it has to be a name")
    return value


def _or_none(check: Callable[[Value], Any]) -> Callable[[Value], Any]:
    return lambda value: None if value is None else check(value)


_CHECKS: Mapping[str, Callable[[Value], Any]] = {
    "decision": Decision,
    "centre_px": _point,
    "crater_radius_m": _radius,
    "blast_radius_m": _or_none(_radius),
    "direction_deg": _or_none(_azimuth),
    "aim": _or_none(_text),
}


_ADDED = (*MEASURES, "aim")


def _same(one: Value, other: Value) -> bool:
    """Equality of values, where numbers may differ by what another machine's projection library makes of them."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME)
    return bool(one == other)
