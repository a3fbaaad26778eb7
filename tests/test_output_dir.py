"""An output folder is complete or absent, and nothing that is not ours is ever replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from cv_pipeline.errors import OutputError
from cv_pipeline.output_dir import staged_output, whole_file


def fill(stage: Path, text: str) -> None:
    (stage / "summary.json").write_text(text)


def test_appears_only_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with staged_output(out) as stage:
        fill(stage, "new")
        assert not out.exists()
    assert (out / "summary.json").read_text() == "new"
    assert [p.name for p in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), staged_output(tmp_path / "out") as stage:
        fill(stage, "half")
        raise error
    assert not list(tmp_path.iterdir())


def test_failed_overwrite_keeps_the_old(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged_output(out) as stage:
        fill(stage, "old")
    with pytest.raises(RuntimeError), staged_output(out, overwrite=True) as stage:
        raise RuntimeError
    assert (out / "summary.json").read_text() == "old"


def test_overwrite_replaces_whole_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged_output(out) as stage:
        fill(stage, "old")
        (stage / "stale.csv").touch()
    with staged_output(out, overwrite=True) as stage:
        fill(stage, "new")
    assert [p.name for p in out.iterdir()] == ["summary.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_in_use_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "summary.json").touch()
    with pytest.raises(OutputError, match=r"--overwrite.*--out") as caught, staged_output(tmp_path):
        pass
    assert str(tmp_path) in str(caught.value)


def test_never_replaces_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(OutputError, match=r"summary\.json"), staged_output(tmp_path, overwrite=True):
        pass
    assert (tmp_path / "thesis.doc").exists()


def test_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="not a folder"), staged_output(tmp_path / "out", overwrite=True):
        pass
    with pytest.raises(OutputError, match="cannot write"), staged_output(tmp_path / "out" / "deeper"):
        pass


def test_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with staged_output(tmp_path / "out") as stage:
        fill(stage, "new")
    assert (tmp_path / "out" / "summary.json").exists()


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "table.npz"
    with whole_file(path) as part:
        assert part.suffix == ".npz"
        part.write_text("first")
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt), whole_file(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert [(p.name, p.read_text()) for p in path.parent.iterdir()] == [("table.npz", "first")]
