"""Summaries of matched impacts, each beside what chance gives for the very same measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import shapely

from cv_pipeline.accuracy.aim import centre_offsets, hypothesis_offsets
from cv_pipeline.accuracy.choices import is_itself, less_likely, likely, match_choices
from cv_pipeline.accuracy.combinations import combination_range
from cv_pipeline.accuracy.fixed import FixedAims, apply_fixed
from cv_pipeline.accuracy.null import null_model
from cv_pipeline.accuracy.summary import summarise
from cv_pipeline.matching.hypotheses import spread_m
from cv_pipeline.matching.match import match_points
from cv_pipeline.matching.nearest import StructureIndex, index_structures
from cv_pipeline.types import (
    AccuracySummary,
    CombinationRange,
    Float64Array,
    Match,
    NullModel,
    Structure,
)

LIKELY = "likely aim point"
LESS_LIKELY = "less likely aim point"
EDGE = "nearest structure's edge"
CENTRE = "nearest structure's centre"
FIXED = "aim point decided by the user"


def likely_m(match: Match) -> float | None:
    """Distance to the likeliest aim point; None without hypotheses."""
    hypothesis = likely(match)
    return None if hypothesis is None else hypothesis.distance_m


def less_likely_m(match: Match) -> float | None:
    """Distance to the second likeliest aim point, see :func:`cv_pipeline.accuracy.choices.less_likely`."""
    hypothesis = less_likely(match)
    return None if hypothesis is None else hypothesis.distance_m


MEASURES: Mapping[str, Callable[[Match], float | None]] = {
    LIKELY: likely_m,
    LESS_LIKELY: less_likely_m,
    EDGE: lambda match: match.distance_edge_m,
    CENTRE: lambda match: match.distance_centre_m,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What all summaries of a run share; see :func:`cv_pipeline.accuracy.summary.summarise`.

    ``crater_radii_m`` and ``blast_radii_m`` are those of the impacts, in their order.
    """

    crater_radii_m: Sequence[float | None] = ()
    blast_radii_m: Sequence[float | None] = ()
    axis_deg: float | None = None
    confidence: float = 0.95
    bootstrap_draws: int = 2000
    seed: int = 0


def summarise_matches(
    matches: Sequence[Match],
    structures: Sequence[Structure],
    *,
    region_m: shapely.Geometry | None,
    points_m: Float64Array | None = None,
    fixed: FixedAims | None = None,
    settings: Settings | None = None,
    null_draws: int = 1000,
) -> tuple[AccuracySummary, ...]:
    """Four summaries: likely and less likely aim point, nearest edge, nearest centre; with ``fixed`` one more, first.

    The null model runs the same matching, with the same weights, on random points over ``region_m``
    (local metres; None: no null model, and the statements say so). The chosen aim point favours short
    distances, and so does its null.

    Matches without a structure are left out; with none at all every summary has n = 0.

    Args:
        matches: one per impact.
        structures: what they were matched to.
        region_m: the assessed ground.
        points_m: (n, 2) the impacts, for bias and dispersion; None leaves these out.
        fixed: aim points that a person has decided on.
        settings: radii, axis, confidence, draws and seed.
        null_draws: random samples of the null model.
    """
    settings = settings or Settings()
    index = index_structures(structures)
    nulls = {} if region_m is None else _nulls(matches, index, region_m, settings, null_draws)
    return summarise_measures(matches, nulls, points_m=points_m, index=index, fixed=fixed, settings=settings)


def summarise_measures(
    matches: Sequence[Match],
    nulls: Mapping[str, NullModel | None],
    *,
    points_m: Float64Array | None,
    index: StructureIndex | None,
    fixed: FixedAims | None,
    settings: Settings,
) -> tuple[AccuracySummary, ...]:
    """The summaries, with the null models already made; without an index none has the offsets from centres."""
    summaries = []
    for measure, distance_of in MEASURES.items():
        kept = [(row, d) for row, d in enumerate(map(distance_of, matches)) if d is not None]
        offsets = None if points_m is None else _offsets(measure, matches, points_m, index)
        summaries.append(_summary(measure, matches, kept, offsets, nulls.get(measure), settings))
    if fixed is None:
        return tuple(summaries)
    return (_fixed_summary(matches, points_m, fixed, settings), *summaries)


def matched_combinations(matches: Sequence[Match], fixed: FixedAims | None = None) -> CombinationRange | None:
    """Ranges over every choice of one aim point per impact; None where no impact has one.

    The point itself counts only where a person has decided on it: otherwise all misses could be hits.
    """
    narrowed = apply_fixed(fixed, {match.impact_id: match_choices(match) for match in matches if match.hypotheses})
    return combination_range(
        [
            [choice.distance_m for choice in choices if len(choices) == 1 or not is_itself(choice)]
            for choices in narrowed.values()
        ]
    )


def _summary(
    label: str,
    matches: Sequence[Match],
    kept: Sequence[tuple[int, float]],
    offsets_m: Float64Array | None,
    null: NullModel | None,
    settings: Settings,
) -> AccuracySummary:
    """The summary of the impacts at the rows in ``kept``, each with its distance."""
    return summarise(
        np.array([distance for _, distance in kept], dtype=np.float64),
        label,
        crater_radii_m=settings.crater_radii_m,
        blast_radii_m=settings.blast_radii_m,
        null=null,
        impact_ids=[matches[row].impact_id for row, _ in kept],
        offsets_m=offsets_m if offsets_m is not None and len(offsets_m) == len(kept) else None,
        axis_deg=settings.axis_deg,
        confidence=settings.confidence,
        bootstrap_draws=settings.bootstrap_draws,
        seed=settings.seed,
    )


def _fixed_summary(
    matches: Sequence[Match], points_m: Float64Array | None, fixed: FixedAims, settings: Settings
) -> AccuracySummary:
    """The decided aim points, the likeliest elsewhere. No null model: random points cannot repeat a person's choice."""
    narrowed = apply_fixed(fixed, {match.impact_id: match_choices(match) for match in matches})
    chosen = {impact_id: choices[0] for impact_id, choices in narrowed.items() if choices}
    kept = [(row, chosen[m.impact_id].distance_m) for row, m in enumerate(matches) if m.impact_id in chosen]
    # A distance of the user's own has no direction, so then there are no offsets at all.
    has_places = points_m is not None and all(choice.hypothesis is not None for choice in chosen.values())
    offsets = None
    if has_places and points_m is not None:
        picked = {impact_id: choice.hypothesis for impact_id, choice in chosen.items()}
        offsets = hypothesis_offsets(matches, points_m, lambda match: picked.get(match.impact_id))
    label = f"{FIXED} for {len(fixed.rows)} of {len(kept)} impacts, the likely one elsewhere"
    return _summary(label, matches, kept, offsets, None, settings)


def _offsets(
    measure: str, matches: Sequence[Match], points_m: Float64Array, index: StructureIndex | None
) -> Float64Array | None:
    """Offsets under one measure; None for the edge, which is no aim point."""
    if measure == LIKELY:
        return hypothesis_offsets(matches, points_m, likely)
    if measure == LESS_LIKELY:
        return hypothesis_offsets(matches, points_m, less_likely)
    if measure == CENTRE and index is not None:
        return centre_offsets(matches, points_m, index)
    return None


def _nulls(
    matches: Sequence[Match], index: StructureIndex, region_m: shapely.Geometry, settings: Settings, draws: int
) -> dict[str, NullModel | None]:
    """The null model of each measure."""
    at_random = _random_matcher(matches, index)
    nulls = {}
    for measure, distance_of in MEASURES.items():
        observed = np.array([d for d in map(distance_of, matches) if d is not None], dtype=np.float64)
        nulls[measure] = null_model(
            observed,
            partial(_distances, distance_of, at_random),
            region_m,
            draws=draws,
            confidence=settings.confidence,
            seed=settings.seed,
        )
    return nulls


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
