"""Planted scenes whose every figure can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.datasets.scene import CRATER, DataScene, TrueObject
from cv_pipeline.evaluation.asked import ask, errors_of
from cv_pipeline.evaluation.coco import coco_scores
from cv_pipeline.evaluation.found import NOTHING, Found
from cv_pipeline.evaluation.results import breakdown_table, draw_sizes
from cv_pipeline.evaluation.scorecard import scorecard
from cv_pipeline.evaluation.scored import Boxes, ScoredScene, score_scene, stated_classes
from cv_pipeline.types import Status
from tests.datasets.factories import image

GSD_M = 0.5


def crater(number: int, row: float, col: float, radius_m: float = 3.0, **more: object) -> TrueObject:
    values = {"radius_m": radius_m, "status": Status.NEW, **more}
    return TrueObject(str(number), CRATER, row, col, **values)  # type: ignore[arg-type]


def scene(folder: Path, name: str, *objects: TrueObject, **more: object) -> DataScene:
    path = folder / f"{name}.png"
    if not path.exists():
        image(path)
    return DataScene(name, name, "judge", path, gsd_m=GSD_M, objects=objects, **more)  # type: ignore[arg-type]


def found(*rows: tuple[float, float, float], radius_m: float = 3.0, **more: list[float]) -> Found:
    table = np.array(rows, np.float64).reshape(-1, 3)
    numbers = {"crater_radius_m": np.full(len(table), radius_m), **{k: np.array(v) for k, v in more.items()}}
    return Found(table[:, :2], table[:, 2], numbers)


def score(one: DataScene, some: Found, threshold: float = 0.5) -> ScoredScene:
    return score_scene(ask(one), some, threshold, classes=stated_classes([some]))


def test_a_perfect_tool(tmp_path: Path) -> None:
    scenes = [scene(tmp_path, name, crater(1, 20, 20), crater(2, 45, 40, direction_deg=90.0)) for name in "ab"]
    perfect = found((20, 20, 0.9), (45, 40, 0.8), direction_deg=[np.nan, 90.0])
    card = scorecard([score(one, perfect) for one in scenes], 0.5)
    assert card["centres"]["ap"] == card["outlines_at_iou_0.5"]["ap"] == card["boxes"]["ap50_95"] == 1.0
    assert card["centres"]["at_threshold"]["f1"] == pytest.approx(1.0)
    assert card["geometry"]["centre_error_m_median"] == {"n": 4, "value": 0.0, "interval_95": [0.0, 0.0]}
    assert card["geometry"]["axis_error_deg_median"]["n"] == 2
    assert card["geometry"]["axis_stated_share_of_directional"]["value"] == 1.0
    assert card["geometry"]["axis_stated_share_of_round"]["value"] == 0.0
    assert set(card["by_background"]) == {"a", "b"}
    assert card["false_alarms"] is None
    assert card["end_to_end"] is None


def test_the_breakdown_shows_what_has_objects(tmp_path: Path) -> None:
    scenes = [scene(tmp_path, "a", crater(1, 20, 20)), scene(tmp_path, "b", crater(2, 45, 40))]
    card = scorecard([score(scenes[0], found((20, 20, 0.9))), score(scenes[1], NOTHING)], 0.5)
    draw_sizes(tmp_path / "sizes.png", card)
    assert (tmp_path / "sizes.png").stat().st_size > 5_000
    table = breakdown_table(card)
    rows = [list(cells) for cells in zip(*(column.cells for column in table.columns), strict=True)]
    assert [row[0] for row in rows] == [
        "GSD 0.5 m", "a", "b", "diameter 9 to 14 px", "diameter 6 to 9 m",
    ]  # fmt: skip
    assert [row[1] for row in rows] == ["2", "1", "1", "2", "2"]
    assert [row[3][:4] for row in rows[1:3]] == ["1.00", "0.00"]
    assert [row[4:6] for row in rows] == [["1.00", "0.50"], ["1.00", "1.00"], ["-", "-"], *[["1.00", "0.50"]] * 2]


def test_errors_are_measured_in_metres_and_kept_apart(tmp_path: Path) -> None:
    truth = [crater(n, 20, 10 + 15 * n, direction_deg=10.0, blast_radius_m=8.0) for n in range(3)]
    one = scene(tmp_path, "a", *truth)
    tool = found(
        (22, 10, 0.9), (20, 25, 0.8), (50, 50, 0.7), radius_m=3.3, direction_deg=[350.0, 190.0, 0.0],
        direction_sd_deg=[20.0, 20.0, 20.0], blast_radius_m=[6.0, 8.0, 1.0],
    )  # fmt: skip
    card = scorecard([score(one, tool)], 0.5)
    geometry = {name: figure["value"] for name, figure in card["geometry"].items()}
    assert geometry["centre_error_m_median"] == pytest.approx(0.5)  # 2 px of 0.5 m, and 0
    assert geometry["radius_relative_bias_median"] == pytest.approx(0.1)
    assert geometry["axis_error_deg_median"] == pytest.approx(100.0)  # 20 across north, and 180
    assert geometry["axis_flips_share"] == pytest.approx(0.5)
    assert geometry["axis_within_own_95"] == pytest.approx(0.5)
    assert geometry["blast_radius_relative_error_median_size"] == pytest.approx(0.125)
    point = card["centres"]["at_threshold"]
    assert (point["precision"], point["recall"]) == pytest.approx((2 / 3, 2 / 3), abs=1e-3)
    wrong = errors_of(ask(one), tool, 5.0, 0.5)
    assert wrong.false_px.tolist() == [[50.0, 50.0]]
    assert wrong.missed_px.tolist() == [[20.0, 40.0]]


def test_false_alarms_are_of_empty_scenes_alone(tmp_path: Path) -> None:
    empty, full = scene(tmp_path, "empty"), scene(tmp_path, "full", crater(1, 20, 20))
    alarm = found((40, 40, 0.9), (50, 20, 0.1))
    alarms = scorecard([score(empty, alarm), score(full, alarm)], 0.5)["false_alarms"]
    assert (alarms["scenes"], alarms["false_alarms"]) == (1, 1)
    assert alarms["per_km2"] == pytest.approx(1 / (64 * 64 * 0.25 / 1e6), rel=1e-3)
    assert alarms["interval_95"][0] < alarms["per_km2"] < alarms["interval_95"][1]


def test_what_a_tool_does_not_state_is_not_scored(tmp_path: Path) -> None:
    points = Found(np.array([[20.0, 20.0]]), np.array([0.9]))
    scored = score(scene(tmp_path, "a", crater(1, 20, 20)), points)
    card = scorecard([scored], 0.5)
    assert card["centres"]["ap"] == 1.0
    assert card["outlines_at_iou_0.5"] is card["boxes"] is None
    assert card["geometry"]["radius_relative_bias_median"]["value"] is None
    assert scored.masks == {}
    nothing = scorecard([score(scene(tmp_path, "a", crater(1, 20, 20)), NOTHING)], 0.5)
    assert nothing["centres"]["ap"] == 0.0
    assert nothing["centres"]["at_threshold"] is None


def test_incomplete_labels_count_within_their_hull_and_need_no_image() -> None:
    labels = [crater(n, row, col) for n, (row, col) in enumerate([(0, 0), (100, 0), (0, 100), (100, 100)])]
    one = DataScene("a", "a", "test", Path("/nowhere.jpg"), gsd_m=0.5, objects=tuple(labels), is_complete=False)
    some = found((50, 50, 0.7), (0, 0, 0.9), (50, 40, 0.8), (500, 500, 0.95), (100, 100, 0.2))
    wrong = errors_of(ask(one), some, 5.0, 0.5)
    assert wrong.false_px.tolist() == [[50.0, 40.0], [50.0, 50.0]]  # best first; none from beyond the hull
    assert wrong.false_score.tolist() == [0.8, 0.7]
    assert wrong.missed_px.tolist() == [[100.0, 0.0], [0.0, 100.0], [100.0, 100.0]]
    assert len(errors_of(ask(one), NOTHING, 5.0, 0.5).missed_px) == 4
    scored = score(one, found((0, 0, 0.9), (50, 50, 0.8), (500, 500, 0.95)))
    assert scored.centres.hit.tolist() == [True, False]  # the third lies beyond the hull
    assert scored.area_km2 == pytest.approx((50 * 50 + 4 * 50 * 10 + np.pi * 100) / 1e6, rel=0.01)


def test_distances_and_structures(tmp_path: Path) -> None:
    truth = [crater(n, 20, 10 + 15 * n, structure_id="B1", distance_edge_m=10.0) for n in range(3)]
    tool = found(
        (20, 10, 0.9), (20, 25, 0.8), (20, 40, 0.7), distance_edge_m=[11.0, 8.0, 10.0], distance_sd_m=[1.0] * 3
    )
    tool.texts["structure_id"] = np.array(["B1", "B2", "B1"])  # type: ignore[index]
    ends = scorecard([score(scene(tmp_path, "a", *truth), tool)], 0.5)["end_to_end"]
    assert ends["distance_error_m_median_size"]["value"] == pytest.approx(1.0)
    assert ends["distance_within_own_95"]["value"] == pytest.approx(2 / 3, abs=1e-3)
    assert ends["wrong_structure_share"]["value"] == pytest.approx(1 / 3, abs=1e-3)
    assert ends["mean_distance_error_m"]["value"] == pytest.approx(1 / 3, abs=1e-3)


def test_coco_protocol_on_worked_examples() -> None:
    square = np.array([[10.0, 10.0, 10.0, 10.0]])
    narrow = np.array([[10.0, 10.0, 10.0, 6.2]])  # IoU 0.62: right at 0.5, 0.55 and 0.6 of ten steps
    scores = coco_scores([Boxes(square, narrow, np.array([0.9]))])
    assert scores is not None
    assert (scores.ap50, scores.ap75) == (1.0, 0.0)
    assert scores.ap50_95 == pytest.approx(0.3)
    both = [Boxes(square, square, np.array([0.5])), Boxes(square, narrow + 50, np.array([0.9]))]
    wrong_first = coco_scores(both)
    assert wrong_first is not None
    assert wrong_first.ap50 == pytest.approx(0.5 * 51 / 101, abs=1e-6)  # precision 1/2 up to recall 1/2, at 101 points
    none = Boxes(np.zeros((0, 4)), square, np.array([0.9]))
    assert coco_scores([none]) is None
    assert coco_scores([Boxes(square, np.zeros((0, 4)), np.zeros(0))]) == (0.0, 0.0, 0.0)
