"""A network run on one image for the sake of its detections alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cv_pipeline.config import AssessConfig
from cv_pipeline.evaluation.labelled import Detections
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns.extract import locate_craters
from cv_pipeline.patterns.weights import PLAIN, PatternWeights
from cv_pipeline.registration.register import register
from cv_pipeline.segmentation.predict import segment
from cv_pipeline.types import ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend


def detect_craters(
    image: Path,
    gsd_m: float,
    backend: Backend,
    model: ModelInfo,
    *,
    score_threshold: float,
    look: PatternWeights | None = None,
) -> Detections:
    """Crater centres in one image, after only, found as in a whole run, without their patterns.

    With ``look``, the model's weights, candidates are judged in the image too, as a run does, at some 10 ms for each;
    without, centres and scores are those of the network's maps.

    Raises:
        CvPipelineError: the image cannot be used.
    """
    pair = open_pair(None, image, AssessConfig(gsd_m=gsd_m))
    aligned = register(pair, model.working_gsd_m)
    with tempfile.TemporaryDirectory() as folder:
        segmentation = segment(aligned, backend, model, Path(folder) / "maps.tif")
        found = locate_craters(
            segmentation,
            local_frame(pair.after.grid),
            pair.after.grid,
            score_threshold=score_threshold,
            images=None if look is None else aligned,
            weights=look or PLAIN,
        )
    return Detections(found.at_px, found.score)
