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
from cv_pipeline.registration.register import register
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.predict import segment
from cv_pipeline.types import ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.network import CraterNet


def detect_craters(
    image: Path, gsd_m: float, net: CraterNet, model: ModelInfo, *, score_threshold: float
) -> Detections:
    """Crater centres that ``net`` sees in one image, after only, found as in a whole run but not measured.

    Raises:
        CvPipelineError: the image cannot be used.
    """
    pair = open_pair(None, image, AssessConfig(gsd_m=gsd_m))
    aligned = register(pair, model.working_gsd_m)
    with tempfile.TemporaryDirectory() as folder:
        segmentation = segment(aligned, TorchBackend(net), model, Path(folder) / "maps.tif")
        found = locate_craters(
            segmentation, local_frame(pair.after.grid), pair.after.grid, score_threshold=score_threshold
        )
    return Detections(found.at_px, found.score)
