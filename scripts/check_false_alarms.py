"""False alarms per square kilometre on real ground without craters, by class of background, as a run reports them.

python scripts/check_false_alarms.py --model small --out false_alarms
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError

HEADER = (
    "False alarms on real ground without craters, at the model's own threshold. Every UC Merced class is in training"
    " too, from other blocks of tiles."
)
SHOWN = 25
console = Console(stderr=True)


def main(
    *,
    out: Annotated[Path, typer.Option(help="folder for false_alarms.json and a picture of each class")],
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
    data: Annotated[Path, typer.Option(help="folder with joplin/, ucmerced/ and kampala/")] = Path("../shared/data"),
    threshold: Annotated[float | None, typer.Option(help="default: the model's own")] = None,
    threads: Annotated[int, typer.Option(help="torch threads")] = 1,
    only: Annotated[str | None, typer.Option(help="only classes whose name holds this")] = None,
) -> None:
    """Count false alarms by class of background and draw the highest-scored of each."""
    from cv_pipeline.evaluation.crater_free import LAND, area_km2, crater_free_scenes
    from cv_pipeline.evaluation.montage import Spot, chips, write_montage
    from cv_pipeline.pipeline import assess
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    area: dict[str, float] = defaultdict(float)
    scores: dict[str, list[float]] = defaultdict(list)
    new: dict[str, int] = defaultdict(int)
    pictures: dict[str, list[tuple[float, Any]]] = defaultdict(list)
    try:
        used = read_model_file(find_model(model)).score_threshold if threshold is None else threshold
        with tempfile.TemporaryDirectory() as scratch:
            scenes = [s for s in crater_free_scenes(data, Path(scratch)) if only is None or only in s.kind]
            for scene in track(scenes, "looking", console=console):
                config = AssessConfig(model=model, gsd_m=scene.gsd_m, score_threshold=threshold, threads=threads)
                result = assess(scene.before, scene.after, None, config)
                kept = [impact for impact in result.impacts if scene.counts(impact)]
                area[scene.kind] += area_km2(scene)
                scores[scene.kind] += [impact.score for impact in kept]
                new[scene.kind] += sum(impact.status == "new" for impact in kept)
                best = sorted(kept, key=lambda impact: -impact.score)[:SHOWN]
                spots = [Spot(i.row_px, i.col_px, f"{i.score:.2f} {scene.name[-12:]}", i.crater_radius_m) for i in best]
                drawn = chips(result.pair.after, spots)
                pictures[scene.kind] += zip((impact.score for impact in best), drawn, strict=True)
    except CvPipelineError as error:
        console.print(f"[red]error:[/red] {error}")
        raise typer.Exit(2) from error
    for kind, mine in pictures.items():
        best_first = sorted(mine, key=lambda pair: -pair[0])[:SHOWN]
        write_montage(out / f"{kind.replace(' ', '_').replace(',', '')}.png", (picture for _, picture in best_first))
    groups = {kind: [kind] for kind in area}
    groups |= {f"UC Merced, {ground}": [k for k in kinds if k in area] for ground, kinds in LAND.items()}
    alone = [kind for kind in area if "with before" not in kind]
    groups["all, after-only"] = alone
    rows = {name: _row(kinds, area, scores, new) for name, kinds in groups.items() if kinds}
    out.mkdir(parents=True, exist_ok=True)
    document = {"note": HEADER, "model": model, "threshold": used, "classes": rows}
    (out / "false_alarms.json").write_text(json.dumps(document, indent=1) + "\n")
    _print(rows, used)


def _row(
    kinds: list[str], area: dict[str, float], scores: dict[str, list[float]], new: dict[str, int]
) -> dict[str, Any]:
    from cv_pipeline.evaluation.crater_free import poisson_interval
    from cv_pipeline.evaluation.figures import STRICTER

    km2, count = sum(area[kind] for kind in kinds), sum(len(scores[kind]) for kind in kinds)
    low, high = poisson_interval(count)
    return {
        "km2": round(km2, 4),
        "false_alarms": count,
        "called_new": sum(new[kind] for kind in kinds),
        "per_km2": round(count / km2, 3),
        "interval_95": [round(low / km2, 3), round(high / km2, 3)],
        "at_scores": {f"{least:g}": sum(s >= least for k in kinds for s in scores[k]) for least in STRICTER},
    }


def _print(rows: dict[str, dict[str, Any]], threshold: float) -> None:
    table = Table(title=f"{HEADER} Threshold {threshold:.3f}.", title_justify="left")
    for head in ("background", "km2", "false alarms", "called new", "per km2", "95 % interval (Poisson)"):
        table.add_column(head, justify="left" if head == "background" else "right")
    for name, row in rows.items():
        low, high = row["interval_95"]
        counts = (f"{row['km2']:.3f}", str(row["false_alarms"]), str(row["called_new"]))
        table.add_row(name, *counts, f"{row['per_km2']:.2f}", f"{low:.2f} to {high:.2f}")
    Console(width=max(console.width, 110)).print(table)


if __name__ == "__main__":
    typer.run(main)
