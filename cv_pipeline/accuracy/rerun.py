"""The statistics of a finished run once more, with aim points that a person has decided on since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cv_pipeline.accuracy.document import null_from_document
from cv_pipeline.accuracy.fixed import plain_text, read_fixed_aims
from cv_pipeline.accuracy.matched import MEASURES, Settings, matched_combinations, summarise_measures
from cv_pipeline.accuracy.points import AccuracyResult
from cv_pipeline.accuracy.points_file import PointRecord, csv_rows, parse_number
from cv_pipeline.errors import PointsError
from cv_pipeline.types import Hypothesis, Match, NullModel, Status, StructureKind

REPEAT = "Give the folder of a finished 'assess' run with structures, or run 'assess' again."
Row = Mapping[str, str]


def accuracy_from_run(
    folder: Path,
    *,
    hypotheses: Path | None = None,
    axis_deg: float | None = None,
    confidence: float = 0.95,
    bootstrap_draws: int = 2000,
    seed: int = 0,
) -> AccuracyResult:
    """Summarise the impacts of a run's ``impacts.csv`` and ``hypotheses.csv``; nothing is detected or measured anew.

    Craters that were there before stay left out, as in the run. The null models are those of the run's
    ``summary.json``. Distances are those of the files, so to the centimetre.

    Args:
        folder: what ``cv-pipeline assess --out`` wrote.
        hypotheses: aim points decided on; rows picked from the run's ``hypotheses.csv`` will do.
        axis_deg: azimuth of a known axis.
        confidence: level of the intervals.
        bootstrap_draws: resamples per interval.
        seed: seed of the resampling.

    Raises:
        PointsError: the folder lacks one of the three files, or one was changed so that it cannot be read.
    """
    for name in ("impacts.csv", "hypotheses.csv", "summary.json"):
        if not (folder / name).is_file():
            raise PointsError(f"{folder}: holds no {name}. {REPEAT}")
    ranked = _hypotheses(folder / "hypotheses.csv")
    rows = [row for row in csv_rows(folder / "impacts.csv")[1] if row.get("status") != Status.OLD]
    matches = [_match(folder / "impacts.csv", row, ranked.get(row["impact_id"], ())) for row in rows]
    records = tuple(_record(folder / "impacts.csv", row) for row in rows)
    if not any(match.hypotheses for match in matches):
        raise PointsError(f"{folder}: no impact that counts was matched to a structure. {REPEAT}")
    fixed = None if hypotheses is None else read_fixed_aims(hypotheses)
    settings = Settings(
        crater_radii_m=[record.crater_radius_m for record in records],
        blast_radii_m=[record.blast_radius_m for record in records],
        axis_deg=axis_deg,
        confidence=confidence,
        bootstrap_draws=bootstrap_draws,
        seed=seed,
    )
    summaries = summarise_measures(
        matches,
        _nulls(folder / "summary.json"),
        points_m=np.zeros((len(matches), 2)),  # aim points are held relative to their impact here
        index=None,
        fixed=fixed,
        settings=settings,
    )
    notes = (f"Recomputed from {folder}; what chance alone would give is that run's own figure.",)
    return AccuracyResult(
        points_path=folder / "impacts.csv",
        structures_path=folder / "structures.geojson",
        records=records,
        structures=(),
        matches=tuple(matches),
        summaries=summaries,
        combinations=matched_combinations(matches, fixed),
        notes=notes,
    )


def _hypotheses(path: Path) -> dict[str, list[Hypothesis]]:
    """Hypotheses by impact, in file order; aim points relative to the impact."""
    found: dict[str, list[Hypothesis]] = {}
    for row in csv_rows(path)[1]:
        impact_id = row.get("impact_id", "")
        distance_m, weight = _needed(path, row, "distance_m"), _needed(path, row, "weight")
        east_m, north_m = _cell(path, row, "offset_east_m"), _cell(path, row, "offset_north_m")
        found.setdefault(impact_id, []).append(
            Hypothesis(
                kind=row.get("kind", ""),
                structure_id=plain_text(row.get("structure_id", "")) or None,
                distance_m=distance_m,
                distance_sd_m=_needed(path, row, "distance_sd_m"),
                weight=weight,
                hypothesis_id=plain_text(row.get("hypothesis", "")),
                aim_m=None if east_m is None or north_m is None else (-east_m, -north_m),
            )
        )
    return found


def _match(path: Path, row: Row, ranked: Sequence[Hypothesis]) -> Match:
    kind = row.get("structure_kind", "")
    if kind and kind not in set(StructureKind):
        raise PointsError(f"{path}: impact {row['impact_id']}: structure_kind {kind!r} is unknown. {REPEAT}")
    return Match(
        impact_id=row["impact_id"],
        structure_id=plain_text(row.get("structure_id", "")) or None,
        structure_kind=StructureKind(kind) if kind else None,
        distance_edge_m=_cell(path, row, "distance_edge_m"),
        distance_centre_m=_cell(path, row, "distance_centre_m"),
        distance_sd_m=_cell(path, row, "distance_sd_m"),
        second_structure_id=plain_text(row.get("second_structure_id", "")) or None,
        second_distance_edge_m=_cell(path, row, "second_distance_edge_m"),
        ambiguity=_cell(path, row, "ambiguity"),
        hypotheses=tuple(ranked),
    )


def _record(path: Path, row: Row) -> PointRecord:
    return PointRecord(
        impact_id=row["impact_id"],
        crater_radius_m=_cell(path, row, "crater_radius_m"),
        blast_radius_m=_cell(path, row, "blast_radius_m"),
    )


def _cell(path: Path, row: Row, name: str) -> float | None:
    return parse_number(path, row.get("impact_id", ""), name, row.get(name, ""))


def _needed(path: Path, row: Row, name: str) -> float:
    value = _cell(path, row, name)
    if value is None:
        raise PointsError(f"{path}: impact {row.get('impact_id', '')}: {name} is empty. {REPEAT}")
    return value


def _nulls(path: Path) -> dict[str, NullModel | None]:
    """The run's null models by measure."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        summaries = {entry["hypothesis"]: entry for entry in content["accuracy"]}
        return {measure: null_from_document(summaries[measure]["null_model"]) for measure in MEASURES}
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise PointsError(f"{path}: holds no statistics of this version ({cause!r}). {REPEAT}") from cause
