"""Which points an impact may be measured from, and how likely each is, by one stated model.

The analysis of a published case chose by hand between a building's centre, a group's centre, a
taxiway's centreline, a junction's centre or corner and "the point itself". Here each such choice is a
candidate with a weight

    weight ~ prior * exp(-d^2 / (2 (s^2 + sd^2))),

where ``d`` is the impact's distance from the candidate, ``sd`` that distance's SD, ``s`` the spread of
the *other* impacts of the scene about their structures (median distance over 1.1774, the median of a
Rayleigh variable of unit scale; at least 1 m), and ``prior`` a judgement by kind and size
(:mod:`cv_pipeline.matching.aims`). The same inputs give the same weights; what they rest on is printed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from cv_pipeline.matching.aims import Aim
from cv_pipeline.matching.uncertainty import budget_of_landmark
from cv_pipeline.types import ErrorBudget, Float64Array, Hypothesis

RAYLEIGH_MEDIAN = math.sqrt(2 * math.log(2))
MIN_SPREAD_M = 1.0

ITSELF = "point_itself"
ITSELF_LOG_WEIGHT = -4.5
"""An impact in the open is as likely meant for its own spot as for a structure 3 spreads away."""


def spread_m(centre_distances_m: Float64Array) -> float:
    """Per-axis spread ``s`` of impacts about structures, from distances (n,); nan is ignored, at least 1 m."""
    known = centre_distances_m[np.isfinite(centre_distances_m)]
    return max(MIN_SPREAD_M, float(np.median(known)) / RAYLEIGH_MEDIAN) if len(known) else MIN_SPREAD_M


def spread_of_others_m(centre_distances_m: Float64Array) -> Float64Array:
    """For each of n distances, :func:`spread_m` of the n - 1 others, so that no impact vouches for itself.

    At n = 1 there are no others and its own distance stands in: its weights then say little. Distances
    are finite; at n = 0 the result is empty.
    """
    n = len(centre_distances_m)
    if n < 2:
        return np.array([spread_m(centre_distances_m)] * n)
    order = np.argsort(centre_distances_m, kind="stable")
    ordered = centre_distances_m[order]
    rank = np.arange(n)
    # The k-th of the others is the k-th of all, or the one after it once the impact itself is passed.
    low, high = (n - 2) // 2, (n - 1) // 2
    medians = (ordered[low + (low >= rank)] + ordered[high + (high >= rank)]) / 2
    result = np.empty(n)
    result[order] = np.maximum(MIN_SPREAD_M, medians / RAYLEIGH_MEDIAN)
    return result


def hypotheses(
    points_m: Float64Array,
    aims: Sequence[Sequence[Aim]],
    *,
    edge_m: Float64Array,
    errors: Sequence[ErrorBudget],
    spreads_m: Float64Array,
) -> list[tuple[Hypothesis, ...]]:
    """Candidates of n impacts, each likeliest first (ties in the order of ``aims``), weights summing to 1.

    Args:
        points_m: (n, 2) impacts as (x_m, y_m).
        aims: per impact, the places to weigh, at least one; those listed twice count once.
        edge_m: (n,) distances to the nearest edge; 0 inside.
        errors: n error budgets of a distance to a single footprint.
        spreads_m: (n,) spreads of the other impacts.

    The point itself (distance 0) is offered only outside every footprint by more than the distance's
    SD, and never comes first: an impact that explains itself would count every miss as a hit.
    """
    chosen = [list({aim.hypothesis_id: aim for aim in places}.values()) for places in aims]
    counts = np.array([len(places) for places in chosen], dtype=np.int64)
    if not counts.sum():
        return [() for _ in chosen]
    flat = np.array([aim.geometry_m for places in chosen for aim in places], dtype=object)
    points = shapely.points(np.repeat(points_m, counts, axis=0))
    nearest_m = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(points, flat), -1))
    distances_m = np.split(np.asarray(shapely.distance(points, flat)), np.cumsum(counts)[:-1])
    places_m = np.split(nearest_m, np.cumsum(counts)[:-1])
    return [
        _ranked(*row) for row in zip(points_m, chosen, distances_m, places_m, edge_m, errors, spreads_m, strict=True)
    ]


def _ranked(
    point_m: Float64Array,
    aims: Sequence[Aim],
    distances_m: Float64Array,
    places_m: Float64Array,
    edge_m: float,
    error: ErrorBudget,
    spread: float,
) -> tuple[Hypothesis, ...]:
    """The hypotheses of one impact."""
    budgets = [error if aim.landmark is None else budget_of_landmark(error, aim.landmark) for aim in aims]
    sds_m = [budget.total_sd_m for budget in budgets]
    log_weights = [
        aim.log_prior - float(distance) ** 2 / (2 * (spread**2 + sd_m**2))
        for aim, distance, sd_m in zip(aims, distances_m, sds_m, strict=True)
    ]
    found = [
        (aim.kind, aim.owner_id, float(distance), sd_m, aim.hypothesis_id, (float(x), float(y)), budget)
        for aim, distance, sd_m, (x, y), budget in zip(aims, distances_m, sds_m, places_m, budgets, strict=True)
    ]
    best = max(log_weights)
    total_sd_m = error.total_sd_m
    itself = edge_m > total_sd_m
    if itself:
        log_weights.append(min(ITSELF_LOG_WEIGHT, best - math.log(2)))
    weights = [math.exp(value - best) for value in log_weights]
    whole = sum(weights)
    ranked = [
        Hypothesis(kind, owner_id, distance, sd_m, weight / whole, name, place, budget)
        for (kind, owner_id, distance, sd_m, name, place, budget), weight in zip(found, weights, strict=False)
    ]
    if itself:
        here = (float(point_m[0]), float(point_m[1]))
        ranked.append(Hypothesis(ITSELF, None, 0.0, total_sd_m, weights[-1] / whole, ITSELF, here, error))
    return tuple(sorted(ranked, key=lambda hypothesis: -hypothesis.weight))
