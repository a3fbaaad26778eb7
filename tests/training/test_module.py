from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.module import CraterModule, soft_iou, total_loss


def truth() -> torch.Tensor:
    planes = torch.zeros(2, 6, 32, 32)
    planes[:, :4, 10:16, 10:16] = 1
    planes[:, 4:, 10:16, 10:16] = 4
    return planes


@pytest.mark.parametrize("with_before", [True, False])
def test_total_is_the_sum_of_its_terms(with_before: bool) -> None:
    terms = total_loss(torch.zeros(2, 6, 32, 32), truth(), with_before)
    total = terms.pop("total")
    assert total == pytest.approx(sum(float(term) for term in terms.values()), rel=1e-5)
    assert ("new" in terms) is with_before


def test_new_or_old_is_not_trained_without_a_before_image() -> None:
    maps = torch.zeros(2, 6, 32, 32, requires_grad=True)
    total_loss(maps, truth(), False)["total"].backward()
    assert maps.grad is not None
    assert not maps.grad[:, 3].any()
    assert all(maps.grad[:, channel].any() for channel in (0, 1, 2, 4, 5))


def test_new_or_old_is_trained_inside_craters_only() -> None:
    maps = torch.zeros(2, 6, 32, 32, requires_grad=True)
    total_loss(maps, truth(), True)["total"].backward()
    assert maps.grad is not None
    assert torch.equal(maps.grad[:, 3] != 0, truth()[:, 0] > 0.5)


def test_empty_truth_gives_a_finite_loss() -> None:
    terms = total_loss(torch.zeros(2, 6, 32, 32), torch.zeros(2, 6, 32, 32), True)
    assert all(torch.isfinite(term) for term in terms.values())


@pytest.mark.parametrize(("found", "true", "expected"), [(1, 1, 1.0), (-1, 0, 1.0), (1, 0, 0.0), (-1, 1, 0.0)])
def test_soft_iou(found: float, true: float, expected: float) -> None:
    iou = soft_iou(torch.full((4, 4), float(found)), torch.full((4, 4), float(true)))
    assert float(iou) == pytest.approx(expected, abs=1e-4)


def test_moving_average_starts_fast_and_then_is_slow(make_config: Callable[..., TrainConfig]) -> None:
    module = CraterModule(make_config(ema_decay=0.99))
    zero, one = torch.zeros(1), torch.ones(1)
    assert float(module._average(zero, one, 0)) == pytest.approx(0.9)
    assert float(module._average(zero, one, 10_000)) == pytest.approx(0.01)


def test_learning_rate_warms_up_and_falls(make_config: Callable[..., TrainConfig]) -> None:
    config = make_config(steps=1000)
    schedule = CraterModule(config).configure_optimizers()["lr_scheduler"]["scheduler"]
    factor = schedule.lr_lambdas[0]
    assert factor(0) < 0.02
    assert factor(99) == pytest.approx(1.0)
    assert factor(550) == pytest.approx(0.505, abs=0.01)
    assert factor(1000) == pytest.approx(0.01)
    assert factor(5000) == pytest.approx(0.01)
