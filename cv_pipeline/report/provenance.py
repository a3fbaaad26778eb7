"""What went into a result: inputs and weights by hash, versions, settings, time. Nothing about the host."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cv_pipeline.config import AssessConfig
from cv_pipeline.imagery.location import file_sha256
from cv_pipeline.types import Assessment, ImageSource

PACKAGES = (
    "cv-pipeline",
    "geopandas",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pyogrio",
    "pyproj",
    "rasterio",
    "scipy",
    "scikit-image",
    "segmentation-models-pytorch",
    "shapely",
    "timm",
    "torch",
)
"""Distributions whose version can change a figure."""


def file_record(path: Path) -> dict[str, object]:
    """Name, size and SHA-256 of an input file, for the ``provenance`` extras of a report.

    Raises:
        OSError: the file cannot be read.
    """
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}


def provenance(
    assessment: Assessment, config: AssessConfig, created: datetime, extras: Mapping[str, Any]
) -> dict[str, Any]:
    """The provenance block of ``summary.json``.

    Args:
        assessment: for the images and the model.
        config: recorded whole.
        created: the time of the run, in UTC.
        extras: further entries of the caller, such as the structures file and the command line.
    """
    model = assessment.segmentation.model
    images = {"after": assessment.pair.after, "before": assessment.pair.before}
    return {
        "created_utc": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "inputs": {name: None if image is None else _image(image) for name, image in images.items()},
        "model": {"name": model.name, "weights_sha256": model.sha256, "score_threshold": model.score_threshold},
        "versions": package_versions(),
        "config": config.model_dump(mode="json", exclude={"out_dir", "overwrite"}),  # where to is no setting of what
        "extras": dict(extras),
    }


def time_to_record() -> datetime:
    """Now in UTC, or what ``SOURCE_DATE_EPOCH`` states (seconds since 1970), to repeat a run byte for byte.

    Source: https://reproducible-builds.org/specs/source-date-epoch.
    """
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.now(UTC) if stated is None else datetime.fromtimestamp(int(stated), UTC)


def package_versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that matter; None where one is not installed."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def _image(image: ImageSource) -> dict[str, Any]:
    grid = image.grid
    return {
        "file": image.path.name,
        "sha256": image.sha256 or None,
        "parts": image.parts,
        "parts_sha256": image.parts_sha256 or None,
        "width_px": grid.width,
        "height_px": grid.height,
        "gsd_m": grid.gsd_m,
        "crs": None if grid.crs is None else grid.crs.to_string(),
        "transform": list(grid.transform)[:6],
        "bands": list(image.bands),
        "dtype": image.dtype,
        "scale_low": list(image.scale_low),
        "scale_high": list(image.scale_high),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
