"""What the network says of a pair: rasters on the working grid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cv_pipeline.types.grids import Grid


class Channel(StrEnum):
    """Rasters that a segmentation holds, in file order.

    Probabilities, except for the radii and the axis: a vector to the right and up in the image towards
    which a one-sided pattern extends, as long as the pattern is directional (0 round, 1 a narrow cone).
    """

    CRATER = "crater"
    BLAST = "blast"
    CENTRE = "centre"
    NEW = "new"
    CRATER_RADIUS_M = "crater_radius_m"
    BLAST_RADIUS_M = "blast_radius_m"
    SECONDARY = "secondary"
    STRUCTURE = "structure"
    AXIS_RIGHT = "axis_right"
    AXIS_UP = "axis_up"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model made a segmentation; enough to find it again and to trust its scores."""

    name: str
    sha256: str
    working_gsd_m: float
    min_gsd_m: float
    max_gsd_m: float
    score_threshold: float


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Probability rasters on the working grid, held in a tiled file so that size does not matter.

    Read windows with :func:`cv_pipeline.segmentation.raster.read_channels`. ``has_before`` says whether
    the NEW channel means anything. ``valid_share`` is the share of the grid with imagery.
    """

    path: Path
    grid: Grid
    model: ModelInfo
    has_before: bool
    valid_share: float
