"""One review in progress: the result, the record and the state, with all that the page asks for or changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.errors import ReviewError
from cv_pipeline.frame import local_frame
from cv_pipeline.matching.nearest import index_structures
from cv_pipeline.report.layers import to_image_crs
from cv_pipeline.report.overlays import Canvas
from cv_pipeline.report.pictures import ImageKind, PixelReader, source_reader
from cv_pipeline.review import documents
from cv_pipeline.review.apply import Measured, measure, review_of, reviewed_assessment
from cv_pipeline.review.record import Edit, Record, Value
from cv_pipeline.review.reopen import Opened
from cv_pipeline.review.state import ReviewState, apply_edit, current_value, edit_to_undo, next_added_id, replay
from cv_pipeline.review.views import encode_picture, view_grid
from cv_pipeline.review.windows import plan_windows
from cv_pipeline.types import Assessment, Review, UInt8Array

Document = dict[str, Any]


class Session:
    """A review that is open; every method may be called from any thread.

    Args:
        opened: the result.
        record: its record, entered.
        reviewer: whose name stands beside each edit; None until :meth:`name_reviewer` is called.
    """

    def __init__(self, opened: Opened, record: Record, reviewer: str | None) -> None:
        """Replay the record; ReviewError where it does not fit the result."""
        self.opened = opened
        self.record = record
        self.reviewer = reviewer
        run = opened.assessment
        self.run: Assessment = run
        self.frame = local_frame(run.pair.after.grid)
        self.index = index_structures(run.structures)
        self.plan = plan_windows(run.segmentation, self.frame.grid, run.impacts, int(record.head["windows_seed"]))
        self.state: ReviewState = replay(run.impacts, record.edits)
        self._lock = threading.RLock()
        self._measured: tuple[ReviewState, Measured] | None = None

    @cached_property
    def _read(self) -> PixelReader:
        return source_reader(self.run)

    def name_reviewer(self, name: str) -> None:
        """Whose edits the next ones are; ReviewError for an empty or overlong name."""
        name = " ".join(name.split())
        if not 0 < len(name) <= 100:
            raise ReviewError("a reviewer's name has 1 to 100 characters; it stands beside every edit")
        self.reviewer = name

    def edit(self, impact_id: str, field: str, old: Value, new: Value) -> Document:
        """Make an edit; on the disk when this returns.

        Args:
            impact_id: an impact or a window.
            field: what is edited.
            old: what the page showed; an edit over something else is refused.
            new: the new value.

        Returns:
            The impact as it is now.

        Raises:
            ReviewError: the edit makes no sense, is of another state, or nobody has said who reviews.
        """
        with self._lock:
            return self._append(impact_id, field, old, new, None)

    def add(self, centre_px: Value, crater_radius_m: Value) -> Document:
        """Add an impact that the run missed, under the next free identifier; errors as :meth:`edit`."""
        with self._lock:
            new = {"centre_px": centre_px, "crater_radius_m": crater_radius_m}
            return self._append(next_added_id(self.state), "added", None, new, None)

    def undo(self) -> Document:
        """Take back the last edit that was not taken back yet; ReviewError where there is none."""
        with self._lock:
            found = edit_to_undo(self.record.edits)
            if found is None:
                raise ReviewError("there is nothing to undo")
            line, last = found
            return self._append(last.impact_id, last.field, last.new, last.old, line)

    def overview(self) -> Document:
        """What the page lists: all impacts, the windows, the picture of the scene, the reviewer."""
        with self._lock:
            return documents.overview(self)

    def impact(self, impact_id: str) -> Document:
        """One impact as it is now, with its distances and the aim points among which one may pick.

        Raises:
            ReviewError: there is no such impact.
        """
        with self._lock:
            reviewed = self.state.impacts.get(impact_id)
            if reviewed is None:
                raise ReviewError(f"{impact_id}: there is no such impact in this review")
            kept = {match.impact_id: match for match in self.measured().matches}
            lapsed = impact_id in self.measured().lapsed
            return documents.impact(reviewed, kept.get(impact_id), self.frame, self.index, lapsed=lapsed)

    def statistics(self) -> Document:
        """Counts, precision, recall and the statistics of distances, all as the review stands."""
        with self._lock:
            return documents.statistics(self.measured(), self.review())

    def view(self, centre_px: tuple[float, float], half_m: float) -> Document:
        """A picture's geometry: how its pixels lie, and what is drawn in it beside the impact in hand."""
        with self._lock:
            grid = view_grid(centre_px, half_m, self.frame)
            canvas = Canvas(grid, self.frame, to_image_crs(self.frame))
            return documents.view(canvas, self.state, self.run.structures, self.index, self.plan)

    def picture(self, kind: ImageKind, centre_px: tuple[float, float], half_m: float) -> bytes:
        """The same picture as a JPEG; ReviewError where there is no such image."""
        if kind == "before" and self.run.pair.before is None:
            raise ReviewError("the result was made without a before image")
        pixels: UInt8Array = self._read(kind, view_grid(centre_px, half_m, self.frame))
        return encode_picture(pixels)

    def scene(self) -> bytes:
        """The whole scene after, small, as a JPEG."""
        return encode_picture(self._read("after", documents.scene_grid(self.frame)))

    def measured(self) -> Measured:
        """What the review keeps, measured without the comparison with chance; kept until the next edit."""
        with self._lock:
            if self._measured is None or self._measured[0] is not self.state:
                found = measure(self.run, self.state, self.index, self.opened.config, with_chance=False)
                self._measured = (self.state, found)
            return self._measured[1]

    def review(self) -> Review:
        """What the decisions come to so far."""
        with self._lock:
            return review_of(
                self.state, self.record.edits, self.plan, self.frame, self.run.segmentation,
                confidence=self.opened.config.confidence, record_sha256=self.record.last_sha256,
                result_sha256=self.opened.sha256,
            )  # fmt: skip

    def reviewed(self) -> tuple[Assessment, bytes]:
        """The whole assessment as the review stands, compared with chance, and the record that it rests on."""
        with self._lock:
            state, review, content = self.state, self.review(), self.record.path.read_bytes()
        measured = measure(self.run, state, self.index, self.opened.config, with_chance=True)
        return reviewed_assessment(self.run, measured, review), content

    def _append(self, impact_id: str, field: str, old: Value, new: Value, undoes: int | None) -> Document:
        if self.reviewer is None:
            raise ReviewError("say who reviews before the first edit; the name stands beside every edit")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        edit = Edit(now, self.reviewer, impact_id, field, old, new, undoes)
        self._inside(impact_id, field, new)
        state = apply_edit(self.state, edit)
        self.record.append(edit)
        self.state = state
        return {"impact_id": impact_id, "field": field, "value": current_value(state, impact_id, field)}

    def _inside(self, impact_id: str, field: str, new: Value) -> None:
        """A centre has to lie in the after image, where it was measured."""
        place = new.get("centre_px") if isinstance(new, Mapping) else new if field == "centre_px" else None
        if isinstance(place, list | tuple) and len(place) == 2 and all(isinstance(v, int | float) for v in place):
            grid = self.frame.grid
            if not (0 <= place[0] <= grid.height and 0 <= place[1] <= grid.width):
                raise ReviewError(f"{impact_id}: the centre {np.round(place, 1).tolist()} lies outside the after image")


def open_session(opened: Opened, record: Record, reviewer: str | None) -> Session:
    """A session, its reviewer's name checked."""
    session = Session(opened, record, None)
    if reviewer is not None:
        session.name_reviewer(reviewer)
    return session


def default_export(folder: Path) -> Path:
    """The first free folder beside a result to export its review to: ``NAME.reviewed``, ``NAME.reviewed-2`` ..."""
    result = folder.resolve()
    names = [f"{result.name}.reviewed", *(f"{result.name}.reviewed-{number}" for number in range(2, 1000))]
    return next(result.with_name(name) for name in names if not result.with_name(name).exists())
