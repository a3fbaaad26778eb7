"""What is asked of a tool in one scene of a data set, and which of its detections count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import rasterio
import shapely

from cv_pipeline.datasets.scene import CRATER, DataScene, RasterBand, TrueObject
from cv_pipeline.evaluation.found import Found
from cv_pipeline.evaluation.heldout import EDGE_M
from cv_pipeline.evaluation.objects import HULL_PAD_M, TOLERANCE_M, SceneMatches, inside_hull, match_scene
from cv_pipeline.imagery.source import open_source
from cv_pipeline.training.labels import drawn
from cv_pipeline.types import BoolArray, Float64Array, Window


class Asked(NamedTuple):
    """What is asked of a scene: its true objects where truth is known, and that ground."""

    scene: DataScene
    truth: tuple[TrueObject, ...]
    labels_px: Float64Array
    """(k, 2) as (row, col) of every label, those that are not asked for too."""
    known: BoolArray
    """(height, width); empty where the labels' hull is what counts."""
    gsd_m: float

    @property
    def at_px(self) -> Float64Array:
        """(n, 2) as (row, col) of the objects asked for."""
        return _places(self.truth)

    @property
    def area_km2(self) -> float:
        """Ground that counts."""
        if self.scene.is_complete:
            return float(self.known.sum()) * self.gsd_m**2 / 1e6
        hull = shapely.MultiPoint(self.labels_px * self.gsd_m).convex_hull
        return float(hull.buffer(HULL_PAD_M).area) / 1e6


def ask(scene: DataScene, kind: str = CRATER) -> Asked:
    """What is asked of a scene; ``kind`` says which of its objects.

    Raises:
        ImageError: a raster of the scene cannot be read.
    """
    every = scene.of_kind(kind)
    if scene.is_complete:
        shape, gsd_m = _size(scene)
        known = _known(scene, shape)
    else:  # the ground is the labels' hull, and the image, which may not be passed on, need not be there
        gsd_m, known = scene.gsd_m or open_source(scene.after).grid.gsd_m, np.zeros((0, 0), bool)
    asked = Asked(scene, (), _places(every), known, gsd_m)
    counts = _counts(asked, asked.labels_px)
    return asked._replace(truth=tuple(thing for thing, counted in zip(every, counts, strict=True) if counted))


def match_centres(asked: Asked, found: Found, tolerance_m: float = TOLERANCE_M) -> tuple[Found, SceneMatches]:
    """The detections that count, and which true object each takes by the distance of their centres."""
    found = found.keep(_counts(asked, found.at_px))
    true_m, found_m = (at_px[:, ::-1] * asked.gsd_m for at_px in (asked.at_px, found.at_px))
    return found, match_scene(true_m, found_m, found.score, tolerance_m)


class Errors(NamedTuple):
    """What is wrong in one scene at a threshold, in its pixels as (row, col)."""

    false_px: Float64Array
    """(n, 2) detections that no true object accounts for, best first."""
    false_score: Float64Array
    missed_px: Float64Array
    """(k, 2) true objects without a detection."""


def errors_of(asked: Asked, found: Found, tolerance_m: float, threshold: float) -> Errors:
    """False alarms and misses of one scene at a threshold."""
    kept, matched = match_centres(asked, found.keep(found.score >= threshold), tolerance_m)
    order = np.argsort(-kept.score, kind="stable")
    false = order[~matched.hit]
    missed = np.setdiff1d(np.arange(len(asked.truth)), matched.label)
    return Errors(kept.at_px[false], kept.score[false], asked.at_px[missed])


def _places(truth: Sequence[TrueObject]) -> Float64Array:
    return np.array([(t.row_px, t.col_px) for t in truth], np.float64).reshape(-1, 2)


def _size(scene: DataScene) -> tuple[tuple[int, int], float]:
    """(height, width) and GSD of the after image."""
    if scene.gsd_m is None:
        grid = open_source(scene.after).grid
        return (grid.height, grid.width), grid.gsd_m
    with rasterio.open(scene.after) as file:
        return file.shape, scene.gsd_m


def read_band(band: RasterBand) -> BoolArray:
    """Where a band says yes (height, width)."""
    with rasterio.open(band.path) as file:
        values = file.read(band.band)
    return np.isin(values, band.values) if band.values else np.asarray(values > 0.5)


def _known(scene: DataScene, shape: tuple[int, int]) -> BoolArray:
    known = np.ones(shape, bool) if scene.known is None else read_band(scene.known)
    return known & drawn(scene.area_px, Window(0, 0, *shape)) if scene.area_px else known


def _counts(asked: Asked, at_px: Float64Array) -> BoolArray:
    """(n,) whether places (n, 2) as (row, col) lie where truth is known: away from a border that cuts objects off."""
    scene, known, gsd_m = asked.scene, asked.known, asked.gsd_m
    if not scene.is_complete:
        return inside_hull(asked.labels_px[:, ::-1] * gsd_m, at_px[:, ::-1] * gsd_m)
    height, width = known.shape
    # Simulated craters may lie half outside; a person's labels stop at the border anyway.
    edge_px = EDGE_M / gsd_m if scene.known is not None else 0.0
    rows, cols = at_px[:, 0], at_px[:, 1]
    inside = (np.minimum(rows, cols) >= edge_px) & (rows <= height - edge_px) & (cols <= width - edge_px)
    return np.asarray(inside & known[rows.clip(0, height - 1).astype(int), cols.clip(0, width - 1).astype(int)])
