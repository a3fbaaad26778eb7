"""``cv-pipeline models``: what models there are and what each is good for."""

from __future__ import annotations

import typer

from cv_pipeline.commands.options import errors_to_exit_code


def models() -> None:
    """List the models that came with this installation."""
    from cv_pipeline.segmentation.zoo import read_model_file, shipped_models

    with errors_to_exit_code():
        for name, folder in shipped_models().items():
            model = read_model_file(folder)
            typer.echo(
                f"{name}: {model.min_gsd_m:g} to {model.max_gsd_m:g} m per pixel, "
                f"threshold {model.score_threshold:g}, {folder}"
            )
