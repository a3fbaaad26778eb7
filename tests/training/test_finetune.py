from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import torch
import yaml
from shapely import Point

from cv_pipeline.datasets.own import SceneFiles
from cv_pipeline.errors import ConfigError, GsdError, LabelsError
from cv_pipeline.segmentation.zoo import load_network, read_model_file
from cv_pipeline.simulation.background import Backgrounds
from cv_pipeline.training.finetune import finetune, open_place
from cv_pipeline.training.finetune_config import FinetuneConfig, read_finetune_config
from cv_pipeline.training.finetune_data import FinetuneData
from cv_pipeline.training.finetune_export import export_finetuned
from cv_pipeline.training.module import CraterModule, total_loss
from cv_pipeline.training.planes import Plane
from cv_pipeline.training.run import Machine
from cv_pipeline.types import ModelInfo
from tests.conftest import UTM, texture
from tests.segmentation.factories import make_model, tiny_net

pytestmark = pytest.mark.filterwarnings("ignore")

RADIUS_M, GSD_M = 4.5, 0.5
MODEL = ModelInfo("tiny", "", GSD_M, 0.2, 1.1, 0.5)
Make = Callable[..., FinetuneConfig]


@pytest.fixture
def make_settings(tmp_path: Path, make_tiff: Callable[..., Path]) -> Make:
    """A factory of settings: a scene of 128 by 108 m with 30 dark discs, all of them labelled, and a tiny model."""
    rng = np.random.default_rng(4)
    pixels = 128 + 0.3 * (texture(216, 256) - 128)
    rows, cols = np.mgrid[:216, :256] + 0.5
    places = [(r + rng.uniform(-6, 6), c + rng.uniform(-6, 6)) for r in range(20, 210, 42) for c in range(22, 250, 42)]
    for row, col in places:
        pixels[np.hypot(rows - row, cols - col) * GSD_M <= RADIUS_M] -= 70
    make_tiff(pixels, name="after.tif")
    geometry = [Point(UTM * (col, row)) for row, col in places]
    frame = gpd.GeoDataFrame({"radius_m": [RADIUS_M] * len(places)}, geometry=geometry, crs="EPSG:32633")
    frame.to_crs("EPSG:4326").to_file(tmp_path / "craters.geojson")
    make_model(tmp_path / "base", tiny_net(3), score_threshold=0.31, steps=7)

    def make(**overrides: object) -> FinetuneConfig:
        values = {
            "name": "mine",
            "model": "base",
            "scenes": [{"after": "after.tif", "labels": "craters.geojson"}],
            "size_px": 64,
            "block_px": 80,
            "batch_size": 4,
            "steps": 30,
            "simulated_share": 0.25,
            "learning_rate": 5e-3,
            "ema_decay": 0.9,
            "validation_every": 1000,
        }
        (tmp_path / "finetune.yaml").write_text(yaml.safe_dump(values | overrides))
        return read_finetune_config(tmp_path / "finetune.yaml")

    return make


def test_fine_tuning_learns_what_is_labelled_and_leaves_a_frozen_encoder_alone(
    make_settings: Make, tmp_path: Path
) -> None:
    config = make_settings(freeze_encoder=True)
    result = finetune(config, tmp_path / "run", Machine(workers=0, accelerator="cpu"))
    assert result.train_labels + result.held_out_labels >= 20
    assert result.held_out_labels >= 4
    for term in ("centre", "crater", "crater_radius"):
        assert result.loss_after[term] < 0.75 * result.loss_before[term]

    model = export_finetuned(result, config, tmp_path / "out")
    net, base = load_network(tmp_path / "out", model), tiny_net(3)
    assert read_model_file(tmp_path / "out") == model
    assert (model.name, model.steps, model.score_threshold) == ("mine", 37, 0.31)
    for part in (net, result.module.net):
        for key, value in part.encoder.state_dict().items():
            assert torch.equal(value, base.encoder.state_dict()[key]), key
    assert not torch.equal(net.head.weight, base.head.weight)
    told = json.loads((tmp_path / "out" / "metrics.json").read_text())["fine_tuning"]
    assert told["held_out_loss_after"]["total"] == result.loss_after["total"]
    assert told["base"]["name"] == "tiny"
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"{result.loss_after['total']:.3f} after" in card
    assert f"on {result.train_labels} labelled craters of `after.tif`" in card


def test_an_encoder_that_is_not_frozen_is_trained(make_settings: Make, tmp_path: Path) -> None:
    config = make_settings().train_config(read_model_file(tmp_path / "base"))
    free, frozen = CraterModule(config), CraterModule(config, freeze_encoder=True)
    counts = [
        sum(len(group["params"]) for group in module.configure_optimizers()["optimizer"].param_groups)
        for module in (free, frozen)
    ]
    assert counts[0] - counts[1] == len(list(free.net.encoder.parameters()))
    frozen.train()
    assert not any(module.training for module in frozen.net.encoder.modules())
    assert frozen.net.decoder.training


def test_batches_hold_simulation_and_labels_in_their_shares(make_settings: Make) -> None:
    config = make_settings(simulated_share=0.5)
    data = FinetuneData(config, [open_place(config.scenes[0], MODEL)], Backgrounds([]), 0, 0)
    batch = next(iter(data.train_dataloader()))
    blast = batch["truth"][:, list(Plane).index(Plane.BLAST)]
    assert blast.isnan().flatten(1).all(1).tolist() == [False, False, True, True]
    assert batch["has_before"].tolist() == [True, True, False, False]
    again = next(iter(data.train_dataloader()))
    assert torch.equal(batch["after"], again["after"])
    later = FinetuneData(config, [open_place(config.scenes[0], MODEL)], Backgrounds([]), 1, 0)
    assert not torch.equal(next(iter(later.train_dataloader()))["after"], batch["after"])
    maps = torch.zeros(4, 10, 64, 64, requires_grad=True)
    total_loss(maps, batch["truth"], True)["total"].backward()
    assert maps.grad is not None
    assert maps.grad.isfinite().all()
    assert not maps.grad[2:, [1, 6, 7, 8, 9]].any()  # labels tell nothing of patterns, structures and axes


def test_a_before_image_is_shown_where_there_is_one(make_settings: Make, make_tiff: Callable[..., Path]) -> None:
    early = 128 + 0.3 * (texture(216, 256) - 128)
    make_tiff(early, name="before.tif")
    config = make_settings(scenes=[{"after": "after.tif", "before": "before.tif", "labels": "craters.geojson"}])
    data = FinetuneData(config, [open_place(config.scenes[0], MODEL)], Backgrounds([]), 0, 0)
    batch = next(iter(data.val_dataloader()))
    assert batch["has_before"].all()
    crater = batch["truth"][:, list(Plane).index(Plane.CRATER)] == 1
    change = (batch["after"] - batch["before"])[:, 0]
    assert change[crater].mean() < change[~crater].mean() - 1


def test_images_that_cannot_be_aligned_are_refused(make_settings: Make, make_tiff: Callable[..., Path]) -> None:
    make_tiff(texture(216, 256, seed=9), name="before.tif")
    config = make_settings(scenes=[{"after": "after.tif", "before": "before.tif", "labels": "craters.geojson"}])
    with pytest.raises(LabelsError, match="cannot be aligned"):
        open_place(config.scenes[0], MODEL)


def test_an_image_that_the_model_cannot_judge_is_refused(make_settings: Make) -> None:
    with pytest.raises(GsdError, match="outside the range"):
        open_place(make_settings().scenes[0], replace(MODEL, max_gsd_m=0.3))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"scenes": []}, "scenes"),
        ({"simulated_share": 0.95}, "no room"),
        ({"step": 3}, "step"),
        ({"scenes": [{"after": "a.tif"}]}, "labels"),
    ],
)
def test_settings_that_cannot_be_are_refused(make_settings: Make, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?s)finetune\.yaml.*{told}"):
        make_settings(**wrong)


def test_paths_count_from_the_settings(make_settings: Make, tmp_path: Path) -> None:
    config = make_settings()
    assert config.scenes == [SceneFiles(after=tmp_path / "after.tif", labels=tmp_path / "craters.geojson")]
    assert config.model == str(tmp_path / "base")
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        read_finetune_config(tmp_path / "none.yaml")
