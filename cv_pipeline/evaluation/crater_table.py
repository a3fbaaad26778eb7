"""Every crater candidate of simulated scenes beside what is really there: what verdicts are fitted to and judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cv_pipeline.evaluation.crater_scenes import CraterScene, counts, positions_m, shown
from cv_pipeline.evaluation.objects import match_scene
from cv_pipeline.frame import local_frame
from cv_pipeline.patterns import craters, rays
from cv_pipeline.patterns.candidates import Candidates, find_candidates
from cv_pipeline.patterns.closer import closer, look_closer
from cv_pipeline.patterns.closeup.answers import CloseUp, joined
from cv_pipeline.patterns.closeup.weights import CloseUpFile
from cv_pipeline.patterns.evidence import Evidence, look, widened
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.verdict import PeakErrors
from cv_pipeline.segmentation.raster import read_channels
from cv_pipeline.simulation.pair import SimulatedPair
from cv_pipeline.simulation.strike import Strike, StrikeStatus
from cv_pipeline.types import BoolArray, Channel, Float64Array, Window

TOLERANCE_M = 5.0


class Labels(NamedTuple):
    """What each of n finds is.

    ``strike`` (n,) is the number of the crater matched to it or -1, ``scored`` (n,) says whether it counts at all,
    ``lookalike`` (n,) is the kind of thing it lies on, empty for none and for craters.
    """

    strike: np.ndarray
    scored: BoolArray
    lookalike: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Candidates of many scenes: what was known, what the images said, and the truth; (n,) each.

    ``network_new`` is the maps' probability of new, NaN in after-only mode. ``true_m`` (n, 2) in local metres,
    ``true_radius_m`` and ``is_new`` are of the matched crater, NaN and False where there is none. ``close`` is what the
    close-up network says, None without one.
    """

    peak: Float64Array
    prior: Evidence
    found: Evidence
    network_new: Float64Array
    is_crater: BoolArray
    true_m: Float64Array
    true_radius_m: Float64Array
    is_new: BoolArray
    gsd_m: Float64Array
    lookalike: tuple[str, ...]
    close: CloseUp | None = None


def label(
    pair: SimulatedPair, strikes: Sequence[Strike], row_px: Float64Array, col_px: Float64Array, score: Float64Array
) -> Labels:
    """Match finds in after-image pixels to craters, one to one, best score first, within :data:`TOLERANCE_M`."""
    scored = np.array([counts(pair, *at) for at in zip(row_px, col_px, strict=True)], dtype=bool)
    order = np.argsort(-score, kind="stable")
    order = order[scored[order]]
    found_m = np.column_stack([col_px, row_px]) * pair.gsd_m
    strike = np.full(len(score), -1)
    if len(strikes) and len(order):
        # A sorted table gives labels in its own order.
        strike[order] = match_scene(positions_m(pair, strikes), found_m[order], score[order], TOLERANCE_M).label
    kinds = []
    for i, at in enumerate(found_m):
        kinds.append("" if strike[i] >= 0 else _lookalike_at(pair, at))
    return Labels(strike, scored, tuple(kinds))


def _lookalike_at(pair: SimulatedPair, at_m: Float64Array) -> str:
    """The kind of the look-alike that a point (col, row) in metres lies on, nearest first; empty for none."""
    best, kind = np.inf, ""
    for thing in pair.lookalikes:
        distance = float(np.hypot(*(at_m - np.array([thing.col_px, thing.row_px]) * pair.gsd_m)))
        reach = max(1.3 * min(thing.radius_m, 12.0), 3.0)
        if distance <= reach and distance / reach < best:
            best, kind = distance / reach, thing.kind
    return kind


def scene_table(
    scene: CraterScene, pair: SimulatedPair, threshold: float, errors: PeakErrors, closeup: CloseUpFile | None = None
) -> Table:
    """Candidates of one scene down to a threshold of the peak, with the images' evidence; ``errors`` of the peaks."""
    source = scene.aligned.pair.after.grid
    frame = local_frame(source)
    ground = GroundMap(scene.segmentation.grid, source, frame)
    maybe = find_candidates(scene.segmentation, ground, threshold, 1024, errors)
    if closeup is not None:
        maybe = closer(maybe, look_closer(closeup, maybe, scene.aligned, scene.segmentation, ground), ground, errors)
    paired = scene.segmentation.has_before
    found = look(scene.aligned, frame, maybe.evidence, maybe.peak, (maybe.new >= 0.5) & paired, use_before=paired)
    found = widened(found, errors.fitted_centre, errors.fitted_radius)
    network_new = _network_new(scene, ground, maybe) if paired else np.full(len(maybe.score), np.nan)
    strikes = shown(pair)
    at = ground.working_to_source(maybe.at_px)
    labels = label(pair, strikes, at[:, 0], at[:, 1], maybe.peak)
    true_px = np.array([(s.row_px, s.col_px) for s in strikes]).reshape(-1, 2)
    true_m = frame.pixel_to_metres(true_px[:, 0], true_px[:, 1]).reshape(-1, 2)
    hit = labels.strike >= 0
    kept = np.nonzero(labels.scored)[0]
    number = np.where(hit, labels.strike, 0)
    none = np.full((len(hit), 2), np.nan)
    radius = np.array([s.crater_radius_m for s in strikes] or [np.nan])[number]
    new = np.array([s.status is StrikeStatus.NEW for s in strikes] or [False])[number]
    return Table(
        maybe.peak[kept],
        maybe.evidence.take(kept),
        found.take(kept),
        network_new[kept],
        hit[kept],
        (np.where(hit[:, None], true_m[number], none) if len(strikes) else none)[kept],
        np.where(hit, radius, np.nan)[kept],
        (hit & new)[kept],
        np.full(len(kept), pair.gsd_m),
        tuple(labels.lookalike[i] for i in kept),
        None if maybe.close is None else maybe.close.take(kept),
    )


def _network_new(scene: CraterScene, ground: GroundMap, found: Candidates) -> Float64Array:
    """The maps' probability of new over each crater; the scene is small and read whole."""
    grid = scene.segmentation.grid
    names = (Channel.NEW, Channel.CRATER)
    values, valid = read_channels(scene.segmentation, Window(0, 0, grid.height, grid.width), names)
    sites = rays.Sites(
        found.at_px, ground.pixels_per_metre(found.evidence.centre_m), np.zeros((len(found.score), rays.SECTORS))
    )
    disc_m = np.maximum(found.evidence.radius_m, grid.gsd_m)
    return craters.new_probability(values[Channel.NEW], values[Channel.CRATER], valid, sites, disc_m)


def join(tables: Sequence[Table]) -> Table:
    """One table of several, at least one."""
    first = tables[0]
    parts: dict[str, Any] = {}
    for name in Table.__slots__:
        values = [getattr(table, name) for table in tables]
        if isinstance(getattr(first, name), Evidence):
            columns = {c: np.concatenate([getattr(v, c) for v in values]) for c in Evidence.__slots__}
            parts[name] = Evidence(**columns)
        elif name == "lookalike":
            parts[name] = tuple(kind for value in values for kind in value)
        elif name == "close":
            parts[name] = None if first.close is None else joined(values)
        else:
            parts[name] = np.concatenate(values)
    return Table(**parts)


def take(table: Table, index: np.ndarray) -> Table:
    """The rows at ``index``, in its order."""
    parts: dict[str, Any] = {}
    for name in Table.__slots__:
        value = getattr(table, name)
        if isinstance(value, Evidence | CloseUp):
            parts[name] = value.take(index)
        elif value is None:
            parts[name] = None
        elif name == "lookalike":
            parts[name] = tuple(value[i] for i in index)
        else:
            parts[name] = value[index]
    return Table(**parts)
