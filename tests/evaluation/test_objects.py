"""The measure equals score_craters.py's; known curves give known figures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cv_pipeline.evaluation.labelled import Detections, LabelledScene, match_labelled
from cv_pipeline.evaluation.objects import (
    SceneMatches,
    average_precision,
    best_point,
    bootstrap_scenes,
    inside_hull,
    match_scene,
    median_hit_distance_m,
    point_at,
    precision_recall,
)

Rows = np.ndarray


def reference(scenes: dict[str, tuple[Rows, Rows]], tol_m: float, threshold: float) -> dict[str, float]:
    """The measure as score_craters.py computes it, kept apart from the package: (x, y, gsd), (x, y, score)."""
    scores, hits, total = [], [], 0
    for labels, found in scenes.values():
        gsd_m = labels[0, 2]
        hull = cv2.convexHull(labels[:, :2].astype(np.float32))
        keep = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) >= -10.0 / gsd_m for x, y, _ in found]
        inside = found[np.array(keep, bool)]
        inside = inside[np.argsort(-inside[:, 2], kind="stable")]
        taken = np.zeros(len(labels), bool)
        for x, y, score in inside:
            away = np.hypot(labels[:, 0] - x, labels[:, 1] - y) * gsd_m
            away[taken] = np.inf
            nearest = int(away.argmin())
            hit = bool(away[nearest] <= tol_m)
            taken[nearest] |= hit
            scores.append(score)
            hits.append(hit)
        total += len(labels)
    order = np.argsort(-np.array(scores), kind="stable")
    ranked, true = np.array(scores)[order], np.cumsum(np.array(hits)[order])
    precision, recall = true / np.arange(1, len(order) + 1), true / total
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = int((ranked >= threshold).sum()) - 1
    return {
        "ap": float(np.sum(np.diff(np.r_[0.0, recall]) * envelope)),
        "best_f1": float(f1.max()),
        "best_threshold": float(ranked[f1.argmax()]),
        "precision": float(precision[at]),
        "recall": float(recall[at]),
        "f1": float(f1[at]),
    }


def random_scenes(seed: int) -> dict[str, tuple[Rows, Rows]]:
    rng = np.random.default_rng(seed)
    scenes = {}
    for name in "abc":
        gsd_m, count = rng.uniform(0.2, 1.1), int(rng.integers(3, 60))
        at = rng.uniform(100, 500, (count, 2))
        near = at[rng.random(count) < 0.7]
        near = near + rng.normal(0, 3 / gsd_m, near.shape)
        far = rng.uniform(0, 600, (80, 2))
        points = np.concatenate([near, far])
        score = rng.random(len(points)) + np.r_[np.full(len(near), 0.3), np.zeros(80)]
        scenes[name] = (np.column_stack([at, np.full(count, gsd_m)]), np.column_stack([points, score]))
    return scenes


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("tol_m", [2.0, 5.0])
def test_equals_the_reference_measure(seed: int, tol_m: float, tmp_path) -> None:  # type: ignore[no-untyped-def]
    scenes = random_scenes(seed)
    expected = reference(scenes, tol_m, 0.8)
    matches = [
        match_labelled(
            LabelledScene(name, tmp_path, labels[0, 2], labels[:, :2]), Detections(found[:, :2], found[:, 2]), tol_m
        )
        for name, (labels, found) in scenes.items()
    ]
    curve = precision_recall(matches)
    best, at = best_point(curve), point_at(curve, 0.8)
    assert best is not None
    assert at is not None
    assert average_precision(curve) == pytest.approx(expected["ap"], abs=1e-12)
    assert (best.f1, best.threshold) == pytest.approx((expected["best_f1"], expected["best_threshold"]))
    assert at[1:] == pytest.approx((expected["precision"], expected["recall"], expected["f1"]))


def scene(score: list[float], hit: list[bool], labels: int) -> SceneMatches:
    label = np.where(hit, np.arange(len(hit)), -1)
    return SceneMatches(np.array(score), label, np.where(hit, 1.0, np.nan), labels)


def test_known_curve() -> None:
    curve = precision_recall([scene([0.9, 0.8, 0.7], [True, False, True], 4)])
    # Envelope: 1 up to recall 1/4, then 2/3 up to 1/2.
    assert average_precision(curve) == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)
    best = best_point(curve)
    assert best is not None
    assert best == pytest.approx((0.7, 2 / 3, 0.5, 4 / 7))
    assert point_at(curve, 0.95) is None


@pytest.mark.parametrize("hit", [[True, True, False, False], [False, False, True, True]])
def test_the_order_of_detections_of_one_score_does_not_matter(hit: list[bool]) -> None:
    curve = precision_recall([scene([0.5] * 4, hit, 2), scene([0.5], [False], 2)])
    assert average_precision(curve) == pytest.approx(0.5 * 2 / 5)  # recall times precision: there is one threshold
    assert best_point(curve) == pytest.approx((0.5, 2 / 5, 2 / 4, 4 / 9))
    assert point_at(curve, 0.5) == best_point(curve)


def test_nothing_found_and_nothing_labelled() -> None:
    empty = precision_recall([scene([], [], 3)])
    assert average_precision(empty) == 0
    assert best_point(empty) is None
    assert average_precision(precision_recall([])) == 0
    none = match_scene(np.zeros((0, 2)), np.zeros((2, 2)), np.array([0.5, 0.6]))
    assert not none.hit.any()
    assert average_precision(precision_recall([none])) == 0
    assert median_hit_distance_m([none], 0.1) is None


def test_a_label_is_taken_once_and_the_better_score_wins() -> None:
    labels = np.array([[0.0, 0.0], [8.0, 0.0]])
    points = np.array([[1.0, 0.0], [3.0, 0.0], [9.0, 0.0]])
    matched = match_scene(labels, points, np.array([0.5, 0.9, 0.7]), 5.0)
    assert matched.label.tolist() == [0, 1, -1]
    assert matched.distance_m[:2].tolist() == [3.0, 1.0]


def test_tolerance_is_inclusive() -> None:
    matched = match_scene(np.zeros((1, 2)), np.array([[5.0, 0.0]]), np.ones(1), 5.0)
    assert matched.hit.all()


@pytest.mark.parametrize("labels", [[[0, 0]], [[0, 0], [10, 0]], [[0, 0], [10, 0], [0, 10]]])
def test_hull_of_few_labels(labels: list[list[float]]) -> None:
    points = np.array([[-9.9, 0.0], [-10.1, 0.0], [1.0, 1.0], [np.sqrt(98) * -1, -2.0]])
    inside = inside_hull(np.array(labels, dtype=float), points)
    assert inside.tolist() == [True, False, True, False]


def test_bootstrap_holds_the_pooled_value_and_needs_two_scenes() -> None:
    scenes = [scene([0.9, 0.8], [True, k % 3 == 0], 2) for k in range(12)]

    def statistic(drawn) -> float:  # type: ignore[no-untyped-def]
        return average_precision(precision_recall(drawn))

    interval = bootstrap_scenes(scenes, statistic, draws=300)
    assert interval is not None
    assert interval.low < statistic(scenes) < interval.high
    assert bootstrap_scenes(scenes, statistic, draws=300) == interval
    assert bootstrap_scenes(scenes[:1], statistic) is None
