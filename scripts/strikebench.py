"""The simulated benchmark: render it, score a detector on it, keep the leaderboard.

python scripts/strikebench.py bench --set small                        # everything
python scripts/strikebench.py bench --set full --resume                # the large one; goes on where it was stopped
python scripts/strikebench.py render --set small
python scripts/strikebench.py train                                    # networks of others; about 25 minutes
python scripts/strikebench.py score --set small --baseline blob        # or unet, once it is trained
python scripts/strikebench.py score --set small --model small
python scripts/strikebench.py score --set small --detections mine.csv --name "my detector"
python scripts/strikebench.py leaderboard --set small                  # which rows are stale
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cv_pipeline.commands.options import errors_to_exit_code
from cv_pipeline.errors import ConfigError
from cv_pipeline.evaluation.results import detail_lines, headline_table
from cv_pipeline.evaluation.strikebench.bench import (
    Detected,
    Subject,
    detect_file,
    finished,
    judged_scenes,
    label_of,
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
from cv_pipeline.evaluation.strikebench.render import MANIFEST, check_manifest, render_set, set_hash, write_manifest
from cv_pipeline.evaluation.strikebench.spec import FOLDER, read_spec, scene_keys
from cv_pipeline.segmentation.zoo import shipped_models

app = typer.Typer(help="The simulated benchmark strikebench.", no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(stderr=True)

SetOption = Annotated[str, typer.Option("--set", help="small or full; smoke is for trying the commands")]
RunsOption = Annotated[Path, typer.Option(help="folder for rendered sets and results")]
RUNS = Path("runs/strikebench")
BASELINES = (*CLASSICAL, *NETWORK_BASELINES)
ResumeOption = Annotated[bool, typer.Option("--resume", help="keep what an earlier run has finished")]


def minutes_left(what: str) -> Callable[[int, int], None]:
    """A progress function that prints, some twenty times, how far it is and how long it will take."""
    start, begun = time.monotonic(), 0

    def told(done: int, of: int) -> None:
        nonlocal begun
        if done % max(of // 20, 1) == 0 or begun == 0:
            begun = begun or done  # earlier ones were there already, or hold the start of the workers
            each_s = (time.monotonic() - start) / (done - begun + 1)
            left = f"{(of - done) * each_s / 60:.0f}"
            console.print(f"{what} {done} of {of}, about {left} min left", highlight=False)

    return told


def rendered(set_name: str, runs: Path, workers: int, *, resume: bool) -> dict[str, str]:
    """Hashes of a set's scenes, rendered or kept."""
    spec = read_spec()
    told = minutes_left(f"{set_name}: scene")
    return render_set(spec, set_name, runs / set_name, workers=workers, resume=resume, progress=told)


def check(set_name: str, runs: Path, hashes: dict[str, str]) -> None:
    """Compare every scene with its hash in the project."""
    spec = read_spec()
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
def render(
    set_name: SetOption = "small",
    runs: RunsOption = RUNS,
    workers: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    accept: Annotated[
        bool, typer.Option("--accept", help="keep these scenes' hashes as this version's; for a new version only")
    ] = False,
    resume: ResumeOption = False,
) -> None:
    """Render a set and compare every scene with its hash in the project."""
    with errors_to_exit_code():
        hashes = rendered(set_name, runs, workers, resume=resume)
        if accept:
            write_manifest(read_spec(), hashes)
            console.print(f"written: {MANIFEST}")
        else:
            check(set_name, runs, hashes)


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
        if [baseline, model, detections].count(None) != 2:
            raise ConfigError("give exactly one of --baseline, --model and --detections")
        if baseline is not None and baseline not in BASELINES:
            raise ConfigError(f"there is no baseline '{baseline}'; there are {', '.join(BASELINES)}")
        if detections is not None:
            _score(detect_file(runs / set_name, detections, name, threshold), set_name, runs, {}, board=False)
            return
        if baseline is not None:
            subject = Subject.baseline(baseline, runs / "networks")
        else:
            subject = Subject.model(str(model), after_only=after_only)
        _score(_detect(subject, set_name, runs, threads), set_name, runs, {}, board=board)


def _detect(subject: Subject, set_name: str, runs: Path, threads: int) -> Detected:
    with console.status(subject.name) as status:
        return subject.detect(
            runs / set_name, runs / "networks", runs / "results" / set_name / f"work_{label_of(subject.name)}",
            threads=threads, told=lambda scene: status.update(f"{subject.name}: {scene}"),
        )  # fmt: skip


def _score(detected: Detected, set_name: str, runs: Path, made: dict[str, Any], *, board: bool) -> None:
    out = runs / "results" / set_name / label_of(detected.what["name"])
    card = score_detected(judged_scenes(runs / set_name), detected, out, made)
    wide = Console(width=max(Console().width, 140))
    wide.print(headline_table(card, f"{detected.what['name']} on strikebench {set_name}: SIMULATED scenes"))
    for line in detail_lines(card):
        wide.print(f"  {line}", highlight=False)
    console.print(f"written: {out}")
    if board:
        _put_on_board(set_name, detected.what, card)


def _put_on_board(set_name: str, what: dict[str, Any], card: dict[str, Any]) -> None:
    spec, rows = read_spec(), read_leaderboard()
    put_row(rows, spec, set_name, what, card)
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
    board: Annotated[bool, typer.Option(help="put the rows on the leaderboard")] = True,
    resume: ResumeOption = False,
) -> None:
    """Render a set, score every baseline and shipped model, and write the leaderboard.

    With --resume scenes and scores that an earlier run on the same scenes left are kept: after an interruption the
    same command goes on. Networks of others are scored where they have been trained; else their rows stay as they are.
    """
    with errors_to_exit_code():
        hashes = rendered(set_name, runs, workers, resume=resume)
        check(set_name, runs, hashes)
        subjects = []
        for name in BASELINES:
            if name in NETWORK_BASELINES and not (runs / "networks" / name / "network.yaml").is_file():
                console.print(f"{name}: not trained here, so not scored anew; scripts/strikebench.py train does it")
            else:
                subjects.append(Subject.baseline(name, runs / "networks"))
        for model in shipped_models() if models else ():
            subjects += [Subject.model(model, after_only=after_only) for after_only in (False, True)]
        for number, subject in enumerate(subjects, start=1):
            made = {"set_sha256": set_hash(hashes), "name": subject.name, "hash": subject.hash}
            before = finished(runs / "results" / set_name / label_of(subject.name), made) if resume else None
            console.print(f"{number} of {len(subjects)}: {subject.name}{_expected(subject.name, set_name, runs)}")
            if before is not None:
                console.print("  kept from an earlier run")
                if board:
                    _put_on_board(set_name, before["what"], before)
                continue
            start = time.monotonic()
            detected = _detect(subject, set_name, runs, threads)
            took = {"seconds": round(time.monotonic() - start, 1)}
            _score(detected, set_name, runs, made | took, board=board)
        if board:
            leaderboard(set_name)


def _expected(name: str, set_name: str, runs: Path) -> str:
    """How long a detector will take on a set, by what it took on the small one; empty where that is not known."""
    try:
        text = (runs / "results" / "small" / label_of(name) / "evaluation.json").read_text(encoding="utf-8")
        seconds = float(json.loads(text)["made"]["seconds"])
    except (OSError, ValueError, KeyError):
        return ""
    spec = read_spec()
    times = sum(1 for _ in scene_keys(spec, set_name)) / sum(1 for _ in scene_keys(spec, "small"))
    return f", about {seconds * times / 60:.0f} min by its time on the small set"


if __name__ == "__main__":
    app()
