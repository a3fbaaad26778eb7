"""How fast a whole run is, what memory it takes, and how well pairs align beside what others use.

    python scripts/benchmark.py --out bench
    python scripts/benchmark.py --out bench --side 4096 --side 20000 --pairs 0
    python scripts/benchmark.py --out bench --side 5000 --part 20000 --part 50000 --data ../shared/data

Scenes are simulated on the ground of the shipped Kampala mosaic; larger ones repeat it in a virtual raster, so they
take no disk and hardly any decoding. Each size runs in a process of its own. Rates depend on the machine; the ratio to
the bare forward pass is of the same process. Of two or more whole runs the last line is the difference of the two
largest: what a further megapixel costs, without what every run costs once. While it goes on, a run needs 20 MB of disk
for each megapixel of the working grid (a scene of 20,000 px has 278, one of 50,000 px 1,736), two thirds of them where
temporary files go (TMPDIR) and the rest in the folder of ``--out``.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.planted_pairs import USUAL, Misfit, PlaceSet, draw_pair, places
from cv_pipeline.evaluation.repeated import write_pair
from cv_pipeline.evaluation.rivals import ESTIMATORS, Spread, error_px, spread
from cv_pipeline.evaluation.throughput import Job, Measured, beyond, measure
from cv_pipeline.output_dir import staged_output
from cv_pipeline.simulation.pair import simulate_pair

GSD_M = 0.5
SCENE_PX = 1024
SEED = 660_001
MARKER = "benchmark.json"
MISFITS = {"shift alone": Misfit(rotation_deg=0.0, scale=0.0), "shift, turn and scale": USUAL}

console = Console(stderr=True)


def time_runs(
    sides: list[int], parts: list[int], tiles: int, settings: dict[str, Any], folder: Path
) -> dict[str, Measured]:
    """Whole runs of scenes of ``sides`` px, and runs of ``parts`` px that stop after so many tiles."""
    backgrounds, _ = places(Path(), "kampala")
    pair = simulate_pair(backgrounds, (SEED, 0), (SCENE_PX, SCENE_PX), GSD_M)
    found = {}
    for side, stop in [*((side, None) for side in sides), *((side, tiles) for side in parts)]:
        name = f"{side} px" if stop is None else f"{side} px, first {stop} tiles"
        here = folder / f"{side}-{stop}"
        here.mkdir()
        before, after = write_pair(pair.before, pair.after, GSD_M, side, here)
        console.print(f"running {name} ...")
        found[name] = measure(Job(str(before), str(after), str(here / "out"), settings, stop))
        shutil.rmtree(here)  # gigabytes, of a large scene
    return found


def further(runs: dict[str, Measured]) -> dict[str, Measured]:
    """What the largest whole run took beyond the second largest, under a name of its own; nothing of fewer than two."""
    whole = sorted((m.working_mp, name) for name, m in runs.items() if m.impacts is not None)
    if len(whole) < 2 or whole[-1][0] == whole[-2][0]:
        return {}
    (_, less), (_, more) = whole[-2:]
    return {f"further, {less} to {more}": beyond(runs[less], runs[more])}


def compare_registration(data: Path, place: PlaceSet, pairs: int, side_px: int) -> dict[str, dict[str, Spread]]:
    """Errors of every estimator on the same pairs, by kind of misfit and name."""
    found = {}
    for kind, misfit in MISFITS.items():
        errors: dict[str, list[float | None]] = {name: [] for name in ESTIMATORS}
        for number in track(range(pairs), f"registration, {kind}", console=console):
            pair = draw_pair(data, place, (SEED, number), side_px, misfit)
            for name, estimate in ESTIMATORS.items():
                matrix = estimate(pair.before, pair.after)
                errors[name].append(None if matrix is None else error_px(matrix, pair.matrix, (side_px, side_px)))
        found[kind] = {name: spread(values) for name, values in errors.items()}
    return found


def speed_table(runs: dict[str, Measured]) -> Table:
    """Rates, memory and ratios, one row a run."""
    heads = ("run", "MP/s", "km²/min", "of bare forward", "by CPU time", "bare MP/s", "peak MiB", "impacts")
    table = Table(title="whole runs; MP of the working grid, read to written")
    for head in heads:
        table.add_column(head, justify="left" if head == "run" else "right")
    for name, m in runs.items():
        table.add_row(
            name, f"{m.working_mp / m.wall_s:.2f}", f"{60 * m.km2 / m.wall_s:.1f}", f"{m.ratio:.0%}",
            f"{m.cpu_ratio:.0%}", f"{1 / m.forward_s:.2f}", f"{max(m.peak_mib.values()):.0f}",
            "-" if m.impacts is None else str(m.impacts),
        )  # fmt: skip
    return table


def stage_table(runs: dict[str, Measured]) -> Table:
    """Shares of the wall clock by stage, and of segmentation's CPU time by what it does."""
    table = Table(title="share of each stage; below: share of segmentation's CPU time; in brackets peak MiB so far")
    table.add_column("stage")
    for name in runs:
        table.add_column(name, justify="right")
    for stage in dict.fromkeys(stage for m in runs.values() for stage in m.stage_s):
        cells = []
        for m in runs.values():
            share = m.stage_s.get(stage, 0.0) / m.wall_s
            cells.append(f"{share:.0%} ({m.peak_mib[stage]:.0f})" if stage in m.stage_s else "-")
        table.add_row(stage, *cells)
    table.add_section()
    for part in dict.fromkeys(part for m in runs.values() for part in m.segment_cpu_s):
        cells = [f"{m.segment_cpu_s.get(part, 0.0) / m.stage_cpu_s['segmenting']:.0%}" for m in runs.values()]
        table.add_row(f"  {part}", *cells)
    rest = [f"{1 - sum(m.segment_cpu_s.values()) / m.stage_cpu_s['segmenting']:.0%}" for m in runs.values()]
    table.add_row("  network", *rest)
    return table


def registration_table(found: dict[str, dict[str, Spread]]) -> Table:
    """Errors in pixels, one row an estimator and kind of misfit."""
    table = Table(title="registration: RMS error over the image, px; refused pairs have none")
    for head in ("misfit", "estimator", "answered", "median", "95 %", "worst", "off by > 2 px"):
        table.add_column(head, justify="left" if head in ("misfit", "estimator") else "right")
    for kind, by_name in found.items():
        for name, s in by_name.items():
            errors = ("-" if value is None else f"{value:.2f}" for value in (s.median_px, s.p95_px, s.worst_px))
            table.add_row(kind, name, f"{s.answered}/{s.pairs}", *errors, str(s.far))
        table.add_section()
    return table


def main(
    out: Annotated[Path, typer.Option(help="folder for benchmark.json; must be new, empty, or --overwrite")],
    side: Annotated[list[int] | None, typer.Option(min=256, help="px a side of a whole run; repeat it")] = None,
    part: Annotated[list[int] | None, typer.Option(min=256, help="px a side of a run that stops early")] = None,
    tiles: Annotated[int, typer.Option(min=1, help="tiles after which a --part run stops")] = 12,
    pairs: Annotated[int, typer.Option(min=0, help="pairs of each kind for registration; 0 leaves it out")] = 6,
    pair_px: Annotated[int, typer.Option(min=128, help="px a side of these pairs")] = 512,
    place: Annotated[
        str, typer.Option(help="ground of the pairs: kampala, or one of planted_pairs in --data")
    ] = "kampala",
    data: Annotated[Path, typer.Option(help="folder of data for other places")] = Path("../shared/data"),
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads of the network")] = None,
    tile_px: Annotated[int | None, typer.Option(help="tile side; default: that of assess")] = None,
    overwrite: Annotated[bool, typer.Option(help="replace an earlier benchmark in --out")] = False,
) -> None:
    """Time whole runs and compare registration; print tables and write benchmark.json."""
    settings: dict[str, Any] = {"model": model, "precision": precision, "threads": threads}
    if tile_px is not None:
        settings["tile_px"] = tile_px
    try:
        with staged_output(out, overwrite, MARKER) as stage, tempfile.TemporaryDirectory(dir=stage) as folder:
            runs = time_runs(side or [2048], part or [], tiles, settings, Path(folder))
            runs |= further(runs)
            registration = compare_registration(data, cast(PlaceSet, place), pairs, pair_px) if pairs else {}
            document = {
                "settings": settings | {"gsd_m": GSD_M, "scene_px": SCENE_PX, "seed": SEED, "place": place},
                "runs": {name: asdict(m) | {"ratio": m.ratio, "cpu_ratio": m.cpu_ratio} for name, m in runs.items()},
                "registration": {
                    kind: {n: s._asdict() for n, s in found.items()} for kind, found in registration.items()
                },
            }
            (stage / MARKER).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except CvPipelineError as error:
        console.print(f"[red]error:[/red] {error}")
        raise typer.Exit(2) from error
    wide = Console(width=max(Console().width, 120))
    wide.print(speed_table(runs), stage_table(runs))
    if registration:
        wide.print(registration_table(registration))
    console.print(f"written: {out / MARKER}")


if __name__ == "__main__":
    typer.run(main)
