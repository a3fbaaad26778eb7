"""Settings of the baselines, chosen on the fit half: what gives the best F1 there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from cv_pipeline.datasets.scene import DataScene
from cv_pipeline.evaluation.asked import ask, match_centres
from cv_pipeline.evaluation.found import Found
from cv_pipeline.evaluation.objects import SceneMatches, best_point, precision_recall
from cv_pipeline.evaluation.strikebench.classical import Detector, Raw
from cv_pipeline.segmentation.calibration import Platt, fit_platt
from cv_pipeline.simulation.background import read_rgb


class Tuned(NamedTuple):
    """What was chosen: settings, how a raw score becomes a probability, and the threshold of best F1 on it."""

    settings: dict[str, float]
    mean: float
    """Raw scores are centred and scaled before the logistic function: they have no unit."""
    spread: float
    platt: Platt
    threshold: float
    f1: float
    tried: int


def tune(detector: Detector, scenes: Sequence[DataScene]) -> Tuned:
    """Try every combination of settings; the first of several equally good ones is taken.

    Raises:
        ImageError: an image cannot be read.
    """
    images, asked = [images_of(scene) for scene in scenes], [ask(scene) for scene in scenes]
    best: Tuned | None = None
    combinations = [dict(zip(detector.grid, values, strict=True)) for values in product(*detector.grid.values())]
    for settings in combinations:
        raw = [
            detector.find(after, before, scene.gsd_m or 1.0, settings)
            for scene, (after, before) in zip(scenes, images, strict=True)
        ]
        matches = [match_centres(one, as_found(r, r.score))[1] for one, r in zip(asked, raw, strict=True)]
        point = best_point(precision_recall(matches))
        f1 = 0.0 if point is None else point.f1
        if best is None or f1 > best.f1:
            best = _fitted(settings, matches, f1, 0.0 if point is None else point.threshold, len(combinations))
    assert best is not None
    return best


def run(detector: Detector, tuned: Tuned, scenes: Sequence[DataScene]) -> dict[str, Found]:
    """Detections in every scene, with scores as probabilities."""
    found = {}
    for scene in scenes:
        raw = detector.find(*images_of(scene), scene.gsd_m or 1.0, tuned.settings)
        found[scene.name] = as_found(raw, probability(tuned, raw.score))
    return found


def probability(tuned: Tuned, score: np.ndarray) -> np.ndarray:
    """Probabilities of raw scores (n,)."""
    return tuned.platt((score - tuned.mean) / tuned.spread)


def as_found(raw: Raw, score: np.ndarray) -> Found:
    """Detections with these scores."""
    return Found(raw.at_px, score, {"crater_radius_m": raw.radius_m})


def images_of(scene: DataScene) -> tuple[np.ndarray, np.ndarray]:
    """After and before image (height, width, 3); the after image twice where there is no other."""
    after = read_rgb(scene.after)
    return after, after if scene.before is None else read_rgb(scene.before)


def _fitted(
    settings: Mapping[str, float], matches: Sequence[SceneMatches], f1: float, threshold: float, tried: int
) -> Tuned:
    score = np.concatenate([np.zeros(0), *(m.score for m in matches)])
    hit = np.concatenate([np.zeros(0, bool), *(m.hit for m in matches)])
    mean, spread = (float(score.mean()), float(max(score.std(), 1e-9))) if len(score) else (0.0, 1.0)
    platt = fit_platt((score - mean) / spread, hit.astype(np.float64)) if len(score) else Platt()
    tuned = Tuned(dict(settings), mean, spread, platt, 0.5, f1, tried)
    return tuned._replace(threshold=float(probability(tuned, np.array([threshold]))[0]))
