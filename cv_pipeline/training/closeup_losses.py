"""What a close-up network's answers cost: each only where the truth is known."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from cv_pipeline.patterns.closeup.network import Answers


class Truth(NamedTuple):
    """As in :class:`~cv_pipeline.training.closeup_samples.Samples`, tensors; NaN where unknown."""

    crater: Tensor
    centre_m: Tensor
    radius_m: Tensor
    blast_m: Tensor
    one_sided: Tensor
    axis: Tensor
    new: Tensor
    has_twin: Tensor
    twin_m: Tensor


WEIGHTS = {
    "crater": 1.0, "centre": 0.5, "radius": 0.5, "blast": 0.3, "one_sided": 0.5, "axis": 0.5, "new": 0.3,
    "has_twin": 0.3, "twin": 0.3,
}  # fmt: skip


def closeup_losses(answers: Answers, truth: Truth) -> dict[str, Tensor]:
    """Mean loss of each answer over the samples that have a truth of it, 0 where none has."""
    return {
        "crater": _binary(answers.crater, truth.crater),
        "centre": _normal(answers.centre_m, truth.centre_m, answers.centre_log_sd[:, None]),
        "radius": _normal(answers.log_radius_m, truth.radius_m.log(), answers.radius_log_sd),
        "blast": _normal(answers.log_blast_m, truth.blast_m.log(), answers.blast_log_sd),
        "one_sided": _binary(answers.one_sided, truth.one_sided),
        "axis": _von_mises(answers.axis, truth.axis),
        "new": _binary(answers.new, truth.new),
        "has_twin": _binary(answers.has_twin, truth.has_twin),
        "twin": _mean(functional.smooth_l1_loss(answers.twin_m, _filled(truth.twin_m), reduction="none"), truth.twin_m),
    }


def total(losses: dict[str, Tensor]) -> Tensor:
    """The weighted sum."""
    return torch.stack([WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def _binary(logit: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy."""
    return _mean(functional.binary_cross_entropy_with_logits(logit, _filled(truth), reduction="none"), truth)


def _normal(value: Tensor, truth: Tensor, log_sd: Tensor) -> Tensor:
    """Negative log-likelihood of a normal distribution with an SD of its own for each sample, without constants."""
    error = (value - _filled(truth)) * torch.exp(-log_sd)
    return _mean(0.5 * error**2 + log_sd, truth)


def _von_mises(vector: Tensor, truth: Tensor) -> Tensor:
    """The same of a von Mises distribution: its mean is where the vector points, its concentration the length."""
    length = torch.sqrt((vector**2).sum(dim=1) + 1e-6)  # a root has no slope at 0
    log_bessel = torch.log(torch.special.i0e(length)) + length
    return _mean(log_bessel - (vector * _filled(truth)).sum(dim=1), truth[:, 0])


def _filled(truth: Tensor) -> Tensor:
    return torch.nan_to_num(truth)


def _mean(loss: Tensor, truth: Tensor) -> Tensor:
    known = ~torch.isnan(truth)
    return (loss * known).sum() / known.sum().clamp(min=1)
