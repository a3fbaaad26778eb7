"""The simulated benchmark: render it, score a detector on it, keep the leaderboard.

python scripts/strikebench.py bench --set small                        # everything
python scripts/strikebench.py render --set small
python scripts/strikebench.py train                                    # networks of others; about 25 minutes
python scripts/strikebench.py score --set small --baseline blob        # or unet, once it is trained
python scripts/strikebench.py score --set small --model small
python scripts/strikebench.py score --set small --detections mine.csv --name "my detector"
python scripts/strikebench.py leaderboard --set small                  # which rows are stale
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cv_pipeline.commands.options import errors_to_exit_code
from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.results import detail_lines, headline_table
from cv_pipeline.evaluation.strikebench.bench import (
    Detected,
    detect_classical,
    detect_file,
    detect_model,
    detect_network,
    judged_scenes,
)
from cv_pipeline.evaluation.strikebench.bench import score as score_detected
from cv_pipeline.evaluation.strikebench.classical import CLASSICAL
from cv_pipeline.evaluation.strikebench.leaderboard import (
    NETWORK_BASELINES,
    put_row,
    read_leaderboard,
    stale_rows,
    write_leaderboard,
)
from cv_pipeline.evaluation.strikebench.render import MANIFEST, check_manifest, render_set, write_manifest
from cv_pipeline.evaluation.strikebench.spec import FOLDER, read_spec
from cv_pipeline.segmentation.zoo import shipped_models

app = typer.Typer(help="The simulated benchmark strikebench.", no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(stderr=True)

SetOption = Annotated[str, typer.Option("--set", help="small or full")]
RunsOption = Annotated[Path, typer.Option(help="folder for rendered sets and results")]
RUNS = Path("runs/strikebench")
BASELINES = (*CLASSICAL, *NETWORK_BASELINES)


@app.command()
def render(
    set_name: SetOption = "small",
    runs: RunsOption = RUNS,
    workers: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    accept: Annotated[
        bool, typer.Option("--accept", help="keep these scenes' hashes as this version's; for a new version only")
    ] = False,
) -> None:
    """Render a set and compare every scene with its hash in the project."""
    with errors_to_exit_code():
        spec = read_spec()
        told = console.status("rendering")
        with told:
            hashes = render_set(
                spec, set_name, runs / set_name, workers=workers,
                progress=lambda done, of: told.update(f"rendering {done} of {of}"),
            )  # fmt: skip
        if accept:
            write_manifest(spec, hashes)
            console.print(f"written: {MANIFEST}")
            return
        checked = check_manifest(spec, hashes)
        if checked.differ:
            raise ConfigError(
                f"{len(checked.differ)} of {len(hashes)} scenes differ from {MANIFEST.name}, the first is "
                f"{checked.differ[0]}: the simulator or a library draws otherwise than for version {spec.version}, so "
                "scores do not compare with the leaderboard's. A changed simulator needs a new version in spec.yaml "
                "and render --accept"
            )
        same = len(hashes) - len(checked.unknown)
        console.print(f"{runs / set_name}: {same} scenes bit for bit as in {MANIFEST.name}", highlight=False)
        if checked.unknown:
            console.print(f"{len(checked.unknown)} scenes are not in it and so not checked", highlight=False)


@app.command()
def train(
    network: Annotated[
        list[str] | None, typer.Option(help=f"{' or '.join(NETWORK_BASELINES)}; may be repeated; default: all")
    ] = None,
    config: Annotated[Path, typer.Option(help="the budget")] = FOLDER / "networks.yaml",
    backgrounds: Annotated[Path, typer.Option(help="folder with ucmerced/ and kampala/")] = Path("../shared/data"),
    until_step: Annotated[int | None, typer.Option(min=1, help="stop here; the same command goes on")] = None,
    workers: Annotated[int, typer.Option(min=0, help="processes that render; 0: none beside the trainer")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="torch threads")] = 1,
    runs: RunsOption = RUNS,
) -> None:
    """Train the networks of others, or go on training; weights go to RUNS/networks/NAME."""
    import torch

    from cv_pipeline.evaluation.baselines.config import read_networks_config
    from cv_pipeline.evaluation.baselines.train import train_network

    torch.set_num_threads(threads)
    with errors_to_exit_code():
        settings = read_networks_config(config)
        for name in network or settings.networks:
            if name not in NETWORK_BASELINES:
                raise ConfigError(f"there is no network '{name}'; there are {', '.join(NETWORK_BASELINES)}")
            losses: list[float] = []

            def told(step: int, loss: float, name: str = name, losses: list[float] = losses) -> None:
                losses.append(loss)
                if step % 25 == 0:
                    console.print(f"{name}: step {step}, loss {sum(losses) / len(losses):.3f}", highlight=False)
                    losses.clear()

            done = train_network(
                name, settings, backgrounds, runs / "networks" / name, workers=workers, until_step=until_step, told=told
            )
            console.print(f"{name}: {done} of {settings.steps} steps done", highlight=False)


@app.command()
def score(
    set_name: SetOption = "small",
    baseline: Annotated[str | None, typer.Option(help=f"one of {', '.join(BASELINES)}")] = None,
    model: Annotated[str | None, typer.Option(help="a shipped model or a model folder")] = None,
    after_only: Annotated[bool, typer.Option("--after-only", help="do not give the model the before image")] = False,
    detections: Annotated[Path | None, typer.Option(help="CSV or GeoJSON of another tool")] = None,
    name: Annotated[str, typer.Option(help="what to call --detections")] = "detections",
    threshold: Annotated[float, typer.Option(help="operating point of --detections")] = 0.5,
    board: Annotated[bool, typer.Option(help="put the row on the leaderboard (never for --detections)")] = True,
    threads: Annotated[int, typer.Option(min=1, help="torch threads")] = 1,
    runs: RunsOption = RUNS,
) -> None:
    """Score one detector on the judge half of a rendered set."""
    with errors_to_exit_code():
        folder, results = runs / set_name, runs / "results" / set_name
        if [baseline, model, detections].count(None) != 2:
            raise ConfigError("give exactly one of --baseline, --model and --detections")
        if baseline is not None:
            if baseline not in BASELINES:
                raise ConfigError(f"there is no baseline '{baseline}'; there are {', '.join(BASELINES)}")
            with console.status(f"tuning and running {baseline}"):
                if baseline in CLASSICAL:
                    detected = detect_classical(folder, baseline)
                else:
                    detected = detect_network(folder, runs / "networks" / baseline, results / f"work_{baseline}")
        elif model is not None:
            with console.status("") as status:
                work = results / f"work_{Path(model).name}{'_after' if after_only else ''}"
                detected = detect_model(
                    folder, model, work, use_before=not after_only, threads=threads,
                    told=lambda scene: status.update(f"{model}: {scene}"),
                )  # fmt: skip
        else:
            assert detections is not None
            detected = detect_file(folder, detections, name, threshold)
        _score(detected, set_name, runs, board=board and detections is None)


def _score(detected: Detected, set_name: str, runs: Path, *, board: bool) -> None:
    spec = read_spec()
    label = "".join(c if c.isalnum() else "_" for c in detected.what["name"])
    out = runs / "results" / set_name / label
    card = score_detected(judged_scenes(runs / set_name), detected, out)
    wide = Console(width=max(Console().width, 140))
    wide.print(headline_table(card, f"{detected.what['name']} on strikebench {set_name}: SIMULATED scenes"))
    for line in detail_lines(card):
        wide.print(f"  {line}", highlight=False)
    console.print(f"written: {out}")
    if board:
        rows = read_leaderboard()
        put_row(rows, spec, set_name, detected.what, card)
        write_leaderboard(rows, spec)


@app.command()
def leaderboard(set_name: SetOption = "small") -> None:
    """Write leaderboard.md anew and say which rows are stale or missing."""
    with errors_to_exit_code():
        spec, board = read_spec(), read_leaderboard()
        write_leaderboard(board, spec)
        for line in stale_rows(board, spec, set_name):
            typer.echo(line)


@app.command()
def bench(
    set_name: SetOption = "small",
    runs: RunsOption = RUNS,
    workers: Annotated[int, typer.Option(min=1, help="processes that render")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="torch threads")] = 2,
    models: Annotated[bool, typer.Option(help="score the shipped models too")] = True,
) -> None:
    """Render a set, score every baseline and shipped model, and write the leaderboard.

    Networks of others are scored where they have been trained; else their rows stay as they are.
    """
    render(set_name, runs, workers)
    for baseline in BASELINES:
        if baseline in NETWORK_BASELINES and not (runs / "networks" / baseline / "network.yaml").is_file():
            console.print(f"{baseline}: not trained here, so not scored anew; scripts/strikebench.py train does it")
            continue
        score(set_name, baseline=baseline, runs=runs)
    for model in shipped_models() if models else ():
        for after_only in (False, True):
            score(set_name, model=model, after_only=after_only, threads=threads, runs=runs)
    leaderboard(set_name)


if __name__ == "__main__":
    app()
