"""Training losses as pure functions of raw network maps and truth, all tensors (batch, height, width)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def centre_focal_loss(logits: Tensor, heat: Tensor, weight: Tensor) -> Tensor:
    """Penalty-reduced focal loss of a centre heat map, divided by the number of centres (at least 1).

    ``weight`` is 0 where the image cannot tell, for instance under a cloud.

    Truth pixels of at least 0.86 count as centres: with a Gaussian of 1 m and up to 0.75 m per pixel
    these are the one to four pixels next to a sub-pixel centre, never none.
    Source: Zhou et al. 2019, doi:10.48550/arXiv.1904.07850.
    """
    logits = logits.float()
    probability = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    is_centre = (heat >= 0.86) & (weight > 0)
    hit = -((1 - probability) ** 2) * F.logsigmoid(logits)
    miss = -((1 - heat) ** 4) * probability**2 * F.logsigmoid(-logits)
    return (weight * torch.where(is_centre, hit, miss)).sum() / is_centre.sum().clamp(min=1)


def mask_loss(logits: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice over the batch; an empty mask leaves a finite loss.

    ``weight`` is 0 where the truth is not known.
    """
    logits, mask, weight = logits.float(), mask.float(), weight.float()
    probability = torch.sigmoid(logits) * weight
    overlap = 2 * (probability * mask).sum() + 1.0
    dice = 1 - overlap / (probability.sum() + (weight * mask).sum() + 1.0)
    return 2.0 * masked_mean(F.binary_cross_entropy_with_logits(logits, mask, reduction="none"), weight) + dice


def masked_mean(loss: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``loss`` where ``mask`` is True; 0 where it is True nowhere."""
    return (loss * mask).sum() / mask.sum().clamp(min=1)


def radius_loss(log_radius: Tensor, radius_m: Tensor) -> Tensor:
    """Smooth L1 of the log radius where a truth radius (> 0) is known."""
    known = radius_m > 0
    target = torch.log(radius_m.clamp(min=0.1))
    return masked_mean(F.smooth_l1_loss(log_radius.float(), target, beta=0.1, reduction="none"), known)


def axis_loss(
    right: Tensor, up: Tensor, true_right: Tensor, true_up: Tensor, radius_m: Tensor, weight: Tensor
) -> Tensor:
    """Squared error of the axis vector (after tanh), in which every crater counts the same however large it is.

    The mean of the squared error is least at the expected vector: its length says how likely a pattern is one-sided.
    An absolute error would be least at the median, which is 0 as most patterns are round.

    ``radius_m`` is the true crater radius, 0 where there is none; ``weight`` is 0 where the truth is not known. 0
    without any crater.
    """
    error = (torch.tanh(torch.stack([right, up]).float()) - torch.stack([true_right, true_up])).square().sum(0)
    share = torch.where(radius_m > 0, weight / radius_m.clamp(min=0.5).square(), 0.0)
    return (share * error).sum() / share.sum().clamp(min=1e-6)
