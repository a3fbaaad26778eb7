"""Batch normalisation folded into the convolutions before it: the same maps, a quarter faster to make."""

from __future__ import annotations

import contextlib
import copy

import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse
from torch.fx.proxy import TraceError

from cv_pipeline.segmentation.network import CraterNet, Fusion


class _FoldedFusion(nn.Module):
    """A :class:`Fusion` whose normalisation is part of its two convolutions."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        norm = fusion.norm
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        offset = norm.bias - norm.running_mean * scale
        self._absolute = fusion.absolute
        self.from_after = _scaled(fusion.from_after, scale, offset)
        self.from_change = _scaled(fusion.from_change, scale, None)
        self.no_before = nn.Parameter(fusion.no_before * scale.view(1, -1, 1, 1))

    def forward(self, after: Tensor, before: Tensor | None, has_before: Tensor | None) -> Tensor:
        fused = self.from_after(after)
        if before is None:
            return torch.relu_(fused.add_(self.no_before))
        difference = after - before
        change = self.from_change(difference.abs_() if self._absolute else difference)
        if has_before is not None:
            change = torch.where(has_before.view(-1, 1, 1, 1), change, self.no_before)
        return torch.relu_(fused.add_(change))


def _scaled(conv: nn.Conv2d, scale: Tensor, offset: Tensor | None) -> nn.Conv2d:
    scaled = nn.Conv2d(conv.in_channels, conv.out_channels, 1, bias=offset is not None)
    scaled.weight = nn.Parameter(conv.weight * scale.view(-1, 1, 1, 1))
    if offset is not None:
        scaled.bias = nn.Parameter(offset)
    return scaled


def _part_from_activation(module: nn.Module) -> None:
    """Set timm's normalisation with activation in two modules, of which `fuse` knows the first."""
    for name, child in module.named_children():
        if isinstance(child, BatchNormAct2d):
            norm = nn.BatchNorm2d(child.num_features, eps=child.eps)
            norm.load_state_dict(child.state_dict())
            setattr(module, name, nn.Sequential(norm, child.act).eval())
        else:
            _part_from_activation(child)


@torch.no_grad()
def folded(net: CraterNet) -> CraterNet:
    """A copy of ``net`` for inference, in eval mode, without batch normalisation; ``net`` stays as it is.

    Maps differ by rounding only. An encoder whose code cannot be traced keeps its normalisation.
    """
    net = copy.deepcopy(net).eval()
    _part_from_activation(net.encoder)
    with contextlib.suppress(TraceError):  # one's own encoder may branch on data: correct as it is, only slower
        net.encoder = fuse(net.encoder)
    for block in net.decoder.blocks:
        block.conv1, block.conv2 = fuse(block.conv1), fuse(block.conv2)
    net.fusions = nn.ModuleList(_FoldedFusion(fusion) for fusion in net.fusions if isinstance(fusion, Fusion))
    return net
