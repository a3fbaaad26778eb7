"""``assessment.json.gz``: the whole assessment without its pixels, exactly as it was in memory.

The other files are rounded for people and programs; this one is what a report is written from again, and what a review
starts from. Fields are written by name and read by the types of :mod:`cv_pipeline.types`; arrays and geometries keep
every bit. Nothing in it says where a file lay.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import shapely

from cv_pipeline.errors import OutputError
from cv_pipeline.report.codec import decode, encode
from cv_pipeline.report.explain import explained
from cv_pipeline.types import Assessment, ImageSource

NAME = "assessment.json.gz"
RASTER = "probabilities.tif"
SCHEMA_VERSION = 1


def write_state(assessment: Assessment, folder: Path) -> Path:
    """Write ``assessment.json.gz`` into ``folder``; equal assessments give equal bytes.

    Of the evidence for blast patterns only what the report draws is kept
    (:func:`cv_pipeline.report.explain.explained`).
    """
    drawn = explained(assessment.impacts)
    impacts = tuple(i if i.impact_id in drawn else replace(i, evidence=None) for i in assessment.impacts)
    # The name under which the segmentation lies in the result, so that writing it again gives the same bytes.
    segmentation = replace(assessment.segmentation, path=folder / RASTER)
    content = {
        "schema_version": SCHEMA_VERSION,
        "assessment": encode(replace(assessment, impacts=impacts, segmentation=segmentation, out_dir=None)),
    }
    path = folder / NAME
    data = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(data, mtime=0))
    return path


def read_state(folder: Path, *, after: Path | None = None, before: Path | None = None) -> Assessment:
    """The assessment of a finished result.

    Args:
        folder: what ``assess`` or ``detect`` wrote.
        after: where the after image lies now; without it ``pair.after.path`` is a bare file name that cannot be read.
        before: the same for the before image.

    Returns:
        The assessment; ``segmentation.path`` is the result's ``probabilities.tif``.

    Raises:
        OutputError: the file is missing, damaged or of another version. Whether it belongs to the folder's other
            files is :func:`cv_pipeline.report.verify.verify_outputs`' to say.
    """
    path = folder / NAME
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
        version = content["schema_version"]
        if version != SCHEMA_VERSION:
            raise OutputError(
                f"{path}: is of schema version {version}, this program reads {SCHEMA_VERSION}; use the version of "
                "cv-pipeline that wrote it"
            )
        found: Assessment = decode(Assessment, content["assessment"])
    except FileNotFoundError as error:
        raise OutputError(
            f"{path}: is not there; give the folder that `assess` or `detect` wrote. Results of versions before 0.2 "
            "have no such file: run `assess` again"
        ) from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, shapely.errors.ShapelyError) as error:
        raise OutputError(f"{path}: cannot be read ({error!r}); the file is damaged") from error
    pair = replace(
        found.pair,
        after=_at(found.pair.after, after),
        before=None if found.pair.before is None else _at(found.pair.before, before),
    )
    segmentation = replace(found.segmentation, path=folder / RASTER)
    return replace(found, pair=pair, segmentation=segmentation)


def _at(image: ImageSource, path: Path | None) -> ImageSource:
    return image if path is None else replace(image, path=path)
