"""Networks of others: that they are built as published, trained, stopped and resumed, and read as objects."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cv_pipeline.errors import ConfigError, ModelError
from cv_pipeline.evaluation.baselines.config import NetworksConfig, read_networks_config
from cv_pipeline.evaluation.baselines.detect import (
    MASK_THRESHOLDS,
    NetworkMaps,
    components,
    network_detector,
    probability_map,
)
from cv_pipeline.evaluation.baselines.networks import ARCHITECTURES, FCSiamDiff
from cv_pipeline.evaluation.baselines.train import (
    WEIGHTS,
    Trained,
    crater_loss,
    load_trained,
    rate_share,
    train_network,
)
from cv_pipeline.evaluation.scenes import Half
from cv_pipeline.evaluation.strikebench.bench import detect_network, judged_scenes, score
from cv_pipeline.evaluation.strikebench.render import Renderer
from cv_pipeline.evaluation.strikebench.spec import FOLDER, SceneKey, read_spec
from cv_pipeline.training.planes import Plane
from tests.conftest import texture


@pytest.fixture
def few_backgrounds(tmp_path: Path) -> Path:
    """Two tiles of noise in the layout of UC Merced."""
    folder = tmp_path / "data" / "ucmerced" / "agricultural"
    folder.mkdir(parents=True)
    for number in (1, 20):
        cv2.imwrite(str(folder / f"agricultural{number:02d}.webp"), texture(256, 256, seed=number))
    return tmp_path / "data"


def _few_steps(**changes: object) -> NetworksConfig:
    values = {"networks": ["fc_siam_diff"], "seed": 3, "steps": 4, "batch_size": 2, "size_px": 64, "uses": 1,
              "working_gsd_m": 0.6, "learning_rate": 0.001, "weight_decay": 0.01, "checkpoint_every": 1}  # fmt: skip
    return NetworksConfig.model_validate(values | changes)


def test_the_shipped_budget_is_one_for_all() -> None:
    config = read_networks_config(FOLDER / "networks.yaml")
    assert set(config.networks) == set(ARCHITECTURES)
    assert config.stream_config().seed == config.seed
    with pytest.raises(ConfigError, match="cannot be read"):
        read_networks_config(FOLDER / "nowhere.yaml")


def test_fc_siam_diff_is_of_the_published_size_and_sees_differences_in_its_skips() -> None:
    torch.manual_seed(0)
    net = FCSiamDiff().eval()
    # 1,350,146 with the authors' three channels and two classes (counted from their layers), less and more for ours.
    ours = sum(p.numel() for p in net.parameters())
    assert ours == 1_350_146 + 16 * 9 - (16 * 9 + 1)
    image = torch.rand(1, 4, 64, 64)
    with torch.no_grad():
        same, other = net(image, image), net(image, image.flip(3))
    assert same.shape == (1, 64, 64)
    assert not torch.allclose(same, other)


def test_the_plain_u_net_never_sees_the_before_image() -> None:
    net = ARCHITECTURES["unet"].build().eval()
    image = torch.rand(1, 4, 64, 64)
    with torch.no_grad():
        assert torch.equal(net(image, image), net(image, image * 0))


def test_loss_counts_where_truth_is_known() -> None:
    truth = torch.zeros(1, len(Plane), 8, 8)
    truth[:, list(Plane).index(Plane.VISIBLE), :, :4] = 1
    truth[:, list(Plane).index(Plane.CRATER), :2, :4] = 1
    good = torch.where(truth[:, list(Plane).index(Plane.CRATER)] > 0, 20.0, -20.0)
    hidden = good.clone()
    hidden[..., 4:] = 20.0
    assert crater_loss(good, truth) < 1e-3
    assert torch.equal(crater_loss(good, truth), crater_loss(hidden, truth))
    assert crater_loss(-good, truth) > 1


def test_learning_rate_rises_and_falls() -> None:
    rates = [rate_share(step, 100) for step in range(101)]
    assert int(np.argmax(rates)) in (4, 5)
    assert rates[100] == pytest.approx(0.01)


def test_components_are_placed_sized_and_scored() -> None:
    probability = np.full((60, 80), 0.1, np.float32)
    cv2.circle(probability, (50, 20), 6, 0.8, -1)
    probability[40, 10] = 0.9  # too small for a crater
    raw = components(probability, 0.5, 0.5)
    assert len(raw.score) == 1
    assert raw.at_px[0] == pytest.approx((20.5, 50.5))
    assert raw.score[0] == pytest.approx(0.8, abs=1e-3)
    assert raw.radius_m[0] == pytest.approx(3.0, rel=0.1)
    assert len(components(probability, 0.95, 0.5).score) == 0


class _Dark(torch.nn.Module):
    """A network that calls dark ground a crater."""

    def forward(self, after: torch.Tensor, _before: torch.Tensor) -> torch.Tensor:
        return -10 * after[:, 0] - 30


@pytest.mark.parametrize("gsd_m", [0.3, 0.6, 1.1])
def test_maps_lie_on_the_image_whatever_its_gsd(gsd_m: float) -> None:
    radius_px = 6.0 / gsd_m
    image = np.full((150, 131, 3), 140, np.uint8)
    rows, cols = np.mgrid[:150, :131] + 0.5
    image[np.hypot(rows - 62.5, cols - 40.5) <= radius_px] = 20
    trained = Trained(_Dark(), "unet", 1, 0.6, "")
    assert probability_map(trained, image, image, gsd_m).shape == (150, 131)
    detector = network_detector(trained, NetworkMaps(trained))
    raw = detector.find(image, image, gsd_m, {"mask_threshold": 0.5})
    best = int(raw.radius_m.argmax())
    assert np.hypot(*(raw.at_px[best] - (62.5, 40.5))) < 0.7
    assert raw.radius_m[best] == pytest.approx(6.0, rel=0.15)


def test_a_stopped_training_gives_the_weights_of_one_that_went_through(tmp_path: Path, few_backgrounds: Path) -> None:
    config = _few_steps()
    losses: list[float] = []
    folders = tmp_path / "through", tmp_path / "stopped"
    train_network("fc_siam_diff", config, few_backgrounds, folders[0], workers=0, told=lambda _, x: losses.append(x))
    assert len(losses) == config.steps
    assert train_network("fc_siam_diff", config, few_backgrounds, folders[1], workers=0, until_step=2) == 2
    with pytest.raises(ModelError, match="train the network"):
        load_trained(folders[1])
    with pytest.raises(ConfigError, match="other settings"):
        train_network("fc_siam_diff", _few_steps(seed=4), few_backgrounds, folders[1], workers=0)
    assert train_network("fc_siam_diff", config, few_backgrounds, folders[1], workers=0) == 4
    through, stopped = (load_trained(folder) for folder in folders)
    assert through.weights_sha256 == stopped.weights_sha256
    image = np.zeros((40, 50, 3), np.uint8)
    assert np.isfinite(probability_map(through, image, image, 0.6)).all()
    weights = folders[1] / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="hash"):
        load_trained(folders[1])


def test_a_network_is_scored_on_the_benchmark_from_its_weights_alone(tmp_path: Path, few_backgrounds: Path) -> None:
    spec, folder = read_spec(), tmp_path / "set"
    tiny = spec.conditions["clean"].model_copy(update={"size_px": 96})
    spec = spec.model_copy(update={"conditions": {"clean": tiny}})
    folder.mkdir()
    for number, half in enumerate(Half, start=1):
        Renderer(spec, folder).render((number, SceneKey(half, "clean", 1)))
    train_network("fc_siam_diff", _few_steps(steps=1), few_backgrounds, tmp_path / "trained", workers=0)
    detected = detect_network(folder, tmp_path / "trained", tmp_path / "work")
    card = score(judged_scenes(folder), detected, tmp_path / "out")
    assert set(detected.masks) == {"judge-clean-01"}
    assert sum(card["pixels"]["crater"]["pixels"].values()) > 0
    assert detected.what["hash"] == load_trained(tmp_path / "trained").weights_sha256
    assert detected.what["settings"]["mask_threshold"] in MASK_THRESHOLDS
