"""Figures of merit of scored scenes, with bootstrap intervals over scenes, as plain values for a JSON file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from cv_pipeline.evaluation.plain import DRAWS, listed, rounded
from cv_pipeline.evaluation.reliability import brier, calibration_error, reliability
from cv_pipeline.evaluation.sizes import (
    DIAMETER_BANDS_M,
    DIAMETER_BANDS_PX,
    SizedScene,
    TrueOnes,
    by_size,
    found_figures,
)
from cv_pipeline.types import BoolArray, Float64Array

STRICTER = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Scores from which a user who wants fewer false alarms may have impacts reported."""

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
    return {
        "craters": sum(scene.centres.labels for scene in scenes),
        **object_figures([scene.centres for scene in scenes], threshold),
        "at_scores": _at_scores([scene.centres for scene in scenes]),
        "median_centre_error_m": rounded(median_hit_distance_m([scene.centres for scene in scenes], threshold)),
        "outlines_at_iou_0.5": {"craters": sum(scene.instances.labels for scene in scenes)}
        | object_figures([scene.instances for scene in scenes], threshold),
        "crater_mask": mask_figures([scene.crater for scene in scenes]),
        "crater_area_of_accepted_outlines": mask_figures([scene.accepted for scene in scenes]),
        "blast_mask": mask_figures([scene.blast for scene in scenes]),
        "calibration": calibration_figures(score, true, threshold),
        "by_diameter_px": by_size([_sized(scene, scene.gsd_m) for scene in scenes], DIAMETER_BANDS_PX, threshold),
        "by_diameter_m": by_size([_sized(scene, 1.0) for scene in scenes], DIAMETER_BANDS_M, threshold),
        "by_conspicuity": _conspicuity(scenes, threshold),
        "by_family": _families(scenes, threshold),
    }


def brief(mode: Mapping[str, Any]) -> dict[str, Any]:
    """Of :func:`figures`, what a table of several models shows."""
    return {**headline(mode), "crater_iou": mode["crater_mask"]["iou"], "blast_iou": mode["blast_mask"]["iou"]}


def headline(part: Mapping[str, Any]) -> dict[str, Any]:
    """Of :func:`object_figures`, AP, and F1 at the threshold: 0 where nothing is reported."""
    here = part["at_threshold"]
    kept = {name: part[name] for name in ("ap", "ap_interval_95", "f1_interval_95")}
    return {**kept, "f1": 0.0 if here is None else here["f1"]}


def difference(
    first: Sequence[SceneScore], second: Sequence[SceneScore], thresholds: tuple[float, float]
) -> dict[str, Any]:
    """First minus second over the same scenes, with paired intervals."""
    both = list(zip(first, second, strict=True))

    def of(statistic: Statistic, other: Statistic) -> dict[str, Any]:
        def value(pairs: Sequence[tuple[SceneScore, SceneScore]]) -> float:
            return statistic([a for a, _ in pairs]) - other([b for _, b in pairs])

        interval = bootstrap_scenes(both, value, draws=DRAWS)
        return {"value": rounded(value(both)), "interval_95": listed(interval)}

    def f1(threshold: float) -> Statistic:
        return lambda scenes: f1_at([scene.centres for scene in scenes], threshold)

    def crater_iou(scenes: Sequence[SceneScore]) -> float:
        return pooled(scene.crater for scene in scenes).iou

    return {
        "centre_ap": of(centre_ap, centre_ap),
        "centre_f1": of(f1(thresholds[0]), f1(thresholds[1])),
        "crater_iou": of(crater_iou, crater_iou),
    }


def object_figures(matches: Sequence[SceneMatches], threshold: float) -> dict[str, Any]:
    """AP, and precision, recall and F1 at a threshold and at the best one, with 95 % intervals over scenes."""
    curve = precision_recall(matches)
    best, here = best_point(curve), point_at(curve, threshold)
    ap = bootstrap_scenes(matches, lambda some: average_precision(precision_recall(some)), draws=DRAWS)
    f1 = bootstrap_scenes(matches, lambda some: f1_at(some, threshold), draws=DRAWS)
    return {
        "ap": rounded(average_precision(curve)),
        "ap_interval_95": listed(ap),
        "at_threshold": None if here is None else {k: rounded(v) for k, v in here._asdict().items()},
        "f1_interval_95": listed(f1),
        "best": None if best is None else {k: rounded(v) for k, v in best._asdict().items()},
    }


def _at_scores(matches: Sequence[SceneMatches]) -> dict[str, dict[str, float | None]]:
    """Precision and recall by the score from which detections count; None where none reaches it."""
    curve = precision_recall(matches)
    points = {f"{score:g}": point_at(curve, score) for score in STRICTER}
    return {
        score: {name: None if point is None else rounded(getattr(point, name)) for name in ("precision", "recall")}
        for score, point in points.items()
    }


def calibration_figures(score: Float64Array, true: BoolArray, threshold: float) -> dict[str, Any]:
    """Calibration error of scores (n,), of all and of those at or above a threshold, and the Brier score."""
    reported = score >= threshold
    return {
        "detections": len(score),
        "calibration_error": rounded(calibration_error(reliability(score, true))),
        "calibration_error_reported": rounded(calibration_error(reliability(score[reported], true[reported]))),
        "brier": rounded(brier(score, true)),
    }


def mask_figures(overlaps: Sequence[Overlap]) -> dict[str, Any]:
    """IoU of a mask at one half, and what it would be without one kind of its errors."""
    total = pooled(overlaps)
    interval = bootstrap_scenes(overlaps, lambda some: pooled(some).iou, draws=DRAWS)
    return {
        "iou": rounded(total.iou),
        "iou_interval_95": listed(interval),
        "f1": rounded(2 * total.hit / (total.hit + sum(total)) if sum(total) else 1.0),
        "pixels": total._asdict(),
        "iou_without_false_marks": rounded(total._replace(false=0).iou),
        "iou_without_misses": rounded(total._replace(hit=total.hit + total.missed, missed=0).iou),
        "iou_of_outlines_alone": rounded(total._replace(hit=total.hit + total.missed, missed=0, false=0).iou),
    }


def _craters(scenes: Sequence[SceneScore]) -> list[TrueCrater]:
    return [crater for scene in scenes for crater in scene.craters]


def _sized(scene: SceneScore, unit_m: float) -> SizedScene:
    """A scene with its diameters in a unit, a pixel or a metre."""
    true_m = np.array([2 * crater.radius_m for crater in scene.craters], np.float64)
    return SizedScene(TrueOnes.of(scene.craters), true_m / unit_m, scene.centres, scene.found_diameter_m / unit_m)


def _conspicuity(scenes: Sequence[SceneScore], threshold: float) -> dict[str, Any]:
    found = {}
    for low, high in pairwise(CONSPICUITY_BANDS):
        mine = [crater for crater in _craters(scenes) if low <= crater.conspicuity < high]
        found[f"{low:g} to {high:g}"] = found_figures([TrueOnes.of(mine)], threshold)
    return found


def _families(scenes: Sequence[SceneScore], threshold: float) -> dict[str, Any]:
    craters = _craters(scenes)
    return {
        family: found_figures([TrueOnes.of(c for c in craters if c.family == family)], threshold)
        for family in sorted({crater.family for crater in craters})
    }
