"""The record: what is written is read back, what was changed is noticed, what was torn is set aside."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from cv_pipeline.errors import ReviewError
from cv_pipeline.review.record import NO_LINE, Edit, Record, line_sha256, parse_record, record_path

RESULT = "ab" * 32


def edit(number: int, **changes: object) -> Edit:
    values = {
        "time_utc": f"2026-01-01T00:00:{number:02d}.000+00:00", "reviewer": "Änne O'Neill",
        "impact_id": f"I{number:03d}", "field": "decision", "old": "unreviewed", "new": "accepted",
    }  # fmt: skip
    return Edit(**{**values, **changes})  # type: ignore[arg-type]


def written(path: Path, count: int = 4) -> list[bytes]:
    with Record(path, RESULT, seed=7) as record:
        for number in range(count):
            record.append(edit(number, new=[1.25, None, {"a": 1e-9}] if number == 1 else "accepted"))
    return path.read_bytes().splitlines(keepends=True)


def test_edits_come_back_as_they_were_and_the_chain_holds(tmp_path: Path) -> None:
    lines = written(tmp_path / "r.jsonl")
    chain = parse_record(b"".join(lines), "r")
    assert chain.head["result_sha256"] == RESULT and chain.head["windows_seed"] == 7
    assert chain.edits[1] == edit(1, new=[1.25, None, {"a": 1e-9}]) and len(chain.edits) == 4
    assert json.loads(lines[0])["previous"] == NO_LINE
    for one, other in pairwise(lines):
        assert json.loads(other)["previous"] == line_sha256(one)
    assert chain.last_sha256 == line_sha256(lines[-1])


@pytest.mark.parametrize("line", range(4))
def test_a_changed_line_shows(tmp_path: Path, line: int) -> None:
    lines = written(tmp_path / "r.jsonl")
    lines[line] = lines[line].replace("Änne".encode(), b"Anne").replace(RESULT.encode(), b"cd" * 32)
    with pytest.raises(ReviewError, match=f"line {line + 2} does not follow"):
        parse_record(b"".join(lines), "r")


@pytest.mark.parametrize("how", ["without", "swapped", "doubled"])
def test_lines_taken_out_moved_or_put_in_show(tmp_path: Path, how: str) -> None:
    lines = written(tmp_path / "r.jsonl")
    changed = {
        "without": [*lines[:2], *lines[3:]],
        "swapped": [lines[0], lines[2], lines[1], *lines[3:]],
        "doubled": [*lines[:3], lines[2], *lines[3:]],
    }[how]
    with pytest.raises(ReviewError, match="does not follow"):
        parse_record(b"".join(changed), "r")


def test_a_torn_last_line_is_set_aside_and_nothing_else_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    lines = written(path)
    for cut in (1, 30, len(lines[-1]) - 1):
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])
        with Record(path, RESULT) as record:
            assert len(record.edits) == 3
            assert record.set_aside is not None and record.set_aside.read_bytes() == lines[-1][:cut]
            record.append(edit(9))
        assert path.read_bytes().startswith(b"".join(lines[:-1]))
        assert [e.impact_id for e in parse_record(path.read_bytes(), "r").edits] == ["I000", "I001", "I002", "I009"]


def test_a_torn_first_line_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"format": "cv-pi')
    with Record(path, RESULT) as record:
        assert record.edits == () and record.set_aside is not None


def test_a_damaged_line_within_is_an_error_not_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    lines = written(path)
    path.write_bytes(b"".join([*lines[:2], b"\x00\x00\n", *lines[3:]]))
    with pytest.raises(ReviewError, match="line 3: is damaged"), Record(path, RESULT):
        pass
    assert path.read_bytes() == b"".join([*lines[:2], b"\x00\x00\n", *lines[3:]])


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Record(path, RESULT), pytest.raises(ReviewError, match="another 'cv-pipeline review'"), Record(path, RESULT):
        pass
    with Record(path, RESULT) as again:
        assert again.edits == ()


def test_the_record_of_another_result_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "r.jsonl")
    with pytest.raises(ReviewError, match="another result"), Record(tmp_path / "r.jsonl", "cd" * 32):
        pass


def test_the_record_lies_beside_the_result_also_by_a_relative_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    assert record_path(Path()) == record_path(tmp_path / "out") == tmp_path / "out.review.jsonl"
