"""Losses against scipy's densities; what is unknown costs nothing and teaches nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm, vonmises
from torch import Tensor

from cv_pipeline.patterns.closeup.network import Answers
from cv_pipeline.training.closeup_losses import WEIGHTS, Truth, closeup_losses, total

VECTORS = {"centre_m", "axis", "twin_m"}
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def some_answers(count: int, seed: int = 0) -> Answers:
    """Random answers that collect gradients."""
    rng = torch.Generator().manual_seed(seed)
    shapes = {name: (count, 2) if name in VECTORS else (count,) for name in Answers._fields}
    return Answers(**{k: torch.randn(shape, generator=rng).requires_grad_() for k, shape in shapes.items()})


def some_truth(count: int, seed: int = 1) -> Truth:
    """Random truth, all of it known."""
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, 2 * np.pi, count)
    values = {name: rng.integers(0, 2, count).astype(float) for name in ("crater", "one_sided", "new", "has_twin")}
    values |= {name: rng.uniform(1, 12, count) for name in ("radius_m", "blast_m")}
    values |= {name: rng.normal(0, 2, (count, 2)) for name in ("centre_m", "twin_m")}
    values["axis"] = np.column_stack([np.sin(turn), np.cos(turn)])
    return Truth(**{name: torch.from_numpy(value).float() for name, value in values.items()})


def plain(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def test_centre_and_radii_cost_as_normal_densities_say() -> None:
    answers, truth = some_answers(9), some_truth(9)
    losses = closeup_losses(answers, truth)
    for name, value, true, log_sd in (
        ("centre", answers.centre_m, truth.centre_m, answers.centre_log_sd[:, None]),
        ("radius", answers.log_radius_m, truth.radius_m.log(), answers.radius_log_sd),
        ("blast", answers.log_blast_m, truth.blast_m.log(), answers.blast_log_sd),
    ):
        expected = -norm.logpdf(plain(true), plain(value), np.exp(plain(log_sd))).mean() - HALF_LOG_2PI
        assert float(losses[name].detach()) == pytest.approx(expected, rel=1e-5), name


@pytest.mark.parametrize("concentration", [0.05, 0.7, 3.0, 40.0, 400.0])
def test_the_axis_costs_as_a_von_mises_density_says(concentration: float) -> None:
    rng = np.random.default_rng(2)
    mean, true = rng.uniform(0, 2 * np.pi, (2, 7))
    vector = concentration * np.column_stack([np.sin(mean), np.cos(mean)])
    unit = np.column_stack([np.sin(true), np.cos(true)])
    answers = some_answers(7)._replace(axis=torch.from_numpy(vector))
    losses = closeup_losses(answers, some_truth(7)._replace(axis=torch.from_numpy(unit)))
    expected = -vonmises.logpdf(true, concentration, loc=mean).mean() - math.log(2 * math.pi)
    assert float(losses["axis"].detach()) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_odds_and_twins() -> None:
    answers, truth = some_answers(8), some_truth(8)
    losses = closeup_losses(answers, truth)
    for name in ("crater", "one_sided", "new", "has_twin"):
        likely = 1 / (1 + np.exp(-plain(getattr(answers, name))))
        true = plain(getattr(truth, name))
        expected = -(true * np.log(likely) + (1 - true) * np.log(1 - likely)).mean()
        assert float(losses[name].detach()) == pytest.approx(expected, rel=1e-5), name
    away = np.abs(plain(answers.twin_m) - plain(truth.twin_m))
    expected = np.where(away < 1, 0.5 * away**2, away - 0.5).mean()
    assert float(losses["twin"].detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("field", Truth._fields)
def test_what_is_unknown_costs_nothing(field: str) -> None:
    """Half the truths of one kind are NaN: the loss is that of the other half, and no gradient reaches the first."""
    answers, truth = some_answers(10), some_truth(10)
    hidden = getattr(truth, field).clone()
    hidden[:5] = torch.nan
    losses = closeup_losses(answers, truth._replace(**{field: hidden}))
    known = closeup_losses(Answers(*(v[5:] for v in answers)), Truth(*(v[5:] for v in truth)))
    whole = closeup_losses(answers, truth)
    name = {"centre_m": "centre", "radius_m": "radius", "blast_m": "blast", "twin_m": "twin"}.get(field, field)
    for key, loss in losses.items():
        torch.testing.assert_close(loss, known[key] if key == name else whole[key], msg=key)
    losses[name].backward()
    for key, value in answers._asdict().items():
        if value.grad is not None:
            assert torch.isfinite(value.grad).all(), key
            assert (value.grad[:5] == 0).all(), key
            assert (value.grad[5:] != 0).any(), key


def test_nothing_known_costs_nothing_at_all() -> None:
    answers, truth = some_answers(4), some_truth(4)
    whole = total(closeup_losses(answers, Truth(*(torch.full_like(value, torch.nan) for value in truth))))
    whole.backward()
    assert float(whole.detach()) == 0
    assert all((value.grad == 0).all() for value in answers if value.grad is not None)


def test_every_answer_is_taught_and_the_sum_is_weighed() -> None:
    answers, truth = some_answers(6), some_truth(6)
    losses = closeup_losses(answers, truth)
    assert set(losses) == set(WEIGHTS)
    whole = total(losses)
    expected = sum(WEIGHTS[name] * float(loss.detach()) for name, loss in losses.items())
    assert float(whole.detach()) == pytest.approx(expected, rel=1e-5)
    whole.backward()
    for name, value in answers._asdict().items():
        assert value.grad is not None, name
        assert (value.grad != 0).all(), name


def test_an_axis_of_no_length_has_a_gradient_towards_the_truth() -> None:
    """The network begins with vectors of hardly any length; the root of their square has no slope at 0."""
    axis = torch.zeros(3, 2, requires_grad=True)
    truth = some_truth(3)
    closeup_losses(some_answers(3)._replace(axis=axis), truth)["axis"].backward()
    assert axis.grad is not None
    torch.testing.assert_close(-axis.grad * 3, truth.axis)
