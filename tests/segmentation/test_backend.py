from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from cv_pipeline.segmentation.backend import TorchBackend, has_bf16, pin_threads
from cv_pipeline.types import Channel, Float32Array
from tests.segmentation.factories import tiny_net

NEW = list(Channel).index(Channel.NEW)


@pytest.fixture
def tiles() -> tuple[Float32Array, Float32Array]:
    rng = np.random.default_rng(4)
    after, before = rng.normal(size=(2, 2, 4, 32, 48)).astype(np.float32)
    return after, before


def test_a_tile_without_before_image_is_taken_as_after_only(tiles: tuple[Float32Array, Float32Array]) -> None:
    after, before = tiles
    run = TorchBackend(tiny_net())
    mixed = run(after, before, np.array([True, False]))
    np.testing.assert_allclose(mixed[0], run(after, before, None)[0], atol=1e-4)
    np.testing.assert_allclose(mixed[1], run(after, None, None)[1], atol=1e-4)
    assert (mixed[1, NEW] == 0).all()
    assert (mixed[0, NEW] > 0).all()


@pytest.mark.parametrize("paired", [True, False])
def test_bf16_is_close_to_fp32_and_given_as_float32(tiles: tuple[Float32Array, Float32Array], paired: bool) -> None:
    after, before = tiles
    net = tiny_net()
    whole, half = (TorchBackend(net, None, p)(after, before if paired else None, None) for p in ("fp32", "bf16"))
    assert whole.shape == half.shape == (2, len(Channel), 32, 48)
    assert whole.dtype == half.dtype == np.float32
    assert 0 < np.abs(whole - half).max() < 0.05


def test_auto_is_what_the_device_computes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny_net()
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert not has_bf16()
    assert TorchBackend(net, None, "auto").precision == "fp32"
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert TorchBackend(net, None, "auto").precision == "bf16"
    assert TorchBackend(net).precision == "fp32"


def test_threads_are_as_asked_and_never_more_than_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        pin_threads(3)
        assert torch.get_num_threads() == 3
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
        pin_threads(None)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
