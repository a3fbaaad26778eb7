"""A whole export of an untrained network: nothing is found, but the folder must be whole and usable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cv_pipeline.evaluation import scenes as scenes_module
from cv_pipeline.segmentation.zoo import load_network, read_model_file
from cv_pipeline.training.config import TrainConfig
from cv_pipeline.training.export import export_model
from tests.segmentation.factories import tiny_net


def test_exported_folder_is_whole(
    make_config: Callable[..., TrainConfig], data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes_module, "SIZE_PX", 64)
    folder = tmp_path / "model"
    written = export_model(tiny_net(), make_config(), 7, data_root, folder, scenes=2, cache=None)
    model = read_model_file(folder)
    assert model == written
    assert model.steps == 7
    load_network(folder, model)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["threshold"] == model.score_threshold
    for mode in ("pair", "after_only"):
        assert {"craters", "ap", "ap_interval_95", "at_threshold", "median_centre_error_m"} <= metrics[mode].keys()
        assert 0 <= metrics["crater_iou"][mode] <= 1
    assert (folder / "reliability.png").is_file()
