"""A result as a review leaves it: impacts, matches and statistics measured anew by the same stages as in a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cv_pipeline.accuracy.choices import match_choices
from cv_pipeline.accuracy.fixed import FixedAim, FixedAims
from cv_pipeline.conclusions import impact_notes, matched, summarised
from cv_pipeline.config import AssessConfig
from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.imagery.grid import pixel_matrix
from cv_pipeline.matching.nearest import StructureIndex
from cv_pipeline.review.estimate import missed_total, recall, share
from cv_pipeline.review.record import Edit
from cv_pipeline.review.state import ReviewedImpact, ReviewState
from cv_pipeline.review.windows import WindowPlan
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import (
    AccuracySummary,
    Assessment,
    Channel,
    Decision,
    Impact,
    Interval,
    Match,
    PatternKind,
    Rate,
    Review,
    ReviewMark,
    Segmentation,
    Status,
    Window,
)

PLACED_SD_PX = 1.0
"""How well a person places a centre or a circle, per axis, in after-image pixels. A judgement, not a measurement."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Impacts that were not rejected, their matches and statistics, and whose picked aim point is none any more."""

    impacts: tuple[Impact, ...]
    matches: tuple[Match, ...]
    accuracy: tuple[AccuracySummary, ...]
    lapsed: tuple[str, ...]


def measure(
    run: Assessment, state: ReviewState, index: StructureIndex, config: AssessConfig, *, with_chance: bool
) -> Measured:
    """Match and summarise what the review keeps; ``with_chance`` adds the comparison with chance, which takes seconds.

    An aim point that was picked and is none of the impact's choices any more, because its centre was moved since, is
    left to the likeliest one and named in ``lapsed``.
    """
    frame = local_frame(run.pair.after.grid)
    impacts = tuple(reviewed_impact(reviewed, frame, run.segmentation) for reviewed in state.kept)
    matches = matched(impacts, index, frame, run.registration, config, run.footprint_offset)
    fixed, lapsed = _picked(impacts, matches)
    accuracy = summarised(
        impacts, matches, index.structures, frame, run.segmentation, config, fixed=fixed, with_chance=with_chance
    )
    return Measured(impacts, matches, accuracy, lapsed)


def reviewed_assessment(run: Assessment, measured: Measured, review: Review) -> Assessment:
    """The run's assessment with the review in it; warnings that count impacts are made anew."""
    seen = bool(run.structures)
    stale = set(impact_notes(run.registration, run.segmentation, run.impacts, seen))
    notes = impact_notes(run.registration, run.segmentation, measured.impacts, seen)
    warnings = (*(text for text in run.warnings if text not in stale), *notes)
    return replace(
        run, impacts=measured.impacts, matches=measured.matches, accuracy=measured.accuracy, warnings=warnings,
        out_dir=None, review=replace(review, lapsed=measured.lapsed),
    )  # fmt: skip


def reviewed_impact(reviewed: ReviewedImpact, frame: LocalFrame, segmentation: Segmentation) -> Impact:
    """One impact as the review has it, with the mark that says what is a person's in it.

    The SD of what a person measured is :data:`PLACED_SD_PX`; that of an axis is unknown. An added impact has the
    network's own value at its place as score, status unknown and no pattern until a radius is given. A blast radius
    that a person gave takes the place of the traced outline.
    """
    base = reviewed.original or _added(reviewed, frame, segmentation)
    measured = reviewed.measured
    mark = ReviewMark(reviewed.decision, tuple(name.removesuffix("_px") for name in measured), reviewed.aim)
    sd_m = PLACED_SD_PX * frame.grid.gsd_m
    changed = replace(base, review=mark)
    if "centre_px" in measured:
        changed = replace(_placed(changed, reviewed.centre_px, frame), centre_sd_m=sd_m)
    if "crater_radius_m" in measured:
        changed = replace(
            changed, crater_radius_m=reviewed.crater_radius_m, crater_radius_sd_m=sd_m, crater_major_m=None,
            crater_minor_m=None, crater_azimuth_deg=None,
        )  # fmt: skip
    if "blast_radius_m" in measured:
        radius_m = reviewed.blast_radius_m
        changed = replace(
            changed, blast_radius_m=radius_m, blast_radius_sd_m=None if radius_m is None else sd_m,
            outline_m=np.zeros((0, 2)), pattern_area_m2=None if radius_m is None else math.pi * radius_m**2,
            pattern=_pattern(base.pattern, radius_m),
        )  # fmt: skip
    if "direction_deg" in measured:
        changed = replace(changed, direction_deg=reviewed.direction_deg, direction_sd_deg=None)
    # Evidence is what the run's own figures rest on; beside a person's it would explain something else.
    return replace(changed, evidence=None) if measured else changed


def review_of(
    state: ReviewState,
    edits: Sequence[Edit],
    plan: WindowPlan,
    frame: LocalFrame,
    segmentation: Segmentation,
    *,
    confidence: float,
    record_sha256: str,
    result_sha256: str,
) -> Review:
    """What the decisions come to: counts, precision, and recall with the help of the windows.

    An added impact in a window without a find counts there, and only if that window was looked at; any other is
    counted as missed as it stands.
    """
    everything = state.impacts.values()
    count = {decision: sum(impact.decision is decision for impact in everything) for decision in Decision}
    added = [impact.centre_px for impact in everything if impact.decision is Decision.ADDED]
    counts, beside = plan.counts(added, state.windows_seen)
    missed = missed_total(len(plan.windows), counts, plan.finds_per_window, confidence)
    if missed is not None:
        low, high = missed.interval
        known = max(low + beside, float(len(added)))
        missed = Rate(max(missed.value + beside, known), Interval(known, max(high + beside, known)))
    accepted = count[Decision.ACCEPTED]
    return Review(
        reviewers=tuple(dict.fromkeys(edit.reviewer for edit in edits)),
        accepted=accepted,
        added=count[Decision.ADDED],
        unreviewed=count[Decision.UNREVIEWED],
        rejected=tuple(reviewed_impact(i, frame, segmentation) for i in everything if i.decision is Decision.REJECTED),
        precision=share(accepted, accepted + count[Decision.REJECTED], confidence),
        missed=missed,
        recall=recall(accepted, missed),
        windows=len(plan.windows),
        windows_seen=len(counts),
        confidence=confidence,
        edits=len(edits),
        record_sha256=record_sha256,
        result_sha256=result_sha256,
    )


def _picked(impacts: Sequence[Impact], matches: Sequence[Match]) -> tuple[FixedAims | None, tuple[str, ...]]:
    """Picked aim points of impacts that count in the statistics, and the impacts whose pick is no choice any more."""
    rows, lapsed = {}, []
    for impact, match in zip(impacts, matches, strict=True):
        aim = None if impact.review is None else impact.review.aim
        if aim is None or impact.status is Status.OLD:
            continue
        if any(aim in choice.names for choice in match_choices(match)):
            rows[impact.impact_id] = FixedAim(impact.impact_id, aim, None)
        else:
            lapsed.append(impact.impact_id)
    return (FixedAims(Path("review"), rows) if rows else None), tuple(lapsed)


def _placed(impact: Impact, centre_px: tuple[float, float], frame: LocalFrame) -> Impact:
    """An impact with its centre elsewhere."""
    row, col = centre_px
    points_m = frame.pixel_to_metres(np.array([row]), np.array([col]))
    lon, lat = frame.to_lonlat(points_m)[0].tolist() if frame.is_georeferenced else (None, None)
    x_m, y_m = points_m[0].tolist()
    return replace(impact, row_px=row, col_px=col, x_m=x_m, y_m=y_m, lon_deg=lon, lat_deg=lat)


def _added(reviewed: ReviewedImpact, frame: LocalFrame, segmentation: Segmentation) -> Impact:
    return Impact(
        impact_id=reviewed.impact_id, row_px=0.0, col_px=0.0, x_m=0.0, y_m=0.0, lon_deg=None, lat_deg=None,
        score=network_score(reviewed.centre_px, reviewed.crater_radius_m, frame, segmentation),
        status=Status.UNKNOWN, status_probability=None, centre_sd_m=0.0, crater_radius_m=reviewed.crater_radius_m,
        crater_radius_sd_m=0.0, blast_radius_m=None, secondary_radius_m=None, pattern=PatternKind.NONE,
        direction_deg=None, direction_sd_deg=None,
    )  # fmt: skip


def network_score(
    centre_px: tuple[float, float], radius_m: float, frame: LocalFrame, segmentation: Segmentation
) -> float:
    """The greatest value of the network's centre map within a crater's radius; 0 where there is no imagery."""
    grid = segmentation.grid
    col, row = pixel_matrix(frame.grid, grid) @ (centre_px[1], centre_px[0])
    reach = max(1, math.ceil(radius_m / grid.gsd_m))
    window = Window(int(row) - reach, int(col) - reach, 2 * reach + 1, 2 * reach + 1)
    values, _ = read_channels(segmentation, window, (Channel.CENTRE,))
    return float(values[Channel.CENTRE].max())


def _pattern(kind: PatternKind, radius_m: float | None) -> PatternKind:
    if radius_m is None:
        return PatternKind.NONE
    return PatternKind.CIRCLE if kind is PatternKind.NONE else kind
