"""The close-up network of a model: ``closeup.safetensors`` in its folder, named with its hash in ``patterns.yaml``."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cv_pipeline.errors import ModelError

if TYPE_CHECKING:
    from cv_pipeline.patterns.closeup.network import CloseUpNet

CLOSEUP_FILE = "closeup.safetensors"


class CloseUpFile(NamedTuple):
    """Where the weights of a close-up network are, and their SHA-256."""

    path: Path
    sha256: str


@lru_cache(maxsize=2)
def load_closeup(file: CloseUpFile) -> CloseUpNet:
    """The network, ready for inference on the CPU.

    Raises:
        ModelError: the file is missing, changed since it was named, or of another network.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    from cv_pipeline.patterns.closeup.network import CloseUpNet

    try:
        data = file.path.read_bytes()
    except OSError as error:
        raise ModelError(f"{file.path}: cannot be read ({error.strerror}); fetch the model folder again") from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ModelError(f"{file.path}: does not match its hash in patterns.yaml; fetch the model folder again")
    net = CloseUpNet()
    try:
        counters = {k: v for k, v in net.state_dict().items() if not v.is_floating_point()}
        net.load_state_dict({**load(data), **counters})
    except (RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{file.path}: is not the close-up network of this version; fetch the model folder again, or take the "
            "version of cv-pipeline that the model was made for"
        ) from error
    net.eval()
    for block in net.modules():
        if not isinstance(block, torch.nn.Sequential):
            continue
        convolution, norm = block[0], block[1]
        if isinstance(convolution, torch.nn.Conv2d) and isinstance(norm, torch.nn.BatchNorm2d):
            block[0], block[1] = fuse_conv_bn_eval(convolution, norm), torch.nn.Identity()  # a third less work
    return net.to(memory_format=torch.channels_last)


def write_closeup(net: CloseUpNet, folder: Path) -> CloseUpFile:
    """Write the weights into a model's folder, which need not be there; what ``patterns.yaml`` is to say of them."""
    from safetensors.torch import save

    from cv_pipeline.output_dir import whole_file

    data = save({k: v.detach().cpu().contiguous() for k, v in net.state_dict().items() if v.is_floating_point()})
    with whole_file(folder / CLOSEUP_FILE) as part:
        part.write_bytes(data)
    return CloseUpFile(folder / CLOSEUP_FILE, hashlib.sha256(data).hexdigest())
