from __future__ import annotations

import hashlib

import pytest
import torch
from safetensors.torch import load_file

from cv_pipeline.errors import ModelError
from cv_pipeline.segmentation.network import CraterNet, NetworkConfig
from cv_pipeline.segmentation.zoo import find_encoder
from cv_pipeline.training.encoders import start_encoder

NAME = "efficientnet_lite0"
SETTINGS: NetworkConfig = {
    "encoder": f"tu-{NAME}",
    "stage_channels": None,
    "decoder_channels": [16, 8, 8],
    "fusion": "difference",
}


def test_the_encoder_starts_as_the_file_says_and_luminance_counts_for_nothing_yet() -> None:
    net = CraterNet(SETTINGS)
    start_encoder(net, NAME)
    net.eval()
    weights = load_file(find_encoder(NAME))
    stem = net.encoder.model.conv_stem.weight
    assert torch.equal(stem[:, :3], weights["model.conv_stem.weight"])
    image = torch.randn(1, 4, 64, 64)
    other = image.clone()
    other[:, 3] = 5.0
    with torch.inference_mode():
        for one, same in zip(net.encoder(image)[1:], net.encoder(other)[1:], strict=True):
            assert torch.equal(one, same)
            assert one.std() > 0


def test_an_unknown_encoder_and_a_wrong_one_are_refused_by_name() -> None:
    with pytest.raises(ModelError, match="resnet99"):
        start_encoder(CraterNet(SETTINGS), "resnet99")
    with pytest.raises(ModelError, match="another encoder"):
        start_encoder(CraterNet({**SETTINGS, "encoder": "tu-resnet18"}), NAME)


def test_the_card_names_the_file_that_is_there() -> None:
    path = find_encoder(NAME)
    assert hashlib.sha256(path.read_bytes()).hexdigest() in (path.parent / "README.md").read_text()
