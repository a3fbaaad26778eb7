"""An encoder that has learned from other pictures first."""

from __future__ import annotations

import torch
from safetensors.torch import load_file
from torch import Tensor

from cv_pipeline.errors import ModelError
from cv_pipeline.segmentation.network import CraterNet
from cv_pipeline.segmentation.zoo import find_encoder


def start_encoder(net: CraterNet, name: str) -> None:
    """Load the encoder's weights from ``models/encoders/<name>.safetensors``.

    Inputs that those pictures lacked (luminance beside red, green and blue) start with weights of 0, so that they
    change nothing at first.

    Raises:
        ModelError: there is no such file, or it is of another encoder.
    """
    path = find_encoder(name)
    start = load_file(path)
    own: dict[str, Tensor] = net.encoder.state_dict()
    for key, tensor in own.items():
        found = start.get(key)
        if found is not None and tensor.dim() == 4 and found.shape[1] < tensor.shape[1]:
            start[key] = torch.cat([found, torch.zeros_like(tensor[:, found.shape[1] :])], dim=1)
    counters = {key: tensor for key, tensor in own.items() if not tensor.is_floating_point()}
    try:
        net.encoder.load_state_dict({**start, **counters})
    except RuntimeError as error:
        raise ModelError(f"{path}: weights of another encoder than the settings name: {error}") from error
