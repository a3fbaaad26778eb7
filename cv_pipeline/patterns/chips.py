"""Small pictures of the images around each centre, all in the crater's own units, so that many are fitted at once.

A chip is sampled in local metres, a fifth of a crater radius apart, from the image at its own GSD where the crater is
small, and from pixels averaged to a half, a quarter ... of that where it is so large that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from cv_pipeline.frame import LocalFrame
from cv_pipeline.imagery.grid import working_grid
from cv_pipeline.imagery.view import GridView
from cv_pipeline.patterns.ground import GroundMap
from cv_pipeline.patterns.sampling import cells, interpolate, points_around, window_of
from cv_pipeline.patterns.share import ALL, Share
from cv_pipeline.registration.register import before_view
from cv_pipeline.types import AlignedPair, BoolArray, Float32Array, Float64Array

SIDE = 31
REACH = 3.0
"""A chip reaches this many units from its centre, ``SIDE`` samples a side."""

_AXIS = np.linspace(-REACH, REACH, SIDE)
OFFSETS = np.stack(np.meshgrid(_AXIS, -_AXIS), axis=-1).reshape(-1, 2)
"""(SIDE * SIDE, 2) offsets of the samples east and north, in units; the first row of a chip is its north."""

LEAST_PX = 1.2
"""A unit is never below this many pixels of the image: no profile is seen in less."""
_PX_PER_UNIT = 5.0  # averaged pixels never get coarser than a fifth of a unit
_CELL_M = 150.0
_BATCH = 128


@dataclass(frozen=True, slots=True)
class Chips:
    """Colours around centres in 8-bit DN. ``index`` (n,) says which of the centres given these are.

    ``after`` and ``before`` are (n, SIDE * SIDE, 3), their ``_seen`` (n, SIDE * SIDE). Without a before image
    it is 0 and seen nowhere. ``unit_m`` (n,) is the chips' unit of length.
    """

    index: np.ndarray
    unit_m: Float64Array
    after: Float32Array
    after_seen: BoolArray
    before: Float32Array
    before_seen: BoolArray


def units_m(radius_m: Float64Array, gsd_m: float) -> Float64Array:
    """The unit (n,) of chips of craters of these radii: the radius itself, or ``LEAST_PX`` pixels if that is more."""
    return np.maximum(radius_m, LEAST_PX * gsd_m)


def read_chips(
    aligned: AlignedPair,
    frame: LocalFrame,
    centres_m: Float64Array,
    unit_m: Float64Array,
    *,
    use_before: bool,
    share: Share = ALL,
) -> Iterator[Chips]:
    """Chips of all centres, batch by batch, in no particular order; each centre comes once.

    The scene is read cell by cell and only where there are centres, so its size does not matter.

    Args:
        aligned: the images.
        frame: the after image's local frame.
        centres_m: (n, 2) local metres.
        unit_m: (n,) from :func:`units_m`.
        use_before: False leaves the before image out.
        share: which of the batches to read.

    Raises:
        ImageError: a file is damaged or has gone.
    """
    native_m = aligned.pair.after.grid.gsd_m
    level = np.floor(np.log2(np.maximum(unit_m / (_PX_PER_UNIT * native_m), 1.0))).astype(int)
    for each in np.unique(level):
        grid = working_grid(aligned.pair.after.grid, native_m * 2.0 ** int(each))
        scaled = replace(aligned, working_grid=grid)
        ground = GroundMap(grid, aligned.pair.after.grid, frame)
        chosen = np.nonzero(level == each)[0]
        at_px = ground.metres_to_working(centres_m[chosen])
        per_unit = ground.pixels_per_metre(centres_m[chosen]) * unit_m[chosen, None, None]
        with ExitStack() as stack:
            after = stack.enter_context(GridView(aligned.pair.after, grid))
            paired = use_before and aligned.pair.before is not None
            before = stack.enter_context(before_view(scaled)) if paired else None
            parts = cells(at_px, max(_CELL_M / grid.gsd_m, 64.0))
            batches = [part[start : start + _BATCH] for part in parts for start in range(0, len(part), _BATCH)]
            for some in share.of(batches):
                sampled = _sample(after, before, at_px[some], per_unit[some])
                yield Chips(chosen[some], unit_m[chosen[some]], *sampled)


def _sample(
    after: GridView, before: GridView | None, at_px: Float64Array, per_unit: Float64Array
) -> tuple[Float32Array, BoolArray, Float32Array, BoolArray]:
    """Both dates' samples at the points that the chips of these centres need."""
    where = points_around(at_px, per_unit, OFFSETS)
    window = window_of(where)
    late = interpolate(*after.read(window), window, where)
    if before is None:
        return *late, np.zeros_like(late[0]), np.zeros_like(late[1])
    return *late, *interpolate(*before.read(window), window, where)
