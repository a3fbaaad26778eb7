"""Candidates after a closer look by a network that knows planted craters exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cv_pipeline.frame import local_frame
from cv_pipeline.patterns import closer as room
from cv_pipeline.patterns.candidates import Candidates
from cv_pipeline.patterns.closer import Closer, closer, look_closer
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
Watch = Callable[..., None]


def told(at_m: Float64Array, blind: frozenset[int]) -> CloseUp:
    """What a network that knows all craters says at places (n, 2); it sees no neighbour of those in ``blind``."""
    n = len(at_m)
    away = np.linalg.norm(at_m[:, None] - CRATERS, axis=2)
    own = away.argmin(axis=1)
    apart = np.linalg.norm(CRATERS[own][:, None] - CRATERS, axis=2)
    apart[np.arange(n), own] = np.inf
    twin = apart.argmin(axis=1)
    near = away.min(axis=1) < RADIUS_M
    touched = near & (apart.min(axis=1) < 2 * RADIUS_M) & ~np.isin(own, list(blind))
    some = np.full(n, 0.1)
    return CloseUp(
        np.where(near, SURE, -SURE), np.where(near[:, None], CRATERS[own], at_m), some, np.full(n, RADIUS_M), some,
        np.full(n, 6.0), some, np.zeros(n), np.zeros((n, 2)), own.astype(float), np.where(touched, SURE, -SURE),
        CRATERS[twin],
    )  # fmt: skip


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    def looks(
        _file: object, _aligned: object, _maps: object, _frame: object, at_m: Float64Array, *, use_before: bool,
        share: Share = ALL, blind: frozenset[int] = frozenset(),
    ) -> Iterator[CloseLook]:  # fmt: skip
        assert use_before
        batches = [np.arange(start, min(start + 2, len(at_m))) for start in range(0, len(at_m), 2)]
        for some in share.of(batches):
            yield CloseLook(some, told(at_m[some], blind))

    def install(blind: frozenset[int] = frozenset()) -> None:
        monkeypatch.setattr(room, "close_looks", lambda *a, **k: looks(*a, **k, blind=blind))

    return install


def candidates(*at_m: tuple[float, float], score: tuple[float, ...]) -> Candidates:
    places, peak = np.array(at_m, dtype=float).reshape(-1, 2), np.array(score, dtype=float)
    known = no_evidence(places, np.full(len(peak), 0.5), np.full(len(peak), 3.0), np.full(len(peak), 0.6))
    return Candidates(GROUND.metres_to_working(places), peak, peak, np.arange(len(peak)) / 10, known)


def look(some: Candidates, share: Share = ALL) -> list[Closer]:
    return look_closer(FILE, some, NOWHERE, NOWHERE, GROUND, share)


def test_candidates_move_and_a_touching_neighbour_joins_them(watch: Watch) -> None:
    watch()
    some = candidates((40.4, -50.3), (90.5, -19.0), (70.0, -70.0), score=(0.8, 0.6, 0.3))
    found = closer(some, look(some), GROUND, PeakErrors(9.0, 9.0, close_centre=2.0, close_radius=3.0))
    chance = 1 / (1 + np.exp(-SURE))
    assert found.peak == pytest.approx([0.8, 0.8 * chance, 0.6, 0.3])
    assert found.evidence.centre_m[:3] == pytest.approx(CRATERS[:3])
    assert found.at_px == pytest.approx(GROUND.metres_to_working(found.evidence.centre_m))
    assert found.evidence.centre_sd_m == pytest.approx(0.2)
    assert found.evidence.radius_sd_m == pytest.approx(3 * 0.1 * RADIUS_M)
    assert found.new == pytest.approx([0.0, 0.0, 0.1, 0.2])  # a neighbour is as new as the one that it touches
    assert found.close is not None
    assert found.close.new[:3] == pytest.approx([0, 1, 2])
    assert found.close.crater == pytest.approx([SURE, SURE, SURE, -SURE])


def test_what_turns_out_to_be_one_crater_is_kept_once(watch: Watch) -> None:
    watch()
    some = candidates((39.6, -49.5), (43.2, -50.4), (42.5, -49.1), score=(0.5, 0.7, 0.4))
    found = closer(some, look(some), GROUND, PeakErrors(1.0, 1.0))
    assert found.evidence.centre_m == pytest.approx(CRATERS[[1, 0]])
    assert found.peak[0] == 0.7
    assert found.peak[1] == pytest.approx(0.7 / (1 + np.exp(-SURE)))  # better told of by the neighbour than by itself


def test_a_neighbour_that_does_not_see_the_first_is_none(watch: Watch) -> None:
    watch(blind=frozenset({1}))
    some = candidates((40.4, -50.3), score=(0.8,))
    found = closer(some, look(some), GROUND, PeakErrors(1.0, 1.0))
    assert found.evidence.centre_m == pytest.approx(CRATERS[:1])


def test_shares_together_are_the_whole(watch: Watch) -> None:
    watch()
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


def test_nothing_to_look_at_and_nobody_who_looks(watch: Watch) -> None:
    watch()
    none = candidates(score=())
    assert look(none) == []
    found = closer(none, [], GROUND, PeakErrors(1.0, 1.0))
    assert found.close is not None
    assert len(found.close.crater) == 0
    some = candidates((40.4, -50.3), score=(0.8,))
    assert closer(some, [], GROUND, PeakErrors(1.0, 1.0)) is some
    assert len(joined([]).axis) == 0
