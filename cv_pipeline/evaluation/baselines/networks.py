"""The networks: a plain U-Net on the after image, and FC-Siam-diff on both dates. One output each: crater or not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from cv_pipeline.segmentation.network import INPUT_CHANNELS

STRIDE_PX = 32
"""Images must be multiples of this on each side."""


class AfterUNet(nn.Module):
    """The U-Net of segmentation-models-pytorch with a ResNet-18 encoder from random weights, on the after image.

    Source: Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = smp.Unet("resnet18", encoder_weights=None, in_channels=INPUT_CHANNELS, classes=1)

    def forward(self, after: Tensor, _before: Tensor) -> Tensor:
        """Logits (batch, height, width) of images (batch, 4, height, width)."""
        logits: Tensor = self.net(after)
        return logits[:, 0]


_LEVELS = ((16, 2), (32, 2), (64, 3), (128, 3))
"""Channels and convolutions of each level, as in the authors' code."""
_DROPOUT = 0.2


class FCSiamDiff(nn.Module):
    """FC-Siam-diff: one encoder for both dates, absolute differences of its features in the decoder's skips.

    Widths, dropout and the order of layers are those of the authors' code; the two classes of a softmax are one
    logit here, which is the same. Source: Daudt et al. 2018, doi:10.1109/ICIP.2018.8451652.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = [width for width, _ in _LEVELS]
        self.down = nn.ModuleList(
            _convolutions([before] + [width] * count)
            for before, (width, count) in zip([INPUT_CHANNELS, *widths], _LEVELS, strict=False)
        )
        self.widen, self.up = nn.ModuleList(), nn.ModuleList()
        for level in reversed(range(len(_LEVELS))):
            width, count = _LEVELS[level]
            self.widen.append(nn.ConvTranspose2d(width, width, 3, stride=2, padding=1, output_padding=1))
            narrow = widths[level - 1] if level else width
            self.up.append(_convolutions([2 * width] + [width] * (count - 1) + ([narrow] if level else [])))
        self.head = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, after: Tensor, before: Tensor) -> Tensor:
        """Logits (batch, height, width) of images (batch, 4, height, width)."""
        late, early = self._encode(after), self._encode(before)
        features = nn.functional.max_pool2d(late[-1], 2)
        for widen, up, a, b in zip(self.widen, self.up, reversed(late), reversed(early), strict=True):
            features = up(torch.cat([widen(features), (a - b).abs()], dim=1))
        logits: Tensor = self.head(features)
        return logits[:, 0]

    def _encode(self, image: Tensor) -> list[Tensor]:
        """Features of each level before its pooling."""
        levels: list[Tensor] = []
        for number, block in enumerate(self.down):
            levels.append(block(nn.functional.max_pool2d(levels[-1], 2) if number else image))
        return levels


def _convolutions(widths: list[int]) -> nn.Sequential:
    """3 x 3 convolutions through these widths, each with batch normalisation, ReLU and dropout of whole channels."""
    layers: list[nn.Module] = []
    for before, width in pairwise(widths):
        layers += [
            nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
            nn.Dropout2d(_DROPOUT),
        ]  # fmt: skip
    return nn.Sequential(*layers)


class Architecture(NamedTuple):
    """How a network is built, and what it is for the leaderboard."""

    build: Callable[[], nn.Module]
    about: str
    uses_before: bool


ARCHITECTURES = {
    "unet": Architecture(AfterUNet, "plain U-Net, ResNet-18 (segmentation-models-pytorch)", uses_before=False),
    "fc_siam_diff": Architecture(FCSiamDiff, "FC-Siam-diff (doi:10.1109/ICIP.2018.8451652)", uses_before=True),
}
