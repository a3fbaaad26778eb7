"""Graphs of a model: equal to the network, complete or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cv_pipeline.errors import ModelError, OutputError
from cv_pipeline.segmentation import export_graph
from cv_pipeline.segmentation.backend import TorchBackend
from cv_pipeline.segmentation.export_graph import TOLERANCE, checking_inputs, export_model_folder, largest_difference
from cv_pipeline.segmentation.onnx_backend import AFTER_ONLY, GRAPHS, PAIR, Graph, load_backend
from cv_pipeline.segmentation.zoo import load_network, read_model_file
from cv_pipeline.types import Channel
from tests.segmentation.factories import make_model, tiny_net


class Simple(nn.Module):
    """Stands in for the network, because it is fast: every input counts."""

    def forward(self, after: Tensor, before: Tensor | None = None, has_before: Tensor | None = None) -> Tensor:
        maps = after.repeat(1, 3, 1, 1)[:, : len(Channel)]
        if before is None:
            return maps + 1
        change = before.repeat(1, 3, 1, 1)[:, : len(Channel)]
        return maps + (change if has_before is None else change * has_before.view(-1, 1, 1, 1))


NET: Any = Simple()


def run_network(inputs: Mapping[str, Tensor]) -> Tensor:
    maps: Tensor = NET(*inputs.values())
    return maps


@pytest.mark.parametrize("graph", GRAPHS)
def test_the_check_sees_a_difference_in_one_pixel_of_one_channel(graph: Graph) -> None:
    def spoilt(inputs: Mapping[str, Tensor]) -> Tensor:
        maps = run_network(inputs).clone()
        maps[-1, 7, 3, 4] += 0.25
        return maps

    assert largest_difference(NET, graph, run_network) == 0
    assert largest_difference(NET, graph, spoilt) == pytest.approx(0.25, rel=1e-4)
    assert largest_difference(NET, graph, lambda inputs: run_network(inputs)[..., :-1]) == np.inf
    assert largest_difference(NET, graph, lambda inputs: run_network(inputs) * torch.nan) == np.inf


def test_the_check_sees_a_before_image_that_is_not_used_or_always_used() -> None:
    assert largest_difference(NET, PAIR, lambda inputs: NET(inputs["after"]) - 1) > TOLERANCE
    assert largest_difference(NET, PAIR, lambda inputs: NET(inputs["after"], inputs["before"])) > TOLERANCE


def test_it_is_checked_on_noise_and_on_ground_of_several_sizes() -> None:
    cases = checking_inputs()
    assert len({tuple(case["after"].shape) for case in cases}) == len(cases)
    ground = cases[-1]["after"]
    assert (ground == 0).all(dim=1).any()  # nodata
    smooth = (ground[..., 1:] - ground[..., :-1]).std() / ground.std()
    assert smooth < 0.8  # of noise it is 1.4


def test_a_graph_that_differs_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model(tmp_path / "model")
    monkeypatch.setattr(export_graph, "load_network", lambda folder, model: NET)
    monkeypatch.setattr(export_graph, "trace", lambda net: {AFTER_ONLY: None})

    def writes_wrong(program: object, about: object, path: Path) -> export_graph.Run:
        path.write_bytes(b"graph")
        return lambda inputs: run_network(inputs) + 2 * TOLERANCE

    monkeypatch.setattr(export_graph, "_write_torch", writes_wrong)
    with pytest.raises(ModelError, match=r"'after_only' differs from the network by 0\.004"):
        export_model_folder(tmp_path / "model", "torch", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    "format", [pytest.param("torch", marks=pytest.mark.slow), pytest.param("onnx", marks=pytest.mark.slow)]
)
def test_exported_folder(tmp_path: Path, format: export_graph.Format) -> None:
    if format == "onnx":
        for module in ("onnx", "onnxruntime", "onnxscript"):
            pytest.importorskip(module)
    source, out = tmp_path / "model", tmp_path / "out"
    model = make_model(source, tiny_net(3))
    beside = {"README.md": "card", "patterns.yaml": "what is fitted", "closeup.safetensors": "and looks closer"}
    for name, text in beside.items():
        (source / name).write_text(text)
    differences = export_model_folder(source, format, out)
    assert set(differences) == {"after_only", "pair"}
    assert max(differences.values()) < 1e-4
    record = json.loads((out / "export.json").read_text())
    assert record["weights_sha256"] == model.weights_sha256
    assert record["working_gsd_m"] == model.working_gsd_m
    assert {name: (out / name).read_text() for name in beside} == beside  # so that it gives the same impacts
    assert not (out / "weights.safetensors").exists()
    with pytest.raises(OutputError, match="--overwrite"):
        export_model_folder(source, format, out)
    if format == "torch":
        about = {"weights_sha256": ""}
        program = torch.export.load(out / "pair.pt2", extra_files=about).module()
        assert about["weights_sha256"] == model.weights_sha256
        inputs = checking_inputs()[0]
        torch.testing.assert_close(program(*inputs.values()), tiny_net(3)(*inputs.values()), rtol=0, atol=1e-4)
        return
    onnx_run, torch_run = load_backend(out, read_model_file(out)), TorchBackend(load_network(source, model))
    after, before = np.random.default_rng(0).normal(size=(2, 3, 4, 48, 80)).astype(np.float32)
    seen = np.array([True, False, True])
    for inputs in ((after, None, None), (after, before, None), (after, before, seen)):
        np.testing.assert_allclose(onnx_run(*inputs), torch_run(*inputs), atol=1e-4)
