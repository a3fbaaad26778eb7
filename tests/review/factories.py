"""A small result with its images, ready to be reviewed."""

from __future__ import annotations

from pathlib import Path

from cv_pipeline.config import AssessConfig
from cv_pipeline.report import write_report
from cv_pipeline.review.record import Record, record_path
from cv_pipeline.review.reopen import Opened, open_result
from tests.report.factories import make_assessment

CONFIG = AssessConfig(null_draws=100, bootstrap_draws=200)


def make_result(folder: Path, *, impacts: int = 12, structures: int = 8, **options: object) -> Path:
    """``folder/out`` as a run writes it, its images beside."""
    assessment = make_assessment(folder, impacts=impacts, structures=structures, **options)  # type: ignore[arg-type]
    write_report(assessment, CONFIG, folder / "out")
    return folder / "out"


def open_record(opened: Opened) -> Record:
    return Record(record_path(opened.folder), opened.sha256)


def reopen(result: Path) -> Opened:
    return open_result(result)
