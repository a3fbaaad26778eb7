"""Blast radius, direction and their intervals on simulated scenes over places that no network was trained on.

    python scripts/check_patterns.py fit   --cache DIR [--maps oracle] [--write]
    python scripts/check_patterns.py judge --cache DIR [--maps oracle] [--json models/small/figures/patterns.json]
    python scripts/check_patterns.py sun   --cache DIR [--maps oracle]
    python scripts/check_patterns.py real  --out DIR   [--data ../shared/data/arcade_dev]

``fit`` works on one half of the held-out places and ``judge`` on the other, with other seeds. ``--maps oracle``
replaces the network's maps by blurred, noisy truth, with weights that are then fitted on oracle maps too: that judges
the measurement apart from the network. ``sun`` turns the sun around the same strikes. ``real`` counts what is found in
real scenes without truth, and draws figures to look at. GSD 0.25 to 1 m, working GSD that of the model.

Scenes are kept in ``--cache`` and made in pieces of ``--minutes``: a command that ends with exit code 3 is to be given
again. ``--write`` puts what was fitted into the model's folder (``patterns.yaml``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cv_pipeline.evaluation import pattern_cases as cases
from cv_pipeline.evaluation import pattern_scores as scores
from cv_pipeline.evaluation.pattern_scenes import make_scenes
from cv_pipeline.evaluation.pattern_witnesses import witness_table
from cv_pipeline.evaluation.plain import write_part
from cv_pipeline.evaluation.scenes import Half, half_of
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.weights import DirectionWeights, RadiusWeights
from cv_pipeline.patterns.weights_file import (
    SectionFacts,
    directions_section,
    read_pattern_weights,
    read_patterns_file,
    write_section,
)
from cv_pipeline.segmentation.zoo import ModelFile, find_model, read_model_file
from cv_pipeline.types import ModelInfo

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import TorchBackend

FIT_RUN, JUDGE_RUN = 71, 72

app = typer.Typer(add_completion=False, no_args_is_help=True)
Cache = Annotated[Path, typer.Option(help="folder in which scenes are kept")]
Data = Annotated[Path, typer.Option(help="folder with ucmerced/")]
Maps = Annotated[str, typer.Option(help="network or oracle")]
Minutes = Annotated[float, typer.Option(help="make scenes for so long; then stop, to be called again")]
FitScenes = Annotated[int, typer.Option(help="scenes to fit on")]


def network_of(model: str, maps: str) -> tuple[ModelFile, TorchBackend | None]:
    """A model's settings, and its network ready for inference (None for oracle maps)."""
    import cv2

    cv2.setNumThreads(1)
    settings: ModelFile = read_model_file(find_model(model))
    if maps == "oracle":
        return settings, None
    import torch

    from cv_pipeline.segmentation.backend import TorchBackend
    from cv_pipeline.segmentation.zoo import load_network

    torch.set_num_threads(1)
    return settings, TorchBackend(load_network(find_model(model), settings), settings)


def scenes_of(half: Half, count: int, cache: Path, data: Path, model: str, maps: str, minutes: float) -> list[Path]:
    """Folders of the scenes of a half; exits with code 3 where time did not suffice for all."""
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    settings, backend = network_of(model, maps)
    backgrounds = Backgrounds(half_of(list_tiles(data, "validate"), half))
    run = FIT_RUN if half is Half.FIT else JUDGE_RUN
    seeds = [(run, k) for k in range(count)]
    return complete(make_scenes(cache, backgrounds, seeds, backend, settings.info(), seconds=60 * minutes), count)


def complete(folders: list[Path], count: int) -> list[Path]:
    """The folders, if all are there.

    Raises:
        Exit: with code 3 if not.
    """
    if len(folders) < count:
        print(f"{len(folders)} of {count} scenes are there; give the same command again")
        raise typer.Exit(3)
    return folders


def closeup_of(model: str, maps: str) -> CloseUpFile | None:
    """The model's close-up network, which has no say on oracle maps: those judge the measurement by itself."""
    folder = find_model(model)
    return (
        read_pattern_weights(folder, read_model_file(folder).weights_sha256)[0].closeup if maps == "network" else None
    )


def fitted(
    folders: list[Path], maps: str, info: ModelInfo, closeup: CloseUpFile | None
) -> tuple[RadiusWeights, DirectionWeights]:
    """Weights fitted on scenes."""
    found = list(cases.planted_cases(folders, maps, info, closeup))
    shown = sum(c.is_directional for c in found)
    print(f"Fitted on {len(folders)} scenes, {len(found)} strikes, {shown} with an axis that can be seen; {maps} maps.")
    return cases.fit_radius(found, info.working_gsd_m), cases.fit_direction(found)


@app.command()
def fit(
    cache: Cache,
    write: Annotated[bool, typer.Option("--write", help="write them into the model's folder")] = False,
    scenes: FitScenes = 60,
    data: Data = Path("../shared/data"),
    model: str = "small",
    maps: Maps = "network",
    minutes: Minutes = 3.0,
) -> None:
    """Fit the weights of pattern measurement for a model."""
    folders = scenes_of(Half.FIT, scenes, cache, data, model, maps, minutes)
    info = read_model_file(find_model(model)).info()
    closeup = closeup_of(model, maps)
    radius, direction = fitted(folders, maps, info, closeup)
    print(radius, direction, sep="\n")
    if write:
        facts = SectionFacts(
            weights_sha256=info.sha256,
            fitted_on=f"{len(folders)} scenes, {maps} maps",
            closeup_sha256=None if closeup is None else closeup.sha256,
        )
        section = directions_section(radius, direction, facts)
        write_section(find_model(model), directions=section)


@app.command()
def judge(
    cache: Cache,
    scenes: Annotated[int, typer.Option(help="scenes to judge on")] = 90,
    data: Data = Path("../shared/data"),
    model: str = "small",
    maps: Maps = "network",
    fit_scenes: FitScenes = 60,
    minutes: Minutes = 3.0,
    out: Annotated[Path | None, typer.Option("--json", help="put the figures into this file's part for --maps")] = None,
) -> None:
    """Print the figures of the other half."""
    folders = scenes_of(Half.JUDGE, scenes, cache, data, model, maps, minutes)
    info = read_model_file(find_model(model)).info()
    weights, notes = read_pattern_weights(find_model(model), info.sha256)
    radius, direction = weights.radius, weights.direction
    section = read_patterns_file(find_model(model)).directions
    origin = "; ".join(notes) or ("none" if section is None else section.fitted_on)
    if maps == "oracle":
        fit_folders = scenes_of(Half.FIT, fit_scenes, cache, data, model, maps, minutes)
        radius, direction = fitted(fit_folders, maps, info, None)
        origin = f"{len(fit_folders)} scenes, oracle maps"
    print(f"Simulated scenes only, held-out places, 0.25-1 m GSD. Network weights {info.sha256[:12]}; {maps} maps.")
    print(f"Measurement weights: {origin}.")
    found = list(cases.planted_cases(folders, maps, info, closeup_of(model, maps)))
    print(f"\nPlanted at the true centres (off by 0.35 px SD): {len(folders)} scenes, {len(found)} strikes")
    planted = scores.planted_figures(found, info.working_gsd_m, radius, direction)
    print("\n".join([*scores.lines(planted), *witness_table(found, direction)]))
    parts = {maps: planted}
    if maps == "network":
        print(f"\nEnd to end, found by the model at its own threshold: {len(folders)} scenes")
        parts["end_to_end"] = scores.end_to_end_figures(folders, info, weights)
        print("\n".join(scores.lines(parts["end_to_end"])))
    for name, figures in parts.items() if out is not None else ():
        told = {key: figure.document() for key, figure in figures.items()}
        about = {"weights_sha256": info.sha256, "scenes": len(folders), "strikes": len(found), "weights_from": origin}
        write_part(cast("Path", out), name, about | {"figures": told})


@app.command()
def sun(
    cache: Cache,
    scenes: Annotated[int, typer.Option(help="scenes, each under every sun")] = 8,
    suns: Annotated[int, typer.Option(help="azimuths of the sun")] = 4,
    data: Data = Path("../shared/data"),
    model: str = "small",
    maps: Maps = "network",
    minutes: Minutes = 3.0,
) -> None:
    """The same strikes under a turning sun, with the weights of the model's folder."""
    from cv_pipeline.evaluation.pattern_sun import sun_lines, sun_scenes
    from cv_pipeline.simulation.background import Backgrounds, list_tiles

    settings, backend = network_of(model, maps)
    info = settings.info()
    backgrounds = Backgrounds(half_of(list_tiles(data, "validate"), Half.JUDGE))
    weights, notes = read_pattern_weights(find_model(model), info.sha256)
    folders = sun_scenes(cache, backgrounds, scenes, suns, backend, info, seconds=60 * minutes)
    if len(folders) < scenes:
        print(f"{len(folders)} of {scenes} scenes are there; give the same command again")
        raise typer.Exit(3)
    print(f"Simulated scenes only. Network weights {info.sha256[:12]}; {maps} maps; {scenes} scenes, {suns} suns each.")
    print("\n".join([*notes, *sun_lines(folders, maps, info, weights.direction, closeup_of(model, maps))]))


@app.command()
def real(
    out: Annotated[Path, typer.Option(help="folder for figures; not inside the project")],
    data: Annotated[Path, typer.Option(help="folder of scenes with labels.csv")] = Path("../shared/data/arcade_dev"),
    model: str = "small",
    figures: Annotated[int, typer.Option(help="figures of each kind and scene")] = 6,
) -> None:
    """Count patterns and directions in real scenes without truth; scenes that are there already are left out."""
    from cv_pipeline.evaluation.labelled import read_scenes
    from cv_pipeline.evaluation.pattern_real import scene_impacts, summary_line

    settings, backend = network_of(model, "network")
    assert backend is not None
    weights, notes = read_pattern_weights(find_model(model), settings.weights_sha256)
    print(f"Real scenes without truth, after image only. Network weights {settings.weights_sha256[:12]}.")
    print("\n".join(notes))
    for scene in read_scenes(data):
        done = out / f"field_{scene.field}" / "counts.txt"
        if not done.exists():
            impacts = scene_impacts(scene, backend, settings.info(), weights, done.parent, figures)
            done.write_text(summary_line(f"field {scene.field}", impacts) + "\n")
        print(done.read_text().strip(), flush=True)


if __name__ == "__main__":
    app()
