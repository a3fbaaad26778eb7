from __future__ import annotations

import numpy as np

from cv_pipeline.evaluation.by_eye import CHIP_PX, CONSPICUITY_SD, Place, draw_places, reported, sheets, tally
from cv_pipeline.evaluation.scenes import AZIMUTHS, HeldOutScene

SIDE, GSD_M = 160, 0.6


def make_scene(conspicuity: list[float], seed: int = 0) -> HeldOutScene:
    """A scene with a crater in its middle rows for each conspicuity; each crater's pixel is painted with its number."""
    count = len(conspicuity)
    at_px = np.column_stack([np.full(count, SIDE / 2 + 0.5), np.linspace(40, 120, count) if count else []])
    after = np.zeros((SIDE, SIDE, 3), np.uint8)
    after[at_px[:, 0].astype(int), at_px[:, 1].astype(int)] = 255
    nowhere = np.zeros((SIDE, SIDE), bool)
    return HeldOutScene(
        after, np.zeros_like(after), nowhere, nowhere, nowhere, nowhere, nowhere, ~nowhere, ~nowhere,
        np.full((count, AZIMUTHS), 2.0), at_px, np.full(count, 2.0), np.array(conspicuity), np.array(["plain"] * count),
        GSD_M,
    )  # fmt: skip


def test_craters_come_evenly_from_each_class_and_as_many_places_hold_none() -> None:
    scenes = [make_scene([0.5, 1.2, 1.7, 2.5, 9.0]) for _ in range(6)] + [make_scene([]) for _ in range(6)]
    places = draw_places(scenes, per_class=2, seed=3)
    told = np.array([p.conspicuity for p in places if p.conspicuity is not None])
    assert np.histogram(told, [*CONSPICUITY_SD[:-1], 99.0])[0].tolist() == [2] * 5
    empty = [p for p in places if p.conspicuity is None]
    assert len(empty) == 10
    for place in empty:
        away_m = np.hypot(*(scenes[place.scene].at_px - (place.row_px, place.col_px)).T) * GSD_M
        assert away_m.min(initial=np.inf) > 10
    assert draw_places(scenes, per_class=2, seed=3) == places
    assert draw_places(scenes, per_class=2, seed=4) != places


def test_the_crater_lies_in_the_middle_of_the_second_chip() -> None:
    scenes = [make_scene([2.0])]
    row, col = scenes[0].at_px[0]
    (picture,) = sheets(scenes, [Place(0, float(row), float(col), 2.0)])
    rows, cols = np.nonzero((picture[..., 0] > 128)[20:160, 150:300])  # below the number, right of the first chip
    middle = 14 - 20 + 1.5 * CHIP_PX, 3 * CHIP_PX + 2 - 150 + 1.5 * CHIP_PX
    assert abs(rows[rows < 139].mean() - middle[0]) < 2
    inside = cols[cols < 3 * CHIP_PX + 2 - 150 + 3 * CHIP_PX]
    assert abs(np.median(inside) - middle[1]) < 2


def test_a_detection_counts_within_five_metres_and_at_the_threshold() -> None:
    place = Place(0, 50.0, 50.0, None)
    at_px = np.array([[50.0, 50.0 + 4.9 / GSD_M], [50.0 + 5.1 / GSD_M, 50.0]])
    assert reported(place, at_px, np.array([0.5, 0.9]), 0.5, GSD_M)
    assert not reported(place, at_px, np.array([0.4, 0.9]), 0.5, GSD_M)
    assert not reported(place, np.zeros((0, 2)), np.zeros(0), 0.5, GSD_M)


def test_the_tally_puts_each_answer_in_its_class() -> None:
    places = [Place(0, 0, 0, 0.2), Place(0, 0, 0, 1.0), Place(0, 0, 0, 7.0), Place(0, 0, 0, None), Place(0, 0, 0, None)]
    rows = tally(places, [False, True, True, True, False], [True, False, True, False, False])
    assert [row[1:] for row in rows] == [(1, 0, 1), (1, 1, 0), (0, 0, 0), (0, 0, 0), (1, 1, 1), (2, 1, 0)]
    assert rows[-1].name == "no crater"
