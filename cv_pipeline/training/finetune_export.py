"""A fine-tuned model as a folder: weights, threshold, figures and the draft of a card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

from cv_pipeline.segmentation.domain import DOMAIN_FILE
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.segmentation.zoo import ModelFile, save_model_file, save_weights
from cv_pipeline.training.finetune import Finetuned
from cv_pipeline.training.finetune_config import FinetuneConfig

_CARD = """# Model {name}

`{base}` (weights {hash}), fine-tuned for {steps} steps on {trained} labelled craters of {scenes}.

Loss on held-out ground of the same scenes, with {held_out} labels: {before:.3f} before, {after:.3f} after. That is the
labelled ground's own neighbourhood: it says nothing of other places.

To be written by whoever shares this model: where and when the scenes were taken, by which sensor, who labelled them and
how, their licences, and on what ground the model fails.
"""


def export_finetuned(
    result: Finetuned, config: FinetuneConfig, folder: Path, data_root: Path | None = None
) -> ModelFile:
    """Write a model folder of the averaged weights; a card that is there already stays.

    With ``data_root`` threshold and calibration are made anew on held-out simulation, as for any model
    (:func:`cv_pipeline.training.export.export_model`); without it the base model's stay. The held-out ground is
    too small to choose them by, and only reports: ``metrics.json``, under ``fine_tuning``.
    """
    net = cast("CraterNet", result.module.averaged.module).float().eval()
    steps = result.base_model.steps + result.module.steps_done
    metrics: dict[str, Any]
    if data_root is not None:
        from cv_pipeline.training.export import export_model

        model = export_model(net, result.module.config, steps, data_root, folder)
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    else:
        changed = {
            "name": config.name,
            "steps": steps,
            "seed": config.seed,
            "weights_sha256": save_weights(net, folder),
        }
        model = result.base_model.model_copy(update=changed)
        metrics = {"threshold": model.score_threshold}
        save_model_file(model, folder)
    if (result.base / DOMAIN_FILE).is_file():
        shutil.copyfile(result.base / DOMAIN_FILE, folder / DOMAIN_FILE)
    metrics["fine_tuning"] = {
        "base": {"name": result.base_model.name, "weights_sha256": result.base_model.weights_sha256},
        "scenes": [scene.after.name for scene in config.scenes],
        "labels_trained": result.train_labels,
        "labels_held_out": result.held_out_labels,
        "held_out_loss_before": result.loss_before,
        "held_out_loss_after": result.loss_after,
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    card = folder / "README.md"
    if not card.exists():
        card.write_text(_card(result, config), encoding="utf-8")
    return model


def _card(result: Finetuned, config: FinetuneConfig) -> str:
    return _CARD.format(
        name=config.name,
        base=result.base_model.name,
        hash=result.base_model.weights_sha256[:12],
        steps=result.module.steps_done,
        trained=result.train_labels,
        scenes=", ".join(f"`{scene.after.name}`" for scene in config.scenes),
        held_out=result.held_out_labels,
        before=result.loss_before["total"],
        after=result.loss_after["total"],
    )
