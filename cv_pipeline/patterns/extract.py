"""From a segmentation and its images to impacts, window by window, so that the scene's size does not matter.

First all peaks are collected, thinned and looked at in the images over the whole scene; then the patterns of each core
of the scene that holds any are measured in a window around their centres, with a margin as wide as the largest pattern,
and nothing else is read. What a pattern may claim is decided from all craters, so the result does not depend on the
windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import rasterio

from cv_pipeline.defaults import GDAL_CACHE_BYTES
from cv_pipeline.frame import LocalFrame
from cv_pipeline.imagery.view import GridView
from cv_pipeline.patterns import craters, rays, shape, verdict
from cv_pipeline.patterns.candidates import (
    Candidates,
    around,
    cores,
    holds,
    judged,
    looked_at,
    padded,
    peak_table,
    thinned,
)
from cv_pipeline.patterns.closer import closer, look_closer
from cv_pipeline.patterns.closeup.looks import CloseLook
from cv_pipeline.patterns.evidence import Look
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.measure import MAPS, Pattern, measure_patterns
from cv_pipeline.patterns.measure import Window as PatternWindow
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.patterns.weights import PLAIN, PatternWeights
from cv_pipeline.registration.register import before_view
from cv_pipeline.segmentation.raster import MapReader
from cv_pipeline.types import (
    AlignedPair,
    BoolArray,
    Channel,
    Float64Array,
    Grid,
    Impact,
    PatternKind,
    Segmentation,
    UInt8Array,
    Window,
)

CORE_PX = 512
_SECOND_LOOK = 0.5
"""Peaks down to this share of the threshold are looked at in the images, which may speak for them."""
_ROUND_BELOW = 5.99
"""Squared stretch over its variance up to which a crater may as well be round: 95 % of chi squared, two degrees."""


class Measures(NamedTuple):
    """What is measured around the craters ``which`` (m,) of one window, m of each."""

    which: np.ndarray
    patterns: Sequence[Pattern]
    new_probability: Float64Array


def extract_impacts(
    segmentation: Segmentation,
    frame: LocalFrame,
    source_grid: Grid,
    *,
    score_threshold: float,
    images: AlignedPair | None = None,
    weights: PatternWeights = PLAIN,
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
        weights: what was fitted for the model (:func:`~cv_pipeline.patterns.weights_file.read_pattern_weights`).
        core_px: side of the windows' cores; the result does not depend on it.

    Returns:
        Impacts by falling score, ties by row then column of the after image, numbered ``I001``
        onwards. Empty where no peak reaches the threshold.

    Raises:
        ImageError: an image is damaged or has gone.
    """
    ground = GroundMap(segmentation.grid, source_grid, frame)
    return Extraction(segmentation, ground, score_threshold, images, weights, core_px).whole()


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """The steps of :func:`extract_impacts`, which says what the fields are.

    Each step needs all results of the one before. Those that take a share do that part of the step's work, so that
    several processes can extract one large scene; the impacts are the same to the last bit.
    """

    segmentation: Segmentation
    ground: GroundMap
    score_threshold: float
    images: AlignedPair | None = None
    weights: PatternWeights = PLAIN
    core_px: int = CORE_PX

    def whole(self) -> tuple[Impact, ...]:
        """All steps."""
        candidates = self.candidates([self.peaks()])
        candidates = self.closer(candidates, self.close_looks(candidates))
        craters_found = self.craters(candidates, self.looks(candidates))
        return self.impacts(craters_found, self.measures(craters_found))

    def peaks(self, share: Share = ALL) -> Float64Array:
        """A table of the peaks that may be craters."""
        # The images may speak for peaks below the threshold.
        low = self.score_threshold * (1.0 if self.images is None else _SECOND_LOOK)
        return peak_table(self.segmentation, low, self.core_px, share)

    def candidates(self, peaks: Sequence[Float64Array]) -> Candidates:
        """One candidate per crater."""
        return thinned(peaks, self.segmentation, self.ground, self.core_px, self.weights.peaks)

    def close_looks(self, candidates: Candidates, share: Share = ALL) -> list[CloseLook]:
        """What the close-up network says of a share of them; nothing without images or without such a network."""
        if self.images is None or self.weights.closeup is None:
            return []
        return look_closer(self.weights.closeup, candidates, self.images, self.segmentation, self.ground, share)

    def closer(self, candidates: Candidates, found: Iterable[CloseLook]) -> Candidates:
        """The candidates as a closer look has them."""
        return closer(candidates, list(found), self.ground, self.weights.peaks)

    def looks(self, candidates: Candidates, share: Share = ALL) -> list[Look]:
        """What the images say of them; nothing without images."""
        if self.images is None:
            return []
        use_before = self.segmentation.has_before
        return list(looked_at(candidates, self.images, self.ground, use_before=use_before, share=share))

    def craters(self, candidates: Candidates, looks: Iterable[Look]) -> Candidates:
        """Those that are craters, in the impacts' order."""
        found = candidates
        if self.images is not None:
            found = judged(candidates, looks, self.ground, self.score_threshold, self.weights)
        source_px = self.ground.working_to_source(found.at_px)
        return found.take(np.lexsort((source_px[:, 1], source_px[:, 0], -found.score)))

    def measures(self, craters: Candidates, share: Share = ALL) -> list[Measures]:
        """Patterns of the craters in a share of the windows that hold any."""
        return _measure_all(self.segmentation, self.ground, craters, self.core_px, self.images, self.weights, share)

    def impacts(self, craters: Candidates, measures: Iterable[Measures]) -> tuple[Impact, ...]:
        """The impacts."""
        return _impacts(self.ground, craters, measures)


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
    weights: PatternWeights = PLAIN,
) -> Located:
    """Only where craters are, as :func:`extract_impacts` finds them, without their patterns: much faster."""
    work = Extraction(segmentation, GroundMap(segmentation.grid, source_grid, frame), score_threshold, images, weights)
    candidates = work.candidates([work.peaks()])
    candidates = work.closer(candidates, work.close_looks(candidates))
    found = work.craters(candidates, work.looks(candidates))
    return Located(work.ground.working_to_source(found.at_px)[:, ::-1], found.score)


def _measure_all(
    segmentation: Segmentation,
    ground: GroundMap,
    found: Candidates,
    core_px: int,
    images: AlignedPair | None,
    weights: PatternWeights,
    share: Share,
) -> list[Measures]:
    """Measurements of the craters in a share of the windows that hold any."""
    if len(found.score) == 0:
        return []
    centres_m = found.evidence.centre_m
    jacobians = ground.pixels_per_metre(centres_m)
    bounds_m = rays.neighbour_bounds(centres_m, found.evidence.radius_m)
    # In pixels a ray goes no farther along rows, or columns, than the longer of what a metre is along them.
    margin = int(np.ceil(np.linalg.norm(jacobians, axis=2).max() * rays.MAX_EXTENT_M)) + 4
    # A fitted centre may lie a little outside the grid: it belongs to the window at the edge.
    inside = np.clip(found.at_px, 0, np.array([segmentation.grid.height, segmentation.grid.width]) - 1e-6)
    held = [np.nonzero(holds(core, inside))[0] for core in cores(segmentation.grid, core_px)]
    measured = []
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_BYTES))
        maps = stack.enter_context(MapReader(segmentation))
        views = _open_views(images, segmentation, stack)
        for here in share.of([here for here in held if len(here)]):
            own = found.take(here)
            window = padded(around(own.at_px), margin)
            part = _measure(maps, window, own, jacobians[here], bounds_m[here], views, weights, segmentation.has_before)
            measured.append(Measures(here, *part))
    return measured


def _open_views(
    images: AlignedPair | None, segmentation: Segmentation, stack: ExitStack
) -> tuple[GridView | None, GridView | None]:
    """After and before image on the working grid; None where they are not to be looked at."""
    if images is None:
        return None, None
    after = stack.enter_context(GridView(images.pair.after, segmentation.grid))
    paired = segmentation.has_before and images.pair.before is not None
    return after, stack.enter_context(before_view(images)) if paired else None


def _measure(
    maps: MapReader,
    window: Window,
    found: Candidates,
    jacobians: Float64Array,
    bounds_m: Float64Array,
    views: tuple[GridView | None, GridView | None],
    weights: PatternWeights,
    has_before: bool,
) -> tuple[list[Pattern], Float64Array]:
    """Patterns of the craters of one window and their probabilities of being new."""
    values, valid = maps.read(window, MAPS)
    sites = rays.Sites(found.at_px - np.array([window.row, window.col]), jacobians, bounds_m)
    (after, after_seen), (before, before_seen) = (_pixels(view, window) for view in views)
    seen = valid & after_seen
    if before is not None and not before_seen[seen].all():
        before = None  # a before image with holes would show edges that are none
    ground = PatternWindow(values, seen, after, before, maps.grid.gsd_m)
    patterns = measure_patterns(
        ground, sites, found.evidence.radius_m, found.evidence.centre_sd_m, weights, found.close
    )
    fresh = np.full(len(patterns), np.nan)
    if has_before:
        disc_m = np.maximum(found.evidence.radius_m, maps.grid.gsd_m)
        network = craters.new_probability(values[Channel.NEW], values[Channel.CRATER], valid, sites, disc_m)
        fresh = network if weights.new is None else _new_probability(network, found, weights.new)
    return patterns, fresh


def _pixels(view: GridView | None, window: Window) -> tuple[UInt8Array | None, BoolArray]:
    """Colours (h, w, 3) and validity (h, w) of a window that may reach past the grid; None without a view."""
    shape = (window.height, window.width)
    if view is None:
        return None, np.ones(shape, dtype=bool)
    return view.read(window)


def _new_probability(network: Float64Array, found: Candidates, weights: verdict.Weights) -> Float64Array:
    """The network's probability of new, weighed with the before image where that was looked at."""
    known = found.evidence.before_known & found.evidence.usable & ~np.isnan(network)
    judged = verdict.probability(
        verdict.new_terms(np.nan_to_num(network, nan=0.5), found.evidence, found.close), weights
    )
    return np.asarray(np.where(known, judged, network))


def _impacts(ground: GroundMap, found: Candidates, measured: Iterable[Measures]) -> tuple[Impact, ...]:
    """Impacts of measured craters, numbered in their order."""
    evidence = found.evidence
    around = {i: (p, n) for part in measured for i, p, n in zip(*part, strict=True)}
    source_px = ground.working_to_source(found.at_px)
    lonlat = ground.frame.to_lonlat(evidence.centre_m) if ground.frame.is_georeferenced else None
    impacts = []
    for i, score in enumerate(found.score):
        pattern, new_probability = around[i]
        status, probability = craters.status_of(new_probability)
        outline_m = shape.outline(evidence.centre_m[i], pattern.outline_m)
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
                blast_radius_m=None if pattern.blast is None else pattern.blast.radius_m,
                blast_radius_sd_m=None if pattern.blast is None else pattern.blast.sd_m,
                secondary_radius_m=None if pattern.secondary is None else pattern.secondary.radius_m,
                secondary_radius_sd_m=None if pattern.secondary is None else pattern.secondary.sd_m,
                pattern=pattern.kind,
                pattern_area_m2=pattern.area_m2,
                direction_deg=pattern.direction_deg,
                direction_sd_deg=pattern.direction_sd_deg,
                directional_probability=pattern.directional_probability,
                outline_m=outline_m if pattern.kind is not PatternKind.NONE else np.zeros((0, 2)),
                evidence=pattern.evidence,
                **_ellipse(evidence.radius_m[i], evidence.stretch[i], evidence.stretch_sd[i]),
                peak_score=float(found.peak[i]) if evidence.usable[i] else None,
            )
        )
    return tuple(impacts)


def _ellipse(radius_m: float, stretch: Float64Array, sd: float) -> dict[str, Any]:
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
