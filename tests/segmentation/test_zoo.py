from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from cv_pipeline.errors import ModelError
from cv_pipeline.segmentation import zoo
from cv_pipeline.segmentation.zoo import find_model, load_network, read_model_file, save_weights, shipped_models
from tests.segmentation.factories import make_model, tiny_net


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_model(tmp_path / "tiny")
    return tmp_path / "tiny"


def edit(folder: Path, **changes: object) -> None:
    path = folder / "model.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def test_round_trip_gives_the_same_answers(tmp_path: Path) -> None:
    net = tiny_net(seed=3)
    written = make_model(tmp_path, net)
    model = read_model_file(tmp_path)
    assert model == written
    loaded = load_network(tmp_path, model)
    assert not loaded.training
    after, before = torch.randn(2, 4, 64, 64), torch.randn(2, 4, 64, 64)
    with torch.inference_mode():
        assert torch.equal(loaded(after, before), net(after, before))
        assert torch.equal(loaded(after), net(after))


def test_the_same_weights_give_the_same_file(tmp_path: Path) -> None:
    assert save_weights(tiny_net(1), tmp_path / "a") == save_weights(tiny_net(1), tmp_path / "b")
    assert save_weights(tiny_net(2), tmp_path / "a") != save_weights(tiny_net(1), tmp_path / "b")


def test_info_carries_name_and_hash(folder: Path) -> None:
    model = read_model_file(folder)
    info = model.info()
    assert (info.name, info.sha256, info.score_threshold) == ("tiny", model.weights_sha256, model.score_threshold)


def test_tampered_weights_are_refused(folder: Path) -> None:
    path = folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"weights\.safetensors: does not match the hash"):
        load_network(folder, read_model_file(folder))


def test_missing_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"weights\.safetensors: the weights are missing"):
        load_network(folder, read_model_file(folder))


@pytest.mark.parametrize(
    "changes",
    [
        {"stage_channels": [8, 16, 16, 16]},
        {"encoder": "no-such-encoder"},
        {"encoder": "tu-no-such-encoder"},
        {"encoder": "tu-vit_tiny_patch16_224"},
        {"decoder_channels": [16, 8]},
        {"decoder_channels": []},
    ],
    ids=str,
)
def test_weights_of_another_network(folder: Path, changes: dict[str, object]) -> None:
    edit(folder, **changes)
    with pytest.raises(ModelError, match=r"tiny"):
        load_network(folder, read_model_file(folder))


def write_tensors(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Other tensors under a hash that is right."""
    path = folder / "weights.safetensors"
    save_file(tensors, path)
    edit(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_truncated_weights_are_refused_even_where_the_hash_is_theirs(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"weights\.safetensors: does not match the hash"):
        load_network(folder, read_model_file(folder))
    edit(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ModelError, match=r"weights\.safetensors: does not fit"):
        load_network(folder, read_model_file(folder))


@pytest.mark.parametrize("wrong", ["missing", "extra", "shape", "empty"])
def test_tensors_of_another_network_are_refused(folder: Path, wrong: str) -> None:
    tensors = load_file(folder / "weights.safetensors")
    if wrong == "missing":
        del tensors["head.bias"]
    elif wrong == "extra":
        tensors["head.surprise"] = torch.zeros(3)
    elif wrong == "shape":
        tensors["head.bias"] = tensors["head.bias"][:-1].clone()
    write_tensors(folder, {} if wrong == "empty" else tensors)
    with pytest.raises(ModelError, match=r"(?s)weights\.safetensors: does not fit the network.*head"):
        load_network(folder, read_model_file(folder))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(folder: Path, value: float) -> None:
    tensors = load_file(folder / "weights.safetensors")
    tensors["head.bias"][0] = value
    write_tensors(folder, tensors)
    with pytest.raises(ModelError, match=r"head\.bias holds values that are no numbers"):
        load_network(folder, read_model_file(folder))


class Bomb:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("suffix", [".pt", ".ckpt", ".pth", ".PTH", ".bin", ".pkl"])
def test_a_pickle_is_refused_unopened(folder: Path, tmp_path: Path, suffix: str) -> None:
    trace = tmp_path / "trace"
    pickled = tmp_path / f"weights{suffix}"
    pickled.write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ModelError, match=rf"weights{suffix}.*weights\.safetensors only.*pickle"):
        find_model(str(pickled))
    with pytest.raises(ModelError, match=rf"weights{suffix}.*pickle"):  # a folder of pickles without model.yaml
        find_model(str(tmp_path))
    (folder / "weights.safetensors").unlink()
    pickled.rename(folder / f"weights{suffix}")
    with pytest.raises(ModelError, match=rf"weights{suffix}.*pickle"):
        load_network(folder, read_model_file(folder))
    # Nor is one opened that was given the good name.
    (folder / f"weights{suffix}").rename(folder / "weights.safetensors")
    edit(folder, weights_sha256=hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest())
    with pytest.raises(ModelError, match=r"weights\.safetensors: does not fit"):
        load_network(folder, read_model_file(folder))
    assert not trace.exists()


def test_a_checkpoint_beside_good_weights_does_no_harm(folder: Path) -> None:
    (folder / "last.ckpt").write_bytes(b"of the training")
    load_network(folder, read_model_file(folder))


@pytest.mark.parametrize(
    "content",
    [b"", b"[1, 2", b"name: x\n", b"- a\n- b\n", b"\xff\xfe\x00binary", b"\x00"],
    ids=["empty", "cut", "incomplete", "list", "binary", "nul"],
)
def test_malformed_description(folder: Path, content: bytes) -> None:
    (folder / "model.yaml").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.yaml"):
        read_model_file(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("working_gsd_m", 0),
        ("working_gsd_m", 2.0),
        ("max_gsd_m", float("nan")),
        ("score_threshold", 1.5),
        ("min_gsd_m", "fine"),
        ("surprise", 1),
        ("encoder", "tu-hf-hub:someone/model"),
        ("stage_channels", [8, 0, 8, 8]),
        ("decoder_channels", [10**9, 8, 8]),
    ],
    ids=str,
)
def test_wrong_field_is_named(folder: Path, field: str, value: object) -> None:
    edit(folder, **{field: value})
    with pytest.raises(ModelError, match=rf"(?s)model\.yaml.*{field}"):
        read_model_file(folder)


def test_missing_description(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.yaml: cannot be read"):
        read_model_file(tmp_path)


def test_find_model_by_name_and_by_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_model(str(folder)) == folder
    monkeypatch.setattr(zoo, "_PLACES", (folder.parent,))
    assert shipped_models() == {"tiny": folder}
    assert find_model("tiny") == folder


def test_unknown_model_lists_the_known_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "_PLACES", (folder.parent,))
    with pytest.raises(ModelError, match=r"large: no such model.*tiny"):
        find_model("large")
