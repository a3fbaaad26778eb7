"""Each impact with its nearest structures and its aim-point hypotheses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cv_pipeline.matching.aims import Aim
from cv_pipeline.matching.hypotheses import hypotheses, spread_of_others_m
from cv_pipeline.matching.nearest import NO_STRUCTURE, Nearest, StructureIndex, index_structures, nearest
from cv_pipeline.matching.uncertainty import error_budget
from cv_pipeline.types import ErrorBudget, Float64Array, Hypothesis, Impact, Match, Structure


def match_impacts(
    impacts: Sequence[Impact],
    structures: Sequence[Structure] | StructureIndex,
    *,
    registration_sd_m: float = 0.0,
    gsd_m: float = 0.0,
    geolocation_ce90_m: float | None = None,
    footprint_ce90_m: float | None = None,
    offset_sd_m: float = 0.0,
) -> tuple[Match, ...]:
    """Match impacts to structures; one :class:`Match` per impact, in the same order.

    The matched structure is the nearest by edge (0 inside), ties as in
    :func:`cv_pipeline.matching.nearest.nearest`. Without any structure each match holds only its
    impact's ID. See :func:`match_points` for the ambiguity and :func:`error_budget` for the SD's parts.

    Args:
        impacts: impacts in local metres.
        structures: footprints in the same metres, or an index of them.
        registration_sd_m: the co-registration's SD; 0 where footprints and impacts come from one image.
        gsd_m: metres per pixel of the after image.
        geolocation_ce90_m: the stated radius within which 90 % of the image's positions lie.
        footprint_ce90_m: the same of the footprints.
        offset_sd_m: a shift of all footprints against the image.
    """
    points = np.array([(impact.x_m, impact.y_m) for impact in impacts], dtype=np.float64).reshape(-1, 2)
    errors = [
        error_budget(
            impact.centre_sd_m,
            registration_sd_m=registration_sd_m,
            gsd_m=gsd_m,
            geolocation_ce90_m=geolocation_ce90_m,
            footprint_ce90_m=footprint_ce90_m,
            offset_sd_m=offset_sd_m,
        )
        for impact in impacts
    ]
    index = structures if isinstance(structures, StructureIndex) else index_structures(structures)
    return match_points([impact.impact_id for impact in impacts], points, errors, index)


def match_points(
    point_ids: Sequence[str],
    points_m: Float64Array,
    errors: Sequence[ErrorBudget | float],
    index: StructureIndex,
    *,
    scene_spread_m: float | None = None,
) -> tuple[Match, ...]:
    """Match points (n, 2) as (x_m, y_m), each with the error budget of its distances.

    The ambiguity is ``(d1 + sd) / (d2 + sd)`` with the edge distances of the nearest and the second
    nearest: 1 for a tie (both inside included), near 0 when the second is far farther than both the
    first and the uncertainty, and towards 1 again for a point so far away that the structures look like
    one. It is 0 where there is no second structure. Nothing is too far to be matched.

    Args:
        point_ids: n IDs.
        points_m: (n, 2) positions.
        errors: n error budgets; a bare number is an SD whose parts are unknown and counts as the centre's.
        index: the structures.
        scene_spread_m: spread for all weights; default: for each point that of the others.
    """
    found = nearest(points_m, index)
    if not index.structures:
        return tuple(Match(point_id) for point_id in point_ids)
    budgets = [error if isinstance(error, ErrorBudget) else ErrorBudget(centre_sd_m=error) for error in errors]
    if scene_spread_m is None:
        spreads = spread_of_others_m(found.first_centre_m)
    else:
        spreads = np.full(len(found.first), scene_spread_m)
    aims = [_aims(found, row, index) for row in range(len(found.first))]
    ranked = hypotheses(points_m, aims, edge_m=found.first_edge_m, errors=budgets, spreads_m=spreads)
    return tuple(
        _match(point_id, found, row, index, error=budgets[row], ranked=ranked[row])
        for row, point_id in enumerate(point_ids)
    )


def _aims(found: Nearest, row: int, index: StructureIndex) -> list[Aim]:
    """Places to weigh: those of the nearest by edge, the second by edge and the nearest by centre."""
    named = dict.fromkeys((int(found.first[row]), int(found.second[row]), int(found.by_centre[row])))
    return [aim for position in named if position != NO_STRUCTURE for aim in index.aims[position]]


def _match(
    point_id: str,
    found: Nearest,
    row: int,
    index: StructureIndex,
    *,
    error: ErrorBudget,
    ranked: tuple[Hypothesis, ...],
) -> Match:
    first, second = index.structures[found.first[row]], int(found.second[row])
    has_second = second != NO_STRUCTURE
    edge_m, second_m = float(found.first_edge_m[row]), float(found.second_edge_m[row])
    sd_m = error.total_sd_m
    return Match(
        impact_id=point_id,
        structure_id=first.structure_id,
        structure_kind=first.kind,
        distance_edge_m=edge_m,
        distance_centre_m=float(found.first_centre_m[row]),
        distance_sd_m=sd_m,
        second_structure_id=index.structures[second].structure_id if has_second else None,
        second_distance_edge_m=second_m if has_second else None,
        ambiguity=ambiguity(edge_m, second_m, sd_m) if has_second else 0.0,
        hypotheses=ranked,
        centre_structure_id=index.structures[found.by_centre[row]].structure_id,
        nearest_centre_m=float(found.by_centre_m[row]),
        error=error,
    )


def ambiguity(first_m: float, second_m: float, sd_m: float) -> float:
    """``(d1 + sd) / (d2 + sd)`` in [0, 1]; 1 where both are 0 and exactly known."""
    return (first_m + sd_m) / (second_m + sd_m) if second_m + sd_m > 0 else 1.0
