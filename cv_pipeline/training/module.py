"""The Lightning module: losses, schedule, moving average of the weights, validation figures."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any, Self

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.nn import functional

from cv_pipeline.segmentation.losses import axis_loss, centre_focal_loss, mask_loss, masked_mean, radius_loss
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.training.averaging import averaged_copy
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.encoders import start_encoder
from cv_pipeline.training.planes import Plane
from cv_pipeline.types import Channel


def total_loss(maps: Tensor, truth: Tensor, with_before: bool) -> dict[str, Tensor]:
    """Each weighted loss term and their sum, keyed by name.

    Args:
        maps: Raw network maps (batch, channels, height, width).
        truth: (batch, planes, height, width), see :mod:`cv_pipeline.training.planes`; NaN where nobody knows.
        with_before: Whether new-or-old can be told; otherwise that map is not trained.
    """
    found = dict(zip(Channel, maps.unbind(1), strict=True))
    known = dict(zip(Plane, (~truth.isnan()).float().unbind(1), strict=True))
    true = dict(zip(Plane, truth.nan_to_num(0.0).unbind(1), strict=True))
    visible, crater = true[Plane.VISIBLE], true[Plane.CRATER]

    def told(plane: Plane) -> Tensor:
        return visible * known[plane]

    terms = {
        "crater": mask_loss(found[Channel.CRATER], crater, told(Plane.CRATER)),
        "blast": 0.5 * mask_loss(found[Channel.BLAST], true[Plane.BLAST], told(Plane.BLAST)),
        "secondary": 0.25 * mask_loss(found[Channel.SECONDARY], true[Plane.SECONDARY], told(Plane.SECONDARY)),
        "structure": 0.25
        * mask_loss(
            found[Channel.STRUCTURE], true[Plane.STRUCTURE], told(Plane.STRUCTURE) * true[Plane.STRUCTURE_KNOWN]
        ),
        "centre": centre_focal_loss(found[Channel.CENTRE], true[Plane.CENTRE], told(Plane.CENTRE)),
        "crater_radius": radius_loss(found[Channel.CRATER_RADIUS_M], true[Plane.CRATER_RADIUS_M]),
        "blast_radius": 0.5 * radius_loss(found[Channel.BLAST_RADIUS_M], true[Plane.BLAST_RADIUS_M]),
        "axis": 20.0
        * axis_loss(
            found[Channel.AXIS_RIGHT],
            found[Channel.AXIS_UP],
            true[Plane.AXIS_RIGHT],
            true[Plane.AXIS_UP],
            true[Plane.CRATER_RADIUS_M],
            told(Plane.AXIS_RIGHT),
        ),
    }
    if with_before:
        new = functional.binary_cross_entropy_with_logits(found[Channel.NEW].float(), true[Plane.NEW], reduction="none")
        terms["new"] = 0.5 * masked_mean(new, told(Plane.NEW) * crater)
    terms["total"] = torch.stack(list(terms.values())).sum()
    return terms


def with_unrelated_before(before: Tensor, truth: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Before images and truth where the samples ``chosen`` (batch,) show the ground of the next sample before.

    What a before image tells, new-or-old and structures, is then not known (NaN). Neither argument is changed; a single
    sample has no other and stays.

    Args:
        before: (batch, channels, height, width), normalised.
        truth: (batch, planes, height, width), see :mod:`cv_pipeline.training.planes`.
        chosen: (batch,) bool.
    """
    if len(before) < 2:
        return before, truth
    told_by_before = [list(Plane).index(plane) for plane in (Plane.NEW, Plane.STRUCTURE)]
    truth = truth.clone()
    truth[:, told_by_before] = torch.where(chosen.view(-1, 1, 1, 1), torch.nan, truth[:, told_by_before])
    return torch.where(chosen.view(-1, 1, 1, 1), before.roll(1, 0), before), truth


_SCORED = (
    (Channel.CRATER, Plane.CRATER),
    (Channel.BLAST, Plane.BLAST),
    (Channel.SECONDARY, Plane.SECONDARY),
)
"""Maps whose overlap with the truth is logged in validation."""


def _rate_share(config: TrainConfig, step: int) -> float:
    """Learning rate at a step as a share of the run's: warm-up and a cosine to 1 %, again after each restart."""
    starts = [0, *(restart.at_step for restart in config.restarts)]
    rates = [config.learning_rate, *(restart.learning_rate for restart in config.restarts)]
    part = bisect_right(starts, step) - 1
    end = [*starts[1:], config.steps][part]
    return rates[part] / config.learning_rate * _cosine_fall(step - starts[part], end - starts[part])


def _cosine_fall(step: int, steps: int) -> float:
    warm_up = min(200, max(steps // 10, 1))
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(steps - warm_up, 1)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def soft_iou(logits: Tensor, mask: Tensor) -> Tensor:
    """Intersection over union of ``logits > 0`` with ``mask`` where that is no NaN; 1 where both are empty."""
    found, true = (logits > 0) & ~mask.isnan(), mask > 0.5
    return ((found & true).sum() + 1e-6) / ((found | true).sum() + 1e-6)


class CraterModule(L.LightningModule):
    """Trains a :class:`CraterNet`; ``averaged`` holds the weights that ship.

    With ``freeze_encoder`` the encoder keeps its weights and the statistics of its normalisation.
    """

    def __init__(self, config: TrainConfig, freeze_encoder: bool = False) -> None:
        super().__init__()
        self.config, self._freeze_encoder = config, freeze_encoder
        self.net = CraterNet(config.network())
        if config.pretrained_encoder is not None:
            start_encoder(self.net, config.pretrained_encoder)
        self.averaged = averaged_copy(self.net, config.ema_decay)
        if freeze_encoder:
            self.net.encoder.requires_grad_(False)
            self.net.encoder.eval()

    def train(self, mode: bool = True) -> Self:
        """As usual, but a frozen encoder stays in inference mode."""
        super().train(mode)
        if self._freeze_encoder:
            self.net.encoder.eval()
        return self

    @property
    def steps_done(self) -> int:
        """Optimiser steps that the averaged weights have seen, over all resumed runs."""
        return int(self.averaged.n_averaged)

    def on_train_batch_start(self, *_: Any) -> None:
        """Seed whatever chance a step may need by its number, so that a resumed run draws the same."""
        torch.manual_seed(
            (self.config.seed * 1_000_003 + self.global_step) * self.trainer.world_size + self.global_rank
        )

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:  # noqa: ARG002
        """Loss of one batch; whole batches drop the before image, which saves half the encoding.

        ``has_before`` (batch,) in the batch tells samples that have no before image anyway.
        """
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.global_step)
        with_before = torch.rand(1, generator=generator).item() >= self.config.after_only_share
        after = batch["after"].contiguous(memory_format=torch.channels_last)
        before = batch["before"].contiguous(memory_format=torch.channels_last) if with_before else None
        has_before, truth = batch.get("has_before") if with_before else None, batch["truth"]
        unrelated = self.config.unrelated_before_share_at(self.global_step)
        if before is not None and unrelated > 0:
            chosen = torch.rand(len(after), generator=generator) < unrelated
            before, truth = with_unrelated_before(before, truth, chosen.to(before.device))
        terms = total_loss(self.net(after, before, has_before), truth, with_before)
        self.log_dict({f"train/{k}": v for k, v in terms.items()}, prog_bar=False)
        self.log("loss", terms["total"], prog_bar=True, logger=False)
        return terms["total"]

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, then update the moving average: before any callback may save a checkpoint."""
        super().optimizer_step(*args, **kwargs)
        self.averaged.update_parameters(self.net)

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Losses and IoU of the averaged weights, with and without the before image."""
        for name, before in (("pair", batch["before"]), ("after_only", None)):
            maps = self.averaged(batch["after"], before, None if before is None else batch.get("has_before"))
            terms = total_loss(maps, batch["truth"], before is not None)
            self.log(f"val/{name}/loss", terms["total"], sync_dist=True)
            found = dict(zip(Channel, maps.unbind(1), strict=True))
            true = dict(zip(Plane, batch["truth"].unbind(1), strict=True))
            for channel, plane in _SCORED:
                iou = soft_iou(found[channel], true[plane])
                self.log(f"val/{name}/{plane}_iou", iou, prog_bar=plane == Plane.BLAST, sync_dist=True)
            if batch_index == 0:
                self._log_panel(name, batch, maps)

    def _log_panel(self, name: str, batch: dict[str, Tensor], maps: Tensor) -> None:
        """Eight samples as pictures: after, truth (crater, blast, centre) and the same as found."""
        if self.logger is None:
            return
        shown = (batch["after"][:8, :3] / 8 + 0.5).clamp(0, 1)
        picked = [list(Plane).index(p) for p in (Plane.CRATER, Plane.BLAST, Plane.CENTRE)]
        truth = batch["truth"][:8, picked].nan_to_num(0.5)
        panel = torch.cat([shown, truth, torch.sigmoid(maps[:8, :3].float())], dim=3)
        images = torch.cat(list(panel), dim=1)
        self.logger.experiment.add_image(f"panel/{name}", images, self.global_step)  # type: ignore[attr-defined]

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a short warm-up and a cosine fall to 1 % of the learning rate."""
        trained = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=self.config.learning_rate, weight_decay=self.config.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_share(self.config, step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
