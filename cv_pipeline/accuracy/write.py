"""The files of the imagery-free path: ``summary.json`` and ``matches.csv``, both or neither."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from cv_pipeline.accuracy.document import combination_document, summary_document
from cv_pipeline.accuracy.matched import less_likely_m, likely_m
from cv_pipeline.accuracy.points import AccuracyResult
from cv_pipeline.output_dir import staged_output

COLUMNS = (
    "impact_id", "structure_id", "structure_kind", "distance_edge_m", "distance_centre_m", "distance_sd_m",
    "hypothesis", "likely_m", "likely_basis", "less_likely_m", "second_structure_id", "second_distance_edge_m",
    "ambiguity", "crater_radius_m", "blast_radius_m",
)  # fmt: skip


def write_accuracy(result: AccuracyResult, out_dir: Path, overwrite: bool = False) -> None:
    """Write the result; the folder appears whole or not at all.

    Raises:
        OutputError: the folder is in use or cannot be written (see :func:`staged_output`).
    """
    with staged_output(out_dir, overwrite) as stage:
        text = json.dumps(accuracy_document(result), indent=2, ensure_ascii=False, allow_nan=False)
        (stage / "summary.json").write_text(text + "\n", encoding="utf-8")
        with (stage / "matches.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(_rows(result))


def accuracy_document(result: AccuracyResult) -> dict[str, Any]:
    """The result as JSON holds it."""
    return {
        "points": str(result.points_path),
        "structures": None if result.structures_path is None else str(result.structures_path),
        "counts": {
            "impacts": len(result.records),
            "structures": len(result.structures) or None,
            "measured": len(result.matches),
        },
        "accuracy": [_named_ends(summary_document(summary)) for summary in result.summaries],
        "combinations": combination_document(result.combinations),
        "notes": list(result.notes),
    }


def _named_ends(content: dict[str, Any]) -> dict[str, Any]:
    """Intervals as ``{"low", "high"}``, the form that this command's ``summary.json`` has had from the start."""
    named = {key: {"low": low, "high": high} for key, (low, high) in content["intervals_m"].items()}
    null = content["null_model"]
    if null is not None:
        low, high = null["mean_interval_m"]
        null = null | {"mean_interval_m": {"low": low, "high": high}}
    return content | {"intervals_m": named, "null_model": null}


def _rows(result: AccuracyResult) -> list[dict[str, Any]]:
    """One row per impact of the file, gaps included as empty cells; metres to the millimetre."""
    matches = {match.impact_id: match for match in result.matches}
    rows: list[dict[str, Any]] = []
    for record in result.records:
        row: dict[str, Any] = {
            "impact_id": record.impact_id,
            "crater_radius_m": record.crater_radius_m,
            "blast_radius_m": record.blast_radius_m,
        }
        match = matches.get(record.impact_id)
        if match is not None:
            row |= {name: getattr(match, name) for name in COLUMNS if hasattr(match, name)}
            row["hypothesis"] = match.hypotheses[0].kind if match.hypotheses else None
            row |= {"likely_m": likely_m(match), "less_likely_m": less_likely_m(match)}
        elif result.structures_path is None and record.likely_m is not None:
            row |= {"likely_m": record.likely_m, "less_likely_m": record.less_likely_m}
            row["likely_basis"] = record.likely_basis.value
        rows.append({key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()})
    return rows
