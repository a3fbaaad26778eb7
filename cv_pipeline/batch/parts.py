"""A large scene as tasks, in steps that are each shared out: its maps by rows of tiles, its impacts by windows.

What a part does is what the undivided run does there (:func:`cv_pipeline.segmentation.predict.segment` by rows of
tiles, :class:`cv_pipeline.patterns.extract.Extraction` by shares), so all files of the result are the same, byte for
byte. Parts meet in a folder that all workers can reach. Opening and aligning come before, and structures, statistics
and writing after, as one task each: :data:`STEPS`.
"""

from __future__ import annotations

import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from cv_pipeline.batch.executor import Job
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.record import RESULT_FOLDER, PairRecord, pair_folder, read_record
from cv_pipeline.batch.task import (
    WORK_FOLDER,
    Clock,
    PairTask,
    Split,
    deliver,
    job_limit,
    one_at_a_time,
    summary_of,
    working_folder,
)

if TYPE_CHECKING:
    from cv_pipeline.patterns.candidates import Candidates
    from cv_pipeline.patterns.extract import Extraction
    from cv_pipeline.patterns.share import Share
    from cv_pipeline.pipeline import Prepared
    from cv_pipeline.types import Segmentation

_PREPARED = "prepared.pickle"
"""Written and read by one run of this program only, as all pickles here."""


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


def jobs_of(task: PairTask, split: Split, step: int) -> list[Job]:
    """The jobs of a step of a split scene; after the last of :data:`STEPS` the one that finishes it."""
    if step == len(STEPS):
        return [Job(split.pair_id, finish_pair, (task, split))]
    count = len(split.parts) if STEPS[step].shared else 1
    return [Job(split.pair_id, run_part, (task, split, step, number)) for number in range(count)]


def run_part(task: PairTask, split: Split, step: int, number: int) -> PairRecord | None:
    """Do one part of a step of a split scene; None, or the record of what went wrong."""
    clock = Clock(task.entry.pair_id)
    try:
        with one_at_a_time(), job_limit(task):
            STEPS[step].work(_Shared(split), number)
    except Exception as error:  # as in run_pair: one scene's trouble is its own
        return clock.failed("", error, task.out_dir)
    return None


def finish_pair(task: PairTask, split: Split) -> PairRecord:
    """Put the parts of a scene together, measure what is left and write its outputs."""
    from cv_pipeline.pipeline import conclude

    clock, key = Clock(task.entry.pair_id), split.key
    kept = read_record(pair_folder(task.out_dir, task.entry.pair_id))
    if kept is not None and kept.key == key:
        return kept
    try:
        with one_at_a_time(), job_limit(task), working_folder(task.out_dir, task.entry.pair_id) as work:
            try:
                scene = _Shared(split)
                config = scene.prepared.config.model_copy(update={"out_dir": work / RESULT_FOLDER, "overwrite": False})
                impacts = scene.extraction.impacts(scene.craters(), chain.from_iterable(scene.kept("measure")))
                found = summary_of(conclude(replace(scene.prepared, config=config), scene.whole, impacts), config)
                return deliver(task, key, clock, work, found)
            except Exception as error:
                return clock.failed(key, error, work)
    except OSError as error:
        return clock.failed(key, error)


class _Shared:
    """What the parts of a scene leave for each other in its folder, as one worker sees it."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.prepared: Prepared = pickle.loads((split.folder / _PREPARED).read_bytes())

    def share(self, number: int) -> Share:
        """A part's share of what is not cut by rows of tiles."""
        from cv_pipeline.patterns.share import Share

        return Share(number, len(self.split.parts))

    def keep(self, name: str, number: int, value: Any) -> None:
        """Leave the outcome of a part; it appears whole, and a second time does no harm."""
        path = self._path(name, number)
        aside = path.with_suffix(f".{uuid4().hex}")
        aside.write_bytes(pickle.dumps(value))
        aside.rename(path)

    def kept(self, name: str) -> Iterator[Any]:
        """The outcomes of all parts of a step, in their order."""
        for number in range(len(self.split.parts)):
            yield self.only(name, number)

    def only(self, name: str, number: int = 0) -> Any:
        """The outcome of one part."""
        return pickle.loads(self._path(name, number).read_bytes())

    @cached_property
    def whole(self) -> Segmentation:
        """The maps of all parts as one."""
        from cv_pipeline.segmentation.stacked import stacked

        return stacked(list(self.kept("maps")), self.prepared.aligned.working_grid, self.split.folder / "maps.vrt")

    @cached_property
    def extraction(self) -> Extraction:
        """How impacts are extracted from the whole."""
        from cv_pipeline.pipeline import extraction

        return extraction(self.prepared, self.whole)

    def craters(self) -> Candidates:
        """The scene's craters, once all parts have looked."""
        return self.extraction.craters(self.closer(), chain.from_iterable(self.kept("look")))

    def closer(self) -> Candidates:
        """The scene's candidates, once all parts have looked closer."""
        return self.extraction.closer(self.only("candidates"), chain.from_iterable(self.kept("closer")))

    def _path(self, name: str, number: int) -> Path:
        return self.split.folder / f"{name}-{number:04d}.pickle"


def _segment(scene: _Shared, number: int) -> None:
    from cv_pipeline.pipeline import segment_prepared

    # Of its own name: a lost task may still be at work on the same part.
    path = scene.split.folder / f"maps-{number:04d}.{uuid4().hex}.tif"
    scene.keep("maps", number, segment_prepared(scene.prepared, path, scene.split.parts[number]))


def _peaks(scene: _Shared, number: int) -> None:
    scene.keep("peaks", number, scene.extraction.peaks(scene.share(number)))


def _candidates(scene: _Shared, _number: int) -> None:
    scene.keep("candidates", 0, scene.extraction.candidates(list(scene.kept("peaks"))))


def _closer(scene: _Shared, number: int) -> None:
    scene.keep("closer", number, scene.extraction.close_looks(scene.only("candidates"), scene.share(number)))


def _look(scene: _Shared, number: int) -> None:
    scene.keep("look", number, scene.extraction.looks(scene.closer(), scene.share(number)))


def _measure(scene: _Shared, number: int) -> None:
    scene.keep("measure", number, scene.extraction.measures(scene.craters(), scene.share(number)))


class Step(NamedTuple):
    """A step of a split scene, which needs all of the step before; ``shared``: done in as many parts as there are."""

    work: Callable[[_Shared, int], None]
    shared: bool = True


STEPS = (
    Step(_segment), Step(_peaks), Step(_candidates, shared=False), Step(_closer), Step(_look), Step(_measure)
)  # fmt: skip


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
