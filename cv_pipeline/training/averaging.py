"""The running average of a network's weights, which is what a training exports."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged_copy(net: nn.Module, decay: float) -> AveragedModel:
    """A copy of ``net`` that ``update_parameters`` moves towards it, an exponential average with at most ``decay``.

    It takes no gradients. Float buffers are averaged too, counters are those of the last step.
    """
    copy = AveragedModel(net, avg_fn=partial(_average, decay), use_buffers=True)
    copy.requires_grad_(False)  # else several processes would wait for gradients that never come
    return copy


def _average(most: float, mean: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
    """Exponential average whose decay is ramped: early weights of a short run would spoil it."""
    decay = min(most, (1 + float(count)) / (10 + float(count)))
    return mean.lerp(value, 1 - decay) if mean.is_floating_point() else value
