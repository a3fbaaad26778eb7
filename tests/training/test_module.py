from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.module import CraterModule, soft_iou, total_loss, with_unrelated_before
from cv_pipeline.training.planes import Plane
from cv_pipeline.types import Channel

CHANNELS, PLANES = len(Channel), len(Plane)


def truth(**planes: float) -> torch.Tensor:
    """Two samples with one square crater; planes given by name hold that value everywhere."""
    values = torch.zeros(2, PLANES, 32, 32)
    for number, plane in enumerate(Plane):
        if plane in (Plane.VISIBLE, Plane.STRUCTURE_KNOWN):
            values[:, number] = 1
        elif plane in (Plane.CRATER_RADIUS_M, Plane.BLAST_RADIUS_M):
            values[:, number, 10:16, 10:16] = 4
        else:
            values[:, number, 10:16, 10:16] = 1
        if plane.value in planes:
            values[:, number] = planes[plane.value]
    return values


def zero_maps() -> torch.Tensor:
    return torch.zeros(2, CHANNELS, 32, 32, requires_grad=True)


def gradient(true: torch.Tensor, with_before: bool = True) -> dict[Channel, torch.Tensor]:
    """Gradient of the total loss by channel."""
    maps = zero_maps()
    total_loss(maps, true, with_before)["total"].backward()
    assert maps.grad is not None
    return dict(zip(Channel, maps.grad.unbind(1), strict=True))


@pytest.mark.parametrize("with_before", [True, False])
def test_total_is_the_sum_of_its_terms(with_before: bool) -> None:
    terms = total_loss(zero_maps(), truth(), with_before)
    total = terms.pop("total")
    assert total.item() == pytest.approx(sum(term.item() for term in terms.values()), rel=1e-5)
    assert ("new" in terms) is with_before


def test_new_or_old_is_not_trained_without_a_before_image() -> None:
    found = gradient(truth(), with_before=False)
    assert not found.pop(Channel.NEW).any()
    assert all(part.any() for part in found.values())


def test_new_or_old_is_trained_inside_craters_only() -> None:
    crater = truth()[:, list(Plane).index(Plane.CRATER)] > 0.5
    assert torch.equal(gradient(truth())[Channel.NEW] != 0, crater)


def test_nothing_but_radii_is_trained_where_a_cloud_hides_the_ground() -> None:
    found = gradient(truth(visible=0.0))
    assert not any(found[c].any() for c in Channel if c not in (Channel.CRATER_RADIUS_M, Channel.BLAST_RADIUS_M))


def test_structures_are_trained_only_where_they_are_known() -> None:
    assert not gradient(truth(structure_known=0.0))[Channel.STRUCTURE].any()


def test_empty_truth_gives_a_finite_loss() -> None:
    terms = total_loss(zero_maps(), torch.zeros(2, PLANES, 32, 32), True)
    assert all(torch.isfinite(term) for term in terms.values())


@pytest.mark.parametrize(("found", "true", "expected"), [(1, 1, 1.0), (-1, 0, 1.0), (1, 0, 0.0), (-1, 1, 0.0)])
def test_soft_iou(found: float, true: float, expected: float) -> None:
    iou = soft_iou(torch.full((4, 4), float(found)), torch.full((4, 4), float(true)))
    assert float(iou) == pytest.approx(expected, abs=1e-4)


def test_moving_average_starts_fast_and_then_is_slow(make_config: Callable[..., TrainConfig]) -> None:
    module = CraterModule(make_config(ema_decay=0.99))
    zero, one = torch.zeros(1), torch.ones(1)
    assert float(module.averaged.avg_fn(zero, one, 0)) == pytest.approx(0.9)
    assert float(module.averaged.avg_fn(zero, one, 10_000)) == pytest.approx(0.01)


def test_learning_rate_warms_up_and_falls(make_config: Callable[..., TrainConfig]) -> None:
    config = make_config(steps=1000)
    schedule = CraterModule(config).configure_optimizers()["lr_scheduler"]["scheduler"]
    factor = schedule.lr_lambdas[0]
    assert factor(0) < 0.02
    assert factor(99) == pytest.approx(1.0)
    assert factor(550) == pytest.approx(0.505, abs=0.01)
    assert factor(1000) == pytest.approx(0.01)
    assert factor(5000) == pytest.approx(0.01)


def test_learning_rate_falls_again_after_each_restart(make_config: Callable[..., TrainConfig]) -> None:
    restarts = [{"at_step": 500, "learning_rate": 5e-4}, {"at_step": 1000, "learning_rate": 2e-4}]
    config = make_config(steps=1500, learning_rate=1e-3, restarts=restarts)
    optimisers = CraterModule(config).configure_optimizers()
    factor = optimisers["lr_scheduler"]["scheduler"].lr_lambdas[0]
    alone = CraterModule(make_config(steps=500)).configure_optimizers()["lr_scheduler"]["scheduler"].lr_lambdas[0]
    assert [factor(step) for step in (0, 49, 200, 499)] == [alone(step) for step in (0, 49, 200, 499)]
    assert [factor(500 + step) for step in (0, 49, 499)] == pytest.approx([0.5 * alone(step) for step in (0, 49, 499)])
    assert [factor(1000 + step) for step in (0, 49, 499)] == pytest.approx([0.2 * alone(step) for step in (0, 49, 499)])
    assert factor(1500) == pytest.approx(0.002)


@pytest.mark.parametrize("at_steps", [(500,), (300, 300), (400, 200)])
def test_restarts_ascend_inside_the_run(make_config: Callable[..., TrainConfig], at_steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="restarts"):
        make_config(steps=500, restarts=[{"at_step": step, "learning_rate": 5e-4} for step in at_steps])


def test_the_last_restart_says_how_many_before_images_are_unrelated(make_config: Callable[..., TrainConfig]) -> None:
    parts = [
        {"at_step": at, "learning_rate": 1e-3, "unrelated_before_share": share} for at, share in ((5, 0.2), (9, 0))
    ]
    config = make_config(steps=20, restarts=parts)
    assert [config.unrelated_before_share_at(step) for step in (0, 4, 5, 8, 9, 19)] == [0, 0, 0.2, 0.2, 0, 0]


def test_an_unrelated_before_image_is_the_next_sample_s_and_tells_nothing() -> None:
    before, true = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 4, 32, 32), truth()[[0, 1, 0, 1]]
    shown, known = with_unrelated_before(before, true, torch.tensor([True, False, False, True]))
    assert shown[:, 0, 0, 0].tolist() == [3.0, 1.0, 2.0, 2.0]
    for number, plane in enumerate(Plane):
        unknown = known[:, number].isnan().flatten(1).all(1).tolist()
        assert unknown == ([True, False, False, True] if plane in (Plane.NEW, Plane.STRUCTURE) else [False] * 4)
        torch.testing.assert_close(known[1:3, number], true[1:3, number])
    assert not true.isnan().any()
    maps = torch.zeros(4, CHANNELS, 32, 32)
    assert total_loss(maps, known, True)["total"].isfinite()


def test_a_single_sample_has_no_other_s_before_image() -> None:
    before, true = torch.ones(1, 4, 32, 32), truth()[:1]
    shown, known = with_unrelated_before(before, true, torch.tensor([True]))
    assert shown is before
    assert known is true
