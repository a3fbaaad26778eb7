"""Summaries of matched impacts, each beside what chance gives for the very same measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import shapely

from cv_pipeline.accuracy.null import null_model
from cv_pipeline.accuracy.summary import summarise
from cv_pipeline.matching.hypotheses import ITSELF, spread_m
from cv_pipeline.matching.match import match_points
from cv_pipeline.matching.nearest import StructureIndex, index_structures
from cv_pipeline.types import AccuracySummary, Float64Array, Match, Structure

LIKELY = "likely aim point"
LESS_LIKELY = "less likely aim point"
EDGE = "nearest structure's edge"
CENTRE = "nearest structure's centre"


def likely_m(match: Match) -> float | None:
    """Distance to the likeliest aim point; None without hypotheses."""
    return match.hypotheses[0].distance_m if match.hypotheses else None


def less_likely_m(match: Match) -> float | None:
    """Distance to the second likeliest aim point, or to the likeliest where there is no other.

    The point itself is passed over: its distance is 0 by construction, so a mean that takes it in
    would count misses as hits. It stays in the list of hypotheses for a reviewer to see.
    """
    aimed = [hypothesis.distance_m for hypothesis in match.hypotheses if hypothesis.kind != ITSELF]
    return aimed[min(1, len(aimed) - 1)] if aimed else None


MEASURES: Mapping[str, Callable[[Match], float | None]] = {
    LIKELY: likely_m,
    LESS_LIKELY: less_likely_m,
    EDGE: lambda match: match.distance_edge_m,
    CENTRE: lambda match: match.distance_centre_m,
}


def summarise_matches(
    matches: Sequence[Match],
    structures: Sequence[Structure],
    *,
    region_m: shapely.Geometry | None,
    crater_radii_m: Sequence[float | None] = (),
    blast_radii_m: Sequence[float | None] = (),
    confidence: float = 0.95,
    bootstrap_draws: int = 2000,
    null_draws: int = 1000,
    seed: int = 0,
) -> tuple[AccuracySummary, ...]:
    """Four summaries: likely and less likely aim point, nearest edge, nearest centre.

    The null model runs the same matching, with the same weights, on random points over ``region_m``
    (local metres; None: no null model, and the statements say so). The chosen aim point favours short
    distances, and so does its null.

    Matches without a structure are left out; with none at all every summary has n = 0.
    """
    index = index_structures(structures)
    at_random = _random_matcher(matches, index)
    summaries = []
    for hypothesis, distance_of in MEASURES.items():
        observed = np.array([d for d in map(distance_of, matches) if d is not None], dtype=np.float64)
        null = None
        if region_m is not None and len(observed):
            null = null_model(
                observed,
                partial(_distances, distance_of, at_random),
                region_m,
                draws=null_draws,
                confidence=confidence,
                seed=seed,
            )
        summaries.append(
            summarise(
                observed,
                hypothesis,
                crater_radii_m=crater_radii_m,
                blast_radii_m=blast_radii_m,
                null=null,
                confidence=confidence,
                bootstrap_draws=bootstrap_draws,
                seed=seed,
            )
        )
    return tuple(summaries)


def _distances(
    distance_of: Callable[[Match], float | None],
    match_random: Callable[[Float64Array], tuple[Match, ...]],
    points_m: Float64Array,
) -> Float64Array:
    """One measure of points (m, 2), as distances (m,)."""
    return np.array([distance_of(match) for match in match_random(points_m)], dtype=np.float64)


def _random_matcher(matches: Sequence[Match], index: StructureIndex) -> Callable[[Float64Array], tuple[Match, ...]]:
    """Matching as it was done for the impacts; the same points are matched only once."""
    sds = [match.distance_sd_m for match in matches if match.distance_sd_m is not None]
    centre_m = np.array([m.distance_centre_m for m in matches if m.distance_centre_m is not None], dtype=np.float64)
    sd_m = float(np.median(sds)) if sds else 0.0
    done: dict[bytes, tuple[Match, ...]] = {}

    def match_random(points: Float64Array) -> tuple[Match, ...]:
        key = points.tobytes()
        if key not in done:
            ids = [str(number) for number in range(len(points))]
            done[key] = match_points(ids, points, [sd_m] * len(points), index, scene_spread_m=spread_m(centre_m))
        return done[key]

    return match_random
