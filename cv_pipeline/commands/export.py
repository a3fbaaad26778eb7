"""``cv-pipeline export``: a model as graphs that run elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from cv_pipeline.commands.options import ModelOption, OverwriteOption, errors_to_exit_code
from cv_pipeline.errors import ConfigError


def export(
    out: Annotated[Path, typer.Option("--out", help="folder for the graphs; must be new, empty, or --overwrite")],
    model: ModelOption = "small",
    format: Annotated[str, typer.Option("--format", help="onnx (extra 'onnx'), or torch for torch.export")] = "onnx",
    overwrite: OverwriteOption = False,
) -> None:
    """Write a model as ONNX or torch.export graphs, checked against the network; an ONNX folder is a --model."""
    with errors_to_exit_code():
        if format not in ("onnx", "torch"):
            raise ConfigError(f"--format {format}: give onnx or torch")
        from cv_pipeline.segmentation.export_graph import TOLERANCE, export_model_folder
        from cv_pipeline.segmentation.zoo import find_model

        differences = export_model_folder(
            find_model(model), cast(Literal["onnx", "torch"], format), out, overwrite=overwrite
        )
    for graph, difference in differences.items():
        typer.echo(f"{graph}: raw maps differ from the network by {difference:.2g} at most (allowed {TOLERANCE:g})")
    typer.echo(f"graphs: {out}")
