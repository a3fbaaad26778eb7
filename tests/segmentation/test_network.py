from __future__ import annotations

import pytest
import torch

from cv_pipeline.segmentation.network import INPUT_CHANNELS, OUTPUTS, CraterNet, Fusion, FusionScheme
from cv_pipeline.types import Channel
from tests.segmentation.factories import TINY, tiny_net


def images(batch: int = 3, height: int = 64, width: int = 64, seed: int = 1) -> torch.Tensor:
    return torch.randn(batch, INPUT_CHANNELS, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def net() -> CraterNet:
    return tiny_net()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (48, 80), (64, 16 * 7), (112, 64)])
def test_any_multiple_of_16_keeps_its_size(net: CraterNet, height: int, width: int) -> None:
    after = images(2, height, width)
    with torch.inference_mode():
        assert net(after, after).shape == (2, len(Channel), height, width)
        assert net(after).shape == (2, len(Channel), height, width)


def test_outputs_are_the_channels_in_file_order() -> None:
    assert tuple(Channel) == OUTPUTS


def test_before_image_matters(net: CraterNet) -> None:
    after = images()
    with torch.inference_mode():
        alone, same, other = net(after), net(after, after), net(after, images(seed=2))
    assert not torch.allclose(alone, same, atol=1e-4)
    assert not torch.allclose(same, other, atol=1e-4)


@pytest.mark.parametrize("share", [(True, True, True), (False, False, False), (True, False, True)])
def test_has_before_picks_the_mode_sample_by_sample(net: CraterNet, share: tuple[bool, ...]) -> None:
    after, before = images(), images(seed=2)
    with torch.inference_mode():
        mixed = net(after, before, torch.tensor(share))
        expected = torch.where(torch.tensor(share).view(-1, 1, 1, 1), net(after, before), net(after))
    torch.testing.assert_close(mixed, expected, rtol=1e-4, atol=1e-5)


def test_a_before_image_that_does_not_count_cannot_leak(net: CraterNet) -> None:
    after, none = images(), torch.zeros(3, dtype=torch.bool)
    with torch.inference_mode():
        assert torch.equal(net(after, images(seed=2), none), net(after, images(seed=3), none))


@pytest.mark.parametrize("paired", [True, False])
def test_gradient_reaches_every_weight(paired: bool) -> None:
    net = CraterNet(TINY).train()
    if paired:
        net(images(), images(seed=2), torch.tensor([True, True, False])).square().mean().backward()
    else:
        net(images()).square().mean().backward()
    idle = [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()]
    # Zero-initialised last normalisations of the residual blocks hold back their branch at the first step.
    used = [name for name in idle if name.startswith(("fusions", "decoder", "head", "encoder.model.conv1"))]
    assert used == ([] if paired else [f"fusions.{level}.from_change.weight" for level in range(4)])


def test_untrained_network_claims_next_to_nothing(net: CraterNet) -> None:
    fresh = CraterNet(TINY).eval()
    with torch.inference_mode():
        maps = torch.sigmoid(fresh(images(1, 128, 128)))
    assert maps[:, 2].mean() < 0.1


@pytest.mark.parametrize(("scheme", "symmetric"), [("difference", False), ("absolute", True)])
def test_only_the_absolute_difference_forgets_the_order_of_the_dates(scheme: FusionScheme, symmetric: bool) -> None:
    torch.manual_seed(0)
    fusion = Fusion(6, 5, scheme).eval()
    torch.nn.init.zeros_(fusion.from_after.weight)  # what is left is the change alone
    one, other = torch.randn(2, 6, 4, 4), torch.randn(2, 6, 4, 4)
    assert torch.equal(fusion(one, other, None), fusion(other, one, None)) is symmetric


def test_blocks_that_no_level_reads_are_left_out() -> None:
    import timm

    whole = timm.create_model("efficientnet_lite0", features_only=True, out_indices=(0, 1, 2, 3), in_chans=4).eval()
    net = CraterNet({**TINY, "encoder": "tu-efficientnet_lite0", "stage_channels": None}).eval()
    assert len(net.encoder.model.blocks) < len(whole.blocks)
    net.encoder.model.load_state_dict(whole.state_dict(), strict=False)
    image = torch.randn(1, 4, 64, 64)
    with torch.inference_mode():
        for ours, theirs in zip(net.encoder(image)[1:], whole(image), strict=True):
            torch.testing.assert_close(ours, theirs)
