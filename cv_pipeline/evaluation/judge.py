"""One model judged on held-out simulation: with and without the before image, calibrated and not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cv_pipeline.evaluation.calibrate import Fitted, detections
from cv_pipeline.evaluation.figures import difference, figures
from cv_pipeline.evaluation.heldout import LOW_PEAK, MODES, SceneScore, find_craters, predict, score_scene
from cv_pipeline.evaluation.reliability import Bin, brier, calibration_error, fit_isotonic, reliability
from cv_pipeline.evaluation.scenes import HeldOutScene
from cv_pipeline.segmentation.calibration import Calibration, Platt, logit
from cv_pipeline.types import Channel, Float64Array

if TYPE_CHECKING:
    from cv_pipeline.patterns.weights import PatternWeights
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.segmentation.zoo import ModelFile


class Judged(NamedTuple):
    """Every scene's score in both modes."""

    pair: tuple[SceneScore, ...]
    after_only: tuple[SceneScore, ...]

    def document(self, threshold: float) -> dict[str, Any]:
        """All figures at a threshold; IoU of both masks stands by mode at the top too."""
        modes = {mode: figures(getattr(self, mode), threshold) for mode in MODES}
        return {
            **modes,
            "crater_iou": {mode: modes[mode]["crater_mask"]["iou"] for mode in modes},
            "blast_iou": {mode: modes[mode]["blast_mask"]["iou"] for mode in modes},
            "pair_minus_after_only": difference(self.pair, self.after_only, (threshold, threshold)),
        }


def judge(
    scenes: Sequence[HeldOutScene], backend: Backend, model: ModelFile, *, look: PatternWeights | None = None
) -> Judged:
    """Run a model over scenes in both modes. With ``look`` candidates are judged in the images too, slowly."""
    found: dict[str, tuple[SceneScore, ...]] = {}
    for mode, paired in MODES.items():
        calibration: Calibration = getattr(model.calibration, mode)
        lowest = float(calibration.get(Channel.CENTRE, Platt())(logit(np.array(LOW_PEAK))))
        found[mode] = tuple(
            score_scene(
                scene,
                values,
                find_craters(scene, values, model.info(), paired=paired, threshold=lowest, look=look),
                model.score_threshold,
            )
            for scene, values in predict(scenes, backend, paired=paired)
        )
    return Judged(**found)


class Comparison(NamedTuple):
    """One way to make probabilities of the same detections."""

    bins: tuple[Bin, ...]
    calibration_error: float
    calibration_error_reported: float
    """Of those that the threshold lets through, by the same calibration."""
    brier: float


def compare_calibrations(fitted: Fitted, judged: Judged, threshold: float) -> dict[str, Comparison]:
    """Scores as they were, calibrated by slope and intercept, and by isotonic regression fitted on the same detections.

    ``judged`` must have been run with the fitted calibration.
    """
    raw, platt, isotonic, hits = [], [], [], []
    for mode in MODES:
        score, true = detections(getattr(judged, mode))
        uncalibrated = getattr(fitted.calibrations, mode)[Channel.CENTRE].inverse(score)
        raw.append(uncalibrated)
        platt.append(score)
        isotonic.append(fit_isotonic(*fitted.detections[mode])(uncalibrated))
        hits.append(true)
    truth, reported = np.concatenate(hits), np.concatenate(platt) >= threshold

    def of(parts: list[Float64Array]) -> Comparison:
        values = np.concatenate(parts)
        bins = reliability(values, truth)
        error = calibration_error(reliability(values[reported], truth[reported]))
        return Comparison(bins, calibration_error(bins), error, brier(values, truth))

    return {"as the network gives it": of(raw), "slope and intercept": of(platt), "isotonic": of(isotonic)}
