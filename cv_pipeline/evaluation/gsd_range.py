"""How well craters of the same sizes in metres are found as the pixels of the image grow from 0.2 to 1.2 m."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from cv_pipeline.config import AssessConfig
from cv_pipeline.evaluation.heldout import counted
from cv_pipeline.evaluation.objects import (
    SceneMatches,
    average_precision,
    bootstrap_scenes,
    match_scene,
    median_hit_distance_m,
    point_at,
    precision_recall,
)
from cv_pipeline.evaluation.scenes import HeldOutScene, scene_of
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns.extract import locate_craters
from cv_pipeline.patterns.weights import PLAIN
from cv_pipeline.registration.register import register
from cv_pipeline.segmentation.predict import segment
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.simulation.config import SimulationConfig
from cv_pipeline.simulation.pair import simulate_pair

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend
    from cv_pipeline.segmentation.zoo import ModelFile

LADDER_M = (0.2, 0.3, 0.45, 0.6, 0.8, 1.0, 1.2)
SIDE_M = 150.0
LOW_SCORE = 0.02
_SEED = 990_004
_DRAWS = 400


class Rung(NamedTuple):
    """One pixel size and mode. Intervals are for 95 %, by bootstrap over scenes; None where they have no meaning."""

    gsd_m: float
    mode: str
    scenes: int
    craters: int
    ap: float
    ap_interval: tuple[float, float] | None
    precision: float
    recall: float
    f1: float
    median_m: float | None


def ladder_scene(backgrounds: Backgrounds, number: int, gsd_m: float) -> HeldOutScene:
    """Scene ``number`` of a pixel size: the simulation's default settings over a square of 150 m."""
    side_px = round(SIDE_M / gsd_m)
    return scene_of(simulate_pair(backgrounds, (_SEED, number), (side_px, side_px), gsd_m, SimulationConfig()))


def matched(scene: HeldOutScene, backend: Backend, model: ModelFile, *, paired: bool) -> SceneMatches:
    """What a run over files finds in a scene, against its truth.

    Raises:
        CvPipelineError: the model does not accept the scene's pixel size.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for date, image in (("before", scene.before), ("after", scene.after)):
            cv2.imwrite(str(folder / f"{date}.png"), image[..., ::-1])
        before = folder / "before.png" if paired else None
        pair = open_pair(before, folder / "after.png", AssessConfig(gsd_m=scene.gsd_m))
        aligned = register(pair, model.working_gsd_m)
        segmentation = segment(aligned, backend, model.info(), folder / "maps.tif")
        grid = pair.after.grid
        found = locate_craters(
            segmentation, local_frame(grid), grid, score_threshold=LOW_SCORE, images=None, weights=PLAIN
        )
    places_px = found.at_px[:, ::-1]  # (row, col), as the truth
    asked, inner = counted(scene, scene.at_px), counted(scene, places_px)
    true_m, found_m = scene.at_px[asked] * scene.gsd_m, places_px[inner] * scene.gsd_m
    return match_scene(true_m, found_m, found.score[inner])


def rung(gsd_m: float, mode: str, scenes: Sequence[SceneMatches], threshold: float) -> Rung:
    """Figures of one pixel size at a threshold; 0 where nothing was found."""

    def ap(some: Sequence[SceneMatches]) -> float:
        return average_precision(precision_recall(some))

    point = point_at(precision_recall(scenes), threshold)
    interval = bootstrap_scenes(scenes, ap, draws=_DRAWS) if any(scene.labels for scene in scenes) else None
    return Rung(
        gsd_m,
        mode,
        len(scenes),
        int(np.sum([scene.labels for scene in scenes])),
        ap(scenes),
        interval,
        precision=point.precision if point else 0.0,
        recall=point.recall if point else 0.0,
        f1=point.f1 if point else 0.0,
        median_m=median_hit_distance_m(scenes, threshold),
    )
