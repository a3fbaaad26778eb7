"""The network: one shared encoder for both dates, fused level by level, one decoder, one map per channel.

The decoder sees, at each level, the after features and how they differ from the before features.
Without a before image a learned "no before" vector takes the difference's place, so that one set of
weights serves pairs and single images; training drops the before image at random to teach it.
"""

from __future__ import annotations

from typing import Literal, TypedDict

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from cv_pipeline.types import Channel

INPUT_CHANNELS = 4
"""Locally normalised red, green, blue and plain luminance: see :mod:`.normalise`."""
OUTPUTS = tuple(Channel)
DEPTH = 4
"""Levels of the encoder: the deepest sees the image at 1/16."""

_START = dict.fromkeys(Channel, 0.0) | {
    Channel.CRATER: -3.0,
    Channel.BLAST: -2.5,
    Channel.CENTRE: -5.0,
    Channel.CRATER_RADIUS_M: 1.0,
    Channel.BLAST_RADIUS_M: 1.5,
    Channel.SECONDARY: -3.0,
    Channel.STRUCTURE: -3.0,
}


FusionScheme = Literal["difference", "absolute"]
"""What stands for change: after minus before, or its absolute value (FC-Siam-diff, Daudt et al. 2018,
doi:10.1109/ICIP.2018.8451652). After and before side by side would be the first again: a 1 x 1 convolution
turns one into the other."""


class NetworkConfig(TypedDict):
    """What is needed to build the network again; stored in ``model.yaml``.

    ``stage_channels`` are the widths of a residual encoder's stages; None keeps the encoder's own.
    """

    encoder: str
    stage_channels: list[int] | None
    decoder_channels: list[int]
    fusion: FusionScheme


class Fusion(nn.Module):
    """Joins the after features of one level with how they differ from the before features."""

    def __init__(self, channels: int, fused: int, scheme: FusionScheme) -> None:
        super().__init__()
        self.absolute = scheme == "absolute"
        # One 1 x 1 convolution over both, written as two: without a before image the second is a constant.
        self.from_after = nn.Conv2d(channels, fused, 1, bias=False)
        self.from_change = nn.Conv2d(channels, fused, 1, bias=False)
        self.no_before = nn.Parameter(torch.zeros(1, fused, 1, 1))
        self.norm = nn.BatchNorm2d(fused)

    def forward(self, after: Tensor, before: Tensor | None, has_before: Tensor | None) -> Tensor:
        """Fused features (batch, fused, height, width) of features (batch, channels, height, width)."""
        fused = self.from_after(after)
        missing = self.no_before.to(fused.dtype)
        if before is None:
            return torch.relu(self.norm(fused + missing))
        difference = after - before
        change = self.from_change(difference.abs() if self.absolute else difference)
        if has_before is not None:
            change = torch.where(has_before.view(-1, 1, 1, 1), change, missing)
        return torch.relu(self.norm(fused + change))


def _drop_unread_blocks(features: nn.Module) -> None:
    """Timm's EfficientNets would compute all their blocks, also those after the last level that is read."""
    blocks = getattr(features, "blocks", None)
    if isinstance(blocks, nn.Sequential):
        last = features.feature_info.module_name()[-1]  # type: ignore[operator, union-attr]  # "blocks.4"
        del blocks[int(last.rpartition(".")[2]) + 1 :]


class CraterNet(nn.Module):
    """Siamese encoder–decoder (timm encoder, U-Net decoder of segmentation-models-pytorch)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.encoder = smp.encoders.get_encoder(
            config["encoder"],
            in_channels=INPUT_CHANNELS,
            depth=DEPTH,
            weights=None,
            **({"channels": tuple(config["stage_channels"])} if config["stage_channels"] else {}),
        )
        _drop_unread_blocks(self.encoder.model)
        widths = self.encoder.out_channels
        # The first level costs most: it is never wider than what the decoder makes of it.
        fused = [min(widths[1], config["decoder_channels"][-1]), *widths[2:]]
        self.fusions = nn.ModuleList(Fusion(*pair, config["fusion"]) for pair in zip(widths[1:], fused, strict=True))
        self.decoder = smp.decoders.unet.decoder.UnetDecoder(
            encoder_channels=(widths[0], *fused), decoder_channels=(*config["decoder_channels"], 1), n_blocks=DEPTH
        )
        # The last block would work at full size on a few channels, which is slow and adds nothing:
        # its place is taken by a head at half size whose output is unfolded 2 x 2.
        del self.decoder.blocks[-1]
        self.head = nn.Conv2d(config["decoder_channels"][-1], 4 * len(OUTPUTS), 3, padding=1)
        self.unfold = nn.PixelShuffle(2)
        with torch.no_grad():  # rare classes: start near their base rate, as for focal losses
            assert self.head.bias is not None
            self.head.bias.copy_(torch.tensor([_START[channel] for channel in OUTPUTS]).repeat_interleave(4))

    def forward(self, after: Tensor, before: Tensor | None = None, has_before: Tensor | None = None) -> Tensor:
        """Raw maps (batch, channels, height, width), see :mod:`.channels`.

        Args:
            after: (batch, 4, height, width), height and width multiples of 16.
            before: The same shape, or None in after-only mode.
            has_before: (batch,) bool: samples whose before image counts; None means all.
        """
        late = self.encoder(after)
        early = self.encoder(before) if before is not None else [None] * len(late)
        fused = [late[0]] + [
            fusion(a, b, has_before) for fusion, a, b in zip(self.fusions, late[1:], early[1:], strict=True)
        ]
        maps: Tensor = self.unfold(self.head(self.decoder(fused)))
        return maps
