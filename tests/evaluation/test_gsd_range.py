from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cv_pipeline.evaluation.gsd_range import LADDER_M, matched, rung
from cv_pipeline.evaluation.objects import SceneMatches
from cv_pipeline.evaluation.scenes import HeldOutScene
from cv_pipeline.segmentation.backend import TorchBackend
from tests.segmentation.factories import PlantedNet, make_model

AT_M = np.array([[40.0, 55.0], [90.0, 30.0], [70.0, 100.0]])
"""(down, right)"""


def planted_scene(gsd_m: float, hidden: bool) -> HeldOutScene:
    """Red discs of 3 m radius; the truth of the last one is unknown where ``hidden``."""
    side = round(120 / gsd_m)
    down, right = (np.indices((side, side)) + 0.5) * gsd_m
    grain = np.random.default_rng(5).normal(0, 1, (60, 60)).astype(np.float32)
    ground = 120 + 12 * cv2.resize(grain, (side, side), interpolation=cv2.INTER_CUBIC)  # something to register by
    before = np.repeat(ground.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    image = before.copy()
    visible = np.ones((side, side), bool)
    for y_m, x_m in AT_M:
        image[np.hypot(down - y_m, right - x_m) < 3.0] = (255, 0, 0)
    if hidden:
        visible[np.hypot(down - AT_M[2, 0], right - AT_M[2, 1]) < 8.0] = False
    none = np.zeros((side, side), bool)
    return HeldOutScene(
        after=image,
        before=before,
        crater=none,
        blast=none,
        secondary=none,
        new=none,
        structure=none,
        structure_known=none,
        visible=visible,
        edge_m=np.full((3, 72), 3.0),
        at_px=AT_M / gsd_m,
        radius_m=np.full(3, 3.0),
        conspicuity=np.full(3, 9.0),
        family=np.array(["disc"] * 3),
        gsd_m=gsd_m,
    )


@pytest.mark.parametrize("gsd_m", [LADDER_M[0], 0.6, LADDER_M[-1]])
@pytest.mark.parametrize("paired", [False, True])
def test_planted_craters_are_hits_at_both_ends_of_the_range(tmp_path: Path, gsd_m: float, paired: bool) -> None:
    model = make_model(tmp_path, working_gsd_m=0.5, max_gsd_m=1.2)
    found = matched(planted_scene(gsd_m, hidden=False), TorchBackend(PlantedNet(3.0, 7.0)), model, paired=paired)
    assert found.labels == 3
    assert sorted(found.label[:3]) == [0, 1, 2]
    assert (found.distance_m[:3] < 0.5).all()


def test_what_nobody_could_see_is_neither_asked_for_nor_false(tmp_path: Path) -> None:
    model = make_model(tmp_path, working_gsd_m=0.5, max_gsd_m=1.2)
    found = matched(planted_scene(0.6, hidden=True), TorchBackend(PlantedNet(3.0, 7.0)), model, paired=False)
    assert found.labels == 2
    assert sorted(found.label[:2]) == [0, 1]
    assert not (found.score[2:] > 0.5).any()


def test_figures_of_a_rung() -> None:
    half = SceneMatches(np.array([0.9, 0.6]), np.array([0, -1]), np.array([0.4, np.nan]), 2)
    step = rung(0.3, "pair", [half, half], 0.5)
    assert (step.craters, step.precision, step.recall, step.median_m) == (4, 0.5, 0.5, 0.4)
    empty = rung(0.3, "pair", [SceneMatches(np.zeros(0), np.zeros(0, int), np.zeros(0), 0)], 0.5)
    assert (empty.ap, empty.ap_interval, empty.f1, empty.median_m) == (0.0, None, 0.0, None)
