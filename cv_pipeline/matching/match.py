"""Each impact with its nearest structures and its aim-point hypotheses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cv_pipeline.matching.groups import find_groups
from cv_pipeline.matching.hypotheses import hypotheses, spread_m
from cv_pipeline.matching.nearest import NO_STRUCTURE, Nearest, StructureIndex, index_structures, nearest
from cv_pipeline.matching.uncertainty import distance_sd_m
from cv_pipeline.types import Float64Array, Hypothesis, Impact, Match, Structure


def match_impacts(
    impacts: Sequence[Impact],
    structures: Sequence[Structure],
    *,
    registration_sd_m: float = 0.0,
    gsd_m: float = 0.0,
    geolocation_ce90_m: float | None = None,
) -> tuple[Match, ...]:
    """Match impacts to structures; one :class:`Match` per impact, in the same order.

    The matched structure is the nearest by edge (0 inside), ties as in
    :func:`cv_pipeline.matching.nearest.nearest`. Without any structure each match holds only its
    impact's ID. See :func:`match_points` for the ambiguity and :func:`distance_sd_m` for the SD.

    Args:
        impacts: impacts in local metres.
        structures: footprints in the same metres.
        registration_sd_m: the co-registration's SD; 0 where footprints and impacts come from one image.
        gsd_m: metres per pixel of the after image.
        geolocation_ce90_m: the stated radius within which 90 % of the image's positions lie.
    """
    points = np.array([(impact.x_m, impact.y_m) for impact in impacts], dtype=np.float64).reshape(-1, 2)
    sds = [
        distance_sd_m(
            impact.centre_sd_m,
            registration_sd_m=registration_sd_m,
            gsd_m=gsd_m,
            geolocation_ce90_m=geolocation_ce90_m,
        )
        for impact in impacts
    ]
    return match_points([impact.impact_id for impact in impacts], points, sds, index_structures(structures))


def match_points(
    point_ids: Sequence[str],
    points_m: Float64Array,
    distance_sds_m: Sequence[float],
    index: StructureIndex,
    *,
    scene_spread_m: float | None = None,
) -> tuple[Match, ...]:
    """Match points (n, 2) as (x_m, y_m), each with the SD of its distances.

    The ambiguity is ``(d1 + sd) / (d2 + sd)`` with the edge distances of the nearest and the second
    nearest: 1 for a tie (both inside included), near 0 when the second is far farther than both the
    first and the uncertainty. It is 0 where there is no second structure.

    Args:
        point_ids: n IDs.
        points_m: (n, 2) positions.
        distance_sds_m: n standard deviations.
        index: the structures.
        scene_spread_m: spread for the weights; default: that of these points.
    """
    found = nearest(points_m, index)
    if not index.structures:
        return tuple(Match(point_id) for point_id in point_ids)
    groups = find_groups(index)
    spread = spread_m(found.first_centre_m) if scene_spread_m is None else scene_spread_m
    matches = []
    for row, (point_id, sd_m) in enumerate(zip(point_ids, distance_sds_m, strict=True)):
        ranked = hypotheses(
            points_m[row],
            _candidates(found, row),
            index,
            groups,
            edge_m=float(found.first_edge_m[row]),
            distance_sd_m=sd_m,
            scene_spread_m=spread,
        )
        matches.append(_match(point_id, found, row, index, sd_m=sd_m, ranked=ranked))
    return tuple(matches)


def _candidates(found: Nearest, row: int) -> list[int]:
    """Positions to weigh: nearest by edge, second by edge, nearest by centre where it is neither."""
    named = [int(found.first[row]), int(found.second[row]), int(found.by_centre[row])]
    return [position for position in dict.fromkeys(named) if position != NO_STRUCTURE]


def _match(
    point_id: str, found: Nearest, row: int, index: StructureIndex, *, sd_m: float, ranked: tuple[Hypothesis, ...]
) -> Match:
    first, second = index.structures[found.first[row]], int(found.second[row])
    has_second = second != NO_STRUCTURE
    edge_m, second_m = float(found.first_edge_m[row]), float(found.second_edge_m[row])
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
    )


def ambiguity(first_m: float, second_m: float, sd_m: float) -> float:
    """``(d1 + sd) / (d2 + sd)`` in [0, 1]; 1 where both are 0 and exactly known."""
    return (first_m + sd_m) / (second_m + sd_m) if second_m + sd_m > 0 else 1.0
