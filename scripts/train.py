"""Train a model on simulated strikes: python scripts/train.py --config models/small/train.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cv_pipeline.errors import CvPipelineError

if TYPE_CHECKING:
    from cv_pipeline.segmentation.network import CraterNet


def main(
    config: Annotated[Path, typer.Option(help="settings, see models/small/train.yaml")],
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/ and kampala/")] = Path("../shared/data"),
    run_dir: Annotated[Path | None, typer.Option(help="checkpoints and logs; default runs/<name>")] = None,
    out: Annotated[Path | None, typer.Option(help="model folder to write; default: none")] = None,
    workers: Annotated[int, typer.Option(help="processes that render samples")] = 1,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
    max_minutes: Annotated[float | None, typer.Option(help="stop at a checkpoint after this long")] = None,
) -> None:
    """Train or go on training; with --out, export the averaged weights as a model folder."""
    import torch

    from cv_pipeline.training.config import read_train_config
    from cv_pipeline.training.run import train

    torch.set_num_threads(threads)
    try:
        settings = read_train_config(config)
        where = run_dir or Path("runs") / settings.name
        module = train(settings, backgrounds, where, workers=workers, max_minutes=max_minutes)
        if out is not None:
            from cv_pipeline.training.export import export_model

            net = cast("CraterNet", module.averaged.module)
            model = export_model(net, settings, module.steps_done, backgrounds, out)
            typer.echo(f"model written to {out}, score threshold {model.score_threshold}")
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
