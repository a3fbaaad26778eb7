"""Impacts beside the truth of a simulated scene: what was found, and by how much it is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cv_pipeline.evaluation.objects import match_scene
from cv_pipeline.types import Impact, Match, Status

TOLERANCE_M = 5.0


@dataclass(frozen=True, slots=True)
class TruthImpact:
    """One simulated impact. None means it has none: no blast pattern, no direction, no structure."""

    truth_id: str
    row_px: float
    col_px: float
    crater_radius_m: float
    blast_radius_m: float | None
    direction_deg: float | None
    status: Status
    distance_edge_m: float | None
    x_m: float | None = None
    y_m: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row of the table: a truth and the impact found for it, if any.

    Errors are found minus true; ``direction_error_deg`` is absolute, 0 to 180. An error is None where
    the truth was not found or either side lacks the value.
    """

    truth_id: str
    impact_id: str | None
    score: float | None
    centre_error_px: float | None
    centre_error_m: float | None
    crater_radius_error_rel: float | None
    blast_radius_error_rel: float | None
    direction_error_deg: float | None
    status_right: bool | None
    distance_error_m: float | None

    @property
    def found(self) -> bool:
        """Whether an impact was matched to this truth."""
        return self.impact_id is not None


@dataclass(frozen=True, slots=True)
class SimulatedScore:
    """The table, and the ids of impacts that match no truth."""

    rows: tuple[Comparison, ...]
    false_alarms: tuple[str, ...]

    @property
    def found(self) -> int:
        """How many truths were found."""
        return sum(row.found for row in self.rows)


def compare(
    impacts: Sequence[Impact],
    truth: Sequence[TruthImpact],
    gsd_m: float,
    matches: Sequence[Match] = (),
    tolerance_m: float = TOLERANCE_M,
) -> SimulatedScore:
    """Compare impacts with the truth of one scene.

    Args:
        impacts: what was found, in the after image's pixels.
        truth: what was planted, in the same pixels.
        gsd_m: the after image's GSD.
        matches: of the impacts to structures, for the distance's error; may be empty.
        tolerance_m: greatest distance between centres; matching is greedy by score and one to one.

    Returns:
        One row per truth in its order, and false alarms in the impacts' order.
    """
    planted_m = np.array([(t.col_px, t.row_px) for t in truth], dtype=np.float64).reshape(-1, 2) * gsd_m
    found_m = np.array([(i.col_px, i.row_px) for i in impacts], dtype=np.float64).reshape(-1, 2) * gsd_m
    score = np.array([impact.score for impact in impacts], dtype=np.float64)
    order = np.argsort(-score, kind="stable")
    matched = match_scene(planted_m, found_m, score, tolerance_m)
    partner = {int(label): impacts[order[i]] for i, label in enumerate(matched.label) if label >= 0}
    taken = {impact.impact_id for impact in partner.values()}
    distance = {match.impact_id: match.distance_edge_m for match in matches}
    rows = tuple(_row(t, partner.get(k), gsd_m, distance) for k, t in enumerate(truth))
    return SimulatedScore(rows, tuple(i.impact_id for i in impacts if i.impact_id not in taken))


def _row(truth: TruthImpact, impact: Impact | None, gsd_m: float, distance: Mapping[str, float | None]) -> Comparison:
    if impact is None:
        return Comparison(truth.truth_id, None, None, None, None, None, None, None, None, None)
    error_px = float(np.hypot(impact.row_px - truth.row_px, impact.col_px - truth.col_px))
    return Comparison(
        truth_id=truth.truth_id,
        impact_id=impact.impact_id,
        score=impact.score,
        centre_error_px=error_px,
        centre_error_m=_centre_error_m(truth, impact, error_px * gsd_m),
        crater_radius_error_rel=_relative(impact.crater_radius_m, truth.crater_radius_m),
        blast_radius_error_rel=_relative(impact.blast_radius_m, truth.blast_radius_m),
        direction_error_deg=_angle(impact.direction_deg, truth.direction_deg),
        status_right=None if impact.status is Status.UNKNOWN else impact.status is truth.status,
        distance_error_m=_difference(distance.get(impact.impact_id), truth.distance_edge_m),
    )


def _centre_error_m(truth: TruthImpact, impact: Impact, from_px_m: float) -> float:
    """In local metres where the truth has them, else from pixels and GSD."""
    if truth.x_m is None or truth.y_m is None:
        return from_px_m
    return float(np.hypot(impact.x_m - truth.x_m, impact.y_m - truth.y_m))


def _difference(found: float | None, true: float | None) -> float | None:
    return None if found is None or true is None else found - true


def _relative(found: float | None, true: float | None) -> float | None:
    return None if found is None or not true else (found - true) / true


def _angle(found_deg: float | None, true_deg: float | None) -> float | None:
    if found_deg is None or true_deg is None:
        return None
    return abs((found_deg - true_deg + 180) % 360 - 180)
