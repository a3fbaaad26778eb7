"""What runs the network: batches of normalised tiles in, map values out, whatever the library and the machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import torch

from cv_pipeline.segmentation.calibration import IDENTITY, Calibrations
from cv_pipeline.segmentation.channels import NUMBER, read_in_place, to_values
from cv_pipeline.segmentation.fold import folded
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.types import BoolArray, Channel, Float32Array

if TYPE_CHECKING:
    from torch import nn

    from cv_pipeline.segmentation.zoo import ModelFile

Device = Literal["cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]
Runtime = Literal["torch", "onnx"]


class Backend(Protocol):
    """Runs a network over a batch of tiles."""

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        """Values (n, channels, h, w) float32 as :func:`~cv_pipeline.segmentation.channels.to_values` gives them.

        Args:
            after: (n, 4, h, w), normalised; h and w are multiples of 16.
            before: The same shape, or None in after-only mode.
            has_before: (n,) which tiles have a before image at all; None: every one. The others are taken as in
                after-only mode, in which NEW is 0.
        """
        ...


def has_bf16(device: str | torch.device = "cpu") -> bool:
    """Whether a device computes in bfloat16 itself; where it only emulates it, it is slower than float32."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def pin_threads(count: int | None) -> None:
    """Let the network use ``count`` CPU threads; None: PyTorch's choice, but no more than this process may run on."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(count or min(torch.get_num_threads(), allowed))


def read_maps(
    maps: torch.Tensor, *, paired: bool, has_before: torch.Tensor | None, calibration: Calibrations = IDENTITY
) -> Float32Array:
    """A :class:`Backend`'s values of a network's raw maps (n, channels, h, w) on any device."""
    with torch.inference_mode():
        # One copy in planes, worked on in place: a network leaves its channels interleaved, and these are large.
        values = torch.empty(maps.shape, dtype=torch.float32, device=maps.device).copy_(maps)
        read_in_place(values, calibration.pair if paired else calibration.after_only)
        values = values.cpu()
        alone = torch.full((len(maps),), not paired) if has_before is None else ~has_before
        if paired and alone.any():
            values[alone] = to_values(maps[alone.to(maps.device)].float(), calibration.after_only).cpu()
        values[alone, NUMBER[Channel.NEW]] = 0.0  # new or old cannot be told
        result: Float32Array = values.numpy()
    return result


class TorchBackend:
    """A :class:`Backend` of a PyTorch network, on the device that holds its weights.

    ``precision`` is that of the network's inside: ``auto`` is bf16 where the device computes in it, else fp32.
    Values are always worked out and given in float32. A :class:`CraterNet` stays as it was; another module is
    converted in place.
    """

    def __init__(self, net: nn.Module, model: ModelFile | None = None, precision: Precision = "fp32") -> None:
        self._calibration = IDENTITY if model is None else model.calibration
        weight = next(net.parameters(), None)
        self.device = torch.device("cpu") if weight is None else weight.device
        wanted = has_bf16(self.device) if precision == "auto" else precision == "bf16"
        self.precision: Precision = "bf16" if wanted else "fp32"
        self._dtype = torch.bfloat16 if wanted else torch.float32
        quick = folded(net) if isinstance(net, CraterNet) else net
        self._net = quick.to(self._dtype).to(memory_format=torch.channels_last)

    def __call__(self, after: Float32Array, before: Float32Array | None, has_before: BoolArray | None) -> Float32Array:
        """See :class:`Backend`."""
        seen = None if has_before is None or before is None else torch.from_numpy(np.asarray(has_before))
        with torch.inference_mode():
            late = self._tensor(after)
            early = None if before is None else self._tensor(before)
            maps = self._net(late, early, None if seen is None else seen.to(self.device))
        return read_maps(maps, paired=before is not None, has_before=seen, calibration=self._calibration)

    def _tensor(self, tiles: Float32Array) -> torch.Tensor:
        return torch.from_numpy(tiles).to(self.device, self._dtype).contiguous(memory_format=torch.channels_last)
