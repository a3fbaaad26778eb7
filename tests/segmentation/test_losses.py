from __future__ import annotations

import math

import pytest
import torch

from cv_pipeline.segmentation.losses import axis_loss, masked_mean, radius_loss
from cv_pipeline.segmentation.losses import centre_focal_loss as weighted_centre_loss
from cv_pipeline.segmentation.losses import mask_loss as weighted_mask_loss


def mask_loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return weighted_mask_loss(logits, mask, torch.ones_like(mask))


def centre_focal_loss(logits: torch.Tensor, heat: torch.Tensor) -> torch.Tensor:
    return weighted_centre_loss(logits, heat, torch.ones_like(heat))


def heat_at(row: float = 15.5, col: float = 20.5, sigma_px: float = 2.0, size: int = 40) -> torch.Tensor:
    at = torch.arange(size) + 0.5
    square = (at[:, None] - row) ** 2 + (at - col) ** 2
    return torch.exp(-square / (2 * sigma_px**2))[None]


def as_logits(probability: torch.Tensor) -> torch.Tensor:
    return torch.logit(probability.clamp(1e-4, 1 - 1e-4))


def disc(size: int = 40, radius: float = 8) -> torch.Tensor:
    return (heat_at(size=size) > math.exp(-((radius / 2) ** 2) / 2)).float()


def test_perfect_mask_costs_nearly_nothing() -> None:
    assert mask_loss((disc() * 2 - 1) * 20, disc()) < 1e-3
    assert mask_loss((1 - disc() * 2) * 20, disc()) > 10


def test_perfect_centre_costs_far_less_than_none() -> None:
    heat = heat_at()
    perfect = centre_focal_loss(as_logits(heat), heat)
    assert perfect < 0.2
    assert perfect < centre_focal_loss(torch.full_like(heat, -6.0), heat) / 10


@pytest.mark.parametrize("shift", [3.0, 6.0, 12.0])
def test_centre_loss_falls_when_the_peak_is_right(shift: float) -> None:
    heat = heat_at()
    wrong = as_logits(heat_at(col=20.5 + shift))
    assert centre_focal_loss(as_logits(heat), heat) < centre_focal_loss(wrong, heat)


@pytest.mark.parametrize("gsd_m", [0.1, 0.3, 0.6, 0.75])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.5, 0.5), (0.25, 0.0)])
def test_every_trained_peak_has_a_centre_pixel(gsd_m: float, offset: tuple[float, float]) -> None:
    heat = heat_at(20 + offset[0], 20 + offset[1], sigma_px=1.0 / gsd_m)
    assert (heat >= 0.86).sum() >= 1


def test_empty_truth_is_finite_and_prefers_silence() -> None:
    empty = torch.zeros(2, 16, 16)
    silent, loud = torch.full_like(empty, -9.0), torch.full_like(empty, 4.0)
    for loss in (mask_loss, centre_focal_loss):
        assert torch.isfinite(loss(silent, empty))
        assert loss(silent, empty) < loss(loud, empty)
    assert centre_focal_loss(silent, empty) < 1e-3


def test_extreme_logits_stay_finite() -> None:
    extreme = torch.tensor([[[-500.0, 500.0], [500.0, -500.0]]])
    truth = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    assert torch.isfinite(mask_loss(extreme, truth))
    assert torch.isfinite(centre_focal_loss(extreme, truth))


def test_masked_mean() -> None:
    values = torch.tensor([1.0, 2.0, 30.0])
    assert masked_mean(values, torch.tensor([True, True, False])) == 1.5
    assert masked_mean(values, torch.zeros(3, dtype=torch.bool)) == 0.0


def test_radius_loss_counts_known_radii_only() -> None:
    truth = torch.tensor([[[4.0, 0.0, 9.0]]])
    right = torch.tensor([[[math.log(4.0), 77.0, math.log(9.0)]]])
    assert radius_loss(right, truth) < 1e-6
    assert radius_loss(right, torch.zeros_like(truth)) == 0.0
    doubled = radius_loss(right + math.log(2), truth)
    halved = radius_loss(right - math.log(2), truth)
    assert doubled == pytest.approx(halved)
    assert doubled > 0.5


@pytest.mark.parametrize(
    ("loss", "truth"), [(mask_loss, disc()), (centre_focal_loss, heat_at()), (radius_loss, disc() * 4)]
)
def test_gradient_descent_lowers_the_loss(loss, truth: torch.Tensor) -> None:
    raw = torch.zeros_like(truth, requires_grad=True)
    first = loss(raw, truth)
    first.backward()
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()
    assert raw.grad.abs().sum() > 0
    assert loss((raw - 0.1 * raw.grad).detach(), truth) < first


def test_half_precision_is_summed_in_full() -> None:
    logits, truth = torch.zeros(4, 64, 64, dtype=torch.bfloat16), torch.zeros(4, 64, 64)
    assert mask_loss(logits, truth).dtype == torch.float32
    assert centre_focal_loss(logits, truth).dtype == torch.float32


@pytest.mark.parametrize("loss", [weighted_mask_loss, weighted_centre_loss])
def test_what_is_not_known_costs_nothing(loss) -> None:
    truth, half = heat_at().round(), torch.ones(1, 40, 40)
    half[:, :, 20:] = 0
    right, wrong = as_logits(truth), as_logits(truth)
    wrong[:, :, 20:] = 5.0
    assert loss(wrong, truth, half) == pytest.approx(loss(right, truth, half).item())
    assert loss(wrong, truth, torch.ones_like(half)) > 2 * loss(right, truth, torch.ones_like(half))


def test_axis_loss_is_least_at_the_true_axis() -> None:
    known, radius_m = torch.tensor([[[1.0, 0.0]]]), torch.full((1, 1, 2), 3.0)
    right, up = torch.full((1, 1, 2), 0.6), torch.full((1, 1, 2), -0.3)
    found = torch.atanh(right), torch.atanh(up)
    assert axis_loss(*found, right, up, radius_m, known) < 1e-9
    assert axis_loss(-found[0], found[1], right, up, radius_m, known) > 0.5
    found[0][..., 1] = 9.0
    assert axis_loss(*found, right, up, radius_m, known) < 1e-9
    assert axis_loss(*found, right, up, radius_m, torch.zeros_like(known)) == 0
    assert axis_loss(*found, right, up, torch.zeros_like(radius_m), known) == 0


def test_axis_loss_is_least_at_the_expected_axis() -> None:
    """Three round patterns in ten with a cone to the right: the best answer for all is a short vector, not none."""
    true, ones = torch.tensor([[[0.8] * 3 + [0.0] * 7]]), torch.ones(1, 1, 10)
    losses = {
        length: axis_loss(ones * math.atanh(length), 0 * ones, true, 0 * ones, ones, ones).item()
        for length in (0.0, 0.1, 0.24, 0.4, 0.8)
    }
    assert min(losses, key=losses.__getitem__) == 0.24


def test_axis_loss_counts_craters_not_pixels() -> None:
    """A crater of twice the radius has four times the pixels and the same say."""
    radius_m = torch.tensor([[[2.0] + [4.0] * 4]])
    true, nought, known = torch.tensor([[[0.5] + [0.0] * 4]]), torch.zeros(1, 1, 5), torch.ones(1, 1, 5)
    assert axis_loss(nought, nought, true, nought, radius_m, known).item() == pytest.approx(0.5 * 0.25)
