"""Fitting a model's calibration on simulated scenes, and telling on others how well it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cv_pipeline.evaluation import heldout
from cv_pipeline.evaluation.heldout import LOW_PEAK, SceneScore
from cv_pipeline.evaluation.objects import best_point, precision_recall
from cv_pipeline.evaluation.scenes import HeldOutScene
from cv_pipeline.segmentation.calibration import MAX_LOGIT, Platt, fit_platt, logit
from cv_pipeline.segmentation.channels import NUMBER, PROBABILITIES
from cv_pipeline.types import BoolArray, Channel, Float32Array, Float64Array, ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend

_BIN = 0.1
_BINS = round(2 * MAX_LOGIT / _BIN)
_CENTRES = -MAX_LOGIT + _BIN * (np.arange(_BINS) + 0.5)


@dataclass(slots=True)
class LogitCounts:
    """How many pixels had a logit, and how many of these were true, in bins of a tenth."""

    total: Float64Array = field(default_factory=lambda: np.zeros(_BINS))
    positive: Float64Array = field(default_factory=lambda: np.zeros(_BINS))

    def add(self, values: Float32Array, true: BoolArray, told: BoolArray) -> None:
        """Count uncalibrated probabilities (h, w) where ``told``."""
        place = ((logit(values[told]) + MAX_LOGIT) / _BIN).astype(int).clip(0, _BINS - 1)
        self.total += np.bincount(place, minlength=_BINS)
        self.positive += np.bincount(place, true[told], minlength=_BINS)

    def fit(self) -> Platt:
        """The slope and intercept of these counts."""
        some = self.total > 0
        return fit_platt(_CENTRES[some], self.positive[some], self.total[some])


def _truth(scene: HeldOutScene, channel: Channel) -> tuple[BoolArray, BoolArray]:
    """Truth of a channel (h, w), and where it is told."""
    told = scene.visible
    if channel is Channel.NEW:
        told = told & scene.crater
    if channel is Channel.STRUCTURE:
        told = told & scene.structure_known
    return getattr(scene, channel.value), told


def detections(scores: Iterable[SceneScore]) -> tuple[Float64Array, BoolArray]:
    """Scores (n,) of all detections of scenes, and which were true craters."""
    parts = [scene.centres for scene in scores]
    score = np.concatenate([np.zeros(0), *(part.score for part in parts)])
    return score, np.concatenate([np.zeros(0, dtype=bool), *(part.hit for part in parts)])


class Fitted(NamedTuple):
    """A calibration, and the detections it was fitted on: uncalibrated scores (n,) and which were true craters."""

    calibration: dict[Channel, Platt]
    score: Float64Array
    true: BoolArray
    scenes: tuple[SceneScore, ...]

    def threshold(self) -> float:
        """The calibrated score of best F1 of centres over both modes; 0.5 where nothing was found."""
        best = best_point(precision_recall([scene.centres for scene in self.scenes]))
        return 0.5 if best is None else round(float(self.calibration[Channel.CENTRE](logit(best.threshold))), 3)


def fit_calibration(scenes: Iterable[HeldOutScene], backend: Backend, model: ModelInfo) -> Fitted:
    """Slope and intercept of every probability channel, with and without the before image taken together.

    The centre's are fitted on detections, not pixels: what a user reads is the value of a peak that survived
    non-maximum suppression, and that shall be the probability that a crater is there.

    Args:
        scenes: over places that are neither trained on nor judged by.
        backend: of the network without calibration.
        model: as for a run.
    """
    counts = {channel: LogitCounts() for channel in PROBABILITIES if channel is not Channel.CENTRE}
    results: list[SceneScore] = []
    kept = list(scenes)
    for paired in (True, False):
        for scene, values in heldout.predict(kept, backend, paired=paired):
            for channel, count in counts.items():
                if paired or channel is not Channel.NEW:
                    count.add(values[NUMBER[channel]], *_truth(scene, channel))
            found = heldout.find_craters(scene, values, model, paired=paired, threshold=LOW_PEAK)
            results.append(heldout.score_scene(scene, values, found))
    score, true = detections(results)
    fitted = {channel: count.fit() for channel, count in counts.items()}
    fitted[Channel.CENTRE] = fit_platt(logit(score), true.astype(np.float64))
    return Fitted({channel: fitted[channel] for channel in PROBABILITIES}, score, true, tuple(results))
