"""The losses beside implementations of other people, and beside their formulas written out pixel by pixel."""

from __future__ import annotations

import math

import pytest
import segmentation_models_pytorch as smp
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.ops import sigmoid_focal_loss

from cv_pipeline.segmentation.losses import axis_loss, centre_focal_loss, mask_loss, radius_loss

SEEDS = range(4)


def drawn(seed: int, share: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits and a random mask, (3, 7, 9)."""
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(3, 7, 9, generator=generator), (torch.rand(3, 7, 9, generator=generator) < share).float()


@pytest.mark.parametrize("seed", SEEDS)
def test_mask_loss_is_cross_entropy_and_dice_of_segmentation_models(seed: int) -> None:
    logits, mask = drawn(seed)
    # Its formula is ours with numerator and denominator halved, the constant too.
    dice = smp.losses.DiceLoss("binary", smooth=0.5)(logits[:, None], mask[:, None])
    expected = 2 * binary_cross_entropy_with_logits(logits, mask) + dice
    assert mask_loss(logits, mask, torch.ones_like(mask)).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_where_some_is_not_known_it_is_the_loss_of_the_rest(seed: int) -> None:
    logits, mask = drawn(seed)
    known = torch.zeros_like(mask)
    known[:, :4] = 1
    rest = mask_loss(logits[:, :4], mask[:, :4], torch.ones_like(mask[:, :4]))
    assert mask_loss(logits, mask, known).item() == pytest.approx(rest.item(), rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_centre_loss_of_a_plain_mask_is_torchvisions_focal_loss(seed: int) -> None:
    logits, mask = drawn(seed)
    expected = sigmoid_focal_loss(logits, mask, alpha=-1, gamma=2, reduction="sum") / mask.sum()
    assert centre_focal_loss(logits, mask, torch.ones_like(mask)).item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_centre_loss_is_the_formula_of_its_source(seed: int) -> None:
    logits, heat = drawn(seed, 1.0)
    heat = torch.rand(3, 7, 9, generator=torch.Generator().manual_seed(seed + 50))
    total, centres = 0.0, 0
    for logit, true in zip(logits.flatten().tolist(), heat.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        if true >= 0.86:
            total -= (1 - p) ** 2 * math.log(p)
            centres += 1
        else:
            total -= (1 - true) ** 4 * p**2 * math.log(1 - p)
    found = centre_focal_loss(logits, heat, torch.ones_like(heat)).item()
    assert found == pytest.approx(total / centres, rel=1e-4)


def huber(difference: float, beta: float) -> float:
    return 0.5 * difference**2 / beta if abs(difference) < beta else abs(difference) - 0.5 * beta


@pytest.mark.parametrize("seed", SEEDS)
def test_radius_and_axis_losses_are_their_formulas(seed: int) -> None:
    found, known = drawn(seed)
    other, _ = drawn(seed + 20)
    true = torch.rand(3, 7, 9, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    radius_m = known * (5 + 4 * true)
    pixels = [
        tuple(v.item() for v in row)
        for row in torch.stack([t.flatten() for t in (found, other, true, known, radius_m)], 1)
    ]
    told = [row for row in pixels if row[3] == 1]
    expected = sum(huber(f - math.log(r), 0.1) for f, _, _, _, r in told) / len(told)
    assert radius_loss(found, radius_m).item() == pytest.approx(expected, rel=1e-4)
    errors = [((math.tanh(f) - t) ** 2 + (math.tanh(o) + t) ** 2, r**-2) for f, o, t, _, r in told]
    expected = sum(error * share for error, share in errors) / sum(share for _, share in errors)
    assert axis_loss(found, other, true, -true, radius_m, known).item() == pytest.approx(expected, rel=1e-4)
