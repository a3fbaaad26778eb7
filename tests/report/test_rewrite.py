"""`cv-pipeline report`: a finished result written again, or refused."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from cv_pipeline.cli import app
from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import OutputError
from cv_pipeline.report import write_report
from cv_pipeline.report.checksums import files_of
from cv_pipeline.report.pictures import overview_grid, source_reader
from cv_pipeline.report.rewrite import rewrite_report
from cv_pipeline.report.stored import stored_reader
from cv_pipeline.report.verify import State, verify_outputs
from cv_pipeline.types import Assessment

from .factories import make_assessment

TIME = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Assessment, Path]:
    folder = tmp_path_factory.mktemp("rewrite")
    assessment = make_assessment(folder, impacts=4)
    companions = {"review.jsonl": b"{}\n"}
    return assessment, write_report(
        assessment, AssessConfig(), folder / "out", created=TIME, companions=companions
    ).parent


@pytest.fixture
def result(made: tuple[Assessment, Path], tmp_path: Path) -> Path:
    """A copy of the result, to be tampered with."""
    subprocess.run(["cp", "-r", made[1], tmp_path / "result"], check=True)
    return tmp_path / "result"


def differing(one: Path, other: Path) -> list[str]:
    assert files_of(one) == files_of(other)
    return [name for name in files_of(one) if (one / name).read_bytes() != (other / name).read_bytes()]


def test_with_the_images_every_file_comes_out_byte_for_byte(made: tuple[Assessment, Path], tmp_path: Path) -> None:
    assessment, out = made
    assert assessment.pair.before is not None
    images = {"after": assessment.pair.after.path, "before": assessment.pair.before.path}
    again = rewrite_report(out, tmp_path / "again", **images).parent
    assert differing(out, again) == []


def test_without_images_only_pictures_change_and_hardly(made: tuple[Assessment, Path], tmp_path: Path) -> None:
    assessment, out = made
    again = rewrite_report(out, tmp_path / "again").parent
    assert differing(out, again) == ["figures/overview.png", "figures/overview.svg", "report.html"]
    read, grid = stored_reader(again / "report.html", assessment), overview_grid(assessment.pair.after.grid)
    for kind in ("after", "before"):
        off = read(kind, grid).astype(float) - source_reader(assessment)(kind, grid)
        assert np.abs(off).mean() < 4.0  # JPEG, twice


def test_stored_pictures_are_laid_on_other_grids(made: tuple[Assessment, Path]) -> None:
    from cv_pipeline.imagery.grid import crop
    from cv_pipeline.types import Window

    assessment, out = made
    read, grid = stored_reader(out / "report.html", assessment), overview_grid(assessment.pair.after.grid)
    impact = assessment.impacts[0]
    part = crop(grid, Window(int(impact.row_px) - 20, int(impact.col_px) - 25, 40, 50))
    truth = cv2.GaussianBlur(source_reader(assessment)("after", part), (0, 0), 2).astype(float)
    found = cv2.GaussianBlur(read("after", part), (0, 0), 2).astype(float)
    assert np.abs(found - truth).mean() < 3.0
    beside = cv2.GaussianBlur(
        read("after", crop(grid, Window(int(impact.row_px) - 18, int(impact.col_px) - 25, 40, 50))), (0, 0), 2
    )
    assert np.abs(beside - truth).mean() > 2 * np.abs(found - truth).mean()


def test_in_place_only_when_told_to(result: Path) -> None:
    before = {name: (result / name).read_bytes() for name in files_of(result)}
    with pytest.raises(OutputError, match="--overwrite"):
        rewrite_report(result)
    assert {name: (result / name).read_bytes() for name in files_of(result)} == before
    rewrite_report(result, overwrite=True)
    assert {check.state for check in verify_outputs(result)} == {State.SAME}
    assert (result / "review.jsonl").read_bytes() == b"{}\n"


def test_what_is_under_review_stays_as_it_is(result: Path, tmp_path: Path) -> None:
    from cv_pipeline.review.record import record_path

    record_path(result).write_text("")
    with pytest.raises(OutputError, match="under review"):
        rewrite_report(result, overwrite=True)


def test_a_changed_result_is_refused(result: Path, tmp_path: Path) -> None:
    (result / "impacts.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"impacts\.csv was changed"):
        rewrite_report(result, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_other_images_are_refused(made: tuple[Assessment, Path], tmp_path: Path) -> None:
    assessment, out = made
    assert assessment.pair.before is not None
    after, before = assessment.pair.after.path, assessment.pair.before.path
    with pytest.raises(OutputError, match="not the after"):
        rewrite_report(out, tmp_path / "again", after=before, before=before)
    with pytest.raises(OutputError, match="give --before too"):
        rewrite_report(out, tmp_path / "again", after=after)


def test_the_command(result: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(result), "--out", str(tmp_path / "again")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "again" / "report.html").is_file()
    refused = CliRunner().invoke(app, ["report", str(result)])
    assert refused.exit_code == 2
