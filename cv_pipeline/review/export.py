"""A review written as a result of its own, by the same writers as a run's."""

from __future__ import annotations

from pathlib import Path

from cv_pipeline.output_dir import check_output_dir
from cv_pipeline.report import write_report
from cv_pipeline.review.session import Session

RECORD_NAME = "review.jsonl"


def export_review(session: Session, out: Path, *, overwrite: bool = False) -> Path:
    """Write the result as reviewed into a new folder, with the record beside the other files.

    Rejected impacts are left out of everything but ``rejected.csv`` and the GeoPackage's layer ``rejected``. The
    reviewed result itself stays as it is.

    Args:
        session: the review, finished or not; impacts that nobody looked at are kept and counted as such.
        out: the folder.
        overwrite: whether an earlier output there may be replaced.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: the folder is in use or cannot be written.
        ImageError: an image is damaged or has gone.
    """
    check_output_dir(out, overwrite)
    assessment, record = session.reviewed()
    assert assessment.review is not None
    extras = dict(session.opened.provenance["extras"])
    extras["review"] = {
        "of_result": session.opened.folder.resolve().name,
        "result_sha256": assessment.review.result_sha256,
        "record_sha256": assessment.review.record_sha256,
        "edits": assessment.review.edits,
    }
    config = session.opened.config.model_copy(update={"overwrite": overwrite, "out_dir": None})
    return write_report(assessment, config, out, extras=extras, companions={RECORD_NAME: record})
