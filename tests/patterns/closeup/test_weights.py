"""Weights on disk: what was written is what answers, and whatever else lies there is refused by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from cv_pipeline.errors import ModelError
from cv_pipeline.patterns.closeup.weights import CLOSEUP_FILE, CloseUpFile, load_closeup, write_closeup
from tests.patterns.closeup.factories import lively_net, random_pictures


def put(path: Path, data: bytes) -> CloseUpFile:
    """A file with the hash that it has."""
    path.write_bytes(data)
    return CloseUpFile(path, hashlib.sha256(data).hexdigest())


def test_read_back_it_answers_as_it_was_written(tmp_path: Path) -> None:
    """Batch normalisation is folded into the convolutions; that changes rounding and nothing else."""
    net = lively_net()
    file = write_closeup(net, tmp_path / "model")
    assert file.path == tmp_path / "model" / CLOSEUP_FILE
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    read = load_closeup(file)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in read.modules())
    pictures = [torch.from_numpy(p) for p in random_pictures(3)]
    with torch.inference_mode():
        for name, one, other in zip(read(*pictures)._fields, read(*pictures), net(*pictures), strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4, msg=name)


def test_a_trained_network_is_written_whatever_its_memory_looks_like(tmp_path: Path) -> None:
    first = write_closeup(lively_net(), tmp_path)
    again = write_closeup(lively_net().to(memory_format=torch.channels_last).train(), tmp_path)  # type: ignore[call-overload]
    assert again == first


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = write_closeup(lively_net(), tmp_path)
    assert load_closeup(file) is load_closeup(CloseUpFile(*file))


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    file = write_closeup(lively_net(), tmp_path)
    data = bytearray(file.path.read_bytes())
    data[len(data) // 2] ^= 1
    file.path.write_bytes(data)
    with pytest.raises(
        ModelError, match=r"closeup\.safetensors: does not match its hash.*fetch the model folder again"
    ):
        load_closeup(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"closeup\.safetensors: cannot be read .*fetch the model folder again"):
        load_closeup(CloseUpFile(tmp_path / CLOSEUP_FILE, "0" * 64))


@pytest.mark.parametrize("what", ["lacks a layer", "another size", "one layer more", "no weights at all"])
def test_another_network_is_refused(tmp_path: Path, what: str) -> None:
    """Its hash is right, since a maker wrote it down; the message fits into one line and says what to do."""
    weights = load(write_closeup(lively_net(), tmp_path).path.read_bytes())
    if what == "lacks a layer":
        weights.pop("join.2.bias")
    if what == "another size":
        weights["join.2.bias"] = torch.zeros(7)
    if what == "one layer more":
        weights["join.4.bias"] = torch.zeros(7)
    data = b"not a file of weights" if what == "no weights at all" else save(weights)
    with pytest.raises(ModelError, match=r"closeup\.safetensors: .*fetch the model folder again") as caught:
        load_closeup(put(tmp_path / CLOSEUP_FILE, data))
    assert "\n" not in str(caught.value)
