"""Train a model on simulated strikes: python scripts/train.py --config models/small/train.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from cv_pipeline.errors import CvPipelineError

if TYPE_CHECKING:
    from cv_pipeline.segmentation.network import CraterNet


def main(
    config: Annotated[Path, typer.Option(help="settings, see models/small/train.yaml and docs/training.md")],
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/ and kampala/")] = Path("../shared/data"),
    run_dir: Annotated[Path | None, typer.Option(help="checkpoints and logs; default runs/<name>")] = None,
    out: Annotated[Path | None, typer.Option(help="model folder to write; default: none")] = None,
    workers: Annotated[
        int | None, typer.Option(help="rendering processes of each device; default: the cores that --threads leaves")
    ] = None,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
    max_minutes: Annotated[float | None, typer.Option(help="stop at a checkpoint after this long")] = None,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, gpu, mps")] = "auto",
    devices: Annotated[str, typer.Option(help="how many per node, which (0,1), or auto for all")] = "1",
    nodes: Annotated[int, typer.Option(help="machines that train together")] = 1,
    strategy: Annotated[str, typer.Option(help="auto, ddp, or another of Lightning's")] = "auto",
    precision: Annotated[
        Literal["bf16-mixed", "16-mixed", "32-true"], typer.Option(help="16-mixed for GPUs without bfloat16")
    ] = "bf16-mixed",
    deterministic: Annotated[bool, typer.Option(help="repeatable operations only; somewhat slower on GPUs")] = False,
) -> None:
    """Train or go on training; with --out, export the averaged weights as a model folder."""
    import torch

    from cv_pipeline.training.config import read_train_config
    from cv_pipeline.training.loaders import default_workers
    from cv_pipeline.training.run import Machine, is_first_process, train

    torch.set_num_threads(threads)
    try:
        settings = read_train_config(config)
        where = run_dir or Path("runs") / settings.name
        machine = Machine(
            workers=default_workers(threads, settings.uses, devices) if workers is None else workers,
            accelerator=accelerator,
            devices=devices,
            nodes=nodes,
            strategy=strategy,
            precision=precision,
            deterministic=deterministic,
            max_minutes=max_minutes,
        )
        module = train(settings, backgrounds, where, machine)
        if module.steps_done < settings.steps and max_minutes is None:
            typer.echo(f"stopped at step {module.steps_done} of {settings.steps}; the same command goes on", err=True)
        elif out is not None and is_first_process():
            from cv_pipeline.training.export import export_model

            net = cast("CraterNet", module.averaged.module)
            model = export_model(net, settings, module.steps_done, backgrounds, out)
            typer.echo(f"model written to {out}, score threshold {model.score_threshold}")
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
