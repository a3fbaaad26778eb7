"""Object scores of point detections: greedy matching within a distance, average precision, F1.

The measure is that of ``score_craters.py``, with which earlier detectors were scored: within each
scene, detections outside the padded hull of the labels are left out; the rest, best first, take the
nearest free label within the tolerance; all scenes are pooled by score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import shapely

from cv_pipeline.types import BoolArray, Float64Array, Interval

Scene = TypeVar("Scene")
TOLERANCE_M = 5.0
HULL_PAD_M = 10.0


class SceneMatches(NamedTuple):
    """Detections of one scene, best first, and what became of them."""

    score: Float64Array
    """(n,) falling."""
    label: np.ndarray
    """(n,) index of the label taken, -1 for a false alarm."""
    distance_m: Float64Array
    """(n,) distance to the label taken, NaN for a false alarm."""
    labels: int

    @property
    def hit(self) -> BoolArray:
        """(n,) whether the detection took a label."""
        return np.asarray(self.label >= 0)


class Curve(NamedTuple):
    """Precision and recall at each of the thresholds that tell pooled detections apart, highest first; each (n,)."""

    score: Float64Array
    precision: Float64Array
    recall: Float64Array
    f1: Float64Array


class OperatingPoint(NamedTuple):
    """Precision, recall and F1 of the detections at or above a threshold."""

    threshold: float
    precision: float
    recall: float
    f1: float


def inside_hull(labels_m: Float64Array, points_m: Float64Array, pad_m: float = HULL_PAD_M) -> BoolArray:
    """Whether points (n, 2) lie within ``pad_m`` of the convex hull of labels (k, 2); False for k = 0."""
    if len(labels_m) == 0:
        return np.zeros(len(points_m), dtype=bool)
    hull = shapely.MultiPoint(labels_m).convex_hull
    return np.asarray(shapely.distance(shapely.points(points_m), hull) <= pad_m)


def match_scene(
    labels_m: Float64Array, points_m: Float64Array, score: Float64Array, tolerance_m: float = TOLERANCE_M
) -> SceneMatches:
    """Match detections to labels greedily by score.

    Args:
        labels_m: (k, 2) label positions in metres.
        points_m: (n, 2) detections in the same frame.
        score: (n,) their scores; ties are taken in the order given.
        tolerance_m: greatest distance of a match, inclusive.

    Returns:
        All detections, best first. Each label is taken once, by the best-scored detection for which it
        is the nearest free one.
    """
    order = np.argsort(-score, kind="stable")
    label = np.full(len(order), -1)
    distance = np.full(len(order), np.nan)
    free = np.ones(len(labels_m), dtype=bool)
    for i, point in enumerate(points_m[order]):
        if not free.any():
            break
        away = np.where(free, np.hypot(labels_m[:, 0] - point[0], labels_m[:, 1] - point[1]), np.inf)
        nearest = int(away.argmin())
        if away[nearest] <= tolerance_m:
            label[i], distance[i], free[nearest] = nearest, away[nearest], False
    return SceneMatches(score[order], label, distance, len(labels_m))


def precision_recall(scenes: Sequence[SceneMatches]) -> Curve:
    """Precision and recall of all scenes together, as the threshold falls; empty without detections.

    Detections of equal score come in together: no threshold parts them, and the order of a file's rows is no merit of
    a tool. (The measure's script counts them one after another; without ties the figures are the same.) Recall is 0
    where there are no labels.
    """
    score = np.concatenate([np.zeros(0), *(scene.score for scene in scenes)])
    hit = np.concatenate([np.zeros(0, dtype=bool), *(scene.hit for scene in scenes)])
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))
    true = np.cumsum(hit[order])[last]
    precision = true / (last + 1)
    recall = true / max(sum(scene.labels for scene in scenes), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return Curve(score[order][last], precision, recall, f1)


def average_precision(curve: Curve) -> float:
    """Area under the precision envelope; 0 for an empty curve.

    The envelope at a recall is the best precision at that recall or a higher one (the all-point
    interpolation of PASCAL VOC since 2010, doi:10.1007/s11263-009-0275-4).
    """
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * envelope))


def best_point(curve: Curve) -> OperatingPoint | None:
    """The point of greatest F1, the highest threshold where several tie; None for an empty curve."""
    return _point(curve, int(curve.f1.argmax())) if len(curve.f1) else None


def point_at(curve: Curve, threshold: float) -> OperatingPoint | None:
    """Precision, recall and F1 at a threshold; None where no detection reaches it."""
    kept = int((curve.score >= threshold).sum())
    return _point(curve, kept - 1)._replace(threshold=threshold) if kept else None


def _point(curve: Curve, at: int) -> OperatingPoint:
    values = (curve.score[at], curve.precision[at], curve.recall[at], curve.f1[at])
    return OperatingPoint(*(float(value) for value in values))


def median_hit_distance_m(scenes: Sequence[SceneMatches], threshold: float) -> float | None:
    """Median distance of hits at or above a threshold; None where there are none."""
    parts = [scene.distance_m[scene.hit & (scene.score >= threshold)] for scene in scenes]
    distances = np.concatenate([np.zeros(0), *parts])
    return float(np.median(distances)) if len(distances) else None


def bootstrap_scenes(
    scenes: Sequence[Scene],
    statistic: Callable[[Sequence[Scene]], float],
    *,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """Percentile bootstrap interval of a pooled statistic, drawing whole scenes with replacement.

    Detections within a scene share its soil, light and GSD, so scenes are what varies independently
    (Efron and Tibshirani, An Introduction to the Bootstrap, doi:10.1007/978-1-4899-4541-9).

    Returns:
        The interval, or None with fewer than two scenes.
    """
    if len(scenes) < 2:
        return None
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(scenes), size=(draws, len(scenes)))
    values = [statistic([scenes[i] for i in pick]) for pick in picks]
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))
