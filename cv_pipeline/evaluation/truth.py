"""Truth files of simulated scenes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cv_pipeline.errors import CvPipelineError
from cv_pipeline.evaluation.simulated import TruthImpact
from cv_pipeline.types import Status


def read_truth(path: Path) -> tuple[TruthImpact, ...]:
    """The impacts of a ``truth.geojson``, in file order.

    Needed properties: ``id``, ``row_px``, ``col_px`` (where the after image shows the centre, pixel centre =
    integer + 0.5), ``crater_radius_m`` and ``status`` (new or old). ``blast_radius_m``, ``direction_deg``
    and ``distance_edge_m`` may be null or missing. Local metres are left out: they belong to a frame
    that the file does not know, and centre errors follow from pixels and GSD. Strikes that the after image
    does not show are left out: ``status`` gone (repaired in between), or ``visible`` false (under a cloud).

    Raises:
        CvPipelineError: the file is missing or is not such a feature collection.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = [feature["properties"] for feature in content["features"]]
        return tuple(_impact(row) for row in rows if row["status"] != "gone" and row.get("visible", True))
    except OSError as error:
        raise CvPipelineError(f"{path}: cannot be read ({error.strerror}); give a truth.geojson") from error
    except (KeyError, TypeError, ValueError) as error:
        raise CvPipelineError(f"{path}: not a truth file ({error!r}); see datasets/kampala_strikes") from error


def _impact(properties: Mapping[str, Any]) -> TruthImpact:
    return TruthImpact(
        truth_id=str(properties["id"]),
        row_px=float(properties["row_px"]),
        col_px=float(properties["col_px"]),
        crater_radius_m=float(properties["crater_radius_m"]),
        blast_radius_m=_number(properties.get("blast_radius_m")),
        direction_deg=_number(properties.get("direction_deg")),
        status=Status(properties["status"]),
        distance_edge_m=_number(properties.get("distance_edge_m")),
    )


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)
