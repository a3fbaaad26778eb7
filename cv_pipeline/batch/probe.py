"""A short measured probe: what assessing a pair costs on this machine, from three cut-outs of one of its pairs."""

from __future__ import annotations

import math
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cv_pipeline.batch.cost import STAGES, Cost, Sample, fit_cost
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.record import PairStatus
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import read_records
from cv_pipeline.batch.task import Found, summary_of
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import BatchError, CvPipelineError, ManifestError
from cv_pipeline.imagery.georeference import locate
from cv_pipeline.imagery.location import gdal_name
from cv_pipeline.imagery.source import open_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rasterio.io import DatasetReader

SIDES_PX = (512, 1024, 2048)
"""Cut-outs, in pixels of the after image. The first only warms up: it pays for loading libraries and the model."""
_MARGIN = 0.05
"""How much more of the before image is cut out, as a share of each side: it may be shifted."""


class Size(NamedTuple):
    """A pair's after image at the model's GSD."""

    megapixels: float
    width_px: int
    area_km2: float


def size_of(entry: PairEntry, config: AssessConfig) -> Size:
    """A pair's size, from the head of its after image.

    Raises:
        ImageError: it cannot be opened, or its GSD is unknown.
    """
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    working_m = read_model_file(find_model(config.model)).working_gsd_m
    settings = entry.config(config)
    with open_dataset(entry.after) as dataset:
        grid, _ = locate(dataset, Path(entry.after), settings.gsd_m)
    scale = grid.gsd_m / working_m
    square_m = grid.height * grid.width * grid.gsd_m**2
    return Size(square_m / working_m**2 / 1e6, round(grid.width * scale), square_m / 1e6)


def sizes_of(entries: Sequence[PairEntry], config: AssessConfig) -> list[Size]:
    """Sizes of all pairs; ManifestError names every pair whose size cannot be told."""
    sizes, problems = [], []
    for entry in entries:
        try:
            sizes.append(size_of(entry, config))
        except CvPipelineError as error:
            problems.append(f"  {entry.pair_id}: {error}")
    if problems:
        raise ManifestError("\n".join([f"{len(problems)} pair(s) cannot be planned:", *problems]))
    return sizes


def probe(entry: PairEntry, config: AssessConfig, threads: int) -> Cost:
    """Assess cut-outs of a pair's middle in one worker and measure.

    Structures are left out, since a cut-out may hold none.

    Raises:
        BatchError: the cut-outs cannot be assessed.
    """
    with tempfile.TemporaryDirectory(prefix="cv_pipeline-probe-") as name:
        folder = Path(name)
        with open_dataset(entry.after) as dataset:
            least = min(dataset.height, dataset.width)
        sides = [side * min(1.0, least / SIDES_PX[-1]) for side in SIDES_PX]
        cuts = [_cut_out(entry, round(side), folder / f"{number}") for number, side in enumerate(sides)]
        _, small, large = measure_pairs(cuts, config, threads, folder / "out")
    return fit_cost(small, large)


def measure_pairs(entries: Sequence[PairEntry], config: AssessConfig, threads: int, out_dir: Path) -> list[Sample]:
    """Assess pairs one after the other in one worker and measure each; the first pays for loading libraries and model.

    Raises:
        BatchError: one cannot be assessed.
    """
    from cv_pipeline.batch.pool import ProcessWorkers

    config = config.model_copy(update={"threads": threads})
    run_batch(entries, BatchSettings(out_dir, config, assess=measured), ProcessWorkers(1, threads))
    samples = []
    for entry, record in zip(entries, read_records(out_dir), strict=True):
        if record.status is PairStatus.FAILED:
            raise BatchError(f"{entry.after}: the probe failed: {record.error}")
        wall_s, prepare_s, network_s, measure_s, finish_s, scratch_bytes = map(float, record.warnings)
        samples.append(
            Sample(
                size_of(entry, config).megapixels, record.impacts, wall_s, prepare_s, network_s, measure_s, finish_s,
                record.output_bytes, scratch_bytes, record.peak_memory_bytes,
            )
        )  # fmt: skip
    return samples


def measured(entry: PairEntry, config: AssessConfig, scratch: Path) -> Found:
    """The pipeline with, as text in place of warnings, its time by the wall, that of each stage, and its maps' size."""
    from cv_pipeline.pipeline import conclude, extraction, prepare, segment_prepared

    # With one thread, processor time tells what the work takes on a core of its own, whatever else runs here.
    clock = time.process_time if config.threads == 1 else time.monotonic
    stage_s = dict.fromkeys(STAGES, 0.0)
    wall_s = time.monotonic()

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        start_s = clock()
        yield
        stage_s[stage] += clock() - start_s

    with timed("prepare"):
        prepared = prepare(entry.before, entry.after, entry.structures, config)
    with timed("network"):
        maps = segment_prepared(prepared, scratch / "segmentation.tif")
    # The steps of a split scene (cv_pipeline.batch.parts), each where it belongs.
    work = extraction(prepared, maps)
    with timed("measure"):
        peaks = work.peaks()
    with timed("finish"):
        candidates = work.candidates([peaks])
    with timed("measure"):
        candidates = work.closer(candidates, work.close_looks(candidates))
        looks = work.looks(candidates)
        craters = work.craters(candidates, looks)
        measures = work.measures(craters)
    with timed("finish"):
        found = summary_of(conclude(prepared, maps, work.impacts(craters, measures)), config)
    figures = (time.monotonic() - wall_s, *stage_s.values(), maps.path.stat().st_size)
    return found._replace(warnings=tuple(map(str, figures)))


def _cut_out(entry: PairEntry, side_px: int, folder: Path) -> PairEntry:
    """The middle of a pair, as files of their own."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window, bounds, from_bounds

    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with open_dataset(entry.after) as after:
            height, width = min(side_px, after.height), min(side_px, after.width)
            window = Window((after.width - width) // 2, (after.height - height) // 2, width, height)
            _copy(after, window, folder / "after.tif")
            crs, extent = after.crs, bounds(window, after.transform)
            scale = 1 / after.width, 1 / after.height
        if entry.before is None:
            return replace(entry, pair_id=folder.name, after=str(folder / "after.tif"), structures=None)
        with rasterio.open(gdal_name(entry.before)) as before:
            if crs is None:
                x, y = before.width * scale[0], before.height * scale[1]
                part = Window(window.col_off * x, window.row_off * y, width * x, height * y)
            else:
                part = from_bounds(*transform_bounds(crs, before.crs, *extent), transform=before.transform)
            grown = Window(
                math.floor(part.col_off - _MARGIN * part.width),
                math.floor(part.row_off - _MARGIN * part.height),
                math.ceil(part.width * (1 + 2 * _MARGIN)),
                math.ceil(part.height * (1 + 2 * _MARGIN)),
            )
            whole = Window(0, 0, before.width, before.height)
            wanted = (part if crs is None else grown).intersection(whole)
            _copy(before, wanted.round_offsets().round_lengths(), folder / "before.tif")
    return replace(
        entry, pair_id=folder.name, before=str(folder / "before.tif"), after=str(folder / "after.tif"), structures=None
    )


def _copy(source: DatasetReader, window: object, path: Path) -> None:
    import rasterio

    profile = {
        "driver": "GTiff", "count": source.count, "dtype": source.dtypes[0], "nodata": source.nodata,
        "height": int(window.height), "width": int(window.width),  # type: ignore[attr-defined]
    }  # fmt: skip
    if source.crs is not None:
        profile |= {"crs": source.crs, "transform": source.window_transform(window)}
    with rasterio.open(path, "w", **profile) as file:
        file.write(source.read(window=window))
        file.colorinterp = source.colorinterp
