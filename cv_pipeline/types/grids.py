"""Where pixels lie: windows of a raster, and its grid on the ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.crs import CRS


class Window(NamedTuple):
    """A half-open pixel rectangle: rows ``[row, row + height)``, columns ``[col, col + width)``."""

    row: int
    col: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a raster lie.

    ``transform`` maps ``(col_px, row_px)`` to map ``(x, y)`` in ``crs``. Without a CRS the map is
    metres from the upper-left corner with y up: ``Affine(gsd_m, 0, 0, 0, -gsd_m, 0)``.
    """

    height: int
    width: int
    transform: Affine
    crs: CRS | None
    gsd_m: float
