"""The whole run: from image files to an assessment, stage after stage."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cv_pipeline.conclusions import doubt_unseen, impact_notes, matched, summarised
from cv_pipeline.config import AssessConfig
from cv_pipeline.frame import LocalFrame, local_frame
from cv_pipeline.types import Assessment, Gate, Impact, Match, Registration, Segmentation

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from cv_pipeline.matching.nearest import StructureIndex
    from cv_pipeline.patterns.extract import Extraction
    from cv_pipeline.segmentation.backend import Backend, Device, Precision, Runtime
    from cv_pipeline.segmentation.zoo import ModelFile
    from cv_pipeline.structures.file import StructureSet
    from cv_pipeline.types import AccuracySummary, AlignedPair, FootprintOffset, ScenePair

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total) as a run goes on."""


def _silent(_stage: str, _done: int, _total: int) -> None:
    """The default progress: none."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A pair that was opened, checked and aligned: all that segmentation and what follows need.

    It holds no pixels and can be pickled, so that parts of a large scene can go to other processes. ``config`` has
    its precision settled.
    """

    config: AssessConfig
    model_dir: Path
    model: ModelFile
    aligned: AlignedPair
    structures: str | Path | None
    given: StructureSet

    @property
    def uses_before(self) -> bool:
        """Whether there is a before image and its registration can be trusted."""
        registration = self.aligned.registration
        return registration is not None and registration.gate is not Gate.FAIL


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """Holds segmentations of results that Python users keep; removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="cv_pipeline-")


def detect(after: str | Path, config: AssessConfig | None = None, *, progress: Progress = _silent) -> Assessment:
    """Find craters in one image, without a before image or structures.

    Every impact's status is ``unknown``. Arguments and errors are those of :func:`assess`.
    """
    return assess(None, after, None, config, progress=progress)


def assess(
    before: str | Path | None,
    after: str | Path,
    structures: str | Path | None = None,
    config: AssessConfig | None = None,
    *,
    progress: Progress = _silent,
) -> Assessment:
    """Find impacts, match each to its nearest structure and state how far they lie from it.

    Args:
        before: The earlier image, or None.
        after: The later image; results are in its pixels.
        structures: Any vector file of footprints (``FILE`` or ``FILE:layer``), ``overture`` or ``osm`` with the
            extra ``online``, or None for no distances.
        config: Settings; the defaults where None. With ``out_dir`` set, all files are written there.
        progress: Told (stage, done, total).

    Returns:
        Everything that was found. Where the registration's gate is ``fail`` the before image was not
        used and the result says so; check ``registration.gate``.

    Raises:
        CvPipelineError: an input cannot be used; the message says which, why and what to do.
    """
    prepared = prepare(before, after, structures, config, progress=progress)
    folder = Path(tempfile.mkdtemp(dir=_scratch().name))
    segmentation = segment_prepared(prepared, folder / "segmentation.tif", progress=progress)
    return conclude(prepared, segmentation, progress=progress)


def prepare(
    before: str | Path | None,
    after: str | Path,
    structures: str | Path | None = None,
    config: AssessConfig | None = None,
    *,
    progress: Progress = _silent,
) -> Prepared:
    """The first part of :func:`assess`: everything before the network; same arguments and errors."""
    from cv_pipeline.imagery.pair import open_pair
    from cv_pipeline.output_dir import check_output_dir
    from cv_pipeline.registration.register import register
    from cv_pipeline.report.geoparquet import check_geoparquet
    from cv_pipeline.segmentation.onnx_backend import choose_precision
    from cv_pipeline.segmentation.predict import check_gsd
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    config = config or AssessConfig()
    if config.out_dir is not None:
        check_output_dir(config.out_dir, config.overwrite)
        if config.geoparquet:
            check_geoparquet()
    progress("opening", 0, 1)
    model_dir = find_model(config.model)
    model = read_model_file(model_dir)
    precision = choose_precision(model_dir, config.backend, config.precision, config.device)
    config = config.model_copy(update={"precision": precision})
    pair = open_pair(before, after, config)
    for source in (pair.after, pair.before):
        if source is not None:
            check_gsd(source, model.info())
    given = _read_structures(structures, local_frame(pair.after.grid), model.name)
    progress("opening", 1, 1)
    progress("aligning", 0, 1)
    aligned = register(pair, model.working_gsd_m)
    progress("aligning", 1, 1)
    return Prepared(config, model_dir, model, aligned, structures, given)


def extraction(prepared: Prepared, segmentation: Segmentation) -> Extraction:
    """How :func:`conclude` extracts impacts; a large scene's are extracted in shares by several processes."""
    from cv_pipeline.patterns.extract import Extraction
    from cv_pipeline.patterns.ground import GroundMap
    from cv_pipeline.patterns.weights_file import read_pattern_weights

    model, grid = prepared.model, prepared.aligned.pair.after.grid
    threshold = model.score_threshold if prepared.config.score_threshold is None else prepared.config.score_threshold
    weights, _ = read_pattern_weights(prepared.model_dir, model.weights_sha256)
    ground = GroundMap(segmentation.grid, grid, local_frame(grid))
    return Extraction(segmentation, ground, threshold, prepared.aligned, weights)


def conclude(
    prepared: Prepared,
    segmentation: Segmentation,
    impacts: tuple[Impact, ...] | None = None,
    *,
    progress: Progress = _silent,
) -> Assessment:
    """The last part of :func:`assess`: from the maps to the result and, with ``out_dir`` set, its files.

    ``impacts`` are those of :func:`extraction` where that was done elsewhere.
    """
    from cv_pipeline.imagery.masked import pair_notes
    from cv_pipeline.memory import give_back
    from cv_pipeline.patterns.weights_file import read_pattern_weights
    from cv_pipeline.segmentation.sanity import input_notices, largest_score, nothing_found_note
    from cv_pipeline.structures.placement import offset_notes

    config, model, aligned, given = prepared.config, prepared.model, prepared.aligned, prepared.given
    pair = aligned.pair
    frame = local_frame(pair.after.grid)
    progress("measuring", 0, 2)
    work = extraction(prepared, segmentation)
    _, weights_notes = read_pattern_weights(prepared.model_dir, model.weights_sha256)
    impacts = doubt_unseen(work.whole() if impacts is None else impacts, aligned, segmentation)
    progress("measuring", 1, 2)
    index, offset = _place(given, pair, frame, config)
    matches, accuracy = _measure(impacts, index, frame, segmentation, aligned.registration, config, offset)
    progress("measuring", 2, 2)
    notes = (
        *pair_notes(pair),
        *input_notices(pair, prepared.model_dir, model.name),
        *weights_notes,
        *given.notes,
        *offset_notes(offset, pair.after.grid.gsd_m, fix=config.footprint_offset == "fix"),
        *impact_notes(aligned.registration, segmentation, impacts, bool(index.structures)),
        *([] if impacts else [nothing_found_note(work.score_threshold, largest_score(segmentation))]),
    )
    result = Assessment(
        pair, aligned.registration, segmentation, impacts, index.structures, matches, accuracy, notes, config.out_dir,
        index.landmarks, offset,
    )  # fmt: skip
    if config.out_dir is not None:
        give_back()
        _write(result, config, prepared.structures, given, progress)
    return result


def _read_structures(source: str | Path | None, frame: LocalFrame, model: str) -> StructureSet:
    from cv_pipeline.structures import StructureSet
    from cv_pipeline.structures.source import load_structures

    if source is None:
        return StructureSet((), ())
    left, bottom, right, top = footprint_m(frame).bounds
    return load_structures(source, frame, (left, bottom, right, top), model=model)


def _place(
    given: StructureSet, pair: ScenePair, frame: LocalFrame, config: AssessConfig
) -> tuple[StructureIndex, FootprintOffset | None]:
    """The structures as they are measured to, and how they lie on the after image; None without structures."""
    from cv_pipeline.matching import index_structures
    from cv_pipeline.structures.placement import place

    if not given.structures:
        return index_structures(()), None
    placed, offset = place(given.structures, pair.after, frame, fix=config.footprint_offset == "fix")
    return index_structures(placed), offset


def footprint_m(frame: LocalFrame) -> BaseGeometry:
    """The after image's outline in local metres."""
    from shapely import Polygon

    height, width = frame.grid.height, frame.grid.width
    steps = np.linspace(0, 1, 9)[:-1]
    rows = np.concatenate([0 * steps, steps, 0 * steps + 1, 1 - steps]) * height
    cols = np.concatenate([steps, 0 * steps + 1, 1 - steps, 0 * steps]) * width
    return Polygon(frame.pixel_to_metres(rows, cols))


def segment_prepared(
    prepared: Prepared, path: Path, rows: range | None = None, *, progress: Progress = _silent
) -> Segmentation:
    """The middle part of :func:`assess`: the network's maps, written to ``path``.

    ``rows`` are those of the tiles (:func:`cv_pipeline.segmentation.predict.tile_rows`) to answer for; None: all.
    """
    from cv_pipeline.memory import give_back, share_heap
    from cv_pipeline.segmentation.backend import pin_threads
    from cv_pipeline.segmentation.predict import segment
    from cv_pipeline.segmentation.symmetry import Symmetric

    config = prepared.config
    pin_threads(config.threads)
    share_heap()
    give_back()
    model = prepared.model.model_dump_json()
    backend = _backend(prepared.model_dir, model, config.backend, config.precision, config.device)
    found = segment(
        prepared.aligned,
        Symmetric(backend) if config.tta else backend,
        prepared.model.info(),
        path,
        tile_px=config.tile_px,
        overlap_px=config.overlap_px,
        use_before=prepared.uses_before,
        screen=config.screen,
        rows=rows,
        progress=lambda done, total: progress("segmenting", done, total),
    )
    give_back()
    return found


@lru_cache(maxsize=1)
def _backend(model_dir: Path, model: str, runtime: Runtime | None, precision: Precision, device: Device) -> Backend:
    """The network, kept for the next pair of the same model; ``model`` is the text of its description."""
    from cv_pipeline.segmentation.onnx_backend import load_backend
    from cv_pipeline.segmentation.zoo import ModelFile

    return load_backend(model_dir, ModelFile.model_validate_json(model), runtime, precision, device)


def _measure(
    impacts: Sequence[Impact],
    index: StructureIndex,
    frame: LocalFrame,
    segmentation: Segmentation,
    registration: Registration | None,
    config: AssessConfig,
    offset: FootprintOffset | None,
) -> tuple[tuple[Match, ...], tuple[AccuracySummary, ...]]:
    """Matches of all impacts, and statistics of those that are not known to be old."""
    matches = matched(impacts, index, frame, registration, config, offset)
    return matches, summarised(impacts, matches, index.structures, frame, segmentation, config)


def _write(
    result: Assessment, config: AssessConfig, source: str | Path | None, given: StructureSet, progress: Progress
) -> None:
    from cv_pipeline.report import file_record, write_report
    from cv_pipeline.segmentation.onnx_backend import choose_runtime
    from cv_pipeline.segmentation.zoo import find_model
    from cv_pipeline.structures.vector import split_layer

    assert config.out_dir is not None
    progress("writing", 0, 1)
    extras: dict[str, Any] = {"backend": choose_runtime(find_model(config.model), config.backend)}
    if source is not None:
        path, layer = split_layer(Path(source))
        extras["structures"] = dict(given.source) or file_record(path) | ({"layer": layer} if layer else {})
    write_report(result, config, config.out_dir, extras=extras)
    progress("writing", 1, 1)
