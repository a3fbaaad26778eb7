"""A large scene as tasks: it is aligned once, its rows of tiles are segmented apart, then put together and measured.

The maps are those of the undivided scene, digit for digit (:func:`cv_pipeline.segmentation.predict.segment`), so
everything that follows is the same too. Parts meet in a folder that all workers can reach.
"""

from __future__ import annotations

import pickle
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.record import RESULT_FOLDER, PairRecord, pair_folder, read_record
from cv_pipeline.batch.task import (
    WORK_FOLDER,
    Clock,
    Found,
    PairTask,
    Split,
    deliver,
    job_limit,
    one_at_a_time,
    summary_of,
    working_folder,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cv_pipeline.pipeline import Prepared
    from cv_pipeline.types import Segmentation

_PREPARED = "prepared.pickle"
"""Written and read by one run of this program only."""
COPY_ROWS = 1024
"""Rows of the maps that are held at once while parts are put together."""


def split_scene(task: PairTask, key: str, split_px: int) -> Split | None:
    """Align a scene and say how it is shared out; None where its after image has no more than ``split_px`` pixels.

    A part is as many whole rows of tiles as hold no more than ``split_px`` pixels of the working grid, at least one.
    """
    from cv_pipeline.pipeline import prepare
    from cv_pipeline.segmentation.predict import tile_rows

    entry = task.entry
    if _pixels(entry) <= split_px:
        return None
    prepared = prepare(entry.before, entry.after, entry.structures, task.settings)
    grid = prepared.aligned.working_grid
    starts = tile_rows(grid, prepared.config.tile_px)
    step = max(split_px // (grid.width * -(-grid.height // len(starts))), 1)
    parts = tuple(range(first, min(first + step, len(starts))) for first in range(0, len(starts), step))
    folder = Path(tempfile.mkdtemp(prefix=f"{entry.pair_id}.parts.", dir=task.out_dir / WORK_FOLDER))
    (folder / _PREPARED).write_bytes(pickle.dumps(prepared))
    return Split(entry.pair_id, key, folder, parts)


def run_part(task: PairTask, split: Split, number: int) -> PairRecord | None:
    """Segment one part of a split scene; None, or the record of what went wrong."""
    from cv_pipeline.pipeline import segment_prepared

    clock = Clock(task.entry.pair_id)
    try:
        with one_at_a_time(), job_limit(task):
            prepared = _read(split)
            path = _part(split, number)
            aside = path.with_suffix(f".{uuid4().hex}.tif")  # a lost task may still be at work on the same part
            found = segment_prepared(prepared, aside, split.parts[number])
            path.with_suffix(".pickle").write_bytes(pickle.dumps(replace(found, path=path)))
            aside.rename(path)
    except Exception as error:  # as in run_pair: one scene's trouble is its own
        return clock.failed("", error, task.out_dir)
    return None


def finish_pair(task: PairTask, split: Split) -> PairRecord:
    """Put the parts of a scene together, measure it and write its outputs."""
    clock, key = Clock(task.entry.pair_id), split.key
    kept = read_record(pair_folder(task.out_dir, task.entry.pair_id))
    if kept is not None and kept.key == key:
        return kept
    try:
        with one_at_a_time(), job_limit(task), working_folder(task.out_dir, task.entry.pair_id) as work:
            try:
                prepared = _read(split)
                files = (_part(split, number).with_suffix(".pickle") for number in range(len(split.parts)))
                parts = [pickle.loads(file.read_bytes()) for file in files]
                whole = join_parts(parts, prepared, work / "segmentation.tif")
                return deliver(task, key, clock, work, _conclude(prepared, whole, work))
            except Exception as error:
                return clock.failed(key, error, work)
    except OSError as error:
        return clock.failed(key, error)


def _conclude(prepared: Prepared, segmentation: Segmentation, work: Path) -> Found:
    from cv_pipeline.pipeline import conclude

    config = prepared.config.model_copy(update={"out_dir": work / RESULT_FOLDER, "overwrite": False})
    return summary_of(conclude(replace(prepared, config=config), segmentation), config)


def join_parts(parts: Sequence[Segmentation], prepared: Prepared, path: Path) -> Segmentation:
    """One raster of parts that follow each other from the top; their digital numbers are copied as they are."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.windows import Window

    from cv_pipeline.segmentation.raster import SegmentationWriter

    grid = prepared.aligned.working_grid
    top = valid_px = 0
    with SegmentationWriter.create(path, grid) as writer, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        for part in parts:
            with rasterio.open(part.path) as source:
                for row in range(0, part.grid.height, COPY_ROWS):
                    height = min(COPY_ROWS, part.grid.height - row)
                    writer.copy(top + row, source.read(window=Window(0, row, grid.width, height)))
            top += part.grid.height
            valid_px += round(part.valid_share * part.grid.height * part.grid.width)
    return replace(parts[0], path=path, grid=grid, valid_share=valid_px / (grid.height * grid.width))


def _read(split: Split) -> Prepared:
    prepared: Prepared = pickle.loads((split.folder / _PREPARED).read_bytes())
    return prepared


def _part(split: Split, number: int) -> Path:
    return split.folder / f"part-{number:04d}.tif"


def _pixels(entry: PairEntry) -> int:
    """Pixels of the after image; 0 where it cannot be opened, which is told when the pair is run."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    from cv_pipeline.imagery.location import gdal_name

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(gdal_name(entry.after)) as dataset:
                return int(dataset.width * dataset.height)
    except RasterioError:
        return 0
