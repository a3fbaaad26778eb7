"""Crater candidates of a whole scene: peaks of the centre map, one per crater, each then looked at in the images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import rasterio
from scipy.ndimage import map_coordinates

from cv_pipeline.defaults import GDAL_CACHE_BYTES
from cv_pipeline.patterns import craters, verdict
from cv_pipeline.patterns.closeup.answers import CloseUp
from cv_pipeline.patterns.evidence import Evidence, Look, looks, merged, no_evidence, widened
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.peaks import close_pairs, find_peaks, suppress
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.patterns.weights import PLAIN, PatternWeights
from cv_pipeline.segmentation.raster import MapReader
from cv_pipeline.types import AlignedPair, BoolArray, Channel, Float64Array, Grid, Segmentation, Window

_PEAK_MARGIN_PX = 3  # the peak fit and the core statistics look at the 3x3 pixels around a peak
_LINE_POINTS = 9


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates in working pixels and local metres; all (n,), positions (n, 2).

    ``peak`` is the network's score, ``score`` what it has become with the images' evidence. ``new`` is the NEW
    map at the centre. ``evidence`` is that of the images where they were looked at, else what the maps say. ``close``
    is what the close-up network says; None where the model has none.
    """

    at_px: Float64Array
    score: Float64Array
    peak: Float64Array
    new: Float64Array
    evidence: Evidence
    close: CloseUp | None = None

    def take(self, index: np.ndarray) -> Candidates:
        """The candidates at ``index``, in its order."""
        close = None if self.close is None else self.close.take(index)
        return Candidates(
            self.at_px[index], self.score[index], self.peak[index], self.new[index], self.evidence.take(index), close
        )


def cores(grid: Grid, core_px: int) -> Iterator[Window]:
    """Windows that cover a grid without overlap."""
    for row in range(0, grid.height, core_px):
        for col in range(0, grid.width, core_px):
            yield Window(row, col, min(core_px, grid.height - row), min(core_px, grid.width - col))


def padded(core: Window, margin_px: int) -> Window:
    """A window widened on all sides."""
    return Window(core.row - margin_px, core.col - margin_px, core.height + 2 * margin_px, core.width + 2 * margin_px)


def around(at_px: Float64Array) -> Window:
    """The smallest window of whole pixels that holds points (n, 2), at least one."""
    low, high = (np.floor(each).astype(int) for each in (at_px.min(axis=0), at_px.max(axis=0)))
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)


def holds(core: Window, at_px: Float64Array) -> BoolArray:
    """(n,) which points lie in a window."""
    rows, cols = at_px[:, 0] - core.row, at_px[:, 1] - core.col
    return np.asarray((rows >= 0) & (rows < core.height) & (cols >= 0) & (cols < core.width))


def find_candidates(
    segmentation: Segmentation,
    ground: GroundMap,
    threshold: float,
    core_px: int,
    errors: verdict.PeakErrors = PLAIN.peaks,
) -> Candidates:
    """All peaks of the scene at or above a threshold, thinned to one per crater, best first.

    ``errors`` says how far the model's peaks are off.
    """
    return thinned([peak_table(segmentation, threshold, core_px)], segmentation, ground, core_px, errors)


def peak_table(segmentation: Segmentation, threshold: float, core_px: int, share: Share = ALL) -> Float64Array:
    """Peaks at or above a threshold in a share of the cores, (n, 7); :func:`thinned` knows what the columns are."""
    columns = [np.zeros((0, 7))]
    with rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_BYTES), MapReader(segmentation) as maps:
        for core in share.of(list(cores(segmentation.grid, core_px))):
            high = maps.reaching(core, Channel.CENTRE, threshold)
            if high is None:
                continue  # as nearly everywhere
            window = padded(high, _PEAK_MARGIN_PX)
            values, valid = maps.read(window, (Channel.CENTRE, Channel.CRATER_RADIUS_M, Channel.NEW))
            peaks = find_peaks(values[Channel.CENTRE], valid, threshold)
            at = np.column_stack([peaks.row_px, peaks.col_px])
            radius = craters.core_statistics(values[Channel.CRATER_RADIUS_M], valid, at)
            new = craters.core_statistics(values[Channel.NEW], valid, at)
            at_px = at + np.array([window.row, window.col])
            found = np.column_stack([at_px, peaks.score, peaks.width_px, radius.median, radius.spread, new.median])
            columns.append(found[holds(core, at_px)])
    return np.concatenate(columns)


def thinned(
    tables: Sequence[Float64Array],
    segmentation: Segmentation,
    ground: GroundMap,
    core_px: int,
    errors: verdict.PeakErrors = PLAIN.peaks,
) -> Candidates:
    """The peaks of all shares (:func:`peak_table`), one per crater, best first."""
    step_m = segmentation.grid.gsd_m
    table = np.concatenate(tables)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    at_px, score, radius_m = table[:, :2], table[:, 2], table[:, 4]
    at_m = ground.working_to_metres(at_px)
    pairs = close_pairs(at_m, radius_m)
    valley = _valleys(segmentation, at_px, pairs, core_px) / np.maximum(np.minimum(*score[pairs].T), 1e-9)
    kept = suppress(at_m, score, radius_m, pairs, valley)
    prior = no_evidence(
        at_m,
        errors.centre * craters.centre_sd_m(score, table[:, 3] * step_m, step_m),
        radius_m,
        errors.radius * craters.radius_sd_m(radius_m, table[:, 5], step_m),
    )
    return Candidates(at_px, score, score, table[:, 6], prior).take(kept)


def _valleys(segmentation: Segmentation, at_px: Float64Array, pairs: np.ndarray, core_px: int) -> Float64Array:
    """Lowest value (k,) of the centre map on the line between the peaks of each pair (k, 2)."""
    lowest = np.zeros(len(pairs))
    if not len(pairs):
        return lowest
    along = np.linspace(0, 1, _LINE_POINTS)[None, :, None]
    line = at_px[pairs[:, 0], None] * (1 - along) + at_px[pairs[:, 1], None] * along
    with rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_BYTES), MapReader(segmentation) as maps:
        for core in cores(segmentation.grid, core_px):
            here = np.nonzero(holds(core, at_px[pairs[:, 0]]))[0]
            if len(here):
                window = padded(around(line[here].reshape(-1, 2)), 2)
                heat = maps.read(window, (Channel.CENTRE,))[0][Channel.CENTRE]
                rows, cols = np.moveaxis(line[here] - np.array([window.row, window.col]) - 0.5, -1, 0)
                lowest[here] = map_coordinates(heat, [rows, cols], order=1, prefilter=False).min(axis=1)
    return lowest


def looked_at(
    candidates: Candidates, aligned: AlignedPair, ground: GroundMap, *, use_before: bool, share: Share = ALL
) -> Iterator[Look]:
    """What the images say of a share of the candidates."""
    maybe_new = candidates.new >= 0.5 if use_before else np.zeros(len(candidates.score), dtype=bool)
    prior, peak = candidates.evidence, candidates.peak
    return looks(aligned, ground.frame, prior, peak, maybe_new, use_before=use_before, share=share)


def judged(
    candidates: Candidates,
    seen: Iterable[Look],
    ground: GroundMap,
    threshold: float,
    weights: PatternWeights = PLAIN,
) -> Candidates:
    """The candidates with the images' evidence: moved, measured, scored anew; those below the threshold dropped.

    Where two come to lie on one crater the better is kept. Without weights of the score the network's scores stay.
    """
    prior = candidates.evidence
    found = merged(prior, seen)
    score = candidates.peak
    if weights.score is not None:
        terms = verdict.score_terms(candidates.peak, prior, found, candidates.close)
        likely = verdict.probability(terms, weights.score)
        score = np.where(found.usable, likely, candidates.peak)
    at_px = ground.metres_to_working(found.centre_m) if len(score) else candidates.at_px
    found = widened(found, weights.peaks.fitted_centre, weights.peaks.fitted_radius)
    moved = replace(candidates, at_px=at_px, score=score, evidence=found)
    # Half the usual reach: these were told apart already, and fits of touching craters draw together.
    kept = suppress(found.centre_m, score, found.radius_m / 2)
    return moved.take(kept[score[kept] >= threshold])
