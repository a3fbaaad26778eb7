"""The main job on the shipped pair, beside the truth: python scripts/demo.py --out demo_out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import cv_pipeline
from cv_pipeline.commands.options import stage_bars
from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.simulated import Comparison, SimulatedScore, TruthImpact, compare
from cv_pipeline.evaluation.truth import read_truth
from cv_pipeline.report.words import registration_sentence

DATA = Path(__file__).resolve().parent.parent / "datasets" / "kampala_strikes"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _row(truth: TruthImpact, row: Comparison) -> list[str]:
    status = "-" if row.status_right is None else ("right" if row.status_right else "wrong")
    return [
        truth.truth_id,
        truth.status.value,
        row.impact_id or "missed",
        _number(row.score, ".2f"),
        _number(row.centre_error_px, ".1f"),
        _number(row.crater_radius_error_rel, "+.0%"),
        _number(row.blast_radius_error_rel, "+.0%"),
        _number(row.direction_error_deg, ".0f"),
        status,
        _number(truth.distance_edge_m, ".1f"),
        _number(row.distance_error_m, "+.1f"),
    ]


def _table(score: SimulatedScore, truth: tuple[TruthImpact, ...]) -> Table:
    heads = (
        "truth", "is", "found as", "score", "centre error px", "crater radius", "blast radius",
        "direction error °", "new/old", "true distance m", "distance error m",
    )  # fmt: skip
    table = Table(title="Impacts beside the truth (simulated strikes on real imagery)", title_justify="left")
    for head in heads:
        table.add_column(head, justify="left" if head in {"truth", "is", "found as"} else "right")
    for planted, row in zip(truth, score.rows, strict=True):
        table.add_row(*_row(planted, row))
    return table


def _figures(score: SimulatedScore, truth: tuple[TruthImpact, ...]) -> dict[str, Any]:
    """Counts, and medians of the sizes of errors; None where there are none."""

    def median(values: Iterable[float | None]) -> float | None:
        sizes = [abs(value) for value in values if value is not None]
        return round(float(np.median(sizes)), 4) if sizes else None

    rows = score.rows
    return {
        "planted": len(truth),
        "found": score.found,
        "false_alarms": len(score.false_alarms),
        "status_told": sum(row.status_right is not None for row in rows),
        "status_right": sum(row.status_right is True for row in rows),
        "directions": sum(planted.direction_deg is not None for planted in truth),
        "directions_told": sum(row.direction_error_deg is not None for row in rows),
        "median": {
            "centre_error_px": median(row.centre_error_px for row in rows),
            "distance_error_m": median(row.distance_error_m for row in rows),
            "crater_radius_error": median(row.crater_radius_error_rel for row in rows),
            "blast_radius_error": median(row.blast_radius_error_rel for row in rows),
        },
    }


def main(
    out: Annotated[Path, typer.Option(help="folder for the results; an earlier demo there is replaced")],
    model: Annotated[str, typer.Option(help="name of a shipped model or a model folder")] = "small",
    figures: Annotated[Path | None, typer.Option("--json", help="write what was found as figures")] = None,
) -> None:
    """Assess datasets/kampala_strikes and compare with what was planted."""
    console = Console(width=max(Console().width, 118))
    config = cv_pipeline.AssessConfig(model=model, out_dir=out, overwrite=True)
    try:
        with stage_bars() as progress:
            result = cv_pipeline.assess(
                DATA / "before.tif", DATA / "after.tif", DATA / "structures.geojson", config, progress=progress
            )
        truth = read_truth(DATA / "truth.geojson")
    except CvPipelineError as error:
        console.print(f"[red]error:[/red] {error}")
        raise typer.Exit(2) from error
    score = compare(result.impacts, truth, result.pair.after.grid.gsd_m, result.matches)
    console.print(_table(score, truth))
    told = _figures(score, truth)
    if figures is not None:
        figures.parent.mkdir(parents=True, exist_ok=True)
        figures.write_text(json.dumps({"model": model, **told}, indent=1) + "\n", encoding="utf-8")
    alarms = ", ".join(score.false_alarms) or "none"
    console.print(f"{score.found} of {len(truth)} found; false alarms: {len(score.false_alarms)} ({alarms})")
    if score.found:
        console.print(
            f"median centre error {told['median']['centre_error_px']:.1f} px of {result.pair.after.grid.gsd_m:g} m, "
            f"median distance error {told['median']['distance_error_m']:.1f} m"
        )
    console.print(registration_sentence(result.registration))
    for warning in result.warnings:
        console.print(f"note: {warning}")
    console.print(f"report: {out / 'report.html'}")


if __name__ == "__main__":
    typer.run(main)
