"""From a segmentation to impacts, window by window, so that the scene's size does not matter.

First all peaks are collected and thinned over the whole scene; then each is measured in the window
whose core holds its centre, which is read with a margin as wide as the largest pattern. What a pattern
may claim is decided from all peaks, so the result does not depend on the windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cv_pipeline.frame import LocalFrame
from cv_pipeline.patterns import craters, rays, shape
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.peaks import find_peaks, suppress
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.types import (
    BoolArray,
    Channel,
    Float64Array,
    Grid,
    Impact,
    Segmentation,
    Window,
)

CORE_PX = 1024
_PEAK_MARGIN_PX = 3  # the peak fit and the core statistics look at the 3x3 pixels around a peak


@dataclass(frozen=True, slots=True)
class _Centres:
    """Peaks in working pixels and local metres; all (n,), positions (n, 2)."""

    at_px: Float64Array
    at_m: Float64Array
    score: Float64Array
    width_px: Float64Array
    radius_m: Float64Array
    spread_m: Float64Array

    def take(self, index: np.ndarray) -> _Centres:
        """The centres at ``index``, in its order."""
        return _Centres(*(getattr(self, name)[index] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is measured around each centre; (n,) or (n, SECTORS)."""

    centre_sd_m: Float64Array
    crater_sd_m: Float64Array
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
    core_px: int = CORE_PX,
) -> tuple[Impact, ...]:
    """Impacts of a segmentation.

    Args:
        segmentation: probabilities on the working grid.
        frame: local frame of the after image.
        source_grid: the after image's own grid, in the same CRS as the working grid.
        score_threshold: lowest score kept, 0 to 1.
        core_px: side of the windows' cores; the result does not depend on it.

    Returns:
        Impacts by falling score, ties by row then column of the after image, numbered ``I001``
        onwards. Empty where no peak reaches the threshold.
    """
    ground = GroundMap(segmentation.grid, source_grid, frame)
    centres = _find_centres(segmentation, ground, score_threshold, core_px)
    if len(centres.score) == 0:
        return ()
    source_px = ground.working_to_source(centres.at_px)
    order = np.lexsort((source_px[:, 1], source_px[:, 0], -centres.score))
    centres = centres.take(order)
    measured = _measure_all(segmentation, ground, centres, core_px)
    return _impacts(ground, centres, measured)


class Located(NamedTuple):
    """Crater centres in pixels of the after image, (n, 2) as (col_px, row_px), and their scores (n,)."""

    at_px: Float64Array
    score: Float64Array


def locate_craters(
    segmentation: Segmentation, frame: LocalFrame, source_grid: Grid, *, score_threshold: float
) -> Located:
    """Only where craters are, as :func:`extract_impacts` finds them, unmeasured: much faster for low thresholds."""
    ground = GroundMap(segmentation.grid, source_grid, frame)
    centres = _find_centres(segmentation, ground, score_threshold, CORE_PX)
    return Located(ground.working_to_source(centres.at_px)[:, ::-1], centres.score)


def _cores(grid: Grid, core_px: int) -> Iterator[Window]:
    for row in range(0, grid.height, core_px):
        for col in range(0, grid.width, core_px):
            yield Window(row, col, min(core_px, grid.height - row), min(core_px, grid.width - col))


def _padded(core: Window, margin_px: int) -> Window:
    return Window(core.row - margin_px, core.col - margin_px, core.height + 2 * margin_px, core.width + 2 * margin_px)


def _holds(core: Window, at_px: Float64Array) -> BoolArray:
    rows, cols = at_px[:, 0] - core.row, at_px[:, 1] - core.col
    return np.asarray((rows >= 0) & (rows < core.height) & (cols >= 0) & (cols < core.width))


def _find_centres(segmentation: Segmentation, ground: GroundMap, threshold: float, core_px: int) -> _Centres:
    """All peaks of the scene, thinned to one per crater, best first."""
    columns: list[Float64Array] = []
    for core in _cores(segmentation.grid, core_px):
        window = _padded(core, _PEAK_MARGIN_PX)
        values, valid = read_channels(segmentation, window, (Channel.CENTRE, Channel.CRATER_RADIUS_M))
        peaks = find_peaks(values[Channel.CENTRE], valid, threshold)
        at = np.column_stack([peaks.row_px, peaks.col_px])
        radius = craters.core_statistics(values[Channel.CRATER_RADIUS_M], valid, at)
        at_px = at + np.array([window.row, window.col])
        found = np.column_stack([at_px, peaks.score, peaks.width_px, radius.median, radius.spread])
        columns.append(found[_holds(core, at_px)])
    table = np.concatenate(columns)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    at_m = ground.working_to_metres(table[:, :2])
    centres = _Centres(table[:, :2], at_m, table[:, 2], table[:, 3], table[:, 4], table[:, 5])
    return centres.take(suppress(centres.at_m, centres.score, centres.radius_m))


def _measure_all(segmentation: Segmentation, ground: GroundMap, centres: _Centres, core_px: int) -> _Measured:
    """Measurements of all centres, in their order."""
    jacobians = ground.pixels_per_metre(centres.at_m)
    bounds_m = rays.neighbour_bounds(centres.at_m, centres.radius_m)
    margin = int(np.ceil(np.linalg.norm(jacobians, axis=(1, 2)).max() * rays.MAX_EXTENT_M)) + 2
    parts: list[_Measured] = []
    index: list[np.ndarray] = []
    for core in _cores(segmentation.grid, core_px):
        here = np.nonzero(_holds(core, centres.at_px))[0]
        if len(here):
            index.append(here)
            window = _padded(core, margin)
            parts.append(_measure(segmentation, window, centres.take(here), jacobians[here], bounds_m[here]))
    back = np.argsort(np.concatenate(index))
    names = _Measured.__slots__
    return _Measured(*(np.concatenate([getattr(part, name) for part in parts])[back] for name in names))


def _measure(
    segmentation: Segmentation, window: Window, centres: _Centres, jacobians: Float64Array, bounds_m: Float64Array
) -> _Measured:
    """Measurements of the centres whose patterns lie in one window."""
    values, valid = read_channels(segmentation, window)
    at_px = centres.at_px - np.array([window.row, window.col])
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
    centre_sd_m = craters.centre_sd_m(centres.score, centres.width_px * step_m, step_m)
    least = shape.least_resultant(centre_sd_m, radii.primary_m)
    axis = shape.direction(filled, blast.censored, exists, least)
    fresh = np.full(len(at_px), np.nan)
    if segmentation.has_before:
        disc_m = np.maximum(centres.radius_m, step_m)
        fresh = craters.new_probability(values[Channel.NEW], crater_p, valid, sites, disc_m)
    sd_m = craters.radius_sd_m(centres.radius_m, centres.spread_m, crater, step_m)
    return _Measured(centre_sd_m, sd_m, exists, *radii, filled, blast.extent_m, axis.azimuth_deg, axis.sd_deg, fresh)


def _impacts(ground: GroundMap, centres: _Centres, measured: _Measured) -> tuple[Impact, ...]:
    """Impacts of measured centres, numbered in their order."""
    source_px = ground.working_to_source(centres.at_px)
    lonlat = ground.frame.to_lonlat(centres.at_m) if ground.frame.is_georeferenced else None
    pattern = shape.kinds(measured.filled_m, measured.exists, measured.azimuth_deg)
    outline = shape.outlines(centres.at_m, measured.extent_m, centres.radius_m)
    impacts = []
    for i, score in enumerate(centres.score):
        status, probability = craters.status_of(measured.new_probability[i])
        impacts.append(
            Impact(
                impact_id=f"I{i + 1:03d}",
                row_px=float(source_px[i, 0]),
                col_px=float(source_px[i, 1]),
                x_m=float(centres.at_m[i, 0]),
                y_m=float(centres.at_m[i, 1]),
                lon_deg=None if lonlat is None else float(lonlat[i, 0]),
                lat_deg=None if lonlat is None else float(lonlat[i, 1]),
                score=float(score),
                status=status,
                status_probability=probability,
                centre_sd_m=float(measured.centre_sd_m[i]),
                crater_radius_m=float(centres.radius_m[i]),
                crater_radius_sd_m=float(measured.crater_sd_m[i]),
                blast_radius_m=_or_none(measured.primary_m[i]),
                secondary_radius_m=_or_none(measured.secondary_m[i]),
                pattern=pattern[i],
                direction_deg=_or_none(measured.azimuth_deg[i]),
                direction_sd_deg=_or_none(measured.azimuth_sd_deg[i]),
                outline_m=outline[i] if measured.exists[i] else np.zeros((0, 2)),
            )
        )
    return tuple(impacts)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
