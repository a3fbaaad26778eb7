"""Which points an impact may be measured from, and how likely each is, by one stated model.

The analysis of a published case chose by hand between a building's centre, a group's centre, a
taxiway's centreline and "the point itself". Here each such choice is a candidate with a weight

    weight ~ prior(kind) * exp(-d^2 / (2 s^2)),

where ``d`` is the impact's distance from the candidate and ``s`` the spread of the impacts of this
scene about their structures (median distance over 1.1774, the median of a Rayleigh variable of unit
scale; never below the distance's own SD or 1 m). The priors below are judgements, not measurements.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from cv_pipeline.matching.groups import Group
from cv_pipeline.matching.nearest import StructureIndex
from cv_pipeline.types import Float64Array, Hypothesis, StructureKind

RAYLEIGH_MEDIAN = math.sqrt(2 * math.log(2))
MIN_SPREAD_M = 1.0

PRIOR: Mapping[str, float] = {
    "structure_centre": 1.0,
    "centreline": 1.0,
    "group_centre": 0.8,
    "second_structure_centre": 0.5,
}

ITSELF = "point_itself"
ITSELF_LOG_WEIGHT = -4.5
"""An impact in the open is as likely meant for its own spot as for a structure 3 spreads away."""


def spread_m(centre_distances_m: Float64Array) -> float:
    """Per-axis spread ``s`` of impacts about structures, from distances (n,); nan is ignored, at least 1 m."""
    known = centre_distances_m[np.isfinite(centre_distances_m)]
    return max(MIN_SPREAD_M, float(np.median(known)) / RAYLEIGH_MEDIAN) if len(known) else MIN_SPREAD_M


def hypotheses(
    point_m: Float64Array,
    candidates: Sequence[int],
    index: StructureIndex,
    groups: Mapping[int, Group],
    *,
    edge_m: float,
    distance_sd_m: float,
    scene_spread_m: float,
) -> tuple[Hypothesis, ...]:
    """Candidates for one impact at (2,) ``point_m``, likeliest first, weights summing to 1.

    Args:
        point_m: (x_m, y_m).
        candidates: positions of the structures to consider, nearest by edge first, second next.
        index: the structures.
        groups: the group of each member, from :func:`find_groups`.
        edge_m: distance to the nearest edge; 0 inside.
        distance_sd_m: SD of a distance.
        scene_spread_m: from :func:`spread_m`.

    The point itself (distance 0) is offered only outside every footprint by more than the distance's
    SD, and never comes first: an impact that explains itself would count every miss as a hit.
    """
    found = [_structure(point_m, position, rank, index) for rank, position in enumerate(candidates)]
    group = groups.get(candidates[0])
    if group is not None:
        distance_m = math.dist(point_m, group.centre_m)
        found.append(("group_centre", group.group_id, distance_m))
    scale_m = max(scene_spread_m, distance_sd_m)
    log_weights = [math.log(PRIOR[kind]) - distance**2 / (2 * scale_m**2) for kind, _, distance in found]
    if edge_m > distance_sd_m:
        found.append((ITSELF, None, 0.0))
        log_weights.append(min(ITSELF_LOG_WEIGHT, max(log_weights) - math.log(2)))
    weights = np.exp(np.array(log_weights) - max(log_weights))
    weights /= weights.sum()
    order = np.argsort(-weights, kind="stable")
    return tuple(
        Hypothesis(kind, structure_id, distance, distance_sd_m, float(weight))
        for (kind, structure_id, distance), weight in ((found[i], weights[i]) for i in order)
    )


def _structure(point_m: Float64Array, position: int, rank: int, index: StructureIndex) -> tuple[str, str | None, float]:
    """Kind, ID and distance of the centre of one structure; ``rank`` 1 is the second nearest by edge."""
    import shapely

    structure, centre = index.structures[position], index.centres[position]
    kind = "second_structure_centre" if rank == 1 else "structure_centre"
    if structure.kind is StructureKind.GROUP:
        kind = "group_centre"
    elif shapely.get_dimensions(centre) == 1:
        kind = "centreline"
    return kind, structure.structure_id, float(shapely.distance(shapely.Point(point_m), centre))
