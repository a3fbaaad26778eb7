"""ONNX Runtime behind the Backend protocol, on small graphs made by hand whose answer is known."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cv_pipeline.errors import ModelError
from cv_pipeline.segmentation.calibration import Calibrations, Platt
from cv_pipeline.segmentation.channels import NUMBER
from cv_pipeline.segmentation.onnx_backend import choose_runtime, has_graphs, load_backend, load_onnx, require_onnx
from cv_pipeline.segmentation.zoo import ModelFile, read_model_file
from cv_pipeline.types import Channel
from tests.segmentation.factories import make_model

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SHAPE = ["batch", 4, "height", "width"]
COUNT = len(Channel)


def write_graph(path: Path, weights_sha256: str, *, paired: bool, first_input: str = "after") -> None:
    """Maps that are (channel number + 1) / 10 times the fourth plane of after, plus that of before where it counts."""
    from onnx import TensorProto, helper, numpy_helper

    image, out = TensorProto.FLOAT, ["batch", COUNT, "height", "width"]
    inputs = [helper.make_tensor_value_info(first_input, image, SHAPE)]
    nodes = [helper.make_node("Slice", [first_input, "three", "four", "one"], ["light"])]
    total = "light"
    if paired:
        inputs.append(helper.make_tensor_value_info("before", image, SHAPE))
        inputs.append(helper.make_tensor_value_info("has_before", TensorProto.BOOL, ["batch"]))
        nodes += [
            helper.make_node("Slice", ["before", "three", "four", "one"], ["early"]),
            helper.make_node("Cast", ["has_before"], ["seen"], to=image),
            helper.make_node("Reshape", ["seen", "column"], ["counts"]),
            helper.make_node("Mul", ["early", "counts"], ["early_seen"]),
            helper.make_node("Add", ["light", "early_seen"], ["both"]),
        ]
        total = "both"
    nodes.append(helper.make_node("Mul", [total, "steps"], ["maps"]))
    steps = (np.arange(1, COUNT + 1, dtype=np.float32) / 10).reshape(1, -1, 1, 1)
    constants = {
        "three": np.array([3], np.int64), "four": np.array([4], np.int64), "one": np.array([1], np.int64),
        "column": np.array([-1, 1, 1, 1], np.int64), "steps": steps,
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "planted",
        inputs,
        [helper.make_tensor_value_info("maps", image, out)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"weights_sha256": weights_sha256})
    path.write_bytes(model.SerializeToString())


def record_hashes(folder: Path) -> None:
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.onnx")}
    (folder / "export.json").write_text(json.dumps({"sha256": hashes}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = make_model(tmp_path / "model")
    for name in ("after_only", "pair"):
        write_graph(tmp_path / "model" / f"{name}.onnx", model.weights_sha256, paired=name == "pair")
    record_hashes(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def model(folder: Path) -> ModelFile:
    return read_model_file(folder)


def expected(light: np.ndarray) -> np.ndarray:
    """Values of the planted maps, worked out channel by channel in NumPy."""
    maps = light[:, None] * (np.arange(1, COUNT + 1) / 10).reshape(1, -1, 1, 1)
    values = 1 / (1 + np.exp(-maps))
    for channel in (Channel.CRATER_RADIUS_M, Channel.BLAST_RADIUS_M):
        values[:, NUMBER[channel]] = np.clip(maps[:, NUMBER[channel]], -2, 4.85)
    for channel in (Channel.AXIS_RIGHT, Channel.AXIS_UP):
        values[:, NUMBER[channel]] = np.tanh(maps[:, NUMBER[channel]])
    return values


@pytest.mark.parametrize("has_before", [None, [True, False], [False, False]])
def test_values_are_those_of_the_graphs(folder: Path, model: ModelFile, has_before: list[bool] | None) -> None:
    after, before = np.random.default_rng(2).normal(size=(2, 2, 4, 32, 48)).astype(np.float32)
    run = load_onnx(folder, model)
    alone = run(after, None, None)
    wanted = expected(after[:, 3])
    wanted[:, NUMBER[Channel.NEW]] = 0
    assert alone.dtype == np.float32
    np.testing.assert_allclose(alone, wanted, atol=1e-6)
    seen = np.array([True, True] if has_before is None else has_before)
    wanted = expected(after[:, 3] + before[:, 3] * seen[:, None, None])
    wanted[~seen, NUMBER[Channel.NEW]] = 0
    found = run(after, before, None if has_before is None else np.array(has_before))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_probabilities_are_calibrated_by_mode(folder: Path, model: ModelFile) -> None:
    after, before = np.random.default_rng(5).normal(size=(2, 2, 4, 16, 16)).astype(np.float32)
    calibration = Calibrations(
        pair={Channel.CRATER: Platt(slope=2.0, intercept=-1.0)},
        after_only={Channel.CRATER: Platt(slope=0.5, intercept=1.0)},
    )
    run = load_onnx(folder, model.model_copy(update={"calibration": calibration}))
    crater, step = NUMBER[Channel.CRATER], (NUMBER[Channel.CRATER] + 1) / 10
    alone = after[:, 3] * step
    both = alone + before[:, 3] * step
    np.testing.assert_allclose(run(after, None, None)[:, crater], 1 / (1 + np.exp(-(0.5 * alone + 1))), atol=1e-6)
    mixed = run(after, before, np.array([True, False]))[:, crater]
    np.testing.assert_allclose(mixed[0], 1 / (1 + np.exp(-(2 * both[0] - 1))), atol=1e-6)
    np.testing.assert_allclose(mixed[1], 1 / (1 + np.exp(-(0.5 * alone[1] + 1))), atol=1e-6)


def test_any_batch_and_size(folder: Path, model: ModelFile) -> None:
    run = load_onnx(folder, model)
    for shape in ((1, 4, 16, 16), (5, 4, 64, 32)):
        assert run(np.zeros(shape, np.float32), None, None).shape == (shape[0], COUNT, *shape[2:])


def test_a_changed_graph_is_refused(folder: Path, model: ModelFile) -> None:
    path = folder / "pair.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"pair\.onnx: does not match the hash"):
        load_onnx(folder, model)


def test_a_graph_of_other_weights_is_refused(folder: Path, model: ModelFile) -> None:
    write_graph(folder / "pair.onnx", "0" * 64, paired=True)
    record_hashes(folder)
    with pytest.raises(ModelError, match=r"pair\.onnx: was made from other weights"):
        load_onnx(folder, model)


def test_a_graph_with_other_inputs_is_refused(folder: Path, model: ModelFile) -> None:
    write_graph(folder / "after_only.onnx", model.weights_sha256, paired=False, first_input="image")
    record_hashes(folder)
    with pytest.raises(ModelError, match=r"after_only\.onnx: has other inputs than after"):
        load_onnx(folder, model)


def test_bytes_that_are_no_graph_are_refused(folder: Path, model: ModelFile) -> None:
    (folder / "after_only.onnx").write_bytes(b"no graph")
    record_hashes(folder)
    with pytest.raises(ModelError, match=r"after_only\.onnx: cannot be run"):
        load_onnx(folder, model)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sha256": 3}'])
def test_a_broken_record_is_refused(folder: Path, model: ModelFile, content: str) -> None:
    (folder / "export.json").write_text(content)
    with pytest.raises(ModelError, match=r"export\.json: cannot be read"):
        load_onnx(folder, model)


def test_a_folder_without_graphs_says_how_to_make_them(folder: Path, model: ModelFile) -> None:
    (folder / "pair.onnx").unlink()
    assert not has_graphs(folder)
    with pytest.raises(ModelError, match=r"cv-pipeline export --model tiny --format onnx"):
        load_onnx(folder, model)


def test_the_missing_extra_is_named() -> None:
    with pytest.raises(ModelError, match=r"ONNX needs no_such_module; .*cv-pipeline\[onnx\]"):
        require_onnx("json", "no_such_module")


def test_weights_go_before_graphs_unless_told_otherwise(folder: Path, model: ModelFile) -> None:
    assert choose_runtime(folder, None) == "torch"
    assert choose_runtime(folder, "onnx") == "onnx"
    after = torch.randn(1, 4, 32, 32).numpy()
    by_torch, by_onnx = (
        load_backend(folder, model)(after, None, None),
        load_backend(folder, model, "onnx")(after, None, None),
    )
    assert not np.allclose(by_torch, by_onnx)
    (folder / "weights.safetensors").unlink()
    assert choose_runtime(folder, None) == "onnx"
    np.testing.assert_array_equal(load_backend(folder, model)(after, None, None), by_onnx)
    (folder / "pair.onnx").unlink()
    assert choose_runtime(folder, None) == "torch"
    with pytest.raises(ModelError, match="the weights are missing"):
        load_backend(folder, model)
