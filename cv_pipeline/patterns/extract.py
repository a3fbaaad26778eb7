"""From a segmentation and its images to impacts, window by window, so that the scene's size does not matter.

First all peaks are collected, thinned and looked at in the images over the whole scene; then each pattern is measured
in the window whose core holds its centre, which is read with a margin as wide as the largest pattern. What a pattern
may claim is decided from all craters, so the result does not depend on the windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cv_pipeline.frame import LocalFrame
from cv_pipeline.patterns import craters, rays, shape, verdict
from cv_pipeline.patterns.candidates import Candidates, cores, examine, find_candidates, holds, padded
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.verdict_weights import NEW
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import (
    AlignedPair,
    BoolArray,
    Channel,
    Float64Array,
    Grid,
    Impact,
    Segmentation,
    Window,
)

CORE_PX = 1024
_SECOND_LOOK = 0.5
"""Peaks down to this share of the threshold are looked at in the images, which may speak for them."""
_ROUND_BELOW = 5.99
"""Squared stretch over its variance up to which a crater may as well be round: 95 % of chi squared, two degrees."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is measured around each centre; (n,) or (n, SECTORS)."""

    exists: BoolArray
    primary_m: Float64Array
    secondary_m: Float64Array
    filled_m: Float64Array
    extent_m: Float64Array
    azimuth_deg: Float64Array
    azimuth_sd_deg: Float64Array
    new_probability: Float64Array


def extract_impacts(
    segmentation: Segmentation,
    frame: LocalFrame,
    source_grid: Grid,
    *,
    score_threshold: float,
    images: AlignedPair | None = None,
    core_px: int = CORE_PX,
) -> tuple[Impact, ...]:
    """Impacts of a segmentation.

    Args:
        segmentation: probabilities on the working grid.
        frame: local frame of the after image.
        source_grid: the after image's own grid, in the same CRS as the working grid.
        score_threshold: lowest score kept, 0 to 1.
        images: the images of the segmentation, in which centres and radii are then measured and false alarms and
            status judged; None leaves all that to the maps. The before image is used where the segmentation did.
        core_px: side of the windows' cores; the result does not depend on it.

    Returns:
        Impacts by falling score, ties by row then column of the after image, numbered ``I001``
        onwards. Empty where no peak reaches the threshold.

    Raises:
        ImageError: an image is damaged or has gone.
    """
    ground = GroundMap(segmentation.grid, source_grid, frame)
    found = _candidates(segmentation, ground, score_threshold, images, core_px)
    if len(found.score) == 0:
        return ()
    source_px = ground.working_to_source(found.at_px)
    found = found.take(np.lexsort((source_px[:, 1], source_px[:, 0], -found.score)))
    measured = _measure_all(segmentation, ground, found, core_px)
    return _impacts(ground, found, measured)


def _candidates(
    segmentation: Segmentation, ground: GroundMap, threshold: float, images: AlignedPair | None, core_px: int
) -> Candidates:
    if images is None:
        return find_candidates(segmentation, ground, threshold, core_px)
    maybe = find_candidates(segmentation, ground, _SECOND_LOOK * threshold, core_px)
    return examine(maybe, images, ground, threshold, use_before=segmentation.has_before)


class Located(NamedTuple):
    """Crater centres in pixels of the after image, (n, 2) as (col_px, row_px), and their scores (n,)."""

    at_px: Float64Array
    score: Float64Array


def locate_craters(
    segmentation: Segmentation,
    frame: LocalFrame,
    source_grid: Grid,
    *,
    score_threshold: float,
    images: AlignedPair | None = None,
) -> Located:
    """Only where craters are, as :func:`extract_impacts` finds them, without their patterns: much faster."""
    ground = GroundMap(segmentation.grid, source_grid, frame)
    found = _candidates(segmentation, ground, score_threshold, images, CORE_PX)
    return Located(ground.working_to_source(found.at_px)[:, ::-1], found.score)


def _measure_all(segmentation: Segmentation, ground: GroundMap, found: Candidates, core_px: int) -> _Measured:
    """Measurements of all craters, in their order."""
    centres_m = found.evidence.centre_m
    jacobians = ground.pixels_per_metre(centres_m)
    bounds_m = rays.neighbour_bounds(centres_m, found.evidence.radius_m)
    margin = int(np.ceil(np.linalg.norm(jacobians, axis=(1, 2)).max() * rays.MAX_EXTENT_M)) + 2
    parts: list[_Measured] = []
    index: list[np.ndarray] = []
    # A fitted centre may lie a little outside the grid: it belongs to the window at the edge.
    inside = np.clip(found.at_px, 0, np.array([segmentation.grid.height, segmentation.grid.width]) - 1e-6)
    for core in cores(segmentation.grid, core_px):
        here = np.nonzero(holds(core, inside))[0]
        if len(here):
            index.append(here)
            window = padded(core, margin)
            parts.append(_measure(segmentation, window, found.take(here), jacobians[here], bounds_m[here]))
    back = np.argsort(np.concatenate(index))
    names = _Measured.__slots__
    return _Measured(*(np.concatenate([getattr(part, name) for part in parts])[back] for name in names))


def _measure(
    segmentation: Segmentation, window: Window, found: Candidates, jacobians: Float64Array, bounds_m: Float64Array
) -> _Measured:
    """Measurements of the craters whose patterns lie in one window."""
    values, valid = read_channels(segmentation, window)
    at_px = found.at_px - np.array([window.row, window.col])
    sites = rays.Sites(at_px, jacobians, bounds_m)
    step_m = segmentation.grid.gsd_m
    crater_p = values[Channel.CRATER]
    crater = rays.ray_extents(crater_p, valid, sites, step_m=step_m, gap_m=0.0)
    # A crater belongs to its pattern even where the blast mask leaves it out.
    either = np.maximum(values[Channel.BLAST], crater_p)
    blast = rays.ray_extents(either, valid, sites, step_m=step_m)
    exists = shape.has_pattern(blast, crater, step_m)
    fallback = craters.core_statistics(values[Channel.BLAST_RADIUS_M], valid, at_px).median
    radii = shape.blast_radii(blast, exists, fallback)
    filled = shape.filled_extents(blast, radii.primary_m)
    least = shape.least_resultant(found.evidence.centre_sd_m, radii.primary_m)
    axis = shape.direction(filled, blast.censored, exists, least)
    fresh = np.full(len(at_px), np.nan)
    if segmentation.has_before:
        disc_m = np.maximum(found.evidence.radius_m, step_m)
        fresh = _new_probability(craters.new_probability(values[Channel.NEW], crater_p, valid, sites, disc_m), found)
    return _Measured(exists, *radii, filled, blast.extent_m, axis.azimuth_deg, axis.sd_deg, fresh)


def _new_probability(network: Float64Array, found: Candidates) -> Float64Array:
    """The network's probability of new, weighed with the before image where that was looked at."""
    known = found.evidence.before_known & found.evidence.usable & ~np.isnan(network)
    judged = verdict.probability(verdict.new_terms(np.nan_to_num(network, nan=0.5), found.evidence), NEW)
    return np.asarray(np.where(known, judged, network))


def _impacts(ground: GroundMap, found: Candidates, measured: _Measured) -> tuple[Impact, ...]:
    """Impacts of measured craters, numbered in their order."""
    evidence = found.evidence
    source_px = ground.working_to_source(found.at_px)
    lonlat = ground.frame.to_lonlat(evidence.centre_m) if ground.frame.is_georeferenced else None
    pattern = shape.kinds(measured.filled_m, measured.exists, measured.azimuth_deg)
    outline = shape.outlines(evidence.centre_m, measured.extent_m, evidence.radius_m)
    impacts = []
    for i, score in enumerate(found.score):
        status, probability = craters.status_of(measured.new_probability[i])
        impacts.append(
            Impact(
                impact_id=f"I{i + 1:03d}",
                row_px=float(source_px[i, 0]),
                col_px=float(source_px[i, 1]),
                x_m=float(evidence.centre_m[i, 0]),
                y_m=float(evidence.centre_m[i, 1]),
                lon_deg=None if lonlat is None else float(lonlat[i, 0]),
                lat_deg=None if lonlat is None else float(lonlat[i, 1]),
                score=float(score),
                status=status,
                status_probability=probability,
                centre_sd_m=float(evidence.centre_sd_m[i]),
                crater_radius_m=float(evidence.radius_m[i]),
                crater_radius_sd_m=float(evidence.radius_sd_m[i]),
                blast_radius_m=_or_none(measured.primary_m[i]),
                secondary_radius_m=_or_none(measured.secondary_m[i]),
                pattern=pattern[i],
                direction_deg=_or_none(measured.azimuth_deg[i]),
                direction_sd_deg=_or_none(measured.azimuth_sd_deg[i]),
                outline_m=outline[i] if measured.exists[i] else np.zeros((0, 2)),
                **_ellipse(evidence.radius_m[i], evidence.stretch[i], evidence.stretch_sd[i]),
                peak_score=float(found.peak[i]) if evidence.usable[i] else None,
            )
        )
    return tuple(impacts)


def _ellipse(radius_m: float, stretch: Float64Array, sd: float) -> dict[str, float]:
    """The ellipse's fields of an impact; none where the crater may as well be round."""
    size = float(np.hypot(*stretch))
    if size**2 <= _ROUND_BELOW * sd**2:
        return {}
    azimuth_deg = (90 - np.rad2deg(np.arctan2(stretch[1], stretch[0])) / 2) % 180
    return {
        "crater_major_m": float(radius_m * np.exp(size)),
        "crater_minor_m": float(radius_m * np.exp(-size)),
        "crater_azimuth_deg": float(azimuth_deg),
    }


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
