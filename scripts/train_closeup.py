"""Train a model's close-up network on simulated strikes: python scripts/train_closeup.py --model small."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.errors import CvPipelineError


def main(
    model: Annotated[str, typer.Option(help="name of a shipped model, or a model folder")] = "small",
    config: Annotated[Path | None, typer.Option(help="settings; default: closeup.yaml of the model's folder")] = None,
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/ and kampala/")] = Path("../shared/data"),
    run_dir: Annotated[Path, typer.Option(help="rendered samples and checkpoints")] = Path("runs/closeup"),
    workers: Annotated[int, typer.Option(help="rendering processes")] = 1,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
    render_only: Annotated[bool, typer.Option("--render-only", help="render samples and stop")] = False,
    out: Annotated[Path | None, typer.Option(help="model folder to write closeup.safetensors to")] = None,
) -> None:
    """Render what is missing, then train or go on training; with --out, export the averaged weights."""
    import torch

    from cv_pipeline.patterns.closeup.weights import write_closeup
    from cv_pipeline.patterns.weights_file import CloseUpSection, write_section
    from cv_pipeline.segmentation.zoo import find_model, read_model_file
    from cv_pipeline.training.closeup_config import read_closeup_config
    from cv_pipeline.training.closeup_run import train_closeup
    from cv_pipeline.training.closeup_shards import read_shards, render_shards

    try:
        folder = find_model(model)
        settings = read_closeup_config(config or folder / "closeup.yaml")
        shards = []
        for path in render_shards(settings, folder, backgrounds, run_dir / "samples", workers):
            shards.append(path)
            print(f"{path} is there", flush=True)
        if render_only:
            return
        torch.set_num_threads(threads)
        net = train_closeup(settings, read_shards(shards), run_dir / "last.ckpt")
        if out is not None:
            file = write_closeup(net, out)
            belongs = read_model_file(folder).weights_sha256
            write_section(out, closeup=CloseUpSection(weights_sha256=belongs, closeup_sha256=file.sha256))
            print(f"{file.path} written, SHA-256 {file.sha256}", flush=True)
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
