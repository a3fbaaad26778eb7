"""What a tool found in one scene of a data set, beside its truth: the parts of which every figure is made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely

from cv_pipeline.datasets.scene import RasterBand, TrueObject
from cv_pipeline.evaluation.asked import Asked, match_centres, read_band
from cv_pipeline.evaluation.found import Found, edges_px
from cv_pipeline.evaluation.heldout import Overlap, overlap
from cv_pipeline.evaluation.instances import LEAST_DIAMETER_PX, covered, match_large, overlaps
from cv_pipeline.evaluation.objects import TOLERANCE_M, SceneMatches
from cv_pipeline.evaluation.structures import Distances, measure_distances
from cv_pipeline.types import BoolArray, Float64Array, Status


class Hit(NamedTuple):
    """One true object that is asked for, with the detection that took it; NaN where there is none or nothing is known.

    ``score`` is NaN where it was missed. Errors are found minus true; ``radius_error`` and ``blast_error`` are
    relative. ``direction_error_deg`` is absolute, 0 to 180. ``*_in_sds`` are errors over the tool's own SD, of a centre
    the distance over its SD per axis.
    ``directed`` is whether its pattern truly has a direction, ``stated`` whether the tool gives one.
    """

    diameter_m: float
    score: float = np.nan
    iou: float = np.nan
    centre_error_m: float = np.nan
    centre_in_sds: float = np.nan
    radius_error: float = np.nan
    radius_in_sds: float = np.nan
    blast_error: float = np.nan
    directed: bool = False
    stated: bool = False
    direction_error_deg: float = np.nan
    direction_in_sds: float = np.nan
    status_right: float = np.nan
    distance_error_m: float = np.nan
    distance_in_sds: float = np.nan
    wrong_structure: float = np.nan

    @property
    def found(self) -> bool:
        """Whether any detection took it, at whatever score."""
        return not np.isnan(self.score)


class Boxes(NamedTuple):
    """Bounding boxes in pixels, (n, 4) as (left, top, width, height); those of true objects and those found."""

    true: Float64Array
    found: Float64Array
    score: Float64Array


class Whole(NamedTuple):
    """Statistics of a scene as a user reads them: of true objects and of detections at or above the threshold."""

    true_n: int
    found_n: int
    true_mean_m: float
    found_mean_m: float
    true_median_m: float
    found_median_m: float
    true_cep_m: float
    found_cep_m: float


@dataclass(frozen=True, slots=True)
class ScoredScene:
    """One scene. ``outlines`` and ``boxes`` are None where either side has points alone; masks are by class.

    ``found_diameter_m`` (n,) is of the detections in the order of ``centres``, NaN where the tool states none.
    """

    name: str
    condition: str
    background: str
    gsd_m: float
    area_km2: float
    centres: SceneMatches
    found_diameter_m: Float64Array
    outlines: SceneMatches | None
    boxes: Boxes | None
    hits: tuple[Hit, ...]
    masks: Mapping[str, Overlap]
    whole: Whole | None
    registration_error_px: float | None = None


def score_scene(
    asked: Asked,
    found: Found,
    threshold: float,
    *,
    tolerance_m: float = TOLERANCE_M,
    classes: Collection[str] = (),
    masks: Mapping[str, RasterBand] | None = None,
    registration_error_px: float | None = None,
) -> ScoredScene:
    """Compare detections with the truth of one scene.

    Args:
        asked: the truth, from :func:`ask`.
        found: all detections, those below the threshold too: AP needs them.
        threshold: from which score on a detection counts as reported, for masks and for the scene's statistics.
        tolerance_m: greatest distance between centres.
        classes: those of which the tool states areas at all, see :func:`stated_classes`; the others have no mask.
        masks: the tool's own masks by class; where there are none, a mask is the area of the reported outlines.
        registration_error_px: how far the dates are from each other after the tool's registration, where it says so.

    Raises:
        ImageError: a raster of the scene cannot be read.
    """
    scene, truth, gsd_m = asked.scene, asked.truth, asked.gsd_m
    found, centres = match_centres(asked, found, tolerance_m)
    order, diameter_m = np.argsort(-found.score, kind="stable"), _found_diameters_m(found, gsd_m)
    taken = {int(label): int(order[place]) for place, label in enumerate(centres.label) if label >= 0}
    true_edges, found_edges = [_edge(t, gsd_m) for t in truth], edges_px(found, gsd_m)
    iou = _iou(true_edges, found_edges, gsd_m)
    distances = measure_distances(scene, found, truth)
    large = np.array([_diameter_m(t, gsd_m) >= LEAST_DIAMETER_PX * gsd_m for t in truth], dtype=bool)
    reported = found.score >= threshold
    points_m = [at_px[:, ::-1] * gsd_m for at_px in (asked.at_px, found.at_px[reported])]
    return ScoredScene(
        name=scene.name,
        condition=scene.condition,
        background=scene.background,
        gsd_m=gsd_m,
        area_km2=asked.area_km2,
        centres=centres,
        found_diameter_m=diameter_m[order],
        outlines=None if iou is None else match_large(found.score, iou, large),
        boxes=None if iou is None else Boxes(_boxes(true_edges), _boxes(found_edges), found.score),
        hits=tuple(_hit(t, taken.get(n), n, found, diameter_m, iou, distances, gsd_m) for n, t in enumerate(truth)),
        masks=_masks(asked, found.keep(reported), classes, masks or {}),
        whole=_whole(points_m[0], points_m[1], distances, reported),
        registration_error_px=registration_error_px,
    )


def _edge(truth: TrueObject, gsd_m: float) -> Float64Array | None:
    """The outline (n, 2) as (row, col); a circle where there is a radius alone, None where there is a point alone."""
    if len(truth.outline_px):
        return truth.outline_px
    one = Found(
        np.array([[truth.row_px, truth.col_px]]), np.ones(1), {"crater_radius_m": np.array([truth.radius_m or np.nan])}
    )
    return edges_px(one, gsd_m)[0]


def _iou(
    true: Sequence[Float64Array | None], found: Sequence[Float64Array | None], gsd_m: float
) -> Float64Array | None:
    """Overlap (n, k) of every found outline with every true one; None where any is lacking."""
    if any(edge is None for edge in (*true, *found)):
        return None
    return overlaps(_polygons(found, gsd_m), _polygons(true, gsd_m))


def _polygons(edges: Sequence[Float64Array | None], gsd_m: float) -> np.ndarray:
    """Polygons in metres right and down of the image's corner."""
    shapes = [shapely.make_valid(shapely.Polygon(edge[:, ::-1] * gsd_m)) for edge in edges if edge is not None]
    return np.array(shapes, dtype=object)


def _boxes(edges: Sequence[Float64Array | None]) -> Float64Array:
    drawn = [edge for edge in edges if edge is not None]
    corners = [(*edge.min(axis=0)[::-1], *np.ptp(edge, axis=0)[::-1]) for edge in drawn]
    return np.array(corners, np.float64).reshape(-1, 4)


def _diameter_m(truth: TrueObject, gsd_m: float) -> float:
    """Of the circle of its area; NaN for a point."""
    if truth.radius_m is not None:
        return 2 * truth.radius_m
    if not len(truth.outline_px):
        return float("nan")
    return _disc_diameter_m(truth.outline_px, gsd_m)


def _disc_diameter_m(outline_px: Float64Array, gsd_m: float) -> float:
    """Of the circle that has the area of an outline (n, 2)."""
    return 2 * float(np.sqrt(shapely.Polygon(outline_px).area / np.pi)) * gsd_m


def _found_diameters_m(found: Found, gsd_m: float) -> Float64Array:
    """(n,) by the stated radius, else of the circle of the outline's area; NaN for a point."""
    by_area = [np.nan if edge is None else _disc_diameter_m(edge, gsd_m) for edge in edges_px(found, gsd_m)]
    radius_m = found.number("crater_radius_m")
    return np.where(np.isfinite(radius_m), 2 * radius_m, np.array(by_area, np.float64))


def _hit(
    truth: TrueObject,
    place: int | None,
    number: int,
    found: Found,
    found_diameter_m: Float64Array,
    iou: Float64Array | None,
    distances: Distances,
    gsd_m: float,
) -> Hit:
    diameter_m, directed = _diameter_m(truth, gsd_m), truth.direction_deg is not None
    if place is None:
        return Hit(diameter_m, iou=0.0, directed=directed)

    def value(name: str) -> float:
        return float(found.number(name)[place])

    row, col = found.at_px[place] - (truth.row_px, truth.col_px)
    centre_error_m = float(np.hypot(row, col)) * gsd_m
    radius_error_m = (float(found_diameter_m[place]) - diameter_m) / 2
    direction = value("direction_deg")
    off_deg = abs((direction - truth.direction_deg + 180) % 360 - 180) if truth.direction_deg is not None else np.nan
    distance_error_m = distances.found_m[place] - distances.true_m[number]
    said = str(found.texts["status"][place]) if "status" in found.texts else ""
    known = truth.status is not Status.UNKNOWN and said in (Status.NEW, Status.OLD)
    same = distances.found_id[place] == distances.true_id[number]
    return Hit(
        diameter_m=diameter_m,
        score=float(found.score[place]),
        iou=np.nan if iou is None else float(iou[place, number]),
        centre_error_m=centre_error_m,
        centre_in_sds=centre_error_m / value("centre_sd_m"),
        radius_error=radius_error_m / (diameter_m / 2),
        radius_in_sds=radius_error_m / value("crater_radius_sd_m"),
        blast_error=value("blast_radius_m") / truth.blast_radius_m - 1 if truth.blast_radius_m else np.nan,
        directed=directed,
        stated=bool(np.isfinite(direction)),
        direction_error_deg=off_deg,
        direction_in_sds=off_deg / value("direction_sd_deg"),
        status_right=float(said == truth.status) if known else np.nan,
        distance_error_m=distance_error_m,
        distance_in_sds=distance_error_m / value("distance_sd_m"),
        wrong_structure=np.nan if np.isnan(distance_error_m) else float(not same),
    )


def stated_classes(found: Iterable[Found]) -> frozenset[str]:
    """The classes of which a tool states areas in any scene: craters with outlines, blast patterns with radii."""
    stated = set()
    for one in found:
        if len(one) and all(edge is not None for edge in edges_px(one, 1.0)):
            stated.add("crater")
        if np.isfinite(one.number("blast_radius_m")).any():
            stated.add("blast")
    return frozenset(stated)


def _masks(
    asked: Asked, reported: Found, classes: Collection[str], masks: Mapping[str, RasterBand]
) -> dict[str, Overlap]:
    """Overlap by class where there is truth, with the tool's mask or the area of what it reports."""
    scored = {}
    for name, band in asked.scene.masks.items():
        if name in masks:
            mine = read_band(masks[name])
        elif name in classes:
            shown = reported if name != "blast" else _as_discs(reported)
            mine = covered(_polygons(edges_px(shown, asked.gsd_m), asked.gsd_m), asked.known.shape, asked.gsd_m)
        else:
            continue
        scored[name] = overlap(mine, read_band(band), asked.known)
    return scored


def _as_discs(found: Found) -> Found:
    """Discs of the blast radius, of those that state one."""
    shown = found.keep(np.isfinite(found.number("blast_radius_m")))
    return Found(shown.at_px, shown.score, {"crater_radius_m": shown.number("blast_radius_m")})


def _whole(true_m: Float64Array, found_m: Float64Array, distances: Distances, reported: BoolArray) -> Whole | None:
    """None where no structure is known or nothing is asked for."""
    true_distance, found_distance = distances.true_m, distances.found_m[reported]
    if not np.isfinite(true_distance).any():
        return None
    return Whole(
        len(true_m), len(found_m),
        float(np.nanmean(true_distance)), _mean(found_distance),
        float(np.nanmedian(true_distance)), float(np.median(found_distance)) if len(found_distance) else np.nan,
        _cep_m(true_m), _cep_m(found_m),
    )  # fmt: skip


def _mean(values: Float64Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _cep_m(points_m: Float64Array) -> float:
    """Rayleigh's CEP about the mean point (n, 2); NaN for fewer than five points, where it says little."""
    from cv_pipeline.accuracy.cep import cep

    if len(points_m) < 5:
        return float("nan")
    radius = cep(points_m, 0.5, "rayleigh").radius_m
    return float("nan") if radius is None else radius
