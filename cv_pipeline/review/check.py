"""Whether an exported review holds the record that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cv_pipeline.errors import ReviewError
from cv_pipeline.report.verify import Check, State
from cv_pipeline.review.export import RECORD_NAME
from cv_pipeline.review.record import read_record


def verify_review(folder: Path, record: Mapping[str, Any]) -> list[Check]:
    """The record's chain and its last line against what the result says; empty for a result that nobody reviewed.

    Args:
        folder: the result.
        record: from :func:`cv_pipeline.report.verify.read_provenance`.
    """
    known = record["extras"].get("review")
    if known is None:
        return []
    try:
        chain = read_record(folder / RECORD_NAME)
    except ReviewError as error:
        return [Check("review", RECORD_NAME, State.DIFFERS, str(error))]
    same = (chain.last_sha256, chain.head.get("result_sha256")) == (known["record_sha256"], known["result_sha256"])
    detail = "" if same else "is not the record that the result was written from"
    return [Check("review", RECORD_NAME, State.SAME if same else State.DIFFERS, detail)]
