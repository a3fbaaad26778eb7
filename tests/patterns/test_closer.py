"""Candidates after a closer look by a network that knows planted craters exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cv_pipeline.frame import local_frame
from cv_pipeline.patterns import closer as room
from cv_pipeline.patterns.candidates import Candidates
from cv_pipeline.patterns.closer import closer, look_closer
from cv_pipeline.patterns.closeup.answers import CloseUp, joined
from cv_pipeline.patterns.closeup.looks import CloseLook
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.evidence import no_evidence
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.patterns.verdict import PeakErrors
from cv_pipeline.types import Float64Array
from tests.patterns.planted import source_grid

CRATERS = np.array([[40.0, -50.0], [43.0, -50.0], [90.0, -20.0], [10.0, -80.0]])
"""East and north; the first two touch."""
RADIUS_M, SURE = 2.0, 3.0
GRID = source_grid("none", 200, 200, 0.6)
GROUND = GroundMap(GRID, GRID, local_frame(GRID))
NOWHERE: Any = SimpleNamespace(has_before=True)
FILE = CloseUpFile(Path("no file"), "")


def told(at_m: Float64Array) -> CloseUp:
    """What a network that knows all craters says at places (n, 2): of those that are none, where they are."""
    away = np.linalg.norm(at_m[:, None] - CRATERS, axis=2)
    own, near = away.argmin(axis=1), away.min(axis=1) < RADIUS_M
    some = np.full(len(at_m), 0.1)
    return CloseUp(
        np.where(near, SURE, -SURE), np.where(near[:, None], CRATERS[own], at_m), some, np.full(len(at_m), RADIUS_M),
        some, np.full(len(at_m), 6.0), some, some, np.zeros((len(at_m), 2)), own.astype(float),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    def looks(
        _file: object, _aligned: object, _maps: object, _frame: object, at_m: Float64Array, *, use_before: bool,
        share: Share = ALL,
    ) -> Iterator[CloseLook]:  # fmt: skip
        assert use_before
        batches = [np.arange(start, min(start + 2, len(at_m))) for start in range(0, len(at_m), 2)]
        for some in share.of(batches):
            yield CloseLook(some, told(at_m[some]))

    monkeypatch.setattr(room, "close_looks", looks)


def candidates(*at_m: tuple[float, float], score: tuple[float, ...]) -> Candidates:
    places, peak = np.array(at_m, dtype=float).reshape(-1, 2), np.array(score, dtype=float)
    known = no_evidence(places, np.full(len(peak), 0.5), np.full(len(peak), 3.0), np.full(len(peak), 0.6))
    return Candidates(GROUND.metres_to_working(places), peak, peak, np.arange(len(peak)) / 10, known)


def look(some: Candidates, share: Share = ALL) -> list[CloseLook]:
    return look_closer(FILE, some, NOWHERE, NOWHERE, GROUND, share)


def test_candidates_move_to_what_the_network_sees() -> None:
    some = candidates((40.4, -50.3), (90.5, -19.0), (70.0, -70.0), score=(0.8, 0.6, 0.3))
    found = closer(some, look(some), GROUND, PeakErrors(9.0, 9.0, close_centre=2.0, close_radius=3.0))
    assert found.peak == pytest.approx([0.8, 0.6, 0.3])
    assert found.evidence.centre_m == pytest.approx(np.array([CRATERS[0], CRATERS[2], (70.0, -70.0)]))
    assert found.at_px == pytest.approx(GROUND.metres_to_working(found.evidence.centre_m))
    assert found.evidence.centre_sd_m == pytest.approx(0.2)
    assert found.evidence.radius_sd_m == pytest.approx(3 * 0.1 * RADIUS_M)
    assert found.new == pytest.approx([0.0, 0.1, 0.2])
    assert found.close is not None
    assert found.close.new[:2] == pytest.approx([0, 2])
    assert found.close.crater == pytest.approx([SURE, SURE, -SURE])


def test_what_turns_out_to_be_one_crater_is_kept_once() -> None:
    some = candidates((39.6, -49.5), (43.2, -50.4), (42.5, -49.1), score=(0.5, 0.7, 0.4))
    found = closer(some, look(some), GROUND, PeakErrors(1.0, 1.0))
    assert found.evidence.centre_m == pytest.approx(CRATERS[[1, 0]])
    assert found.peak == pytest.approx([0.7, 0.5])


def test_shares_together_are_the_whole() -> None:
    rng = np.random.default_rng(4)
    places = [tuple(p) for p in np.concatenate([CRATERS, CRATERS]) + rng.normal(0, 0.3, (8, 2))]
    some = candidates(*places, score=tuple(rng.uniform(0.3, 0.9, 8)))
    whole = closer(some, look(some), GROUND, PeakErrors(1.0, 1.0))
    parts = [part for number in range(3) for part in look(some, Share(number, 3))]
    shared = closer(some, parts, GROUND, PeakErrors(1.0, 1.0))
    assert shared.at_px == pytest.approx(whole.at_px, abs=0)
    assert shared.close is not None
    assert whole.close is not None
    for field in fields(CloseUp):
        assert getattr(shared.close, field.name) == pytest.approx(getattr(whole.close, field.name), abs=0)


def test_nothing_to_look_at_and_nobody_who_looks() -> None:
    none = candidates(score=())
    assert look(none) == []
    found = closer(none, [], GROUND, PeakErrors(1.0, 1.0))
    assert found.close is not None
    assert len(found.close.crater) == 0
    some = candidates((40.4, -50.3), score=(0.8,))
    assert closer(some, [], GROUND, PeakErrors(1.0, 1.0)) is some
    assert len(joined([]).axis) == 0
