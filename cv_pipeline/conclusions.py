"""What follows from impacts once they are found: status where nothing was seen, matches, statistics, and notes.

A run, a review of it and an evaluation draw the same conclusions, each by calling these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cv_pipeline.config import AssessConfig
from cv_pipeline.frame import LocalFrame
from cv_pipeline.types import Gate, Impact, Match, Registration, Segmentation, Status

if TYPE_CHECKING:
    from cv_pipeline.accuracy.fixed import FixedAims
    from cv_pipeline.matching.nearest import StructureIndex
    from cv_pipeline.types import AccuracySummary, AlignedPair, FootprintOffset, Structure

LOW_VALID_SHARE = 0.5


def doubt_unseen(impacts: tuple[Impact, ...], aligned: AlignedPair, segmentation: Segmentation) -> tuple[Impact, ...]:
    """Status unknown for craters on ground that the before image does not show: they look new to the network."""
    if not segmentation.has_before:
        return impacts
    from cv_pipeline.imagery.grid import pixel_matrix
    from cv_pipeline.registration.register import before_view
    from cv_pipeline.types import Window

    grid = aligned.working_grid
    to_working = pixel_matrix(aligned.pair.after.grid, grid)
    kept = []
    with before_view(aligned) as view:
        for impact in impacts:
            col, row = to_working @ (impact.col_px, impact.row_px)
            reach = max(impact.crater_radius_m / grid.gsd_m, 1.0)
            top, left = max(int(row - reach), 0), max(int(col - reach), 0)
            bottom, right = min(int(row + reach) + 1, grid.height), min(int(col + reach) + 1, grid.width)
            _, valid = view.read(Window(top, left, bottom - top, right - left))
            seen = valid.mean() >= 0.5
            kept.append(impact if seen else replace(impact, status=Status.UNKNOWN, status_probability=None))
    return tuple(kept)


def matched(
    impacts: Sequence[Impact],
    index: StructureIndex,
    frame: LocalFrame,
    registration: Registration | None,
    config: AssessConfig,
    offset: FootprintOffset | None,
) -> tuple[Match, ...]:
    """The matching stage as a run calls it: each impact's nearest structures with all that is known of their errors."""
    from cv_pipeline.matching.match import match_impacts
    from cv_pipeline.structures.placement import offset_sd_m

    return match_impacts(
        impacts,
        index,
        registration_sd_m=registration.sd_m if registration is not None and registration.gate is not Gate.FAIL else 0.0,
        gsd_m=frame.grid.gsd_m,
        # Footprints that were moved onto the image share its geolocation error.
        geolocation_ce90_m=None if offset is not None and offset.applied else config.geolocation_ce90_m,
        footprint_ce90_m=config.footprint_ce90_m,
        offset_sd_m=offset_sd_m(offset),
    )


def summarised(
    impacts: Sequence[Impact],
    matches: Sequence[Match],
    structures: Sequence[Structure],
    frame: LocalFrame,
    segmentation: Segmentation,
    config: AssessConfig,
    *,
    fixed: FixedAims | None = None,
    with_chance: bool = True,
) -> tuple[AccuracySummary, ...]:
    """The accuracy stage as a run calls it, over impacts that are not known to be old; none without structures.

    ``fixed`` holds aim points that a person decided on. ``with_chance`` False leaves out the comparison with chance, by
    far the slowest part.
    """
    from cv_pipeline.accuracy.assessed import assessed_region
    from cv_pipeline.accuracy.matched import Settings, summarise_matches

    counted = [k for k, impact in enumerate(impacts) if impact.status is not Status.OLD]
    if not structures or not counted:
        return ()
    return summarise_matches(
        [matches[k] for k in counted],
        structures,
        region_m=assessed_region(segmentation, frame) if with_chance else None,
        points_m=np.array([(impacts[k].x_m, impacts[k].y_m) for k in counted]),
        fixed=fixed,
        settings=Settings(
            crater_radii_m=[impacts[k].crater_radius_m for k in counted],
            blast_radii_m=[impacts[k].blast_radius_m for k in counted],
            confidence=config.confidence,
            bootstrap_draws=config.bootstrap_draws,
            seed=config.seed,
        ),
        null_draws=config.null_draws,
    )


def impact_notes(
    registration: Registration | None, segmentation: Segmentation, impacts: Sequence[Impact], measured: bool
) -> list[str]:
    """Plain sentences on what limits this result."""
    notes = []
    if registration is not None and registration.gate is not Gate.PASS:
        notes.append(f"Registration: {registration.reason}")
        if registration.gate is Gate.FAIL:
            notes.append("The before image was not used, so new and old craters cannot be told apart.")
    unseen = sum(impact.status is Status.UNKNOWN for impact in impacts) if segmentation.has_before else 0
    if unseen:
        notes.append(f"{unseen} crater(s) lie where the before image shows nothing, so their status is unknown.")
    if segmentation.valid_share < LOW_VALID_SHARE:
        notes.append(
            f"Only {segmentation.valid_share:.0%} of the after image shows the ground; no impact is claimed elsewhere."
        )
    old = sum(impact.status is Status.OLD for impact in impacts)
    if old and measured:
        notes.append(f"{old} crater(s) already present before are listed but left out of the statistics.")
    return notes
