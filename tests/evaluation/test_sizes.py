"""Recall, precision and F1 by size on planted scenes: worked out by hand, and the same in both places that say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.evaluation.figures import figures
from cv_pipeline.evaluation.found import NOTHING, Found
from cv_pipeline.evaluation.heldout import Found as NetworkFound
from cv_pipeline.evaluation.heldout import score_scene as score_held_out
from cv_pipeline.evaluation.objects import match_scene
from cv_pipeline.evaluation.scenes import AZIMUTHS, HeldOutScene
from cv_pipeline.evaluation.scorecard import scorecard
from cv_pipeline.evaluation.sizes import SizedScene, TrueOnes, by_size
from cv_pipeline.segmentation.channels import NUMBER
from cv_pipeline.types import Float64Array
from tests.evaluation.test_scorecard import GSD_M, crater, scene, score

EDGES = (0.0, 4.0, 9.0, np.inf)


def planted(true: list[tuple[float, float]], detected: list[tuple[float, float, float]]) -> SizedScene:
    """Craters (place, size) and detections (place, size, score) on a line, matched within 5."""
    places, sizes = np.array(true, np.float64).reshape(-1, 2).T
    at, stated, scores = np.array(detected, np.float64).reshape(-1, 3).T
    order = np.argsort(-scores, kind="stable")
    matches = match_scene(np.column_stack([places, 0 * places]), np.column_stack([at, 0 * at]), scores)
    taken = np.full(len(places), np.nan)
    taken[matches.label[matches.hit]] = matches.score[matches.hit]
    return SizedScene(TrueOnes(taken, np.where(np.isnan(taken), 0.0, 0.6)), sizes, matches, stated[order])


def test_each_side_counts_by_its_own_size() -> None:
    one = planted(
        [(0, 3.0), (20, 3.9), (40, 4.0), (60, 8.0)],  # 4.0 belongs to the upper class
        [(0, 3.0, 0.9), (20, 5.0, 0.8), (41, 4.5, 0.4), (80, 3.5, 0.7), (90, 5.0, 0.6), (99, np.nan, 0.9)],
    )
    table = by_size([one], EDGES, 0.5)
    small, middle, large = table.values()
    assert list(table) == ["0 to 4", "4 to 9", "9 to inf"]
    # Two small craters, both found, one of them by a detection that states a larger size; one small false alarm.
    assert (small["objects"], small["recall"], small["detections"], small["precision"]) == (2, 1.0, 2, 0.5)
    assert small["f1"] == pytest.approx(2 / 3, abs=1e-4)
    # Two larger ones: one missed, one found below the threshold only. Two such detections, one of them right.
    assert (middle["objects"], middle["recall"], middle["detections"], middle["precision"]) == (2, 0.0, 2, 0.5)
    assert middle["f1"] == 0.0
    assert (large["objects"], large["recall"], large["precision"], large["f1"]) == (0, None, None, None)
    assert small["f1_interval_95"] is None  # one scene


def test_intervals_are_over_the_scenes_that_have_the_class() -> None:
    right, wrong = planted([(0, 3.0)], [(0, 3.0, 0.9)]), planted([(0, 3.0)], [(50, 3.0, 0.9)])
    other = planted([(0, 20.0)], [])
    few = by_size([right, wrong] * 5, EDGES, 0.5)["0 to 4"]
    assert few["recall_interval_95"][0] < few["recall"] == 0.5 < few["recall_interval_95"][1]
    assert few["precision_interval_95"][0] < 0.5 < few["precision_interval_95"][1]
    assert few["f1_interval_95"][0] < few["f1"] == 0.5 < few["f1_interval_95"][1]
    assert by_size([right, wrong] * 5 + [other] * 90, EDGES, 0.5)["0 to 4"] == few


def test_a_tool_without_sizes_has_recall_alone() -> None:
    band = by_size([planted([(0, 3.0)], [(0, np.nan, 0.9)])], EDGES, 0.5)["0 to 4"]
    assert (band["recall"], band["detections"], band["precision"], band["f1"]) == (1.0, None, None, None)
    assert by_size([], EDGES, 0.5)["0 to 4"]["objects"] == 0


TRUE = [(20.0, 20.0, 3.0), (45.0, 40.0, 1.0), (20.0, 45.0, 3.0)]
FOUND = [(20.0, 20.0, 3.2, 0.9), (45.0, 40.0, 2.2, 0.8), (40.0, 15.0, 3.0, 0.7), (20.0, 45.0, 3.0, 0.3)]


def held_out(true: Float64Array, some: Float64Array) -> tuple[HeldOutScene, NetworkFound]:
    image, nowhere = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), bool)
    edge_m = np.repeat(true[:, 2:], AZIMUTHS, axis=1)
    one = HeldOutScene(
        image, image, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, ~nowhere, edge_m, true[:, :2], true[:, 2],
        np.full(len(true), 2.0), np.array(["plain"] * len(true)), GSD_M,
    )  # fmt: skip
    return one, NetworkFound(some[:, :2], some[:, 3], np.repeat(some[:, 2:3], AZIMUTHS, axis=1))


def test_validation_and_evaluation_tell_the_same(tmp_path: Path) -> None:
    truth = [crater(n, row, col, radius_m) for n, (row, col, radius_m) in enumerate(TRUE)]
    rows = np.array(FOUND)
    tool = Found(rows[:, :2], rows[:, 3], {"crater_radius_m": rows[:, 2]})
    card = scorecard([score(scene(tmp_path, "a", *truth), tool)], 0.5)
    one, some = held_out(np.array(TRUE), rows)
    maps = np.zeros((len(NUMBER), 64, 64), np.float32)
    validation = figures([score_held_out(one, maps, some, 0.5)], 0.5)
    counts = ("objects", "recall", "detections", "precision", "f1")
    for key in ("by_diameter_m", "by_diameter_px"):
        mine, theirs = ({name: [band[c] for c in counts] for name, band in d[key].items()} for d in (card, validation))
        assert mine == theirs
    # Diameters of 6 m: one of two found; detections of 6 to 9 m: one right, one false. The small crater is stated wide.
    assert mine["9 to 14"] == card_row(card, "by_diameter_m", "6 to 9") == [2, 0.5, 2, 0.5, 0.5]
    assert card_row(card, "by_diameter_m", "0 to 2.4") == [1, 1.0, 0, None, None]
    assert card_row(card, "by_diameter_m", "4 to 6") == [0, None, 1, 1.0, None]


def card_row(card: dict[str, dict[str, dict[str, object]]], key: str, band: str) -> list[object]:
    return [card[key][band][name] for name in ("objects", "recall", "detections", "precision", "f1")]


def test_outlines_and_boxes_have_a_diameter_too(tmp_path: Path) -> None:
    one = scene(tmp_path, "a", crater(1, 20, 20, 3.0))
    boxed = Found(np.array([[20.0, 20.0]]), np.ones(1), {"width_px": np.array([9.0]), "height_px": np.array([16.0])})
    point = Found(np.array([[20.0, 20.0]]), np.ones(1))
    corners = np.array([[10.0, 10.0], [10.0, 20.0], [20.0, 20.0], [20.0, 10.0]])
    square = Found(point.at_px, point.score, {}, {}, (corners,))
    assert score(one, boxed).found_diameter_m == pytest.approx([12 * GSD_M], rel=0.01)  # the ellipse in the box
    assert score(one, square).found_diameter_m == pytest.approx([2 * 10 / np.sqrt(np.pi) * GSD_M])
    assert np.isnan(score(one, point).found_diameter_m).all()
    assert len(score(one, NOTHING).found_diameter_m) == 0
    assert score(one, boxed).hits[0].radius_error == pytest.approx(0.0, abs=0.01)  # 12 px of 0.5 m, a crater 6 m wide
    assert np.isnan(score(one, point).hits[0].radius_error)
