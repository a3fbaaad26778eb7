"""Replaying edits: pure, exact, and refusing what does not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cv_pipeline.errors import ReviewError
from cv_pipeline.review.record import Edit
from cv_pipeline.review.state import (
    apply_edit,
    current_value,
    edit_to_undo,
    next_added_id,
    replay,
    start,
)
from cv_pipeline.types import Decision, Impact, PatternKind, Status


def impact(number: int) -> Impact:
    return Impact(
        impact_id=f"I{number:03d}", row_px=10.0 * number, col_px=5.0 * number, x_m=0, y_m=0, lon_deg=None, lat_deg=None,
        score=0.9, status=Status.NEW, status_probability=None, centre_sd_m=0.2, crater_radius_m=2.0,
        crater_radius_sd_m=0.1, blast_radius_m=7.0, secondary_radius_m=None, pattern=PatternKind.CONE,
        direction_deg=80.0, direction_sd_deg=9.0,
    )  # fmt: skip


IMPACTS = [impact(number) for number in range(1, 5)]


class Journal:
    """Edits made as a session makes them, each over the value that the state holds."""

    def __init__(self) -> None:
        self.state = start(IMPACTS)
        self.edits: list[Edit] = []

    def set(self, impact_id: str, field: str, new: object, undoes: int | None = None) -> None:
        old = current_value(self.state, impact_id, field)
        self.edits.append(Edit("2026-01-01T00:00:00+00:00", "A", impact_id, field, old, new, undoes))
        self.state = apply_edit(self.state, self.edits[-1])

    def undo(self) -> bool:
        found = edit_to_undo(self.edits)
        if found is None:
            return False
        self.set(found[1].impact_id, found[1].field, found[1].old, found[0])
        return True


def test_a_replay_gives_what_the_edits_gave_also_through_json() -> None:
    journal = Journal()
    rng = np.random.default_rng(3)
    for _ in range(60):
        name = f"I{rng.integers(1, 5):03d}"
        field, new = [
            ("decision", str(rng.choice(["accepted", "rejected", "unreviewed"]))),
            ("centre_px", [float(rng.random() * 50), float(rng.random() * 50)]),
            ("crater_radius_m", float(rng.random() + 0.1)),
            ("blast_radius_m", None if rng.random() < 0.5 else 4.5),
            ("direction_deg", None if rng.random() < 0.5 else float(rng.random() * 359)),
            ("aim", None if rng.random() < 0.5 else "structure_centre:S1"),
        ][rng.integers(6)]
        journal.set(name, field, new)
        if rng.random() < 0.2:
            journal.undo()
    journal.set(next_added_id(journal.state), "added", {"centre_px": [1.0, 2.0], "crater_radius_m": 3.0})
    journal.set("W0001", "window", True)
    loaded = [Edit(**json.loads(json.dumps({n: getattr(e, n) for n in Edit.__slots__}))) for e in journal.edits]
    assert replay(IMPACTS, loaded) == journal.state


def test_undoing_everything_leads_back_to_the_start() -> None:
    journal = Journal()
    journal.set("I001", "decision", "rejected")
    journal.set("I001", "centre_px", [3.0, 4.0])
    journal.set("R001", "added", {"centre_px": [1.0, 2.0], "crater_radius_m": 3.0})
    journal.set("R001", "blast_radius_m", 9.0)
    journal.set("R001", "added", None)
    journal.set("W0003", "window", True)
    assert journal.undo() and journal.undo()
    assert journal.state.impacts["R001"].blast_radius_m == 9.0  # taking it out is undone with all that was measured
    while journal.undo():
        pass
    assert dict(journal.state.impacts) == dict(start(IMPACTS).impacts) and not journal.state.windows_seen
    assert next_added_id(journal.state) == "R003"  # identifiers are never used twice
    assert replay(IMPACTS, journal.edits) == journal.state


def test_an_edit_after_an_undo_is_the_next_to_be_undone() -> None:
    journal = Journal()
    journal.set("I001", "decision", "accepted")
    journal.set("I002", "decision", "accepted")
    journal.undo()
    journal.set("I003", "decision", "rejected")
    journal.undo()
    journal.undo()
    assert not journal.undo()
    assert {i.decision for i in journal.state.impacts.values()} == {Decision.UNREVIEWED}


def test_what_a_person_measured_is_told_from_the_programs() -> None:
    journal = Journal()
    journal.set("I001", "decision", "accepted")
    assert journal.state.impacts["I001"].measured == ()
    journal.set("I001", "centre_px", [11.0, 5.0])
    journal.set("I001", "direction_deg", None)
    assert journal.state.impacts["I001"].measured == ("centre_px", "direction_deg")
    journal.set("I001", "centre_px", [10.0, 5.0])
    assert journal.state.impacts["I001"].measured == ("direction_deg",)
    journal.set("R001", "added", {"centre_px": [1.0, 2.0], "crater_radius_m": 3.0})
    assert journal.state.impacts["R001"].measured == ("centre_px", "crater_radius_m")


def test_an_edit_over_another_value_names_its_line() -> None:
    edits = [
        Edit("t", "A", "I001", "decision", "unreviewed", "accepted"),
        Edit("t", "A", "I001", "decision", "unreviewed", "rejected"),
    ]
    with pytest.raises(ReviewError, match=r"line 3 of the record.*old decision"):
        replay(IMPACTS, edits)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("I009", "decision", "accepted"),
        ("I001", "decision", "added"),
        ("I001", "decision", None),
        ("I001", "score", 1.0),
        ("I001", "original", None),
        ("I001", "crater_radius_m", 0.0),
        ("I001", "crater_radius_m", True),
        ("I001", "crater_radius_m", None),
        ("I001", "crater_radius_m", "2"),
        ("I001", "crater_radius_m", float("nan")),
        ("I001", "blast_radius_m", 1e9),
        ("I001", "direction_deg", 360.0),
        ("I001", "centre_px", [1.0]),
        ("I001", "centre_px", "ab"),
        ("I001", "aim", ""),
        ("I001", "aim", ["x"]),
        ("I001", "added", None),
        ("I001", "added", {"centre_px": [1, 2], "crater_radius_m": 2}),
        ("R001", "added", {"centre_px": [1, 2]}),
        ("R001", "added", {"centre_px": [1, 2], "crater_radius_m": 2, "score": 1}),
        ("../x", "added", {"centre_px": [1, 2], "crater_radius_m": 2}),
        ("W1", "window", True),
        ("W0001", "window", 3),
    ],
)
def test_nonsense_is_refused_in_words(name: str, field: str, value: object) -> None:
    with pytest.raises(ReviewError, match=r"\w+ \w+"):
        apply_edit(start(IMPACTS), Edit("t", "A", name, field, None, value))
