"""All files of a result, in a folder that is either complete or not there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cv_pipeline.config import AssessConfig
from cv_pipeline.memory import give_back
from cv_pipeline.output_dir import staged_output
from cv_pipeline.report.checksums import write_checksums
from cv_pipeline.report.figures import write_figures
from cv_pipeline.report.geojson import write_impacts_geojson, write_structures_geojson
from cv_pipeline.report.geopackage import write_geopackage
from cv_pipeline.report.geoparquet import FOLDER as GEOPARQUET
from cv_pipeline.report.geoparquet import write_geoparquet
from cv_pipeline.report.html import write_html
from cv_pipeline.report.kml import write_kml
from cv_pipeline.report.layers import rejected_assessment
from cv_pipeline.report.pictures import PixelReader, overview_grid, source_reader
from cv_pipeline.report.provenance import package_versions, provenance, time_to_record
from cv_pipeline.report.rasters import write_labels, write_probabilities
from cv_pipeline.report.state import write_state
from cv_pipeline.report.summary import summarise, write_summary
from cv_pipeline.report.tables import write_hypotheses_csv, write_impacts_csv
from cv_pipeline.types import Assessment


def write_report(
    assessment: Assessment,
    config: AssessConfig,
    out_dir: Path,
    *,
    extras: Mapping[str, Any] | None = None,
    created: datetime | None = None,
    read: PixelReader | None = None,
    companions: Mapping[str, bytes] | None = None,
) -> Path:
    """Write every output of an assessment.

    Args:
        assessment: what was found.
        config: recorded whole; ``config.overwrite`` allows an earlier output to be replaced.
        out_dir: the folder; it appears only when everything in it has been written.
        extras: further provenance, such as the structures file
            (:func:`cv_pipeline.report.provenance.file_record`) and the command line.
        created: the time to record; now by default. Naive times are taken as UTC.
        read: where the report's pictures come from; the image files by default.
        companions: further files to lie beside the others, by name, such as the record of a review.

    Returns:
        The path of ``report.html`` in ``out_dir``.

    Raises:
        OutputError: the folder is in use or cannot be written.
        ImageError: an image is damaged or has gone.
    """
    created = _utc(created or time_to_record())
    return write_files(
        assessment,
        provenance(assessment, config, created, extras or {}),
        out_dir,
        overwrite=config.overwrite,
        created=created,
        read=read or source_reader(assessment),
        companions=companions or {},
    )


def write_files(
    assessment: Assessment,
    record: Mapping[str, Any],
    out_dir: Path,
    *,
    overwrite: bool,
    created: datetime,
    read: PixelReader,
    companions: Mapping[str, bytes],
) -> Path:
    """Write every output under a provenance block that is already made; see :func:`write_report`."""
    record = {**record, "written_by": f"cv-pipeline {package_versions()['cv-pipeline']}"}
    with staged_output(out_dir, overwrite) as stage:
        write_impacts_csv(assessment, stage / "impacts.csv")
        write_hypotheses_csv(assessment, stage / "hypotheses.csv")
        rejected = rejected_assessment(assessment)
        if rejected is not None:
            write_impacts_csv(rejected, stage / "rejected.csv")
        write_impacts_geojson(assessment, stage / "impacts.geojson")
        write_structures_geojson(assessment, stage / "structures.geojson")
        write_geopackage(assessment, stage / "assessment.gpkg", created)
        write_kml(assessment, stage / "assessment.kml")
        if record["config"].get("geoparquet"):
            write_geoparquet(assessment, stage / GEOPARQUET)
        write_probabilities(assessment.segmentation, stage / "probabilities.tif")
        write_labels(assessment.segmentation, stage / "labels.tif")
        give_back()  # what GDAL's threads held, before the pictures take theirs
        summary = summarise(assessment, record)
        grid = overview_grid(assessment.pair.after.grid)
        overview = read("after", grid)
        figures = write_figures(assessment, overview, grid, stage / "figures")
        write_html(
            assessment,
            provenance=summary["provenance"],
            read=read,
            overview=overview,
            figures=figures,
            path=stage / "report.html",
        )
        write_summary(summary, stage / "summary.json")
        write_state(assessment, stage)
        for name, content in companions.items():
            (stage / name).write_bytes(content)
        write_checksums(stage)
    return out_dir / "report.html"


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
