"""A scene in parts gives, byte for byte, what it gives undivided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from cv_pipeline import pipeline
from cv_pipeline.batch import parts as parts_of_scenes
from cv_pipeline.batch.executor import Answer, Job
from cv_pipeline.batch.manifest import PairEntry
from cv_pipeline.batch.parts import finish_pair
from cv_pipeline.batch.record import PairRecord, PairStatus, pair_folder, write_record
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import Counts, read_records
from cv_pipeline.batch.task import PairTask, Split, assess_files, run_pair
from cv_pipeline.config import AssessConfig
from cv_pipeline.segmentation import zoo
from cv_pipeline.segmentation.stacked import stacked
from tests.batch.standins import Inline
from tests.conftest import texture
from tests.segmentation.factories import PlantedNet, make_model


@pytest.fixture
def pair(make_tiff: Callable[..., Path]) -> PairEntry:
    """A pair of 700 x 600 px with eight craters, of which the model finds what it finds."""
    image = np.repeat(texture(700, 600)[..., :1], 3, axis=2) * 0.5 + 40  # grey, so that craters alone are red
    before = make_tiff(image, name="before.tif")
    rows, cols = np.indices(image.shape[:2])
    for row, col in ((254, 300), (480, 90), (512, 500), (60, 60), (90, 530), (300, 100), (650, 330), (256, 512)):
        image[np.hypot(rows - row, cols - col) < 9] = (250, 20, 20)
    return PairEntry("scene", str(before), str(make_tiff(image, name="after.tif")), None)


class LosesEachOnce(Inline):
    """As if every worker died just after its work, before it could tell; a second time it tells."""

    def submit(self, job: Job) -> None:
        super().submit(job)
        if job.attempt == 1:
            self._answers[-1] = Answer(job, lost="killed")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.slow
def test_parts_give_the_same_bytes(pair: PairEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    make_model(tmp_path / "model")
    monkeypatch.setattr(zoo, "load_network", lambda folder, model: PlantedNet(4.5, 9.0).eval())
    config = AssessConfig(model=str(tmp_path / "model"), precision="fp32", threads=1, tile_px=256)
    # Windows so small that every part has some with craters.
    whole_extraction = pipeline.extraction
    monkeypatch.setattr(pipeline, "extraction", lambda *args: replace(whole_extraction(*args), core_px=256))
    shared: dict[str, list[int]] = {}

    class Watched(parts_of_scenes._Shared):
        def keep(self, name: str, number: int, value: Any) -> None:
            super().keep(name, number, value)
            shared.setdefault(name, []).append(len(value) if hasattr(value, "__len__") else 1)

    monkeypatch.setattr(parts_of_scenes, "_Shared", Watched)
    results = []
    variants = (("whole", None, Inline()), ("parts", 200_000, Inline()), ("lost", 200_000, LosesEachOnce()))
    for name, split_px, executor in variants:
        shared.clear()
        settings = BatchSettings(tmp_path / name, config, split_px=split_px, assess=assess_files)
        assert run_batch([pair], settings, executor).counts == Counts(0, 1, 0, 0)
        results.append(bytes_of(tmp_path / name / "pairs" / "scene" / "result"))
        assert not (tmp_path / name / ".work").exists()
        if name == "parts":
            assert {name: len(found) for name, found in shared.items()} == {
                "maps": 3, "peaks": 3, "candidates": 1, "look": 3, "measure": 3
            }  # fmt: skip
            for step in ("peaks", "look", "measure"):
                assert sum(count > 0 for count in shared[step]) > 1, (step, shared)  # it was shared out indeed
    assert {len(found) for found in shared.values()} == {2, 6}  # of what was lost all was done again
    (record,) = read_records(tmp_path / "parts")
    assert record.impacts > 5
    for other in results[1:]:
        assert [name for name in results[0] if results[0][name] != other[name]] == []


def test_rows_of_tiles_apart_are_those_of_the_whole_and_the_model_is_loaded_once(
    pair: PairEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cv_pipeline.pipeline import prepare, segment_prepared
    from cv_pipeline.segmentation.predict import tile_rows

    make_model(tmp_path / "model")
    load, loaded = zoo.load_network, list[Path]()
    monkeypatch.setattr(zoo, "load_network", lambda folder, model: (loaded.append(folder), load(folder, model))[1])
    config = AssessConfig(model=str(tmp_path / "model"), precision="fp32", threads=1, tile_px=256)
    prepared = prepare(pair.before, pair.after, None, config)
    whole = segment_prepared(prepared, tmp_path / "whole.tif")
    count = len(tile_rows(prepared.aligned.working_grid, 256))
    assert count == 3
    parts = [
        segment_prepared(prepared, tmp_path / f"{rows.start}.tif", rows)
        for rows in (range(1), range(1, 2), range(2, 3))
    ]
    assert loaded == [tmp_path / "model"]
    joined = stacked(parts, prepared.aligned.working_grid, tmp_path / "joined.vrt")
    assert joined == replace(whole, path=joined.path)
    with rasterio.open(whole.path) as one, rasterio.open(joined.path) as other:
        np.testing.assert_array_equal(one.read(), other.read())
        for name in ("transform", "crs", "nodata"):
            assert one.profile[name] == other.profile[name]
        assert (one.scales, one.offsets, one.descriptions) == (other.scales, other.offsets, other.descriptions)


def test_a_scene_is_split_by_its_size_and_a_failed_part_fails_it_once(pair: PairEntry, tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    config = AssessConfig(model=str(tmp_path / "model"), precision="fp32", threads=1, tile_px=256)
    task = PairTask(pair, config, tmp_path / "out", assess_files, split_px=200_000)
    split = run_pair(task)
    assert isinstance(split, Split)
    assert list(split.parts) == [range(0, 1), range(1, 2), range(2, 3)]
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"damaged after the scene was aligned")
    settings = BatchSettings(tmp_path / "other", config, split_px=200_000)
    result = run_batch([pair], settings, Inline())
    assert result.counts == Counts(0, 0, 0, 1)
    (record,) = read_records(tmp_path / "other")
    assert "does not match the hash" in record.error


def test_a_scene_that_is_in_place_is_not_finished_twice(tmp_path: Path) -> None:
    """As when a scheduler was lost just after the last task had ended."""
    task = PairTask(PairEntry("scene", None, "gone.tif", None), AssessConfig(), tmp_path, assess_files)
    folder = pair_folder(tmp_path, "scene")
    folder.mkdir(parents=True)
    record = PairRecord("scene", PairStatus.DONE, "key", impacts=7, warnings=("one",))
    write_record(record, folder)
    assert finish_pair(task, Split("scene", "key", tmp_path / "gone", (range(1),))) == record
    assert finish_pair(task, Split("scene", "other", tmp_path / "gone", (range(1),))).status is PairStatus.FAILED
