"""Craters as areas: outlines of found and true ones, their overlap, and the matching by it.

An instance is what the product states of a crater: its ellipse, or its circle where it may as well be round, around
its centre. Both sides are polygons in metres right and down of the image's corner, so no raster rounds small craters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from affine import Affine
from rasterio.features import rasterize

from cv_pipeline.evaluation.objects import SceneMatches
from cv_pipeline.types import BoolArray, Float64Array, Impact

LEAST_IOU = 0.5
LEAST_DIAMETER_PX = 4.0
"""Smaller true craters are neither asked for nor counted as false."""

_POINTS = 72


def outlines(centre_m: Float64Array, edge_m: Float64Array) -> np.ndarray:
    """Polygons (n,) of edges (n, k) in metres at k even azimuths clockwise from image up, around (n, 2) right, down."""
    if len(centre_m) == 0:
        return np.zeros(0, dtype=object)
    azimuth_rad = np.arange(edge_m.shape[1]) * 2 * np.pi / edge_m.shape[1]
    right = centre_m[:, :1] + edge_m * np.sin(azimuth_rad)
    down = centre_m[:, 1:] - edge_m * np.cos(azimuth_rad)
    return np.asarray(shapely.make_valid(shapely.polygons(np.stack([right, down], axis=-1))))


def impact_edges(impacts: Sequence[Impact]) -> Float64Array:
    """Edges (n, k) in metres at k even azimuths of impacts' ellipses, or circles, in an image whose up is north."""
    azimuth_rad = np.arange(_POINTS) * 2 * np.pi / _POINTS
    edge_m = np.empty((len(impacts), _POINTS))
    for number, impact in enumerate(impacts):
        major, minor, turn = impact.crater_major_m, impact.crater_minor_m, impact.crater_azimuth_deg
        if major is None or minor is None or turn is None:
            edge_m[number] = impact.crater_radius_m
        else:
            off = azimuth_rad - np.deg2rad(turn)
            edge_m[number] = major * minor / np.hypot(minor * np.cos(off), major * np.sin(off))
    return edge_m


def overlaps(found: np.ndarray, true: np.ndarray) -> Float64Array:
    """Intersection over union (n, k) of every found polygon (n,) with every true one (k,)."""
    iou = np.zeros((len(found), len(true)))
    if iou.size == 0:
        return iou
    at, of = shapely.STRtree(true).query(found)
    common = shapely.area(shapely.intersection(found[at], true[of]))
    iou[at, of] = common / np.maximum(shapely.area(found[at]) + shapely.area(true[of]) - common, 1e-9)
    return iou


def match_overlaps(score: Float64Array, iou: Float64Array, least_iou: float = LEAST_IOU) -> SceneMatches:
    """Match detections to true craters greedily by score: each takes the free one it overlaps most.

    Args:
        score: (n,) of the detections; ties are taken in the order given.
        iou: (n, k) their overlap with the true craters.
        least_iou: least overlap of a match, inclusive.

    Returns:
        All detections, best first; ``distance_m`` is NaN throughout.
    """
    order = np.argsort(-score, kind="stable")
    label = np.full(len(order), -1)
    free = np.ones(iou.shape[1], dtype=bool)
    for place, i in enumerate(order):
        if not free.any():
            break
        here = np.where(free, iou[i], -1.0)
        best = int(here.argmax())
        if here[best] >= least_iou:
            label[place], free[best] = best, False
    return SceneMatches(score[order], label, np.full(len(order), np.nan), iou.shape[1])


def match_large(score: Float64Array, iou: Float64Array, large: BoolArray) -> SceneMatches:
    """Matches by overlap with the ``large`` (k,) true craters; detections that take a small one are left out."""
    everything = match_overlaps(score, iou)
    order = np.argsort(-score, kind="stable")
    keep = np.array([label < 0 or bool(large[label]) for label in everything.label], dtype=bool)
    return match_overlaps(score[order[keep]], iou[order[keep]][:, large])


def covered(shapes: np.ndarray, size: tuple[int, int], gsd_m: float) -> BoolArray:
    """Pixels (height, width) whose centres lie within polygons in metres right and down of the corner."""
    parts = [part for shape in shapes for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
    if not parts:
        return np.zeros(size, bool)
    return np.asarray(rasterize(parts, out_shape=size, transform=Affine.scale(gsd_m)), dtype=bool)
