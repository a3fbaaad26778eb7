"""How the before image lies on the after image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cv_pipeline.types.arrays import Float64Array
from cv_pipeline.types.grids import Grid
from cv_pipeline.types.imagery import ScenePair


class Gate(StrEnum):
    """Verdict on a co-registration."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class TiePoint:
    """One local match, in after-image pixels; ``residual_px`` is what the registration leaves of ``shift_*``."""

    row_px: float
    col_px: float
    shift_row_px: float
    shift_col_px: float
    residual_px: float
    used: bool


@dataclass(frozen=True, slots=True, eq=False)
class LocalShift:
    """A smooth correction on top of a registration's matrix, on a lattice over the after image.

    ``lattice`` (2, 3) maps (col, row, 1) of ``shift_px`` (rows, cols, 2) to after-image pixels (col, row). A shift, as
    (col, row) in after-image pixels, is how much farther than the matrix says the before image is moved to show what
    the after image shows there; linear between the nodes, constant beyond them.
    """

    lattice: Float64Array
    shift_px: Float64Array


@dataclass(frozen=True, slots=True)
class Registration:
    """How the before image was brought onto the after image.

    ``matrix`` (2, 3) maps ``(col, row, 1)`` of the *before image warped by georeference alone onto the
    after grid* to ``(col, row)`` of the after image, in after-image pixels; ``local``, where relief asked for it, comes
    on top. ``residual_px`` is the robust RMS of the used tie points; ``sd_m``, per axis, is the registration's part in
    a distance's uncertainty.
    """

    matrix: Float64Array
    shift_px: float
    rotation_deg: float
    scale: float
    residual_px: float
    residual_m: float
    sd_m: float
    windows_tried: int
    windows_used: int
    gate: Gate
    reason: str
    tie_points: tuple[TiePoint, ...] = ()
    local: LocalShift | None = None


@dataclass(frozen=True, slots=True)
class AlignedPair:
    """A pair and the grid on which it is read by the model.

    ``working_grid`` covers the after image at the model's working GSD, in the after image's CRS.
    ``registration`` is None in after-only mode.
    """

    pair: ScenePair
    working_grid: Grid
    registration: Registration | None
