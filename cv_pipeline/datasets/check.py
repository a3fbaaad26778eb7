"""Everything that is wrong with a data set, with file names: found at once, not one at a time."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
import shapely

from cv_pipeline.datasets.scene import CRATER, NO_SCALE, DataScene, Dataset, RasterBand
from cv_pipeline.errors import CvPipelineError
from cv_pipeline.imagery.source import has_crs, open_source
from cv_pipeline.training.labels import MAX_RADIUS_M

SAME_PX = 0.5
"""Two labels of one kind nearer than this are taken for one that was drawn twice."""


class Problem(NamedTuple):
    """One thing to mend."""

    path: Path
    text: str


class Report(NamedTuple):
    """What was found; ``places`` and ``objects`` count by split and by kind."""

    scenes: int
    places: dict[str, int]
    objects: dict[str, int]
    problems: tuple[Problem, ...]


def check_dataset(dataset: Dataset) -> Report:
    """Read every scene and open every image.

    Raises:
        LabelsError: not even the list of scenes can be read.
    """
    scenes: list[DataScene] = []
    problems: list[Problem] = []
    entries = dataset.entries()
    for entry in entries:
        try:
            scenes.append(entry.read())
        except CvPipelineError as error:
            problems.append(Problem(entry.path, str(error)))
    for scene in scenes:
        problems += _scene_problems(scene)
    problems += _set_problems(dataset.folder, scenes)
    if not entries:
        problems.append(
            Problem(dataset.folder, f"holds no scenes at all; the layout of {dataset.format} is {dataset.layout}")
        )
    splits = {split: {s.place for s in scenes if s.split == split} for split in sorted({s.split for s in scenes})}
    kinds = Counter(thing.kind for scene in scenes for thing in scene.objects)
    return Report(len(scenes), {split: len(some) for split, some in splits.items()}, dict(kinds), tuple(problems))


def _scene_problems(scene: DataScene) -> Iterator[Problem]:
    shape = None
    for image in (scene.after, scene.before):
        if image is None:
            continue
        try:
            in_metres = has_crs(image)
            if not in_metres and scene.gsd_m is None:
                yield Problem(image, NO_SCALE)
                continue
            grid = open_source(image, gsd_m=None if in_metres else scene.gsd_m).grid
        except CvPipelineError as error:
            yield Problem(image, str(error))
            continue
        if image is scene.after:
            shape = (grid.height, grid.width)
        elif grid.crs is None and shape is not None and shape != (grid.height, grid.width):
            yield Problem(
                image,
                f"is {grid.width} by {grid.height} px, {scene.after.name} {shape[1]} by {shape[0]}: without a CRS they "
                "must be alike; cut both to the same ground",
            )
    if shape is not None:
        yield from _label_problems(scene, shape)
        for band in (*scene.masks.values(), *([scene.known] if scene.known else ())):
            yield from _mask_problems(band, shape)
    if scene.structures is not None and not scene.structures.is_file():
        yield Problem(
            scene.structures, "the footprints that the data set names are missing; fetch them or name no file"
        )


def _label_problems(scene: DataScene, shape: tuple[int, int]) -> Iterator[Problem]:
    places: dict[str, list[tuple[float, float]]] = {}
    for thing in scene.objects:
        if not (0 <= thing.row_px <= shape[0] and 0 <= thing.col_px <= shape[1]):
            where = f"row {thing.row_px:.1f}, column {thing.col_px:.1f}"
            yield Problem(
                scene.after,
                f"{thing.kind} {thing.object_id} lies at {where}, outside {shape[1]} by {shape[0]} px; are these the "
                "labels of another image, or of this one at another size?",
            )
        if len(thing.outline_px) >= 3 and not shapely.Polygon(thing.outline_px).is_valid:
            yield Problem(scene.after, f"{thing.kind} {thing.object_id}: its outline crosses itself; draw it again")
        if thing.kind == CRATER and thing.radius_m is not None and not 0 < thing.radius_m <= MAX_RADIUS_M:
            yield Problem(
                scene.after, f"crater {thing.object_id} has a radius of {thing.radius_m:g} m; are these metres?"
            )
        places.setdefault(thing.kind, []).append((thing.row_px, thing.col_px))
    for kind, some in places.items():
        near = shapely.STRtree(shapely.points(np.array(some))).query(
            shapely.points(np.array(some)), predicate="dwithin", distance=SAME_PX
        )
        pairs = int((near[0] < near[1]).sum())
        if pairs:
            yield Problem(scene.after, f"{pairs} pairs of {kind} labels lie on each other; was something drawn twice?")


def _mask_problems(band: RasterBand, shape: tuple[int, int]) -> Iterator[Problem]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)  # it lies on its image's grid
            file = rasterio.open(band.path)
        with file:
            if file.count < band.band:
                yield Problem(band.path, f"has {file.count} bands, band {band.band} is needed; fetch it again")
            if file.shape != shape:
                size = f"is {file.width} by {file.height} px, its image {shape[1]} by {shape[0]}"
                yield Problem(band.path, f"{size}; they must be of one ground and size")
    except rasterio.errors.RasterioIOError as error:
        yield Problem(band.path, f"cannot be opened ({error}); fetch it again")


def _set_problems(folder: Path, scenes: Sequence[DataScene]) -> Iterator[Problem]:
    for name, count in Counter(scene.name for scene in scenes).items():
        if count > 1:
            yield Problem(
                folder, f"{count} scenes are called '{name}': detections could not be told apart; rename them"
            )
    by_place: dict[str, set[str]] = {}
    for scene in scenes:
        by_place.setdefault(scene.place, set()).add(scene.split)
    for place, splits in sorted(by_place.items()):
        if place and len(splits) > 1:
            yield Problem(
                folder,
                f"place '{place}' is in several splits ({', '.join(sorted(splits))}): figures would flatter; "
                "put all of its scenes into one",
            )
