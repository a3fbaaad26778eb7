from __future__ import annotations

import pytest
import torch
from torch import nn

from cv_pipeline.segmentation.fold import folded
from cv_pipeline.segmentation.network import CraterNet, FusionScheme
from tests.segmentation.factories import TINY


@pytest.mark.parametrize("scheme", ["difference", "absolute"])
@pytest.mark.parametrize(
    ("encoder", "stage_channels"),
    [(TINY["encoder"], None), (TINY["encoder"], [8, 16, 24, 32]), ("tu-efficientnet_lite0", None)],
)
def test_the_same_maps_without_normalisation(
    scheme: FusionScheme, encoder: str, stage_channels: list[int] | None
) -> None:
    torch.manual_seed(3)
    net = CraterNet({**TINY, "encoder": encoder, "fusion": scheme, "stage_channels": stage_channels}).eval()
    for module in net.modules():  # statistics as after training, not the neutral ones of a new network
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.normal_(module.bias)
    for fusion in net.fusions:
        nn.init.normal_(fusion.no_before)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    after, before = torch.randn(2, 3, 4, 64, 96)
    some = torch.tensor([True, False, True])
    quick = folded(net)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())
    with torch.inference_mode():
        for arguments in ((after,), (after, before), (after, before, some)):
            torch.testing.assert_close(quick(*arguments), net(*arguments), rtol=1e-3, atol=1e-3)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
