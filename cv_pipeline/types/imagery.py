"""Images that were opened and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cv_pipeline.types.arrays import BoolArray
from cv_pipeline.types.grids import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Obscured:
    """Ground that an image does not show although it has pixels there; see :mod:`cv_pipeline.imagery.clouds`.

    ``cells`` (rows, cols) are True where it is hidden, each ``cell_px`` of the file's own pixels a side, from
    the upper-left corner. ``cloud_share`` and ``blank_share`` (one constant value, undeclared nodata or
    saturated) are of the pixels with imagery. ``note`` says what was seen and not masked.
    """

    cells: BoolArray
    cell_px: int
    cloud_share: float
    blank_share: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """An image file that was opened, checked and found usable; pixels are read later, by window.

    ``bands`` are the 1-based indices read as red, green, blue. ``scale_low`` and ``scale_high`` (one
    per band) are the values mapped to 0 and 255; for 8-bit imagery they are 0 and 255, unless it was matched
    to another date. ``nodata_share`` is estimated from samples. ``sha256``, ``parts`` and ``parts_sha256`` are those of
    :class:`cv_pipeline.imagery.location.Digest`. ``notes`` say what had to be assumed. ``obscured`` is None
    until somebody looked for clouds.
    """

    path: Path
    grid: Grid
    bands: tuple[int, int, int]
    dtype: str
    nodata: float | None
    scale_low: tuple[float, float, float]
    scale_high: tuple[float, float, float]
    sha256: str
    nodata_share: float = 0.0
    parts: int = 0
    parts_sha256: str = ""
    notes: tuple[str, ...] = ()
    obscured: Obscured | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ScenePair:
    """The images of one scene; ``before`` is None in after-only detection."""

    after: ImageSource
    before: ImageSource | None
