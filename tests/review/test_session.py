"""A review over a whole result: statistics follow each edit, an export is a result, and both say what a person did."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.errors import OutputError, ReviewError
from cv_pipeline.report.verify import State, read_provenance, verify_outputs
from cv_pipeline.review.check import verify_review
from cv_pipeline.review.export import export_review
from cv_pipeline.review.record import read_record, record_path
from cv_pipeline.review.reopen import open_result
from cv_pipeline.review.session import Session
from cv_pipeline.review.state import current_value

from .factories import make_result, open_record


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_result(tmp_path_factory.mktemp("review"))


@pytest.fixture
def session(result: Path) -> Iterator[Session]:
    opened = open_result(result)
    record_path(result).unlink(missing_ok=True)
    with open_record(opened) as record:
        yield Session(opened, record, "A. Reader")


def put(session: Session, impact_id: str, field: str, new: object) -> None:
    session.edit(impact_id, field, current_value(session.state, impact_id, field), new)


def test_statistics_follow_every_edit_and_undo_brings_them_back(session: Session) -> None:
    first = session.statistics()
    put(session, "I001", "decision", "rejected")
    rejected = session.statistics()
    assert rejected["accuracy"][0]["n"] == first["accuracy"][0]["n"] - 1
    assert rejected["accuracy"][0]["mean_m"] != first["accuracy"][0]["mean_m"]
    session.undo()
    assert session.statistics()["accuracy"] == first["accuracy"]


def test_a_moved_centre_gets_its_distance_from_the_matching_stage(session: Session) -> None:
    kept = session.run.impacts[1]
    centre = session.run.structures[0].geometry_m.centroid
    row, col = session.frame.metres_to_pixel(np.array([[centre.x, centre.y]]))[0].tolist()
    put(session, "I002", "centre_px", [row, col])
    found = session.impact("I002")
    assert found["match"]["structure_id"] == "S1" and found["match"]["edge_m"] == 0.0
    assert found["match"]["aims"][0]["id"] == "structure_centre:S1"
    assert found["match"]["aims"][0]["distance_m"] == pytest.approx(0.0, abs=1e-6)
    moved = next(i for i in session.measured().impacts if i.impact_id == "I002")
    assert (moved.x_m, moved.y_m) == pytest.approx((centre.x, centre.y), abs=1e-6)
    assert moved.centre_sd_m == session.frame.grid.gsd_m != kept.centre_sd_m
    assert moved.review is not None and moved.review.measured == ("centre",)


def test_a_picked_aim_point_counts_and_lapses_when_the_centre_moves_away(session: Session) -> None:
    aims = session.impact("I001")["match"]["aims"]
    put(session, "I001", "aim", aims[1]["id"])
    decided = session.statistics()["accuracy"][0]
    assert decided["hypothesis"].startswith("aim point decided by the user for 1 of")
    likely = session.statistics()["accuracy"][1]
    n = likely["n"]
    assert decided["mean_m"] - likely["mean_m"] == pytest.approx((aims[1]["distance_m"] - aims[0]["distance_m"]) / n)
    put(session, "I001", "aim", "structure_centre:S999")
    assert session.impact("I001")["lapsed"]
    assert session.statistics()["accuracy"][0] == likely
    assert session.measured().lapsed == ("I001",)


def test_an_edit_over_another_value_or_outside_the_image_leaves_no_trace(session: Session) -> None:
    before = session.record.path.read_bytes()
    for impact_id, field, old, new in (
        ("I001", "decision", "accepted", "rejected"),
        ("I001", "centre_px", current_value(session.state, "I001", "centre_px"), [1e6, 3.0]),
        ("I001", "crater_radius_m", session.state.impacts["I001"].crater_radius_m, -2),
    ):
        with pytest.raises(ReviewError):
            session.edit(impact_id, field, old, new)
    assert session.record.path.read_bytes() == before


def test_nobody_edits_without_a_name(session: Session) -> None:
    session.reviewer = None
    with pytest.raises(ReviewError, match="say who reviews"):
        put(session, "I001", "decision", "accepted")
    with pytest.raises(ReviewError, match="1 to 100"):
        session.name_reviewer("  ")


def test_windows_hold_no_find_and_lie_where_the_plan_says(session: Session) -> None:
    plan = session.plan
    finds = [(i.row_px, i.col_px) for i in session.run.impacts]
    names = frozenset(w.window_id for w in plan.windows)
    counts, beside = plan.counts(finds, names)
    assert sum(counts) == 0 and beside == len(finds)
    for window in plan.windows:
        one, outside = plan.counts([window.centre_px], frozenset({window.window_id}))
        assert one == [1] and outside == 0
        assert plan.outline_px(window).mean(axis=0) == pytest.approx(window.centre_px)
    assert names and len(names) == len(plan.windows)


def test_recall_counts_windows_seen_and_what_was_added_in_them(session: Session) -> None:
    assert session.statistics()["recall"] is None
    for impact in session.run.impacts:
        put(session, impact.impact_id, "decision", "accepted")
    first, second, third = session.plan.windows[:3]
    for window in (first, second):
        put(session, window.window_id, "window", True)
    none_found = session.statistics()
    assert none_found["recall"]["value"] == 1.0 and none_found["recall"]["interval"][0] < 1.0
    session.add(list(first.centre_px), 2.0)
    session.add(list(third.centre_px), 2.0)  # seen by chance: no part of the sample
    found = session.statistics()
    n = len(session.plan.windows)
    assert found["missed"]["value"] == pytest.approx(max(2.0, n / 2))
    accepted = len(session.run.impacts)
    assert found["recall"]["value"] == pytest.approx(accepted / (accepted + found["missed"]["value"]))


def test_an_export_is_a_result_that_verifies_and_says_what_a_person_did(session: Session, tmp_path: Path) -> None:
    put(session, "I001", "decision", "rejected")
    put(session, "I002", "decision", "accepted")
    put(session, "I002", "blast_radius_m", 11.0)
    picked = session.impact("I005")["match"]["aims"][1]["id"]
    put(session, "I005", "aim", picked)
    session.add([30.0, 40.0], 1.5)
    out = export_review(session, tmp_path / "reviewed").parent
    assert {check.state for check in verify_outputs(out)} == {State.SAME}
    assert [check.state for check in verify_review(out, read_provenance(out))] == [State.SAME]
    rows = {row["impact_id"]: row for row in csv.DictReader((out / "impacts.csv").read_text().splitlines())}
    assert "I001" not in rows and rows["R001"]["review"] == "added" and rows["I004"]["review"] == "unreviewed"
    assert rows["R001"]["measured_by_reviewer"] == "centre crater_radius_m"
    assert rows["I002"]["measured_by_reviewer"] == "blast_radius_m" and rows["I002"]["blast_radius_m"] == "11"
    assert rows["I005"]["decided_aim"] == picked
    left_out = list(csv.DictReader((out / "rejected.csv").read_text().splitlines()))
    assert [row["impact_id"] for row in left_out] == ["I001"]
    summary = json.loads((out / "summary.json").read_text())
    assert "1 accepted, 1 rejected and left out, 1 added, 10 not yet reviewed" in summary["headline"]
    assert summary["review"]["record_sha256"] == read_record(out / "review.jsonl").last_sha256
    assert summary["accuracy"][0]["hypothesis"].startswith("aim point decided by the user")
    assert summary["accuracy"][1]["null_model"] is not None
    assert "1 rejected and left out" in (out / "report.html").read_text()
    import pyogrio

    layers = {name for name, _ in pyogrio.list_layers(out / "assessment.gpkg")}
    assert "rejected" in layers
    assert list(pyogrio.read_dataframe(out / "assessment.gpkg", layer="rejected")["impact_id"]) == ["I001"]
    with pytest.raises(OutputError, match="overwrite"):
        export_review(session, out)
    lines = (out / "review.jsonl").read_bytes().splitlines(keepends=True)
    (out / "review.jsonl").write_bytes(b"".join(lines[:-1]))
    assert [check.state for check in verify_review(out, read_provenance(out))] == [State.DIFFERS]
    with pytest.raises(ReviewError, match="made from a review already"):
        open_result(out, before=session.run.pair.before.path, after=session.run.pair.after.path)


def test_a_result_that_was_changed_or_has_another_image_is_refused(result: Path, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"is not the after.tif"):
        open_result(result, after=result.parent / "before.tif")
    state = result / "assessment.json.gz"
    kept = state.read_bytes()
    try:
        state.write_bytes(kept + b" ")
        with pytest.raises(ReviewError, match="was changed"):
            open_result(result)
    finally:
        state.write_bytes(kept)


def test_a_review_without_structures_before_image_or_crs(tmp_path: Path) -> None:
    opened = open_result(make_result(tmp_path, structures=0, before=False, crs=None))
    with open_record(opened) as record:
        session = Session(opened, record, "A")
        put(session, "I001", "decision", "accepted")
        session.add([50.0, 60.0], 2.0)
        assert session.statistics()["accuracy"] == [] and session.impact("R001")["match"] is None
        with pytest.raises(ReviewError, match="without a before image"):
            session.picture("before", (50.0, 60.0), 20.0)
        assert session.picture("after", (50.0, 60.0), 20.0)[:2] == b"\xff\xd8"
        assert session.view((50.0, 60.0), 20.0)["structures"] == []
        export_review(session, tmp_path / "reviewed")
