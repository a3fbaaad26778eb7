from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import LabelsError
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.registration.register import register
from cv_pipeline.training.labels import Label
from cv_pipeline.training.places import (
    STRIP_PX,
    Place,
    all_windows,
    cut_blocks,
    random_window,
    read_shot,
    split_blocks,
)
from cv_pipeline.training.planes import Plane
from cv_pipeline.types import Window
from tests.conftest import texture

Make = Callable[..., Place]


@pytest.fixture
def make_place(make_tiff: Callable[..., Path]) -> Make:
    """A factory of a scene of 0.5 m pixels whose working grid is its own."""

    def make(height: int = 300, width: int = 400, at: tuple[tuple[int, int], ...] = (), area: tuple = ()) -> Place:
        path = make_tiff(texture(height, width), name=f"scene_{height}_{width}.tif")
        aligned = register(open_pair(None, path, AssessConfig()), 0.5)
        labels = tuple(Label(row, col, 2.0, None, np.zeros((0, 2))) for row, col in at)
        return Place(aligned, labels, area)

    return make


GRID_OF_LABELS = tuple((row, col) for row in range(20, 290, 30) for col in range(20, 390, 30))


def test_blocks_are_apart_and_hold_their_labels(make_place: Make) -> None:
    place = make_place(at=GRID_OF_LABELS)
    blocks = cut_blocks([place], 64, 100)
    assert len(blocks) == 12
    used = np.zeros((300, 400), int)
    for block in blocks:
        w = block.window
        used[w.row : w.row + w.height, w.col : w.col + w.width] += 1
        inside = {
            n
            for n, (row, col) in enumerate(GRID_OF_LABELS)
            if w.row <= row < w.row + w.height and w.col <= col < w.col + w.width
        }
        assert set(block.labels) == inside
    assert used.max() == 1
    assert used[[0, -1], 50].all() and used[50, [0, -1]].all()  # the image's own edges are used
    assert not used[100 - STRIP_PX : 100 + STRIP_PX].any()
    assert not used[:, 200 - STRIP_PX : 200 + STRIP_PX].any()


def test_held_out_ground_is_never_trained_on(make_place: Make) -> None:
    place = make_place(at=GRID_OF_LABELS)
    train, held_out = split_blocks(cut_blocks([place], 64, 100), 0.25, seed=1)
    assert len(held_out) == 3
    seen = np.zeros((300, 400), bool)
    rng = np.random.default_rng(0)
    for _ in range(300):
        _, w = random_window([place], train, 64, 0.5, rng)
        assert (w.height, w.width) == (64, 64)
        seen[w.row : w.row + 64, w.col : w.col + 64] = True
    windows = all_windows(held_out, 64, 100)
    assert len(windows) == 3
    assert not any(seen[w.row : w.row + 64, w.col : w.col + 64].any() for _, w in windows)
    assert seen.mean() > 0.4
    assert len(all_windows(held_out, 64, 2)) == 2


def test_windows_about_labels_show_one(make_place: Make) -> None:
    place = make_place(at=((150, 30), (40, 390)))
    train, held_out = split_blocks(cut_blocks([place], 64, 100), 0.25, seed=1)
    assert sum(len(block.labels) for block in held_out) == 1
    assert sum(len(block.labels) for block in train) == 1
    (label,) = (place.labels[n] for block in train for n in block.labels)
    rng = np.random.default_rng(0)
    for _ in range(30):
        _, w = random_window([place], train, 64, 1.0, rng)
        assert 0 <= label.row_px - w.row < 64 and 0 <= label.col_px - w.col < 64


def test_what_cannot_be_split_is_refused(make_place: Make) -> None:
    with pytest.raises(LabelsError, match="at least 320"):
        cut_blocks([make_place()], 320, 640)
    for at in ((), ((40, 40),)):
        with pytest.raises(LabelsError, match="held out"):
            split_blocks(cut_blocks([make_place(at=at)], 64, 100), 0.25, 1)


def test_two_places_are_split_together(make_place: Make) -> None:
    places = [make_place(80, 80, ((40, 40),)), make_place(80, 96, ((30, 30),))]
    train, held_out = split_blocks(cut_blocks(places, 64, 128), 0.25, seed=1)
    assert {train[0].place, held_out[0].place} == {0, 1}


def test_a_shot_shows_the_ground_with_its_labels(make_place: Make) -> None:
    ring = np.array([(0, 0), (0, 400), (60, 400), (60, 0)], np.float64)
    place = make_place(at=((50, 70),), area=(ring,))
    shot = read_shot(place, Window(20, 30, 64, 64))
    # The grid is 0.5 m on the ground, the file's pixels are 0.5 m on the map: apart by 0.04 px at most.
    assert np.abs(shot.after - texture(300, 400)[20:84, 30:94]).mean() < 2
    crater, visible = (shot.truth[..., list(Plane).index(plane)] for plane in (Plane.CRATER, Plane.VISIBLE))
    rows, cols = np.nonzero(crater == 1)
    assert (rows.mean() + 0.5, cols.mean() + 0.5) == pytest.approx((30, 40))
    assert visible[:40].all() and not visible[40:].any()
    assert shot.before is None and not shot.before_valid.any()
