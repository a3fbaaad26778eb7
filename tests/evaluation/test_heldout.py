from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cv_pipeline.evaluation import scenes as scenes_module
from cv_pipeline.evaluation.calibrate import LogitCounts, fit_calibration
from cv_pipeline.evaluation.figures import pooled
from cv_pipeline.evaluation.heldout import Overlap, find_craters, overlap, predict, score_scene
from cv_pipeline.evaluation.judge import compare_calibrations, judge
from cv_pipeline.evaluation.scenes import AZIMUTHS, Half, HeldOutScene, half_of, held_out_scenes
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.calibration import logit, sigmoid
from cv_pipeline.segmentation.channels import NUMBER, PROBABILITIES
from cv_pipeline.segmentation.zoo import ModelFile
from cv_pipeline.simulation.background import list_tiles
from cv_pipeline.types import BoolArray, Channel, Float32Array
from tests.segmentation.factories import TINY, tiny_net
from tests.simulation.conftest import make_data_root

__all__ = ["make_data_root"]

MODEL = ModelFile(
    name="tiny", **TINY, working_gsd_m=0.6, min_gsd_m=0.1, max_gsd_m=1.2, score_threshold=0.5, steps=0, seed=0,
    weights_sha256="",
)  # fmt: skip
SIDE, GSD_M = 96, 0.6


def make_scene(seed: int, count: int = 8, seen: bool = True) -> HeldOutScene:
    """Round craters on a grid of places; the last one too small to be asked for as an area."""
    rng = np.random.default_rng(seed)
    places = np.array([(r, c) for r in (20.0, 48.0, 76.0) for c in (20.0, 48.0, 76.0)])[:count]
    at_px = places + rng.uniform(-4, 4, places.shape)
    radius_m = rng.uniform(1.8, 4.0, count)
    radius_m[-1] = 1.0
    rows, cols = np.indices((SIDE, SIDE)) + 0.5
    away_m = np.hypot(rows[..., None] - at_px[:, 0], cols[..., None] - at_px[:, 1]) * GSD_M
    crater, blast = (away_m < radius_m).any(-1), (away_m < 2 * radius_m).any(-1)
    image = rng.integers(90, 130, (SIDE, SIDE, 3), dtype=np.uint8)
    nowhere = np.zeros((SIDE, SIDE), bool)
    return HeldOutScene(
        image, image, crater, blast, nowhere, crater, nowhere, ~nowhere, np.full((SIDE, SIDE), seen),
        np.repeat(radius_m[:, None], AZIMUTHS, axis=1), at_px, radius_m, np.full(count, 2.0),
        np.array(["plain"] * count), GSD_M,
    )  # fmt: skip


class Oracle:
    """Gives the truth of scenes in their order, with centre peaks of a planted probability that a crater is there."""

    def __init__(self, scenes: list[HeldOutScene], seed: int = 0, right: float = 1.0) -> None:
        self._scenes, self._right, self._rng = scenes, right, np.random.default_rng(seed)
        self._next = 0

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        return np.stack([self._maps() for _ in after])

    def _maps(self) -> Float32Array:
        scene = self._scenes[self._next % len(self._scenes)]
        self._next += 1
        maps = np.zeros((len(Channel), SIDE, SIDE), np.float32)
        rows, cols = np.indices((SIDE, SIDE)) + 0.5
        away_m = np.hypot(rows[..., None] - scene.at_px[:, 0], cols[..., None] - scene.at_px[:, 1]) * GSD_M
        for channel, mask in ((Channel.CRATER, scene.crater), (Channel.BLAST, scene.blast), (Channel.NEW, scene.new)):
            maps[NUMBER[channel]] = np.where(mask, 0.95, 0.05)
        peak = np.exp(-0.5 * away_m**2)
        if self._right < 1:  # peaks of all heights, each as often true as sigmoid(2 * logit) of its height says
            height = self._rng.uniform(0.15, 0.95, len(scene.at_px))
            true = self._rng.random(len(height)) < sigmoid(2 * logit(height))
            beside = (
                np.hypot(rows[..., None] - scene.at_px[:, 0] - 12, cols[..., None] - scene.at_px[:, 1] - 12) * GSD_M
            )
            peak = np.where(true, peak, np.exp(-0.5 * beside**2)) * height
        maps[NUMBER[Channel.CENTRE]] = peak.max(-1)
        maps[NUMBER[Channel.CRATER_RADIUS_M]] = np.log(scene.radius_m[away_m.argmin(-1)])
        return maps


def test_perfect_maps_score_perfectly() -> None:
    scenes = [make_scene(1), make_scene(2)]
    judged = judge(scenes, Oracle(scenes), MODEL)
    for results in judged:
        document = judged.document(0.5)["pair"]
        assert sum(scene.centres.labels for scene in results) == 16
        assert sum(scene.instances.labels for scene in results) == 14  # the small ones are not asked for
        assert document["at_threshold"]["f1"] == document["outlines_at_iou_0.5"]["at_threshold"]["f1"] == 1.0
        assert document["at_scores"]["0.5"] == {"precision": 1.0, "recall": 1.0}
        assert document["crater_mask"]["iou"] == document["blast_mask"]["iou"] == 1.0
        assert document["median_centre_error_m"] < 0.1
        assert all(crater.iou > 0.8 for scene in results for crater in scene.craters)


def test_what_nobody_can_see_is_not_asked() -> None:
    scene = make_scene(3, seen=False)
    (_, values), *_ = predict([scene], Oracle([scene]), paired=False)
    found = score_scene(scene, values, find_craters(scene, values, MODEL.info(), paired=False, threshold=0.3), 0.3)
    assert found.craters == ()
    assert len(found.centres.score) == 0
    assert found.crater == Overlap(0, 0, 0, 0, 0)


def test_pixels_are_counted_by_what_went_wrong() -> None:
    true = np.zeros((20, 20), bool)
    found = true.copy()
    true[2:6, 2:6] = True  # found, one column to the right
    found[2:6, 3:7] = True
    true[12:14, 2:5] = True  # missed
    found[12:14, 12:17] = True  # false
    assert overlap(found, true, np.ones_like(true)) == Overlap(12, 4, 4, 10, 6)
    told = np.ones_like(true)
    told[12:] = False
    assert overlap(found, true, told) == Overlap(12, 4, 4, 0, 0)
    assert overlap(found, true, told).iou == pytest.approx(12 / 20)
    assert pooled([Overlap(1, 2, 3, 4, 5), Overlap(1, 0, 0, 0, 1)]) == Overlap(2, 2, 3, 4, 6)
    assert pooled([]).iou == 1.0


def test_planted_calibration_of_detections_comes_back() -> None:
    scenes = [make_scene(number) for number in range(24)]
    fitted = fit_calibration(scenes, Oracle(scenes, right=0.5), MODEL.info())
    assert set(fitted.calibrations.pair) == set(PROBABILITIES)
    assert set(fitted.calibrations.after_only) == set(PROBABILITIES) - {Channel.NEW}
    centre = fitted.calibrations.pair[Channel.CENTRE]
    assert centre.slope == pytest.approx(2.0, rel=0.25)
    assert centre.intercept == pytest.approx(0.0, abs=0.4)
    assert 0.2 < fitted.threshold < 0.6
    told = MODEL.model_copy(update={"calibration": fitted.calibrations})

    class Calibrated(Oracle):
        def _maps(self) -> Float32Array:
            maps = super()._maps()
            maps[NUMBER[Channel.CENTRE]] = centre(logit(maps[NUMBER[Channel.CENTRE]]))
            return maps

    others = [make_scene(number) for number in range(100, 116)]
    compared = compare_calibrations(fitted, judge(others, Calibrated(others, seed=1, right=0.5), told), 0.4)
    assert compared["slope and intercept"].calibration_error < 0.08
    assert compared["as the network gives it"].calibration_error > 0.08
    assert compared["slope and intercept"].brier < compared["as the network gives it"].brier


def test_counts_of_pixels_fit_like_the_pixels() -> None:
    rng = np.random.default_rng(5)
    odds = rng.normal(-1, 2, (300, 300))
    counts = LogitCounts()
    true = rng.random(odds.shape) < sigmoid(0.5 * odds + 1.0)
    counts.add(sigmoid(odds).astype(np.float32), true, np.ones_like(true))
    assert counts.total.sum() == odds.size
    found = counts.fit()
    assert (found.slope, found.intercept) == pytest.approx((0.5, 1.0), abs=0.03)


def test_scores_do_not_depend_on_run_or_batch() -> None:
    scenes = [make_scene(number) for number in range(3)]
    backend = TorchBackend(tiny_net())
    runs = [[v for _, v in predict(scenes, backend, paired=True, batch=batch)] for batch in (3, 3, 1)]
    for first, again, alone in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, again)
        np.testing.assert_allclose(first, alone, atol=1e-5)


def test_scenes_are_kept_and_drawn_again_when_the_simulator_changes(
    make_data_root: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes_module, "SIZE_PX", 64)
    root = make_data_root()
    first = list(held_out_scenes(root, Half.JUDGE, 2, 0.6, tmp_path))
    kept = sorted(tmp_path.rglob("*.npz"))
    stamps = [path.stat().st_mtime_ns for path in kept]
    assert len(kept) == 2
    again = list(held_out_scenes(root, Half.JUDGE, 2, 0.6, tmp_path))
    assert [path.stat().st_mtime_ns for path in kept] == stamps
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.after, other.after)
        np.testing.assert_array_equal(one.crater, other.crater)
        np.testing.assert_array_equal(one.at_px, other.at_px)
        assert one.gsd_m == other.gsd_m
    original = scenes_module.simulate_pair
    monkeypatch.setattr(scenes_module, "simulate_pair", lambda b, s, *rest: original(b, (*s, 1), *rest))
    changed = list(held_out_scenes(root, Half.JUDGE, 2, 0.6, tmp_path))
    assert not np.array_equal(changed[1].after, first[1].after)


def test_halves_share_no_place(make_data_root: Callable[..., Path]) -> None:
    tiles = list_tiles(make_data_root(), "validate")
    fit, judged = ({tile.place for tile in half_of(tiles, half)} for half in Half)
    assert fit
    assert judged
    assert not fit & judged
