"""Fine-tuning a finished model on one's own labelled scenes, mixed with simulation so that it forgets little."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader

from cv_pipeline.config import AssessConfig
from cv_pipeline.datasets.own import SceneFiles
from cv_pipeline.errors import LabelsError
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.registration.register import register
from cv_pipeline.segmentation.predict import check_gsd
from cv_pipeline.segmentation.zoo import ModelFile, find_model, load_network, read_model_file
from cv_pipeline.simulation.background import Backgrounds, list_tiles
from cv_pipeline.training.finetune_config import FinetuneConfig
from cv_pipeline.training.finetune_data import FinetuneData
from cv_pipeline.training.labels import read_area, read_labels
from cv_pipeline.training.loaders import Batch
from cv_pipeline.training.module import CraterModule, total_loss
from cv_pipeline.training.places import Place
from cv_pipeline.training.run import Machine, fit, steps_done
from cv_pipeline.types import Gate, ModelInfo


def open_place(files: SceneFiles, model: ModelInfo) -> Place:
    """Open, align and check one labelled scene.

    Raises:
        CvPipelineError: an image or the labels cannot be used, its GSD is not the model's, the dates cannot be aligned.
    """
    pair = open_pair(files.before, files.after, AssessConfig(gsd_m=files.gsd_m))
    check_gsd(pair.after, model)
    aligned = register(pair, model.working_gsd_m)
    if aligned.registration is not None and aligned.registration.gate == Gate.FAIL:
        raise LabelsError(
            f"{files.before} cannot be aligned with {files.after} ({aligned.registration.reason}); "
            "leave the before image out, or give another"
        )
    labels = read_labels(files.labels, aligned.working_grid, files.after)
    area = () if files.area is None else read_area(files.area, aligned.working_grid, files.after)
    return Place(aligned, labels, area)


@torch.inference_mode()
def held_out_loss(net: nn.Module, batches: DataLoader[Batch]) -> dict[str, float]:
    """Mean of each loss term over held-out windows, with the before image where there is one."""
    net.eval()
    sums: dict[str, float] = {}
    count = 0
    for batch in batches:
        maps = net(batch["after"], batch["before"], batch["has_before"]).float()
        for name, term in total_loss(maps, batch["truth"], with_before=True).items():
            sums[name] = sums.get(name, 0.0) + float(term) * len(maps)
        count += len(maps)
    return {name: round(value / count, 4) for name, value in sums.items()}


class Finetuned(NamedTuple):
    """What a fine-tuning gave: the module, the loss on held-out ground before and after, how the labels were split."""

    base: Path
    base_model: ModelFile
    module: CraterModule
    loss_before: dict[str, float]
    loss_after: dict[str, float]
    train_labels: int
    held_out_labels: int


def finetune(config: FinetuneConfig, run_dir: Path, machine: Machine, data_root: Path | None = None) -> Finetuned:
    """Train the model named in ``config`` on its scenes, resuming from ``run_dir/last.ckpt`` where there is one.

    ``data_root`` holds real backgrounds for the simulated samples; without it they are all synthetic.

    Raises:
        CvPipelineError: the model, an image or a labels file cannot be used.
    """
    folder = find_model(config.model)
    model = read_model_file(folder)
    places = [open_place(scene, model.info()) for scene in config.scenes]
    L.seed_everything(config.seed, workers=True)
    module = CraterModule(config.train_config(model), config.freeze_encoder)
    base = load_network(folder, model)
    module.net.load_state_dict(base.state_dict())
    module.averaged.module.load_state_dict(base.state_dict())
    backgrounds = Backgrounds([] if data_root is None else list_tiles(data_root, "train"))
    data = FinetuneData(config, places, backgrounds, steps_done(run_dir), machine.workers)
    start = held_out_loss(base, data.val_dataloader())
    fit(module, data, run_dir, machine, config.steps)
    end = held_out_loss(module.averaged.module, data.val_dataloader())
    counts = [sum(len(block.labels) for block in blocks) for blocks in (data.train_blocks, data.held_out_blocks)]
    return Finetuned(folder, model, module, start, end, *counts)
