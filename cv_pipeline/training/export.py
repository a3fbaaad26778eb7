"""From trained weights to a model folder: weights, threshold and held-out figures."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from affine import Affine

from cv_pipeline.evaluation.objects import (
    SceneMatches,
    average_precision,
    best_point,
    bootstrap_scenes,
    match_scene,
    median_hit_distance_m,
    point_at,
    precision_recall,
)
from cv_pipeline.frame import local_frame
from cv_pipeline.patterns.extract import extract_impacts
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.channels import RADII_M
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.segmentation.raster import SegmentationWriter
from cv_pipeline.segmentation.zoo import ModelFile, ModelSettings, save_model_file, save_weights
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.simulation.pair import SimulatedPair, simulate_pair
from cv_pipeline.simulation.strike import StrikeStatus
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.types import Channel, Float32Array, Grid, ModelInfo, Segmentation, Window

HELD_OUT_SEED = 990_001
HELD_OUT_SCENES = 96
HELD_OUT_SIZE_PX = 256
LOW_THRESHOLD = 0.05
EDGE_M = 2.0
"""Craters nearer to the border than this are neither demanded nor counted as false; nor those that nobody can see."""


class HeldOut(NamedTuple):
    """Detections on simulated scenes over held-out places, with and without the before image."""

    pair: list[SceneMatches]
    after_only: list[SceneMatches]
    crater_iou: dict[str, float]
    blast_iou: dict[str, float]


def _maps(net: CraterNet, scene: SimulatedPair, with_before: bool) -> Float32Array:
    valid = np.ones(scene.after.shape[:2], bool)
    after = normalise(scene.after, valid, scene.gsd_m)
    before = normalise(scene.before, valid, scene.gsd_m)
    return TorchBackend(net)(after[None], before[None] if with_before else None, None)[0]


def _matches(
    maps: Float32Array, scene: SimulatedPair, model: ModelInfo, folder: Path, with_before: bool
) -> SceneMatches:
    """Impacts of one scene, extracted as in a real run, against its truth."""
    size = scene.after.shape[0]
    grid = Grid(size, size, Affine(scene.gsd_m, 0, 0, 0, -scene.gsd_m, 0), None, scene.gsd_m)
    values = dict(zip(Channel, maps, strict=True))
    for channel in RADII_M:
        values[channel] = np.exp(values[channel])
    path = folder / "scene.tif"
    with SegmentationWriter.create(path, grid) as writer:
        writer.write(Window(0, 0, size, size), values, np.ones((size, size), bool))
    segmentation = Segmentation(path, grid, model, with_before, 1.0)
    impacts = extract_impacts(segmentation, local_frame(grid), grid, score_threshold=LOW_THRESHOLD)
    edge_px = EDGE_M / scene.gsd_m

    def counts(row_px: float, col_px: float) -> bool:
        inside = min(row_px, col_px, size - row_px, size - col_px) >= edge_px
        return inside and bool(scene.truth.visible[int(row_px), int(col_px)])

    inner = [i for i in impacts if counts(i.row_px, i.col_px)]
    truth = [s for s in scene.strikes if s.status != StrikeStatus.GONE and counts(s.row_px, s.col_px)]
    return match_scene(
        np.array([(s.col_px, s.row_px) for s in truth]).reshape(-1, 2) * scene.gsd_m,
        np.array([(i.col_px, i.row_px) for i in inner]).reshape(-1, 2) * scene.gsd_m,
        np.array([i.score for i in inner], dtype=np.float64),
    )


def held_out(net: CraterNet, model: ModelInfo, data_root: Path) -> HeldOut:
    """Run the network over simulated scenes on places that training never saw."""
    backgrounds = Backgrounds(list_tiles(data_root, "validate"))
    shape = HELD_OUT_SIZE_PX, HELD_OUT_SIZE_PX
    found: dict[bool, list[SceneMatches]] = {True: [], False: []}
    overlap: dict[tuple[bool, int], list[tuple[int, int]]] = {(w, c): [] for w in (True, False) for c in (0, 1)}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(HELD_OUT_SCENES):
            scene = simulate_pair(backgrounds, (HELD_OUT_SEED, number), shape, model.working_gsd_m)
            for with_before in (True, False):
                maps = _maps(net, scene, with_before)
                found[with_before].append(_matches(maps, scene, model, Path(folder), with_before))
                for channel, mask in enumerate((scene.truth.crater, scene.truth.blast)):
                    hit, told = maps[channel] >= 0.5, scene.truth.visible
                    overlap[with_before, channel].append(
                        (int((hit & mask & told).sum()), int(((hit | mask) & told).sum()))
                    )
    iou = {key: float(np.sum([i for i, _ in v]) / max(np.sum([u for _, u in v]), 1)) for key, v in overlap.items()}
    names = {True: "pair", False: "after_only"}
    return HeldOut(
        found[True],
        found[False],
        {names[w]: round(iou[w, 0], 4) for w in names},
        {names[w]: round(iou[w, 1], 4) for w in names},
    )


def choose_threshold(result: HeldOut) -> float:
    """The score of best F1 over both modes on held-out simulation; 0.5 where nothing was found."""
    best = best_point(precision_recall([*result.pair, *result.after_only]))
    return 0.5 if best is None else round(best.threshold, 3)


def _figures(scenes: list[SceneMatches], threshold: float) -> dict[str, object]:
    curve = precision_recall(scenes)
    at = point_at(curve, threshold)
    interval = bootstrap_scenes(scenes, lambda some: average_precision(precision_recall(some)), draws=300)
    return {
        "craters": sum(s.labels for s in scenes),
        "ap": round(average_precision(curve), 4),
        "ap_interval_95": None if interval is None else [round(v, 4) for v in interval],
        "at_threshold": None if at is None else {k: round(v, 4) for k, v in at._asdict().items()},
        "median_centre_error_m": median_hit_distance_m(scenes, threshold),
    }


def export_model(net: CraterNet, config: TrainConfig, steps: int, data_root: Path, folder: Path) -> ModelFile:
    """Write a model folder; the threshold comes from held-out simulation only.

    Writes ``weights.safetensors``, ``model.yaml`` and ``metrics.json``. The card is written by hand.
    """
    torch.manual_seed(config.seed)
    net = net.float().eval()
    digest = save_weights(net, folder)
    model = ModelFile(
        **{name: getattr(config, name) for name in ModelSettings.model_fields},
        score_threshold=0.5,
        steps=steps,
        seed=config.seed,
        weights_sha256=digest,
    )
    result = held_out(net, model.info(), data_root)
    model = model.model_copy(update={"score_threshold": choose_threshold(result)})
    save_model_file(model, folder)
    metrics = {
        "data": "simulated strikes over held-out background places; no real craters",
        "scenes": HELD_OUT_SCENES,
        "size_px": HELD_OUT_SIZE_PX,
        "gsd_m": config.working_gsd_m,
        "tolerance_m": 5.0,
        "threshold": model.score_threshold,
        "pair": _figures(result.pair, model.score_threshold),
        "after_only": _figures(result.after_only, model.score_threshold),
        "crater_iou": result.crater_iou,
        "blast_iou": result.blast_iou,
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    return model
