"""The driver over processes of this machine: outcomes, resume, changes, and workers that die."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cv_pipeline.batch.pool import ProcessWorkers
from cv_pipeline.batch.record import PairStatus, read_record, result_folder
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import Counts, RunState, exit_code, read_counts, read_last_run, read_records
from cv_pipeline.batch.task import WORK_FOLDER
from cv_pipeline.errors import BatchError, ConfigError, OutputError
from tests.batch.standins import Inline, entries, entry, write_pair

Make = Callable[..., BatchSettings]


def whole(out: Path) -> set[str]:
    """Pairs whose outputs are there; fails where one is there in part."""
    folders = list((out / "pairs").iterdir())
    for folder in folders:
        assert read_record(folder) is not None
        assert json.loads((folder / "result" / "summary.json").read_text())["name"] == folder.name
    assert not (out / WORK_FOLDER).exists()
    return {folder.name for folder in folders}


def starts(log: Path) -> Counter[str]:
    return Counter(log.read_text().split()) if log.exists() else Counter()


def test_one_bad_pair_fails_alone_and_a_second_run_does_only_what_is_asked(tmp_path: Path, settings: Make) -> None:
    log = tmp_path / "log"
    pairs = entries(tmp_path / "in", 4, log=str(log), warn=True)
    bad = write_pair(tmp_path / "in", "bad", log=str(log), error="damaged strip 3")
    defect = write_pair(tmp_path / "in", "defect", log=str(log), defect=True)
    doubtful = write_pair(tmp_path / "in", "doubtful", log=str(log), trusted=False)
    pairs[2:2] = [entry(bad), entry(defect), entry(doubtful)]
    result = run_batch(pairs, settings(), Inline())
    assert result.counts == Counts(pending=0, done=4, untrusted=1, failed=2)
    assert exit_code(result.counts) == 4
    records = {record.pair_id: record for record in read_records(tmp_path / "out")}
    assert list(records) == [pair.pair_id for pair in pairs]
    assert "damaged strip 3" in records["bad"].error
    assert "ZeroDivisionError: planted (standins.py" in records["defect"].error
    assert records["p00000"].warnings == ("planted",) and records["p00000"].output_bytes > 10
    assert whole(tmp_path / "out") == {"p00000", "p00001", "p00002", "p00003", "doubtful"}
    assert read_last_run(tmp_path / "out")["ending"] == "finished"

    first = starts(log)
    run_batch(pairs, settings(resume=True), Inline())
    assert starts(log) == first
    run_batch(pairs, settings(resume=True, retry_failed=True), Inline())
    assert starts(log) - first == Counter({"bad": 1, "defect": 1})
    assert read_counts(tmp_path / "out") == result.counts


def test_changed_inputs_settings_and_models_are_run_again(tmp_path: Path, settings: Make) -> None:
    log = tmp_path / "log"
    pairs = entries(tmp_path / "in", 2, log=str(log))
    run_batch(pairs, settings(), Inline())
    image, stamp = Path(pairs[0].after), Path(pairs[0].after).stat()
    text = image.read_text()
    image.write_text(text[:-1] + " }")
    os.utime(image, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # no date tells
    run_batch(pairs, settings(resume=True), Inline())
    assert starts(log) == Counter(p00000=2, p00001=1)
    image.touch()
    run_batch(pairs, settings(resume=True), Inline())
    assert starts(log) == Counter(p00000=2, p00001=1)
    pairs[1] = replace(pairs[1], overrides=(("score_threshold", "0.4"),))
    run_batch(pairs, settings(resume=True), Inline())
    assert starts(log) == Counter(p00000=2, p00001=2)
    model = tmp_path / "model" / "model.yaml"
    model.write_text(model.read_text().replace("score_threshold: 0.5", "score_threshold: 0.6"))
    run_batch(pairs, settings(resume=True), Inline())
    assert starts(log) == Counter(p00000=3, p00001=3)
    run_batch(pairs, settings(resume=True, seed=3), Inline())
    assert starts(log) == Counter(p00000=4, p00001=4)
    summary = json.loads((result_folder(tmp_path / "out", "p00000") / "summary.json").read_text())
    assert summary["seed"] == 3


def test_a_failure_is_tried_again_when_its_input_changes(tmp_path: Path, settings: Make) -> None:
    bad = entry(write_pair(tmp_path / "in", "bad", error="damaged"))
    assert exit_code(run_batch([bad], settings(), Inline()).counts) == 5
    write_pair(tmp_path / "in", "bad")
    assert exit_code(run_batch([bad], settings(resume=True), Inline()).counts) == 0


def test_killed_workers_take_only_their_own_pair_along(tmp_path: Path, settings: Make) -> None:
    log = tmp_path / "log"
    pairs = entries(tmp_path / "in", 6, log=str(log))
    once = write_pair(tmp_path / "in", "once", log=str(log), die=str(tmp_path / "died"))
    always = write_pair(tmp_path / "in", "always", log=str(log), die="always")
    pairs[3:3] = [entry(always), entry(once)]
    result = run_batch(pairs, settings(), ProcessWorkers(2, 1))
    assert result.counts == Counts(pending=0, done=7, untrusted=0, failed=1)
    (failed,) = read_records(tmp_path / "out", [PairStatus.FAILED])
    assert failed.pair_id == "always" and "killed or crashed" in failed.error and "2 times" in failed.error
    assert starts(log) == Counter({pair.pair_id: 1 for pair in pairs} | {"once": 2, "always": 2})
    assert "always" not in whole(tmp_path / "out")
    before = starts(log)
    run_batch(pairs, settings(resume=True), ProcessWorkers(1, 1))
    assert starts(log) == before  # nothing changed, so the poison is not taken again


def test_a_pair_that_hangs_fails_with_the_place_and_is_tried_again(tmp_path: Path, settings: Make) -> None:
    log = tmp_path / "log"
    pairs = entries(tmp_path / "in", 2, log=str(log))
    pairs.insert(1, entry(write_pair(tmp_path / "in", "hangs", log=str(log), seconds=600)))
    assert run_batch(pairs, settings(limit_s=4), ProcessWorkers(1, 1)).counts == Counts(0, 2, 0, 1)
    (failed,) = read_records(tmp_path / "out", [PairStatus.FAILED])
    assert "longer than the time limit of 4 s and was ended in obey (standins.py, line " in failed.error
    assert whole(tmp_path / "out") == {"p00000", "p00001"}
    assert starts(log) == Counter(p00000=1, hangs=1, p00001=1)  # not twice, as a pair whose worker was killed
    write_pair(tmp_path / "in", "hangs", log=str(log), seconds=0)
    assert run_batch(pairs, settings(resume=True, limit_s=4), ProcessWorkers(1, 1)).counts == Counts(0, 3, 0, 0)


def test_each_worker_sees_one_gpu_and_its_share_of_threads(
    tmp_path: Path, settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    pairs = [
        entry(write_pair(tmp_path / "in", f"{name}{k}", tell=tell, seconds=1))
        for name, tell in (("gpu", "CUDA_VISIBLE_DEVICES"), ("threads", "OMP_NUM_THREADS"))
        for k in range(2)
    ]
    assert run_batch(pairs, settings(), ProcessWorkers(2, 3, ["GPU-a", "1"])).counts.done == 4
    told = [
        json.loads((result_folder(tmp_path / "out", pair.pair_id) / "summary.json").read_text())["told"]
        for pair in pairs
    ]
    assert set(told[:2]) == {"GPU-a", "1"} and told[2:] == ["3", "3"]
    assert "OMP_NUM_THREADS" not in os.environ


def test_no_gpu_is_told(tmp_path: Path, settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from cv_pipeline.batch.pool import visible_gpus

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device"):
        visible_gpus()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ["0", "1", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-x")
    assert visible_gpus() == ["2", "GPU-x"]


def test_two_batches_never_share_a_folder(tmp_path: Path, settings: Make) -> None:
    pairs = entries(tmp_path / "in", 1)
    run_batch(pairs, settings(), Inline())
    with pytest.raises(OutputError, match="--resume"):
        run_batch(pairs, settings(), Inline())
    with RunState(tmp_path / "out", resume=True), pytest.raises(BatchError, match="another batch"):
        run_batch(pairs, settings(resume=True), Inline())
    with pytest.raises(OutputError, match="no batch to resume"):
        run_batch(pairs, settings(resume=True, out_dir=tmp_path / "new"), Inline())


def test_a_smaller_manifest_forgets_pairs_and_keeps_their_files(tmp_path: Path, settings: Make) -> None:
    pairs = entries(tmp_path / "in", 3)
    run_batch(pairs, settings(), Inline())
    result = run_batch(pairs[1:], settings(resume=True), Inline())
    assert result.counts.total == 2
    assert len(whole(tmp_path / "out")) == 3
