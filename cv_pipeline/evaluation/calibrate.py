"""Fitting a model's calibration on simulated scenes over places that are neither trained on nor judged by.

What a user reads is the value of a peak that survived non-maximum suppression; that is to be the probability that a
crater is there, so the centre map is calibrated on detections, not on pixels. The maps of areas say how far a crater or
pattern that was accepted reaches: they are calibrated on the ground around accepted craters, so that the contour of
one half encloses as much as it should. Whether there is a crater at all is the centre's part; were it theirs too, the
outlines of uncertain craters would shrink.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cv_pipeline.evaluation.heldout import (
    LOW_PEAK,
    MODES,
    Found,
    SceneScore,
    find_craters,
    owner_of,
    predict,
    score_scene,
)
from cv_pipeline.evaluation.objects import best_point, precision_recall
from cv_pipeline.evaluation.scenes import HeldOutScene
from cv_pipeline.segmentation.calibration import MAX_LOGIT, Calibration, Calibrations, Platt, fit_platt, logit
from cv_pipeline.segmentation.channels import NUMBER, PROBABILITIES
from cv_pipeline.types import BoolArray, Channel, Float32Array, Float64Array, ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend

AROUND_RADII, AROUND_M = 3.0, 6.0
"""Maps of areas are calibrated within this many crater radii and so many metres more of an accepted crater."""

_AREAS = (Channel.CRATER, Channel.BLAST, Channel.SECONDARY)
_BIN = 0.1
_BINS = round(2 * MAX_LOGIT / _BIN)
_CENTRES = -MAX_LOGIT + _BIN * (np.arange(_BINS) + 0.5)

Detections = tuple[Float64Array, BoolArray]
"""Scores (n,) and which of them were true craters (n,)."""


@dataclass(slots=True)
class LogitCounts:
    """How many pixels had a logit, and how many of these were true, in bins of a tenth."""

    total: Float64Array = field(default_factory=lambda: np.zeros(_BINS))
    positive: Float64Array = field(default_factory=lambda: np.zeros(_BINS))

    def add(self, values: Float32Array, true: BoolArray, told: BoolArray) -> None:
        """Count uncalibrated probabilities (h, w) where ``told``."""
        place = ((logit(values[told].astype(np.float64)) + MAX_LOGIT) / _BIN).astype(int).clip(0, _BINS - 1)
        self.total += np.bincount(place, minlength=_BINS)
        self.positive += np.bincount(place, true[told], minlength=_BINS)

    def fit(self) -> Platt:
        """The slope and intercept of these counts."""
        some = self.total > 0
        return fit_platt(_CENTRES[some].astype(np.float64), self.positive[some], self.total[some])


class Fitted(NamedTuple):
    """Calibrations, the calibrated score of best F1 over both modes, and by mode the uncalibrated detections."""

    calibrations: Calibrations
    threshold: float
    detections: dict[str, Detections]


def detections(scores: Iterable[SceneScore]) -> Detections:
    """All detections of scenes."""
    parts = [scene.centres for scene in scores]
    score = np.concatenate([np.zeros(0), *(part.score for part in parts)])
    return score, np.concatenate([np.zeros(0, dtype=bool), *(part.hit for part in parts)])


class _Seen(NamedTuple):
    """What is kept of a scene until it is known which detections count as accepted."""

    scene: HeldOutScene
    values: Float32Array
    found: Found
    score: SceneScore


def fit_calibration(scenes: Iterable[HeldOutScene], backend: Backend, model: ModelInfo) -> Fitted:
    """Slope and intercept of every probability channel, with and without the before image.

    Args:
        scenes: over places that are neither trained on nor judged by.
        backend: of the network without calibration.
        model: as for a run.
    """
    kept = list(scenes)
    calibrations: dict[str, Calibration] = {}
    results: dict[str, list[SceneScore]] = {}
    for mode, paired in MODES.items():
        seen = []
        for scene, values in predict(kept, backend, paired=paired):
            found = find_craters(scene, values, model, paired=paired, threshold=LOW_PEAK)
            seen.append(_Seen(scene, values.astype(np.float16), found, score_scene(scene, values, found, 0.5)))
        results[mode] = [one.score for one in seen]
        calibrations[mode] = _fit_mode(seen, paired=paired)
    centre = {mode: calibrations[mode][Channel.CENTRE] for mode in MODES}
    moved = [
        scene.centres._replace(score=centre[mode](logit(scene.centres.score)))
        for mode in MODES
        for scene in results[mode]
    ]
    best = best_point(precision_recall(moved))
    return Fitted(
        Calibrations(**{mode: dict(calibrations[mode]) for mode in MODES}),
        0.5 if best is None else round(best.threshold, 3),
        {mode: detections(results[mode]) for mode in MODES},
    )


def _fit_mode(seen: Sequence[_Seen], *, paired: bool) -> Calibration:
    score, true = detections(one.score for one in seen)
    fitted = {Channel.CENTRE: fit_platt(logit(score), true.astype(np.float64))}
    best = best_point(precision_recall([one.score.centres for one in seen]))
    accepted = 1.0 if best is None else best.threshold
    for channel in PROBABILITIES:
        if channel is Channel.CENTRE or (channel is Channel.NEW and not paired):
            continue
        counts = LogitCounts()
        for one in seen:
            values = one.values[NUMBER[channel]].astype(np.float32)
            counts.add(values, getattr(one.scene, channel.value), _told(one, channel, accepted))
        fitted[channel] = counts.fit()
    return {channel: fitted[channel] for channel in PROBABILITIES if channel in fitted}


def _told(seen: _Seen, channel: Channel, accepted: float) -> BoolArray:
    """Where a channel (h, w) is calibrated."""
    scene = seen.scene
    if channel is Channel.STRUCTURE:
        return scene.visible & scene.structure_known
    if channel is Channel.NEW:
        return scene.visible & scene.crater
    assert channel in _AREAS
    owner, away_m = owner_of(scene)
    found_m = seen.found.at_px[seen.found.score >= accepted] * scene.gsd_m
    true_m = scene.at_px * scene.gsd_m
    near = np.zeros(len(true_m), bool)
    if len(found_m):
        away = np.hypot(*(true_m[:, None] - found_m[None]).transpose(2, 0, 1)).min(axis=1)
        near = away <= np.maximum(2.5, 0.7 * scene.radius_m)
    if not near.any():
        return np.zeros_like(scene.visible)
    reach_m = AROUND_RADII * scene.radius_m + AROUND_M
    return np.asarray(scene.visible & near[owner] & (away_m <= reach_m[owner]))
