"""Tiny untrained models, and networks whose answer is known because it depends on the pixel alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from cv_pipeline.segmentation.network import CraterNet, NetworkConfig
from cv_pipeline.segmentation.zoo import ModelFile, save_model_file, save_weights
from cv_pipeline.types import Channel

TINY: NetworkConfig = {
    "encoder": "tu-resnet18",
    "stage_channels": [8, 8, 16, 16],
    "decoder_channels": [16, 8, 8],
    "fusion": "difference",
}


def tiny_net(seed: int = 0) -> CraterNet:
    torch.manual_seed(seed)
    net = CraterNet(TINY)
    for fusion in net.fusions:  # zero at the start, which would hide a before image that is not used
        nn.init.normal_(fusion.no_before)
    return net.eval()


def make_model(folder: Path, net: CraterNet | None = None, **overrides: Any) -> ModelFile:
    """Write a model folder with untrained weights."""
    values: dict[str, Any] = {
        "name": "tiny",
        **TINY,
        "working_gsd_m": 0.5,
        "min_gsd_m": 0.2,
        "max_gsd_m": 1.1,
        "score_threshold": 0.5,
        "steps": 0,
        "seed": 0,
        "weights_sha256": save_weights(net or tiny_net(), folder),
    }
    model = ModelFile.model_validate(values | overrides)
    save_model_file(model, folder)
    return model


class PixelNet(nn.Module):
    """Maps that depend on the pixel's luminance alone; ``calls`` records the inputs' shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[tuple[int, ...], bool]] = []

    def forward(self, after: Tensor, before: Tensor | None = None, has_before: Tensor | None = None) -> Tensor:
        self.calls.append((tuple(after.shape), before is not None))
        light = after[:, 3:4]
        steps = torch.arange(1, len(Channel) + 1, dtype=after.dtype).view(1, -1, 1, 1)
        maps = light * steps / 2
        if before is not None:
            maps[:, 3:4] = before[:, 3:4]
        return maps


def _logit(share: Tensor) -> Tensor:
    return torch.logit(share.clamp(1e-4, 1 - 1e-4))


class PlantedNet(nn.Module):
    """Takes red discs for craters and blue rings around them for blast patterns; new where it was not red before."""

    def __init__(self, crater_radius_m: float, blast_radius_m: float) -> None:
        super().__init__()
        self.log_radii = math.log(crater_radius_m), math.log(blast_radius_m)

    @staticmethod
    def more(image: Tensor, channel: int) -> Tensor:
        """1 where a colour stands out over green, else 0, (batch, 1, height, width)."""
        return torch.sigmoid(8 * (image[:, channel : channel + 1] - image[:, 1:2] - 1.5))

    def forward(self, after: Tensor, before: Tensor | None = None, has_before: Tensor | None = None) -> Tensor:
        red = self.more(after, 0)
        blast = torch.maximum(red, self.more(after, 2))
        x = torch.arange(-12, 13, dtype=after.dtype)
        bell = torch.exp(-0.5 * (x / 4) ** 2)
        kernel = (bell[:, None] * bell / bell.sum() ** 2).view(1, 1, 25, 25)
        heat = F.conv2d(F.pad(red, (12, 12, 12, 12), mode="replicate"), kernel)
        new = red if before is None else red * (1 - self.more(before, 0))
        radii = [torch.full_like(red, value) for value in self.log_radii]
        nothing = torch.full_like(red, -9.0)
        axis = torch.zeros_like(red)
        return torch.cat(
            [_logit(red), _logit(blast), _logit(heat), _logit(new), *radii, nothing, nothing, axis, axis], 1
        )


def counted() -> tuple[list[tuple[int, int]], Callable[[int, int], None]]:
    """A list and a progress function that fills it."""
    calls: list[tuple[int, int]] = []
    return calls, lambda done, total: calls.append((done, total))
