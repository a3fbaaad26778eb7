"""The rows of the impacts table, in the order and rounding that other tools rely on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields

from cv_pipeline.accuracy.matched import less_likely_m, likely_m
from cv_pipeline.types import Assessment, ErrorBudget, Impact, Match

Cell = str | float | None

_METRES = 2
_DEGREES = 1

COLUMN_DECIMALS: Mapping[str, int | None] = {
    "impact_id": None,
    "col_px": 2,
    "row_px": 2,
    "lon": 8,
    "lat": 8,
    "score": 4,
    "status": None,
    "crater_radius_m": _METRES,
    "crater_radius_sd_m": _METRES,
    "blast_radius_m": _METRES,
    "secondary_radius_m": _METRES,
    "pattern": None,
    "direction_deg": _DEGREES,
    "direction_sd_deg": _DEGREES,
    "structure_id": None,
    "structure_kind": None,
    "distance_edge_m": _METRES,
    "distance_centre_m": _METRES,
    "distance_sd_m": _METRES,
    "hypothesis": None,
    "likely_m": _METRES,
    "less_likely_m": _METRES,
    "second_structure_id": None,
    "second_distance_edge_m": _METRES,
    "ambiguity": 3,
    "centre_sd_m": _METRES,
    "new_probability": 3,
    "crater_major_m": _METRES,
    "crater_minor_m": _METRES,
    "crater_azimuth_deg": _DEGREES,
    "peak_score": 4,
    "blast_radius_sd_m": _METRES,
    "secondary_radius_sd_m": _METRES,
    "pattern_area_m2": 1,
    "directional_probability": 3,
    "review": None,
    "measured_by_reviewer": None,
    "decided_aim": None,
}
"""Columns in file order with their decimals; None marks a text column."""

COLUMNS: tuple[str, ...] = tuple(COLUMN_DECIMALS)

ERROR_PARTS: tuple[str, ...] = tuple(part.name for part in fields(ErrorBudget))
"""The parts of a distance's SD, in the order in which files list them."""


def impact_rows(assessment: Assessment) -> list[dict[str, Cell]]:
    """One row per impact, in the assessment's order; an unknown value is None.

    ``hypothesis`` names the likeliest aim point; ``likely_m`` and ``less_likely_m`` are the distances
    that the statistics use (:mod:`cv_pipeline.accuracy.matched`). An impact without a match has only its own columns.
    No impacts give an empty list.
    """
    matches = matches_by_impact(assessment)
    return [_row(impact, matches[impact.impact_id]) for impact in assessment.impacts]


def matches_by_impact(assessment: Assessment) -> dict[str, Match]:
    """Impact identifier to match; an impact without one gets an empty match."""
    found = {match.impact_id: match for match in assessment.matches}
    return {i.impact_id: found.get(i.impact_id, Match(impact_id=i.impact_id)) for i in assessment.impacts}


def finite(value: float | None, decimals: int) -> float | None:
    """``value`` rounded, or None where it is None, NaN or infinite."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), decimals) + 0.0  # + 0.0 turns -0.0 into 0.0


def _row(impact: Impact, match: Match) -> dict[str, Cell]:
    ranked = match.hypotheses
    values: dict[str, str | float | None] = {
        "impact_id": impact.impact_id,
        "col_px": impact.col_px,
        "row_px": impact.row_px,
        "lon": impact.lon_deg,
        "lat": impact.lat_deg,
        "score": impact.score,
        "status": impact.status.value,
        "crater_radius_m": impact.crater_radius_m,
        "crater_radius_sd_m": impact.crater_radius_sd_m,
        "blast_radius_m": impact.blast_radius_m,
        "secondary_radius_m": impact.secondary_radius_m,
        "pattern": impact.pattern.value,
        "direction_deg": impact.direction_deg,
        "direction_sd_deg": impact.direction_sd_deg,
        "structure_id": match.structure_id,
        "structure_kind": None if match.structure_kind is None else match.structure_kind.value,
        "distance_edge_m": match.distance_edge_m,
        "distance_centre_m": match.distance_centre_m,
        "distance_sd_m": match.distance_sd_m,
        "hypothesis": ranked[0].kind if ranked else None,
        "likely_m": likely_m(match),
        "less_likely_m": less_likely_m(match),
        "second_structure_id": match.second_structure_id,
        "second_distance_edge_m": match.second_distance_edge_m,
        "ambiguity": match.ambiguity,
        "centre_sd_m": impact.centre_sd_m,
        "new_probability": impact.status_probability,
        "crater_major_m": impact.crater_major_m,
        "crater_minor_m": impact.crater_minor_m,
        "crater_azimuth_deg": impact.crater_azimuth_deg,
        "peak_score": impact.peak_score,
        "blast_radius_sd_m": impact.blast_radius_sd_m,
        "secondary_radius_sd_m": impact.secondary_radius_sd_m,
        "pattern_area_m2": impact.pattern_area_m2,
        "directional_probability": impact.directional_probability,
        **_review(impact),
    }
    return {name: _cell(values[name], decimals) for name, decimals in COLUMN_DECIMALS.items()}


def _review(impact: Impact) -> dict[str, Cell]:
    """What a person did: decision, measures of theirs, and the aim point that they picked; empty without a review."""
    mark = impact.review
    if mark is None:
        return {"review": None, "measured_by_reviewer": None, "decided_aim": None}
    return {"review": mark.decision.value, "measured_by_reviewer": " ".join(mark.measured), "decided_aim": mark.aim}


def _cell(value: str | float | None, decimals: int | None) -> Cell:
    if decimals is None or isinstance(value, str):
        return value
    return finite(value, decimals)
