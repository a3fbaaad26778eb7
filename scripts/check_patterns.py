"""Blast radius, direction and their intervals on simulated scenes over places that no network was trained on.

    python scripts/check_patterns.py fit   --cache DIR [--scenes 50] [--write]
    python scripts/check_patterns.py judge --cache DIR [--scenes 90] [--maps network|oracle]
    python scripts/check_patterns.py sun   --cache DIR [--scenes 6]

``fit`` works on one half of the held-out places and ``judge`` on the other, with other seeds. ``--maps oracle``
replaces the network's maps by blurred, noisy truth, with weights that are then fitted on oracle maps too: that judges
the measurement apart from the network. Scenes are kept in ``--cache``. GSD 0.25 to 1 m, working GSD that of the model.
``--write`` puts what was fitted into the model's folder (``patterns.yaml``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cv_pipeline.evaluation import pattern_cases as cases
from cv_pipeline.evaluation import pattern_scores as scores
from cv_pipeline.evaluation.pattern_scenes import make_scenes
from cv_pipeline.evaluation.scenes import Half, half_of
from cv_pipeline.patterns.weights_file import (
    directions_section,
    read_pattern_weights,
    read_patterns_file,
    write_section,
)
from cv_pipeline.segmentation.zoo import find_model
from cv_pipeline.types import ModelInfo

FIT_RUN, JUDGE_RUN = 71, 72

app = typer.Typer(add_completion=False, no_args_is_help=True)
Cache = Annotated[Path, typer.Option(help="folder in which scenes are kept")]
Data = Annotated[Path, typer.Option(help="folder with ucmerced/")]
Maps = Annotated[str, typer.Option(help="network or oracle")]


def scenes_of(half: Half, count: int, cache: Path, data: Path, model: str) -> tuple[list[Path], ModelInfo]:
    """Folders of the scenes of a half, made where missing, and the model."""
    import cv2
    import torch

    from cv_pipeline.segmentation.backend import TorchBackend
    from cv_pipeline.segmentation.zoo import find_model, load_network, read_model_file
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folder = find_model(model)
    settings = read_model_file(folder)
    backend = TorchBackend(load_network(folder, settings), settings)
    backgrounds = Backgrounds(half_of(list_tiles(data, "validate"), half))
    run = FIT_RUN if half is Half.FIT else JUDGE_RUN
    return make_scenes(cache, backgrounds, [(run, k) for k in range(count)], backend, settings.info()), settings.info()


@app.command()
def fit(
    cache: Cache,
    write: Annotated[bool, typer.Option("--write", help="write them into the model's folder")] = False,
    scenes: int = 50,
    data: Data = Path("../shared/data"),
    model: str = "small",
    maps: Maps = "network",
) -> None:
    """Fit the weights of pattern measurement for a model."""
    folders, info = scenes_of(Half.FIT, scenes, cache, data, model)
    found = list(cases.planted_cases(folders, maps, info))
    radius, direction = cases.fit_radius(found, info.working_gsd_m), cases.fit_direction(found)
    print(radius, direction, sep="\n")
    if write:
        section = directions_section(radius, direction, info.sha256, f"{len(folders)} scenes, {maps} maps")
        write_section(find_model(model), directions=section)


@app.command()
def judge(
    cache: Cache,
    scenes: int = 90,
    data: Data = Path("../shared/data"),
    model: str = "small",
    maps: Maps = "network",
    fit_scenes: Annotated[int, typer.Option(help="scenes to fit oracle weights on")] = 50,
) -> None:
    """Print the figures of the other half."""
    folders, info = scenes_of(Half.JUDGE, scenes, cache, data, model)
    weights, notes = read_pattern_weights(find_model(model), info.sha256)
    radius, direction = weights.radius, weights.direction
    section = read_patterns_file(find_model(model)).directions
    origin = "; ".join(notes) or ("none" if section is None else section.fitted_on)
    if maps == "oracle":
        fit_folders, _ = scenes_of(Half.FIT, fit_scenes, cache, data, model)
        fitted = list(cases.planted_cases(fit_folders, maps, info))
        radius, direction = cases.fit_radius(fitted, info.working_gsd_m), cases.fit_direction(fitted)
        origin = f"{len(fit_folders)} scenes, oracle maps"
    print(f"Simulated scenes only, held-out places, 0.25-1 m GSD. Network weights {info.sha256[:12]}; {maps} maps.")
    print(f"Measurement weights: {origin}.")
    found = list(cases.planted_cases(folders, maps, info))
    print(f"\nPlanted at the true centres (off by 0.35 px SD): {len(folders)} scenes, {len(found)} strikes")
    print("\n".join(scores.lines(found, info.working_gsd_m, radius, direction)))
    if maps == "network":
        print(f"\nEnd to end, found by the model at its own threshold: {len(folders)} scenes")
        print("\n".join(scores.end_to_end_lines(folders, info, weights)))


@app.command()
def sun(
    cache: Cache,
    scenes: int = 6,
    suns: int = 8,
    data: Data = Path("../shared/data"),
    model: str = "small",
) -> None:
    """The same strikes under a turning sun."""
    from cv_pipeline.segmentation.backend import TorchBackend
    from cv_pipeline.segmentation.zoo import find_model, load_network, read_model_file
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    folder = find_model(model)
    settings = read_model_file(folder)
    backgrounds = Backgrounds(half_of(list_tiles(data, "validate"), Half.JUDGE))
    backend = TorchBackend(load_network(folder, settings), settings)
    weights, _ = read_pattern_weights(folder, settings.weights_sha256)
    folders = scores.sun_scenes(cache, backgrounds, scenes, suns, backend, settings.info())
    print(f"Simulated scenes only. Network weights {settings.weights_sha256[:12]}; {scenes} scenes, {suns} suns each.")
    print("\n".join(scores.sun_lines(folders, settings.info(), weights.direction)))


if __name__ == "__main__":
    app()
