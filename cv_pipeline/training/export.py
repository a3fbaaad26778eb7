"""From trained weights to a model folder: weights, calibration, threshold and held-out figures."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from cv_pipeline.evaluation.calibrate import fit_calibration
from cv_pipeline.evaluation.judge import compare_calibrations, judge
from cv_pipeline.evaluation.reliability import draw_reliability
from cv_pipeline.evaluation.scenes import SIZE_PX, Half, held_out_scenes
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.domain import save_domain
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.segmentation.zoo import ModelFile, ModelSettings, save_model_file, save_weights
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.domain import fit_domain

REPORTED_FROM = 0.5
"""Calibrated probability from which a crater is reported: more likely than not."""
SCENES = 96
"""Of each half of the held-out places."""

CACHE = Path("runs/heldout")


def export_model(
    net: CraterNet,
    config: TrainConfig,
    steps: int,
    data_root: Path,
    folder: Path,
    *,
    scenes: int = SCENES,
    cache: Path | None = CACHE,
) -> ModelFile:
    """Write a model folder: calibration from one half of held-out simulation, figures from the other.

    Writes ``weights.safetensors``, ``model.yaml``, ``metrics.json``, ``reliability.png`` and ``domain.json``. The
    card is written by hand.

    Args:
        net: trained weights.
        config: what they were trained with.
        steps: how long.
        data_root: folder with the background images.
        folder: the model folder.
        scenes: how many of each half.
        cache: where rendered scenes are kept; None keeps none.
    """
    torch.manual_seed(config.seed)
    net = net.float().eval()
    model = ModelFile(
        **{name: getattr(config, name) for name in ModelSettings.model_fields},
        score_threshold=0.5,
        steps=steps,
        seed=config.seed,
        weights_sha256=save_weights(net, folder),
    )
    gsd_m = config.working_gsd_m
    fitted = fit_calibration(
        held_out_scenes(data_root, Half.FIT, scenes, gsd_m, cache), TorchBackend(net, None, "auto"), model.info()
    )
    threshold = REPORTED_FROM
    model = model.model_copy(update={"calibration": fitted.calibrations, "score_threshold": threshold})
    judged = judge(
        list(held_out_scenes(data_root, Half.JUDGE, scenes, gsd_m, cache)),
        TorchBackend(net, model, "auto"),
        model,
    )
    save_model_file(model, folder)
    compared = compare_calibrations(fitted, judged, threshold)
    metrics = {
        "data": "simulated strikes over held-out background places; no real craters",
        "scenes": scenes,
        "size_px": SIZE_PX,
        "gsd_m": gsd_m,
        "tolerance_m": 5.0,
        "threshold": threshold,
        "threshold_from": "one half: more likely than not a crater, by calibration on other places than these",
        **judged.document(threshold),
        "calibrations": {
            name: {key: value for key, value in way._asdict().items() if key != "bins"}
            for name, way in compared.items()
        },
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    curves = {name: way.bins for name, way in compared.items()}
    draw_reliability(folder / "reliability.png", curves, f"{model.name}: simulated craters over places never seen")
    save_domain(fit_domain(config, data_root), folder)
    return model
