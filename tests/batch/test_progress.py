"""What a person sees of a run, and what a program reads."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cv_pipeline.batch.progress import ending, json_lines, progress_display
from cv_pipeline.batch.run import BatchSettings, run_batch
from cv_pipeline.batch.state import Counts
from tests.batch.standins import Inline, entries, entry, write_pair

Make = Callable[..., BatchSettings]


def test_the_display_shows_all_pairs_rate_remaining_time_and_failures(
    tmp_path: Path, settings: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    pairs = entries(tmp_path / "in", 4, seconds=0.02)
    pairs.insert(1, entry(write_pair(tmp_path / "in", "bad", error="[red]damaged")))
    with progress_display(len(pairs) + 1) as watch:
        run_batch(pairs, settings(), Inline(), watch)
    printed = capsys.readouterr().err
    assert "bad: " in printed and "[red]damaged" in printed  # at once, and not taken for markup
    last = printed.strip().splitlines()[-1]
    assert "5/6" in last and "/h" in last and "1 failed" in last
    assert last.count(":") == 4  # time gone and time left, hours, minutes and seconds each


def test_each_pair_is_a_line_of_json(tmp_path: Path, settings: Make) -> None:
    pairs = [*entries(tmp_path / "in", 1), entry(write_pair(tmp_path / "in", "bad", error="damaged"))]
    stream = io.StringIO()
    with json_lines(stream) as watch:
        run_batch(pairs, settings(), Inline(), watch)
    done, failed = map(json.loads, stream.getvalue().splitlines())
    assert (done["pair_id"], done["status"], done["impacts"]) == ("p00000", "done", 1)
    assert failed["status"] == "failed" and "damaged" in failed["error"]
    assert failed["counts"] == {"pending": 0, "done": 1, "untrusted": 0, "failed": 1}


def test_an_ending_in_one_line() -> None:
    assert ending(Counts(0, 3, 0, 0)) == "3 of 3 pairs done"
    told = ending(Counts(2, 3, 1, 4), "the disk is full")
    assert told == (
        "4 of 10 pairs done, 1 of these not to be trusted (registration), 4 failed, 2 not run yet; "
        "stopped: the disk is full"
    )
