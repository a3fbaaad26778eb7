"""Figures of merit of scored scenes, with bootstrap intervals over scenes, as plain values for a JSON file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from cv_pipeline.evaluation.calibrate import detections
from cv_pipeline.evaluation.heldout import Overlap, SceneScore, TrueCrater
from cv_pipeline.evaluation.objects import (
    SceneMatches,
    average_precision,
    best_point,
    bootstrap_scenes,
    median_hit_distance_m,
    point_at,
    precision_recall,
)
from cv_pipeline.evaluation.reliability import brier, calibration_error, reliability

DRAWS = 400
RADIUS_BANDS_M = (0.0, 1.2, 2.0, 3.0, 4.5, np.inf)
CONSPICUITY_BANDS = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0, np.inf)

Statistic = Callable[[Sequence[SceneScore]], float]


def centre_ap(scenes: Sequence[SceneScore]) -> float:
    """Average precision of centres."""
    return average_precision(precision_recall([scene.centres for scene in scenes]))


def f1_at(matches: Sequence[SceneMatches], threshold: float) -> float:
    """F1 of the detections at or above a threshold; 0 where there are none."""
    point = point_at(precision_recall(matches), threshold)
    return 0.0 if point is None else point.f1


def pooled(overlaps: Iterable[Overlap]) -> Overlap:
    """Pixels of all scenes together."""
    return Overlap(*(int(n) for n in np.sum([[0] * 5, *overlaps], axis=0)))


def figures(scenes: Sequence[SceneScore], threshold: float) -> dict[str, Any]:
    """All figures of one mode at a threshold; intervals are for 95 %, by bootstrap over scenes.

    What stands at the top is of centres within 5 m.
    """
    score, true = detections(scenes)
    bins = reliability(score, true)
    reported = score >= threshold
    return {
        "craters": sum(scene.centres.labels for scene in scenes),
        **_objects(scenes, lambda scene: scene.centres, threshold),
        "median_centre_error_m": _rounded(median_hit_distance_m([scene.centres for scene in scenes], threshold)),
        "outlines_at_iou_0.5": {"craters": sum(scene.instances.labels for scene in scenes)}
        | _objects(scenes, lambda scene: scene.instances, threshold),
        "crater_mask": _mask(scenes, lambda scene: scene.crater),
        "crater_area_of_accepted_outlines": _mask(scenes, lambda scene: scene.accepted),
        "blast_mask": _mask(scenes, lambda scene: scene.blast),
        "calibration": {
            "detections": len(score),
            "calibration_error": _rounded(calibration_error(bins)),
            "calibration_error_reported": _rounded(calibration_error(reliability(score[reported], true[reported]))),
            "brier": _rounded(brier(score, true)),
        },
        "by_radius_m": _bands(scenes, threshold, lambda crater: crater.radius_m, RADIUS_BANDS_M),
        "by_conspicuity": _bands(scenes, threshold, lambda crater: crater.conspicuity, CONSPICUITY_BANDS),
        "by_family": {
            family: _band([c for c in _craters(scenes) if c.family == family], threshold)
            for family in sorted({crater.family for crater in _craters(scenes)})
        },
    }


def difference(
    first: Sequence[SceneScore], second: Sequence[SceneScore], thresholds: tuple[float, float]
) -> dict[str, Any]:
    """First minus second over the same scenes, with paired intervals."""
    both = list(zip(first, second, strict=True))

    def of(statistic: Statistic, other: Statistic) -> dict[str, Any]:
        def value(pairs: Sequence[tuple[SceneScore, SceneScore]]) -> float:
            return statistic([a for a, _ in pairs]) - other([b for _, b in pairs])

        interval = bootstrap_scenes(both, value, draws=DRAWS)
        return {"value": _rounded(value(both)), "interval_95": _interval(interval)}

    def f1(threshold: float) -> Statistic:
        return lambda scenes: f1_at([scene.centres for scene in scenes], threshold)

    def crater_iou(scenes: Sequence[SceneScore]) -> float:
        return pooled(scene.crater for scene in scenes).iou

    return {
        "centre_ap": of(centre_ap, centre_ap),
        "centre_f1": of(f1(thresholds[0]), f1(thresholds[1])),
        "crater_iou": of(crater_iou, crater_iou),
    }


def _objects(
    scenes: Sequence[SceneScore], part: Callable[[SceneScore], SceneMatches], threshold: float
) -> dict[str, Any]:
    matches = [part(scene) for scene in scenes]
    curve = precision_recall(matches)
    best, here = best_point(curve), point_at(curve, threshold)
    ap = bootstrap_scenes(matches, lambda some: average_precision(precision_recall(some)), draws=DRAWS)
    f1 = bootstrap_scenes(matches, lambda some: f1_at(some, threshold), draws=DRAWS)
    return {
        "ap": _rounded(average_precision(curve)),
        "ap_interval_95": _interval(ap),
        "at_threshold": None if here is None else {k: _rounded(v) for k, v in here._asdict().items()},
        "f1_interval_95": _interval(f1),
        "best": None if best is None else {k: _rounded(v) for k, v in best._asdict().items()},
    }


def _mask(scenes: Sequence[SceneScore], part: Callable[[SceneScore], Overlap]) -> dict[str, Any]:
    """IoU of a mask at one half, and what it would be without one kind of its errors."""
    overlaps = [part(scene) for scene in scenes]
    total = pooled(overlaps)
    interval = bootstrap_scenes(overlaps, lambda some: pooled(some).iou, draws=DRAWS)
    return {
        "iou": _rounded(total.iou),
        "iou_interval_95": _interval(interval),
        "pixels": total._asdict(),
        "iou_without_false_marks": _rounded(total._replace(false=0).iou),
        "iou_without_misses": _rounded(total._replace(hit=total.hit + total.missed, missed=0).iou),
        "iou_of_outlines_alone": _rounded(total._replace(hit=total.hit + total.missed, missed=0, false=0).iou),
    }


def _craters(scenes: Sequence[SceneScore]) -> list[TrueCrater]:
    return [crater for scene in scenes for crater in scene.craters]


def _bands(
    scenes: Sequence[SceneScore], threshold: float, of: Callable[[TrueCrater], float], edges: Sequence[float]
) -> dict[str, Any]:
    found = {}
    for low, high in pairwise(edges):
        mine = [crater for crater in _craters(scenes) if low <= of(crater) < high]
        found[f"{low:g} to {high:g}"] = _band(mine, threshold)
    return found


def _band(craters: Sequence[TrueCrater], threshold: float) -> dict[str, Any]:
    """How many of these are found, how many with an overlap of one half, and the median overlap of those found."""
    found = [crater for crater in craters if crater.score >= threshold]
    return {
        "craters": len(craters),
        "recall": _rounded(len(found) / len(craters)) if craters else None,
        "recall_at_iou_0.5": _rounded(sum(c.iou >= 0.5 for c in found) / len(craters)) if craters else None,
        "median_iou_of_found": _rounded(float(np.median([c.iou for c in found]))) if found else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def _interval(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(float(value), 4) for value in interval]
