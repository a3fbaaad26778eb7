"""The running average of weights against the formula written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cv_pipeline.training.averaging import averaged_copy


def test_average_is_exponential_with_a_ramp_and_leaves_the_network_alone() -> None:
    net = nn.BatchNorm1d(1)
    values = np.random.default_rng(3).normal(size=40)
    copy = averaged_copy(net, 0.7)
    for step, value in enumerate(values):
        with torch.no_grad():
            net.weight.fill_(value)
            net.running_mean.fill_(2 * value)  # type: ignore[union-attr]
            net.num_batches_tracked.fill_(step)  # type: ignore[union-attr]
        copy.update_parameters(net)
    mean = values[0]
    for count, value in enumerate(values[1:], start=1):
        decay = min(0.7, (1 + count) / (10 + count))
        mean = decay * mean + (1 - decay) * value
    state = copy.module.state_dict()
    assert float(state["weight"]) == pytest.approx(mean, rel=1e-5)
    assert float(state["running_mean"]) == pytest.approx(2 * mean, rel=1e-5)
    assert int(state["num_batches_tracked"]) == len(values) - 1
    assert float(net.weight) == pytest.approx(values[-1])
    assert not any(p.requires_grad for p in copy.parameters())
    assert int(copy.n_averaged) == len(values)
