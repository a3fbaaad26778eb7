"""The network: one shared encoder for both dates, fused level by level, one decoder, six maps.

The decoder sees, at each level, the after features and how they differ from the before features.
Without a before image a learned "no before" vector takes the difference's place, so that one set of
weights serves pairs and single images; training drops the before image at random to teach it.
"""

from __future__ import annotations

from typing import TypedDict

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from cv_pipeline.types import Channel

INPUT_CHANNELS = 4
"""Locally normalised red, green, blue and plain luminance: see :mod:`.normalise`."""
OUTPUTS = tuple(Channel)


class NetworkConfig(TypedDict):
    """What is needed to build the network again; stored in ``model.yaml``."""

    encoder: str
    stage_channels: list[int]
    decoder_channels: list[int]


class Fusion(nn.Module):
    """Joins the after and before features of one level into as many channels as one date has."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.no_before = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.mix = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )

    def forward(self, after: Tensor, before: Tensor | None, has_before: Tensor | None) -> Tensor:
        """Fused features, the shape of ``after`` (batch, channels, height, width)."""
        missing = self.no_before.expand_as(after)
        if before is None:
            difference = missing
        elif has_before is None:
            difference = after - before
        else:
            difference = torch.where(has_before.view(-1, 1, 1, 1), after - before, missing)
        mixed: Tensor = self.mix(torch.cat([after, difference], dim=1))
        return mixed


class CraterNet(nn.Module):
    """Siamese encoder–decoder (timm encoder, U-Net decoder of segmentation-models-pytorch)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.encoder = smp.encoders.get_encoder(
            config["encoder"],
            in_channels=INPUT_CHANNELS,
            depth=4,
            weights=None,
            channels=tuple(config["stage_channels"]),
        )
        widths = self.encoder.out_channels
        self.fusions = nn.ModuleList(Fusion(width) for width in widths[1:])
        self.decoder = smp.decoders.unet.decoder.UnetDecoder(
            encoder_channels=widths, decoder_channels=tuple(config["decoder_channels"]), n_blocks=4
        )
        self.head = nn.Conv2d(config["decoder_channels"][-1], len(OUTPUTS), 3, padding=1)
        with torch.no_grad():  # rare classes: start near their base rate, as for focal losses
            assert self.head.bias is not None
            self.head.bias.copy_(torch.tensor([-3.0, -2.5, -5.0, 0.0, 1.0, 1.5]))

    def forward(self, after: Tensor, before: Tensor | None = None, has_before: Tensor | None = None) -> Tensor:
        """Raw maps (batch, 6, height, width) in the order of :class:`~cv_pipeline.types.Channel`.

        Args:
            after: (batch, 4, height, width), height and width multiples of 16.
            before: The same shape, or None in after-only mode.
            has_before: (batch,) bool: samples whose before image counts; None means all.

        The first four maps are logits, the last two natural logarithms of radii in metres.
        """
        late = self.encoder(after)
        early = self.encoder(before) if before is not None else [None] * len(late)
        fused = [late[0]] + [
            fusion(a, b, has_before) for fusion, a, b in zip(self.fusions, late[1:], early[1:], strict=True)
        ]
        maps: Tensor = self.head(self.decoder(fused))
        return maps
