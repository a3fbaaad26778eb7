"""Every figure of a tool on a data set, from its scored scenes, as plain values for a JSON file.

Intervals are for 95 %, by bootstrap over scenes, except where a figure counts rare events (false alarms: Poisson).
A figure that the data set cannot tell, or the tool does not state, is None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cv_pipeline.evaluation.coco import coco_scores
from cv_pipeline.evaluation.crater_free import poisson_interval
from cv_pipeline.evaluation.figures import calibration_figures, mask_figures, object_figures
from cv_pipeline.evaluation.objects import bootstrap_scenes
from cv_pipeline.evaluation.plain import DRAWS, listed, rounded
from cv_pipeline.evaluation.scored import Hit, ScoredScene, Whole
from cv_pipeline.evaluation.sizes import DIAMETER_BANDS_M, DIAMETER_BANDS_PX, SizedScene, TrueOnes, by_size
from cv_pipeline.types import Float64Array

FLIP_DEG = 90.0
COCO_DRAWS = 100
_SDS_95 = 1.96
_SDS_95_PLANE = 2.448
"""SDs per axis within which 95 % of a round normal distribution in the plane lie: the root of -2 ln 0.05."""


def scorecard(scenes: Sequence[ScoredScene], threshold: float) -> dict[str, Any]:
    """All figures over scenes at a threshold."""
    return {
        "scenes": len(scenes),
        "objects": sum(scene.centres.labels for scene in scenes),
        "threshold": threshold,
        **_detection(scenes, threshold),
        "boxes": _boxes(scenes),
        "by_condition": _groups(scenes, threshold, lambda scene: [scene.condition]),
        "by_background": _groups(scenes, threshold, lambda scene: scene.background.split("|")),
        "by_gsd_m": _groups(scenes, threshold, lambda scene: [f"{scene.gsd_m:g}"]),
        "by_diameter_px": by_size([_sized(scene, scene.gsd_m) for scene in scenes], DIAMETER_BANDS_PX, threshold),
        "by_diameter_m": by_size([_sized(scene, 1.0) for scene in scenes], DIAMETER_BANDS_M, threshold),
        "pixels": _pixels(scenes),
        "geometry": _geometry(scenes, threshold),
        "calibration": calibration_figures(*pooled_detections(scenes), threshold),
        "false_alarms": _false_alarms(scenes, threshold),
        "registration": _registration(scenes),
        "end_to_end": _end_to_end(scenes, threshold),
    }


def pooled_detections(scenes: Sequence[ScoredScene]) -> tuple[Float64Array, np.ndarray]:
    """Scores (n,) of all detections and which of them are right (n,)."""
    score = np.concatenate([np.zeros(0), *(scene.centres.score for scene in scenes)])
    return score, np.concatenate([np.zeros(0, bool), *(scene.centres.hit for scene in scenes)])


def _detection(scenes: Sequence[ScoredScene], threshold: float) -> dict[str, Any]:
    """Objects by the distance of their centres and, where both sides have areas, by the overlap of their outlines."""
    outlines = [scene.outlines for scene in scenes if scene.outlines is not None]
    whole = len(outlines) == len(scenes)
    return {
        "centres": object_figures([scene.centres for scene in scenes], threshold),
        "outlines_at_iou_0.5": object_figures(outlines, threshold) if whole and outlines else None,
    }


def _boxes(scenes: Sequence[ScoredScene]) -> dict[str, Any] | None:
    boxes = [scene.boxes for scene in scenes if scene.boxes is not None]
    scores = coco_scores(boxes) if boxes and len(boxes) == len(scenes) else None
    if scores is None:
        return None

    def ap50_95(some: Sequence[Any]) -> float:
        drawn = coco_scores(some)
        return 0.0 if drawn is None else drawn.ap50_95

    interval = bootstrap_scenes(boxes, ap50_95, draws=COCO_DRAWS)
    return {
        **{name: rounded(value) for name, value in scores._asdict().items()},
        "ap50_95_interval_95": listed(interval),
    }


def _groups(
    scenes: Sequence[ScoredScene], threshold: float, of: Callable[[ScoredScene], Sequence[str]]
) -> dict[str, dict[str, Any]]:
    """Figures of each group; a scene that shows several backgrounds counts in each of them, whole."""
    groups: dict[str, list[ScoredScene]] = {}
    for scene in scenes:
        for name in of(scene):
            groups.setdefault(name, []).append(scene)
    return {
        name: {
            "scenes": len(some),
            "objects": sum(scene.centres.labels for scene in some),
            **(_detection(some, threshold) if any(scene.centres.labels for scene in some) else {}),
            "false_alarms_per_km2": _alarms_per_km2(some, threshold),
        }
        for name, some in sorted(groups.items())
    }


def _sized(scene: ScoredScene, unit_m: float) -> SizedScene:
    """A scene with its diameters in a unit, a pixel or a metre."""
    true_m = np.array([hit.diameter_m for hit in scene.hits], np.float64)
    return SizedScene(TrueOnes.of(scene.hits), true_m / unit_m, scene.centres, scene.found_diameter_m / unit_m)


def _pixels(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    names = sorted({name for scene in scenes for name in scene.masks})
    return {name: mask_figures([scene.masks[name] for scene in scenes if name in scene.masks]) for name in names}


def _hits(scenes: Sequence[ScoredScene]) -> list[Hit]:
    return [hit for scene in scenes for hit in scene.hits]


def _statistic(
    scenes: Sequence[ScoredScene],
    of: Callable[[Hit], float],
    threshold: float,
    statistic: Callable[[Float64Array], float],
    keep: Callable[[Hit], bool] = lambda _: True,
) -> dict[str, Any]:
    """A statistic of a value of all found objects that have it, with n and interval."""

    def value(some: Sequence[ScoredScene]) -> float:
        values = np.array([of(hit) for hit in _hits(some) if hit.score >= threshold and keep(hit)], np.float64)
        values = values[np.isfinite(values)]
        return statistic(values) if len(values) else float("nan")

    n = sum(bool(hit.score >= threshold and keep(hit) and np.isfinite(of(hit))) for hit in _hits(scenes))
    if n == 0:
        return {"n": 0, "value": None, "interval_95": None}
    interval = bootstrap_scenes(scenes, value, draws=DRAWS)
    kept = None if interval is None or not np.isfinite(interval).all() else listed(interval)
    return {"n": n, "value": rounded(value(scenes)), "interval_95": kept}


def _median(values: Float64Array) -> float:
    return float(np.median(values))


def _median_size(values: Float64Array) -> float:
    return float(np.median(np.abs(values)))


def _p90_size(values: Float64Array) -> float:
    return float(np.quantile(np.abs(values), 0.9))


def _share(values: Float64Array) -> float:
    return float(values.mean())


def _within_95(values: Float64Array) -> float:
    return float((np.abs(values) <= _SDS_95).mean())


def _within_95_in_plane(values: Float64Array) -> float:
    return float((values <= _SDS_95_PLANE).mean())


def _geometry(scenes: Sequence[ScoredScene], threshold: float) -> dict[str, Any]:
    def of(value: Callable[[Hit], float], statistic: Callable[[Float64Array], float]) -> dict[str, Any]:
        return _statistic(scenes, value, threshold, statistic)

    return {
        "centre_error_m_median": of(lambda h: h.centre_error_m, _median),
        "centre_error_m_p90": of(lambda h: h.centre_error_m, _p90_size),
        "centre_within_own_95": of(lambda h: h.centre_in_sds, _within_95_in_plane),
        "radius_relative_error_median_size": of(lambda h: h.radius_error, _median_size),
        "radius_relative_bias_median": of(lambda h: h.radius_error, _median),
        "radius_within_own_95": of(lambda h: h.radius_in_sds, _within_95),
        "blast_radius_relative_error_median_size": of(lambda h: h.blast_error, _median_size),
        "axis_error_deg_median": of(lambda h: h.direction_error_deg, _median),
        "axis_error_deg_p90": of(lambda h: h.direction_error_deg, _p90_size),
        "axis_flips_share": of(lambda h: _flag(h.direction_error_deg, FLIP_DEG), _share),
        "axis_within_own_95": of(lambda h: h.direction_in_sds, _within_95),
        "axis_stated_share_of_directional": _statistic(
            scenes, lambda h: float(h.stated), threshold, _share, lambda h: h.directed
        ),
        "axis_stated_share_of_round": _statistic(
            scenes, lambda h: float(h.stated), threshold, _share, lambda h: not h.directed
        ),
        "status_right_share": of(lambda h: h.status_right, _share),
    }


def _flag(value: float, limit: float) -> float:
    return float("nan") if np.isnan(value) else float(value > limit)


def _alarms_per_km2(scenes: Sequence[ScoredScene], threshold: float) -> float | None:
    area = sum(scene.area_km2 for scene in scenes)
    return rounded(_alarms(scenes, threshold) / area) if area else None


def _alarms(scenes: Sequence[ScoredScene], threshold: float) -> int:
    return sum(int((~s.centres.hit & (s.centres.score >= threshold)).sum()) for s in scenes)


def _false_alarms(scenes: Sequence[ScoredScene], threshold: float) -> dict[str, Any] | None:
    """On scenes without any object; the interval is that of a Poisson count. None without such scenes."""
    empty = [scene for scene in scenes if scene.centres.labels == 0]
    if not empty:
        return None
    count, area = _alarms(empty, threshold), sum(scene.area_km2 for scene in empty)
    return {
        "scenes": len(empty),
        "area_km2": rounded(area),
        "false_alarms": count,
        "per_km2": rounded(count / area),
        "interval_95": [rounded(value / area) for value in poisson_interval(count)],
    }


def _registration(scenes: Sequence[ScoredScene]) -> dict[str, Any] | None:
    """Error of pairs whose true shift is known, where the tool says how it registered; None otherwise."""
    errors: dict[str, list[float]] = {}
    for scene in scenes:
        if scene.registration_error_px is not None:
            errors.setdefault(scene.condition, []).append(scene.registration_error_px)
    if not errors:
        return None
    return {
        name: {"pairs": len(some), "median_px": rounded(float(np.median(some))), "worst_px": rounded(max(some))}
        for name, some in sorted(errors.items())
    }


def _end_to_end(scenes: Sequence[ScoredScene], threshold: float) -> dict[str, Any] | None:
    """What a user reads: distances of single impacts, and statistics of whole scenes beside the true ones."""
    measured = [scene for scene in scenes if scene.whole is not None]
    if not measured:
        return None

    def of(value: Callable[[Hit], float], statistic: Callable[[Float64Array], float]) -> dict[str, Any]:
        return _statistic(measured, value, threshold, statistic)

    return {
        "scenes": len(measured),
        "distance_error_m_median_size": of(lambda h: h.distance_error_m, _median_size),
        "distance_error_m_p90_size": of(lambda h: h.distance_error_m, _p90_size),
        "distance_within_own_95": of(lambda h: h.distance_in_sds, _within_95),
        "wrong_structure_share": of(lambda h: h.wrong_structure, _share),
        "mean_distance_error_m": _of_scenes(measured, lambda w: w.found_mean_m - w.true_mean_m),
        "median_distance_error_m": _of_scenes(measured, lambda w: w.found_median_m - w.true_median_m),
        "cep_error_m": _of_scenes(measured, lambda w: w.found_cep_m - w.true_cep_m),
    }


def _of_scenes(scenes: Sequence[ScoredScene], of: Callable[[Whole], float]) -> dict[str, Any]:
    """Median size of an error over scenes in which both sides have a value, with n and interval.

    ``no_answer`` counts scenes in which the truth has a value (or any crater) and the tool has none.
    """
    values = np.array([of(scene.whole) for scene in scenes if scene.whole is not None])
    told = values[np.isfinite(values)]
    if not len(told):
        return {"n": 0, "no_answer": len(values), "value": None, "interval_95": None}
    interval = bootstrap_scenes(told.tolist(), lambda some: _median_size(np.array(some)), draws=DRAWS)
    return {
        "n": len(told),
        "no_answer": len(values) - len(told),
        "value": rounded(_median_size(told)),
        "interval_95": listed(interval),
    }
