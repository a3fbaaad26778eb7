"""A network on simulated scenes over held-out places: what it finds, as a run would, and how that compares."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from affine import Affine

from cv_pipeline.config import AssessConfig
from cv_pipeline.evaluation.instances import LEAST_DIAMETER_PX, covered, impact_edges, match_large, outlines, overlaps
from cv_pipeline.evaluation.objects import SceneMatches, match_scene
from cv_pipeline.evaluation.scenes import HeldOutScene
from cv_pipeline.frame import local_frame
from cv_pipeline.imagery.pair import open_pair
from cv_pipeline.patterns.candidates import find_candidates
from cv_pipeline.patterns.extract import extract_impacts
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.weights import PatternWeights
from cv_pipeline.segmentation.channels import NUMBER, RADII_M
from cv_pipeline.segmentation.normalise import normalise
from cv_pipeline.segmentation.raster import SegmentationWriter
from cv_pipeline.types import (
    AlignedPair,
    BoolArray,
    Channel,
    Float32Array,
    Float64Array,
    Gate,
    Grid,
    ModelInfo,
    Registration,
    Segmentation,
    UInt8Array,
    Window,
)

if TYPE_CHECKING:
    from cv_pipeline.segmentation.backend import Backend

LOW_PEAK = 0.05
"""Raw peaks from here: AP and calibration need the tail of weak detections, far below a useful threshold."""

EDGE_M = 2.0
"""Craters nearer to the border than this are neither asked for nor counted as false; nor those nobody can see."""

MASK_THRESHOLD = 0.5
MODES = {"pair": True, "after_only": False}
"""Names of both ways to run, and whether the before image is used."""

BATCH = 8

_UNMOVED = Registration(np.eye(2, 3), 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0, 0, Gate.PASS, "simulated as registered")


def predict(
    scenes: Iterable[HeldOutScene], backend: Backend, *, paired: bool, batch: int = BATCH
) -> Iterator[tuple[HeldOutScene, Float32Array]]:
    """Each scene with a backend's values (channels, h, w); radii are logarithms."""
    waiting = iter(scenes)
    while some := list(islice(waiting, batch)):
        after = np.stack([_input(scene.after, scene.gsd_m) for scene in some])
        before = np.stack([_input(scene.before, scene.gsd_m) for scene in some]) if paired else None
        yield from zip(some, backend(after, before, None), strict=True)


def _input(image: UInt8Array, gsd_m: float) -> Float32Array:
    return normalise(image, np.ones(image.shape[:2], bool), gsd_m)


class Found(NamedTuple):
    """Craters found in a scene: ``at_px`` (n, 2) as (row, col), ``score`` (n,), ``edge_m`` (n, k) at even azimuths."""

    at_px: Float64Array
    score: Float64Array
    edge_m: Float64Array


def find_craters(
    scene: HeldOutScene,
    values: Float32Array,
    model: ModelInfo,
    *,
    paired: bool,
    threshold: float,
    look: PatternWeights | None = None,
) -> Found:
    """Craters of a scene at or above a threshold, found as in a run over files.

    With ``look``, the model's weights, their centres, outlines and scores are judged in the images too and patterns are
    measured, as a run does, at some 10 ms for each; without, they are what the network's maps say: peaks, and circles
    of the radius there.
    """
    height, width = scene.visible.shape
    grid = Grid(height, width, Affine(scene.gsd_m, 0, 0, 0, -scene.gsd_m, 0), None, scene.gsd_m)
    maps = dict(zip(Channel, values, strict=True))
    for channel in RADII_M:
        maps[channel] = np.exp(maps[channel])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with SegmentationWriter.create(folder / "maps.tif", grid) as writer:
            writer.write(Window(0, 0, height, width), maps, np.ones((height, width), bool))
        segmentation = Segmentation(folder / "maps.tif", grid, model, paired, 1.0)
        frame = local_frame(grid)
        if look is None:
            peaks = find_candidates(segmentation, GroundMap(grid, grid, frame), threshold, max(height, width))
            return Found(peaks.at_px, peaks.score, np.repeat(peaks.evidence.radius_m[:, None], 72, axis=1))
        images = _aligned(scene, grid, folder, paired=paired)
        impacts = extract_impacts(segmentation, frame, grid, score_threshold=threshold, images=images, weights=look)
    at_px = np.array([(i.row_px, i.col_px) for i in impacts], dtype=np.float64).reshape(-1, 2)
    return Found(at_px, np.array([i.score for i in impacts], dtype=np.float64), impact_edges(impacts))


def _aligned(scene: HeldOutScene, grid: Grid, folder: Path, *, paired: bool) -> AlignedPair:
    """The scene as files, registered as well as its simulation left it."""
    for date, image in (("before", scene.before), ("after", scene.after)):
        cv2.imwrite(str(folder / f"{date}.bmp"), image[..., ::-1])
    before = folder / "before.bmp" if paired else None
    pair = open_pair(before, folder / "after.bmp", AssessConfig(gsd_m=scene.gsd_m))
    return AlignedPair(pair, grid, _UNMOVED if paired else None)


def owner_of(scene: HeldOutScene) -> tuple[np.ndarray, Float64Array]:
    """Of each pixel (h, w): the number of the crater nearest to it in radii, and its distance in metres.

    Where there is no crater the number is 0 and the distance infinite.
    """
    height, width = scene.visible.shape
    owner, away_m = np.zeros((height, width), np.intp), np.full((height, width), np.inf)
    rows, cols = (np.arange(height) + 0.5)[:, None], (np.arange(width) + 0.5)[None, :]
    nearest = np.full((height, width), np.inf)
    for number, (row, col) in enumerate(scene.at_px):
        distance = np.hypot(rows - row, cols - col) * scene.gsd_m
        mine = distance / scene.radius_m[number] < nearest
        nearest[mine] = distance[mine] / scene.radius_m[number]
        owner[mine], away_m[mine] = number, distance[mine]
    return owner, away_m


class Overlap(NamedTuple):
    """Pixels of a found and a true mask where the truth is known.

    The rest of the two masks lies in outlines (``wide``, ``tight``: of marks that touch each other), or in marks of one
    that do not touch the other: ``false`` and ``missed``.
    """

    hit: int
    wide: int
    tight: int
    false: int
    missed: int

    @property
    def iou(self) -> float:
        """Intersection over union; 1 where both are empty."""
        return self.hit / sum(self) if sum(self) else 1.0


def overlap(found: BoolArray, true: BoolArray, told: BoolArray) -> Overlap:
    """Compare two masks (h, w) where ``told``; marks are 8-connected."""
    hit = found & true & told
    touching_found, touching_true = _touching(found, hit), _touching(true, hit)
    extra, lacking = found & ~true & told, true & ~found & told
    parts = (hit, extra & touching_found, lacking & touching_true, extra & ~touching_found, lacking & ~touching_true)
    return Overlap(*(int(part.sum()) for part in parts))


def _touching(mask: BoolArray, other: BoolArray) -> BoolArray:
    """Connected parts of a mask that hold a pixel of the other."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    holds = np.zeros(count, bool)
    holds[np.unique(labels[other])] = True
    holds[0] = False
    return np.asarray(holds[labels], dtype=bool)


class TrueCrater(NamedTuple):
    """A crater that is asked for, with the best-scored detection within the tolerance of it, if there is one."""

    radius_m: float
    conspicuity: float
    family: str
    score: float
    """NaN where nothing was found."""
    iou: float
    """Overlap with that detection; 0 where nothing was found."""
    distance_m: float
    least_size: bool
    """Whether it is at least as wide as the instances' score asks for."""


@dataclass(frozen=True, slots=True)
class SceneScore:
    """One scene in one mode: centres within 5 m, outlines of IoU 0.5, and masks at one half.

    ``accepted`` is the area of all outlines at or above the threshold against that of true craters.
    ``found_diameter_m`` (n,) is of the detections in the order of ``centres``: of the circle of the outline's area.
    """

    centres: SceneMatches
    found_diameter_m: Float64Array
    instances: SceneMatches
    craters: tuple[TrueCrater, ...]
    crater: Overlap
    blast: Overlap
    accepted: Overlap
    gsd_m: float


def score_scene(scene: HeldOutScene, values: Float32Array, found: Found, threshold: float) -> SceneScore:
    """Compare what was found in a scene, and the maps, with its truth; ``threshold`` is for ``accepted`` alone."""
    asked = np.nonzero(counted(scene, scene.at_px))[0]
    inner = counted(scene, found.at_px)
    score = found.score[inner]
    true_m, found_m = scene.at_px[asked][:, ::-1] * scene.gsd_m, found.at_px[inner][:, ::-1] * scene.gsd_m
    centres = match_scene(true_m, found_m, score)
    iou = overlaps(outlines(found_m, found.edge_m[inner]), outlines(true_m, scene.edge_m[asked]))
    order = np.argsort(-score, kind="stable")
    taken = {int(label): place for place, label in enumerate(centres.label) if label >= 0}
    craters = []
    for number, strike in enumerate(asked):
        place = taken.get(number)
        craters.append(
            TrueCrater(
                float(scene.radius_m[strike]),
                float(scene.conspicuity[strike]),
                str(scene.family[strike]),
                float("nan") if place is None else float(centres.score[place]),
                0.0 if place is None else float(iou[order[place], number]),
                float("nan") if place is None else float(centres.distance_m[place]),
                bool(2 * scene.radius_m[strike] >= LEAST_DIAMETER_PX * scene.gsd_m),
            )
        )
    crater, blast = (
        overlap(values[NUMBER[channel]] >= MASK_THRESHOLD, true, scene.visible)
        for channel, true in ((Channel.CRATER, scene.crater), (Channel.BLAST, scene.blast))
    )
    large = np.array([one.least_size for one in craters], dtype=bool)
    reported = found.score >= threshold
    shapes = outlines(found.at_px[reported][:, ::-1] * scene.gsd_m, found.edge_m[reported])
    accepted = overlap(covered(shapes, scene.visible.shape, scene.gsd_m), scene.crater, scene.visible)
    diameter_m = 2 * np.sqrt(np.square(found.edge_m[inner]).mean(axis=1))
    instances = match_large(score, iou, large)
    return SceneScore(centres, diameter_m[order], instances, tuple(craters), crater, blast, accepted, scene.gsd_m)


def counted(scene: HeldOutScene, at_px: Float64Array) -> BoolArray:
    """(n,) whether places (n, 2) as (row, col) are away from the border and where truth is known."""
    height, width = scene.visible.shape
    edge_px = EDGE_M / scene.gsd_m
    rows, cols = at_px[:, 0], at_px[:, 1]
    inside = (np.minimum(rows, cols) >= edge_px) & (rows <= height - edge_px) & (cols <= width - edge_px)
    told = scene.visible[rows.clip(0, height - 1).astype(int), cols.clip(0, width - 1).astype(int)]
    return np.asarray(inside & told)
