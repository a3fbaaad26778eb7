from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import OutputError
from cv_pipeline.report import write_report
from cv_pipeline.report.checksums import NAME, files_of, read_checksums
from cv_pipeline.report.verify import State, read_provenance, verify_inputs, verify_outputs
from tests.report.factories import make_assessment

TIME = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images and two results of the same run, ``one`` and ``two``."""
    folder = tmp_path_factory.mktemp("verify")
    assessment = make_assessment(folder)
    for name in ("one", "two"):
        write_report(assessment, AssessConfig(model="small", out_dir=folder / name), folder / name, created=TIME)
    return folder


@pytest.fixture
def result(written: Path, tmp_path: Path) -> Path:
    """A copy of a result, to be tampered with."""
    subprocess.run(["cp", "-r", written / "one", tmp_path / "result"], check=True)
    return tmp_path / "result"


def test_the_same_run_writes_the_same_bytes(written: Path) -> None:
    one, two = written / "one", written / "two"
    assert files_of(one) == files_of(two)
    assert [name for name in files_of(one) if (one / name).read_bytes() != (two / name).read_bytes()] == []


def test_an_untouched_result_is_the_same_for_us_and_for_sha256sum(result: Path) -> None:
    assert {check.state for check in verify_outputs(result)} == {State.SAME}
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", NAME], cwd=result, check=True)


def test_what_was_changed_removed_or_added_is_named(result: Path) -> None:
    (result / "impacts.csv").write_bytes((result / "impacts.csv").read_bytes().replace(b"new", b"old", 1))
    (result / "labels.tif").unlink()
    (result / "figures" / "mine.png").write_bytes(b"x")
    odd = {check.name: check.state for check in verify_outputs(result) if check.state is not State.SAME}
    assert odd == {
        "impacts.csv": State.DIFFERS,
        "labels.tif": State.MISSING,
        "figures/mine.png": State.ADDED,
    }


@pytest.mark.parametrize("content", [None, "no checksum", "ab  x"])
def test_a_list_that_is_missing_or_malformed_is_an_error(result: Path, content: str | None) -> None:
    (result / NAME).unlink()
    if content is not None:
        (result / NAME).write_text(content)
    with pytest.raises(OutputError, match=NAME):
        read_checksums(result)


def test_inputs_are_told_from_others(written: Path) -> None:
    record = read_provenance(written / "one")
    after, before = written / "after.tif", written / "before.tif"
    right = verify_inputs(record, {"after": after, "before": before})
    assert [check.state for check in right] == [State.SAME, State.SAME]
    swapped = {c.name: c.state for c in verify_inputs(record, {"after": before, "structures": after})}
    assert swapped == {"after": State.DIFFERS, "before": State.UNCHECKED, "structures": State.DIFFERS}
    gone = {c.name: c.state for c in verify_inputs(record, {"after": written / "none.tif"})}
    assert gone["after"] is State.MISSING


def test_the_command_says_what_does_not_fit(result: Path, written: Path) -> None:
    run = CliRunner().invoke(app, ["verify", str(result), "--after", str(written / "after.tif")])
    # The factory's weights do not exist, so the model alone differs.
    assert "output: " in run.output and "impacts.csv" not in run.output
    (result / "impacts.csv").write_text("x")
    run = CliRunner().invoke(app, ["verify", str(result), "--json"])
    assert run.exit_code == 2
    states = {(c["part"], c["name"]): c["state"] for c in json.loads(run.stdout)}
    assert states["output", "impacts.csv"] == "differs"
    assert CliRunner().invoke(app, ["verify", str(written)]).exit_code == 2
