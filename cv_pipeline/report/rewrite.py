"""A finished result's files written again by this version of the program: no model runs and no figure changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cv_pipeline.errors import OutputError
from cv_pipeline.output_dir import check_output_dir
from cv_pipeline.report.pictures import PixelReader, source_reader
from cv_pipeline.report.state import read_state
from cv_pipeline.report.stored import stored_reader
from cv_pipeline.report.verify import FAULTS, Check, read_provenance, verify_inputs, verify_outputs
from cv_pipeline.report.writer import write_files
from cv_pipeline.types import Assessment

COMPANIONS = ("review.jsonl",)
"""Files of a result that are no output of the writers; they are kept as they are."""
_NAMED = 5


def rewrite_report(
    folder: Path,
    out_dir: Path | None = None,
    *,
    overwrite: bool = False,
    after: Path | None = None,
    before: Path | None = None,
    geoparquet: bool = False,
) -> Path:
    """Write the report, figures and layers of a finished result again.

    The provenance stays that of the run, its time included; only ``written_by`` is this program's version. With the
    same version and the images, every file comes out byte for byte.

    Args:
        folder: what ``assess``, ``detect`` or a review wrote.
        out_dir: where to; ``folder`` itself by default, which wants ``overwrite``.
        overwrite: whether an earlier output in ``out_dir`` may be replaced.
        after: the after image; without it the pictures are those of the folder's own ``report.html``.
        before: the before image, to be given if ``after`` is and the run had one.
        geoparquet: write GeoParquet files even if the run did not.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: ``folder`` is no result or was changed, an image is not the one that was read, or ``out_dir`` is
            in use.
        ConfigError: ``geoparquet`` without the extra ``parquet``.
    """
    out_dir = out_dir or folder
    check_output_dir(out_dir, overwrite)
    if out_dir.resolve() == folder.resolve():
        _refuse_under_review(folder)
    _refuse(verify_outputs(folder), f"{folder}: is not as it was written, so no report is made of it")
    record = read_provenance(folder)
    images = {role: path for role, path in (("after", after), ("before", before)) if path is not None}
    given = [check for check in verify_inputs(record, images) if check.name in images]
    _refuse(given, f"{folder}: was not made from the images given")
    assessment = read_state(folder, after=after, before=before)
    wanted = record["config"].get("geoparquet", False) or geoparquet
    return write_files(
        assessment,
        {**record, "config": {**record["config"], "geoparquet": wanted}},
        out_dir,
        overwrite=overwrite,
        created=datetime.strptime(record["created_utc"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        read=_reader(folder, assessment, images),
        companions={name: (folder / name).read_bytes() for name in COMPANIONS if (folder / name).is_file()},
    )


def _refuse_under_review(folder: Path) -> None:
    """A review's record belongs to the files as they were, so they must stay."""
    from cv_pipeline.review.record import record_path

    record = record_path(folder)
    if record.exists():
        raise OutputError(
            f"{folder}: is under review ({record}), which belongs to these very files; give another --out"
        )


def _reader(folder: Path, assessment: Assessment, images: Mapping[str, Path]) -> PixelReader:
    needed = ["after"] if assessment.pair.before is None else ["after", "before"]
    lacking = [role for role in needed if role not in images]
    if not images:
        return stored_reader(folder / "report.html", assessment)
    if lacking:
        raise OutputError(
            f"{folder}: was made from two images; give --{lacking[0]} too, or neither for the pictures of the "
            "earlier report"
        )
    return source_reader(assessment)


def _refuse(checks: list[Check], what: str) -> None:
    faults = [f"{check.name} {check.detail}" for check in checks if check.state in FAULTS]
    if faults:
        more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
        raise OutputError(f"{what}: {'; '.join(faults[:_NAMED])}{more}; see 'cv-pipeline verify'")
