"""Accuracy statistics without imagery: impact points and structures, or distances someone published."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cv_pipeline.accuracy.choices import record_choices
from cv_pipeline.accuracy.combinations import combination_range
from cv_pipeline.accuracy.fixed import FixedAims, apply_fixed, read_fixed_aims
from cv_pipeline.accuracy.matched import (
    FIXED,
    LESS_LIKELY,
    LIKELY,
    Settings,
    matched_combinations,
    summarise_matches,
)
from cv_pipeline.accuracy.points_file import Basis, Plane, PointRecord, PointsFile, read_points
from cv_pipeline.accuracy.published import published_note, read_published
from cv_pipeline.accuracy.summary import summarise
from cv_pipeline.errors import PointsError
from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.types import AccuracySummary, CombinationRange, Float64Array, Grid, Match, Structure


@dataclass(frozen=True, slots=True)
class AccuracyResult:
    """What the imagery-free path found. ``matches`` and ``structures`` are empty for published distances.

    ``combinations`` is what any choice of one aim point per impact can make of the statistics; None where no
    impact has an aim point.
    ``notes`` are sentences that must be shown with the figures: gaps, inferred values, assumptions.
    """

    points_path: Path
    structures_path: Path | None
    records: tuple[PointRecord, ...]
    structures: tuple[Structure, ...]
    matches: tuple[Match, ...]
    summaries: tuple[AccuracySummary, ...]
    combinations: CombinationRange | None
    notes: tuple[str, ...]


def accuracy_from_files(
    points: Path,
    structures: Path | None = None,
    *,
    region: Path | None = None,
    hypotheses: Path | None = None,
    axis_deg: float | None = None,
    geolocation_ce90_m: float | None = None,
    confidence: float = 0.95,
    bootstrap_draws: int = 2000,
    null_draws: int = 1000,
    seed: int = 0,
) -> AccuracyResult:
    """Summarise impacts of a file (see :func:`read_points`), measured to ``structures`` if given.

    With structures the coordinates are used and published distances in the same file are not; with
    ``x_m,y_m`` the structures file must have no CRS and hold the same metres. Without structures the
    column ``likely_m`` is needed. Empty cells are left out, counted and named in the notes; where
    some distances are inferred, a second summary over the stated ones alone stands beside the first.

    ``region`` holds the polygons of the ground that was searched for impacts, on which the null model
    throws its random ones; without it :func:`cv_pipeline.accuracy.region.assumed_region` stands in,
    and the notes say so. ``hypotheses`` holds aim points that a person has decided on (see
    :func:`cv_pipeline.accuracy.fixed.read_fixed_aims`), ``axis_deg`` the azimuth of a known axis.

    Raises:
        PointsError: the points file cannot be used, or lacks what the wanted measure needs.
        StructuresError: the structures file cannot be used.
    """
    given = read_points(points)
    fixed = None if hypotheses is None else read_fixed_aims(hypotheses)
    settings = Settings(axis_deg=axis_deg, confidence=confidence, bootstrap_draws=bootstrap_draws, seed=seed)
    if structures is None:
        return _from_published(given, fixed, settings)
    return _from_coordinates(given, structures, region, fixed, settings, geolocation_ce90_m, null_draws)


def _from_published(given: PointsFile, fixed: FixedAims | None, settings: Settings) -> AccuracyResult:
    """Summaries of the file's own distances."""
    if not given.has_distances:
        raise PointsError(f"{given.path}: has no column likely_m, so structures are needed. Give --structures.")
    usable = [record for record in given.records if record.likely_m is not None]
    if not usable:
        raise PointsError(f"{given.path}: likely_m is empty in every row. Give at least one distance.")
    likely_table = {record.impact_id: record.likely_m for record in usable if record.likely_m is not None}
    stated = {record.impact_id for record in usable if record.likely_basis is Basis.STATED}
    less_table = {r.impact_id: d for r in usable if (d := _less_likely(r)) is not None}
    less_stated = {r.impact_id for r in usable if r.less_likely_m is not None or r.impact_id in stated}
    summary = partial(_published_summary, given, settings)
    summaries = _tables(summary, LIKELY, likely_table, stated) + _tables(summary, LESS_LIKELY, less_table, less_stated)
    choices = apply_fixed(fixed, {record.impact_id: record_choices(record) for record in usable})
    if fixed is not None:
        decided = {impact_id: of_one[0].distance_m for impact_id, of_one in choices.items()}
        label = f"{FIXED} for {len(fixed.rows)} of {len(decided)} impacts, the likely one elsewhere"
        summaries.insert(0, summary(label, decided))
    notes = _published_notes(given.records, [record for record in usable if record.impact_id not in stated])
    published = read_published(given.path)
    if published is not None:
        of_source = summaries[0 if fixed is None else 1]
        notes = (published_note(published, of_source), *notes)
    combinations = combination_range([[choice.distance_m for choice in of_one] for of_one in choices.values()])
    return AccuracyResult(given.path, None, given.records, (), (), tuple(summaries), combinations, notes)


def _published_summary(
    given: PointsFile, settings: Settings, label: str, distances_m: Mapping[str, float]
) -> AccuracySummary:
    """The summary of published distances by impact."""
    return summarise(
        list(distances_m.values()),
        label,
        crater_radii_m=[record.crater_radius_m for record in given.records],
        blast_radii_m=[record.blast_radius_m for record in given.records],
        impact_ids=list(distances_m),
        confidence=settings.confidence,
        bootstrap_draws=settings.bootstrap_draws,
        seed=settings.seed,
    )


def _tables(
    summary: Callable[[str, Mapping[str, float]], AccuracySummary],
    label: str,
    distances_m: Mapping[str, float],
    stated: Collection[str],
) -> list[AccuracySummary]:
    """The summary of all distances and, where some are inferred, that of the source's own."""
    own = {impact_id: distance for impact_id, distance in distances_m.items() if impact_id in stated}
    if len(own) == len(distances_m):
        return [summary(label, distances_m)]
    inferred = f"{label}, {len(distances_m) - len(own)} of {len(distances_m)} values inferred"
    return [summary(inferred, distances_m), summary(f"{label}, stated values only", own)]


def _less_likely(record: PointRecord) -> float | None:
    return record.likely_m if record.less_likely_m is None else record.less_likely_m


def _published_notes(records: Sequence[PointRecord], inferred: Sequence[PointRecord]) -> tuple[str, ...]:
    """Gaps, inferred values and the rule for the less likely aim point."""
    notes = []
    if inferred:
        values = ", ".join(f"{record.impact_id} ({record.likely_m:g} m)" for record in inferred)
        notes.append(
            f"Inferred, not stated by the source: likely_m of {values}. "
            "The summary over stated values alone stands beside the one over all."
        )
    gaps = [record.impact_id for record in records if record.likely_m is None]
    if gaps:
        notes.append(f"No likely_m for {len(gaps)} of {len(records)} impacts, left out: {', '.join(gaps)}.")
    no_radius = [record.impact_id for record in records if record.blast_radius_m is None]
    if 0 < len(no_radius) < len(records):
        known = len(records) - len(no_radius)
        notes.append(f"The mean blast radius is over {known} impacts; none is given for {', '.join(no_radius)}.")
    alternatives = sum(record.less_likely_m is not None for record in records)
    notes.append(
        f"Less likely aim point: {alternatives} of {len(records)} impacts have one; the likely one stands in elsewhere."
    )
    return tuple(notes)


def _from_coordinates(
    given: PointsFile,
    structures: Path,
    region: Path | None,
    fixed: FixedAims | None,
    settings: Settings,
    geolocation_ce90_m: float | None,
    null_draws: int,
) -> AccuracyResult:
    """Summaries of distances measured here."""
    from cv_pipeline.accuracy.region import assumed_region, stated_region
    from cv_pipeline.matching import index_structures, match_points
    from cv_pipeline.matching.uncertainty import error_budget
    from cv_pipeline.structures import read_structures

    if given.plane is None:
        raise PointsError(f"{given.path}: has no coordinates. Give lon,lat or x_m,y_m, or leave --structures out.")
    located = [record for record in given.records if record.x is not None and record.y is not None]
    if not located:
        raise PointsError(f"{given.path}: no impact has both coordinates. Give at least one.")
    frame, points_m = _plane_of(located, given.plane)
    low, high = points_m.min(axis=0), points_m.max(axis=0)
    extent_m = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    found = read_structures(structures, frame, extent_m=extent_m)
    errors = [error_budget(record.centre_sd_m, geolocation_ce90_m=geolocation_ce90_m) for record in located]
    matches = match_points([r.impact_id for r in located], points_m, errors, index_structures(found.structures))
    if region is None:
        greatest_m = max(match.distance_edge_m or 0.0 for match in matches)
        region_m = assumed_region(points_m, found.structures, greatest_m)
    else:
        region_m = stated_region(region, frame, extent_m)
    settings = replace(
        settings,
        crater_radii_m=[record.crater_radius_m for record in located],
        blast_radii_m=[record.blast_radius_m for record in located],
    )
    summaries = summarise_matches(
        matches,
        found.structures,
        region_m=region_m,
        points_m=points_m,
        fixed=fixed,
        settings=settings,
        null_draws=null_draws,
    )
    notes = found.notes + _measured_notes(given, located, None if region is not None else region_m.area)
    combinations = matched_combinations(matches, fixed)
    return AccuracyResult(
        given.path, structures, given.records, found.structures, matches, summaries, combinations, notes
    )


def _plane_of(records: Sequence[PointRecord], plane: Plane) -> tuple[LocalFrame, Float64Array]:
    """A local frame for points without an image, and their local metres (n, 2)."""
    from affine import Affine
    from rasterio.crs import CRS

    x = np.array([record.x for record in records], dtype=np.float64)
    y = np.array([record.y for record in records], dtype=np.float64)
    if plane is Plane.METRES:
        # With the identity, "pixels" (col, row) of a structures file without CRS are the same metres.
        return local_frame(Grid(1, 1, Affine.identity(), None, 1.0)), np.column_stack([x, y])
    # The mean direction, so that points on both sides of the antimeridian have their centre among them.
    lon = math.degrees(math.atan2(np.sin(np.radians(x)).mean(), np.cos(np.radians(x)).mean()))
    step = 1e-6
    grid = Grid(1, 1, Affine(step, 0, lon - step / 2, 0, -step, y.mean() + step / 2), CRS.from_epsg(4326), 0.1)
    frame = local_frame(grid)
    return frame, frame.pixel_to_metres(*_lonlat_to_pixel(grid, x, y))


def _lonlat_to_pixel(grid: Grid, lon: Float64Array, lat: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(rows, cols) of the stand-in grid, whose map is degrees."""
    t = grid.transform
    return (lat - t.f) / t.e, (lon - t.c) / t.a


def _measured_notes(
    given: PointsFile, located: Sequence[PointRecord], assumed_area_m2: float | None
) -> tuple[str, ...]:
    """Gaps and assumptions of measured distances."""
    notes = []
    if assumed_area_m2 is not None:
        notes.append(
            "No assessed region was given, so chance is judged over "
            f"{assumed_area_m2 / 1e4:.3g} ha around the impacts, within the reach of the structures file. "
            "That ground was chosen by the impacts themselves: where they cluster among structures, random points do "
            "too, so a rank above 5 % here is no evidence that they were scattered. Give --region, the outline of "
            "the ground that was searched."
        )
    known = {record.impact_id for record in located}
    gaps = [record.impact_id for record in given.records if record.impact_id not in known]
    if gaps:
        notes.append(f"No coordinates for {len(gaps)} of {len(given.records)} impacts, left out: {', '.join(gaps)}.")
    if given.has_distances:
        notes.append("The file's own likely_m was not used; distances were measured to the structures.")
    return tuple(notes)
