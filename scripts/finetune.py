"""Train a finished model on one's own labels: python scripts/finetune.py --config finetune.yaml --out models/mine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.errors import CvPipelineError


def main(
    config: Annotated[Path, typer.Option(help="scenes, labels and settings, see docs/training.md")],
    out: Annotated[Path, typer.Option(help="model folder to write")],
    backgrounds: Annotated[
        Path | None, typer.Option(help="folder with ucmerced/; default: simulate on synthetic ground only")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="checkpoints and logs; default runs/finetune_<name>")] = None,
    workers: Annotated[int | None, typer.Option(help="rendering processes; default: the free cores")] = None,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, gpu, mps")] = "auto",
    max_minutes: Annotated[float | None, typer.Option(help="stop at a checkpoint after this long")] = None,
) -> None:
    """Fine-tune, or go on, and write the model folder."""
    import torch

    from cv_pipeline.training.finetune import finetune
    from cv_pipeline.training.finetune_config import read_finetune_config
    from cv_pipeline.training.finetune_export import export_finetuned
    from cv_pipeline.training.loaders import default_workers
    from cv_pipeline.training.run import Machine

    torch.set_num_threads(threads)
    try:
        settings = read_finetune_config(config)
        machine = Machine(
            workers=default_workers(threads, uses=1) if workers is None else workers,
            accelerator=accelerator,
            max_minutes=max_minutes,
        )
        result = finetune(settings, run_dir or Path("runs") / f"finetune_{settings.name}", machine, backgrounds)
        done = result.module.steps_done
        if done < settings.steps and max_minutes is None:
            typer.echo(f"stopped at step {done} of {settings.steps}; the same command goes on", err=True)
            return
        export_finetuned(result, settings, out, backgrounds)
    except CvPipelineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(
        f"trained on {result.train_labels} labels; loss on held-out ground with {result.held_out_labels} labels: "
        f"{result.loss_before['total']:.3f} before, {result.loss_after['total']:.3f} after"
    )
    typer.echo(f"model written to {out}; use it with --model {out}")


if __name__ == "__main__":
    typer.run(main)
