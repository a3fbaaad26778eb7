from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from cv_pipeline.errors import ModelError
from cv_pipeline.segmentation.backend import TorchBackend, read_maps
from cv_pipeline.segmentation.calibration import Calibrations, Platt, fit_platt, logit, sigmoid
from cv_pipeline.segmentation.channels import NUMBER, PROBABILITIES, to_values
from cv_pipeline.segmentation.zoo import load_network, read_model_file
from cv_pipeline.types import Channel
from tests.segmentation.factories import make_model


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.6, -1.0), (2.5, 1.5)])
def test_planted_slope_and_intercept_come_back(slope: float, intercept: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 2, 40_000)
    truth = rng.random(x.size) < sigmoid(slope * x + intercept)
    found = fit_platt(x, truth)
    assert found.slope == pytest.approx(slope, rel=0.05)
    assert found.intercept == pytest.approx(intercept, abs=0.05)


def test_bins_and_single_samples_agree_with_a_general_optimiser() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(-8, 9, 600) / 2.0
    truth = rng.random(x.size) < sigmoid(0.7 * x - 0.5)
    values, back = np.unique(x, return_inverse=True)
    binned = fit_platt(values, np.bincount(back, truth), np.bincount(back))
    single = fit_platt(x, truth)
    assert (binned.slope, binned.intercept) == pytest.approx((single.slope, single.intercept), abs=1e-5)

    everything = np.append(x, [-2.0, -1.0, 1.0, 2.0])
    targets = np.append(truth, sigmoid(np.array([-2.0, -1.0, 1.0, 2.0])))

    def loss(weight: np.ndarray) -> float:
        odds = weight[0] * everything + weight[1]
        return float((np.logaddexp(0, odds) - targets * odds).sum())

    best = minimize(loss, [1.0, 0.0]).x
    assert (single.slope, single.intercept) == pytest.approx(tuple(best), abs=1e-3)


@pytest.mark.parametrize("truth", [[], [0, 0, 0], [1, 1, 1]])
def test_nothing_to_learn_from_changes_nothing(truth: list[int]) -> None:
    assert fit_platt(np.linspace(-1, 1, len(truth)), np.array(truth)) == Platt()


def test_separated_samples_give_a_finite_slope() -> None:
    found = fit_platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([0, 0, 1, 1]))
    assert 0 < found.slope < 20


def test_logit_and_sigmoid_undo_each_other_and_stay_finite() -> None:
    p = np.array([0.0, 1e-6, 0.3, 1.0])
    assert np.isfinite(logit(p)).all()
    np.testing.assert_allclose(sigmoid(logit(p)), p, atol=1e-6)
    np.testing.assert_array_equal(sigmoid(np.array([-1e4, 1e4])), [0.0, 1.0])


def test_values_are_calibrated_channel_by_channel() -> None:
    maps = torch.randn(2, len(Channel), 4, 4, generator=torch.Generator().manual_seed(3))
    platt = Platt(slope=0.5, intercept=-1.0)
    plain, found = to_values(maps), to_values(maps, {Channel.CENTRE: platt})
    at = NUMBER[Channel.CENTRE]
    torch.testing.assert_close(found[:, at], torch.sigmoid(0.5 * maps[:, at] - 1.0))
    rest = [number for number in range(len(Channel)) if number != at]
    torch.testing.assert_close(found[:, rest], plain[:, rest], rtol=0, atol=0)


def test_model_folder_carries_its_calibration(tmp_path: Path) -> None:
    platt = Platt(slope=1.7, intercept=-0.4)
    make_model(tmp_path, calibration={"after_only": {Channel.CRATER: platt}})
    model = read_model_file(tmp_path)
    assert model.calibration.after_only == {Channel.CRATER: platt}
    assert model.calibration.pair == {}
    net = load_network(tmp_path, model)
    image = np.random.default_rng(4).normal(size=(1, 4, 32, 32)).astype(np.float32)
    raw, told = (TorchBackend(net, m)(image, None, None)[0] for m in (None, model))
    at = NUMBER[Channel.CRATER]
    np.testing.assert_allclose(told[at], platt(logit(raw[at])), atol=1e-5)
    np.testing.assert_array_equal(told[NUMBER[Channel.BLAST]], raw[NUMBER[Channel.BLAST]])


def test_each_sample_gets_the_calibration_of_its_mode() -> None:
    both = Calibrations(pair={Channel.CENTRE: Platt(slope=2)}, after_only={Channel.CENTRE: Platt(intercept=-1)})
    maps = torch.randn(3, len(Channel), 2, 2, generator=torch.Generator().manual_seed(5))
    at = NUMBER[Channel.CENTRE]
    raw = maps[:, at].double().numpy()
    paired = read_maps(maps, paired=True, has_before=None, calibration=both)
    alone = read_maps(maps, paired=False, has_before=None, calibration=both)
    mixed = read_maps(maps, paired=True, has_before=torch.tensor([True, False, True]), calibration=both)
    np.testing.assert_allclose(paired[:, at], sigmoid(2 * raw), atol=1e-6)
    np.testing.assert_allclose(alone[:, at], sigmoid(raw - 1), atol=1e-6)
    np.testing.assert_array_equal(mixed, np.stack([paired[0], alone[1], paired[2]]))


def test_radii_cannot_be_calibrated(tmp_path: Path) -> None:
    make_model(tmp_path)
    text = (tmp_path / "model.yaml").read_text().replace("pair: {}", "pair: {axis_up: {slope: 2}}")
    (tmp_path / "model.yaml").write_text(text)
    with pytest.raises(ModelError, match="axis_up is no probability"):
        read_model_file(tmp_path)


def test_probabilities_are_all_channels_but_radii_and_axes() -> None:
    assert len(PROBABILITIES) == len(Channel) - 4


def test_values_lie_plane_by_plane_and_the_raw_maps_stay_as_they_were() -> None:
    maps = torch.randn(1, len(Channel), 8, 8).contiguous(memory_format=torch.channels_last)
    before = maps.clone()
    assert to_values(maps).is_contiguous()
    torch.testing.assert_close(maps, before, rtol=0, atol=0)
