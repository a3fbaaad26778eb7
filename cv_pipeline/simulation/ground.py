"""The canvas of the simulation: what lies on the ground, apart from how it is lit and photographed.

Everything is drawn onto a :class:`Ground`, one per date, as colour, height and material. Light, lean,
weather and sensor come afterwards and once for the whole scene, so that all shadows agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from cv_pipeline.types import Float32Array, Float64Array, UInt8Array


class Material(IntEnum):
    """What the surface is made of; decides how a strike marks it."""

    SOIL = 0
    CROP = 1
    GRASS = 2
    SAND = 3
    SNOW = 4
    ASPHALT = 5
    CONCRETE = 6
    ROOF = 7
    WATER = 8
    TREE = 9


FIELD = (Material.CROP, Material.GRASS, Material.SOIL)
OPEN = (*FIELD, Material.SAND)
NATURAL = (*OPEN, Material.SNOW)
PAVED = (Material.ASPHALT, Material.CONCRETE)

LUMINANCE = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue (ITU-R BT.601)."""


@dataclass(slots=True)
class Ground:
    """One date's ground, changed in place by everything that is drawn.

    ``colour`` (height, width, 3) is RGB in DN 0..255 as a level surface shows it in full light;
    real imagery brings its own light and shadow along in it. ``height_m`` (height, width) is the
    height above the otherwise level ground of what was drawn: 0 on real imagery, negative in a
    crater. ``material`` (height, width) holds :class:`Material` values. ``struck_dn`` (height, width, 3) is the part
    of ``colour`` that craters made; None before the first.
    """

    colour: Float32Array
    height_m: Float32Array
    material: UInt8Array
    gsd_m: float
    struck_dn: Float32Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.material.shape[0], self.material.shape[1]

    def copy(self) -> Ground:
        """An independent copy."""
        struck_dn = None if self.struck_dn is None else self.struck_dn.copy()
        return Ground(self.colour.copy(), self.height_m.copy(), self.material.copy(), self.gsd_m, struck_dn)


def level_ground(colour: Float32Array, material: Material, gsd_m: float) -> Ground:
    """A level ground of one material from an RGB image (height, width, 3) in DN."""
    shape = colour.shape[:2]
    return Ground(
        colour.astype(np.float32), np.zeros(shape, np.float32), np.full(shape, material, np.uint8), float(gsd_m)
    )


class Patch(NamedTuple):
    """The part of a grid near a point: its slices, and each pixel centre in polar coordinates from the point.

    ``radius_m`` and ``azimuth_rad`` are (patch height, patch width); azimuth is clockwise from image up.
    """

    rows: slice
    cols: slice
    radius_m: Float64Array
    azimuth_rad: Float64Array


def patch_around(shape: tuple[int, int], row_px: float, col_px: float, reach_m: float, gsd_m: float) -> Patch | None:
    """Pixels within ``reach_m`` of a point (a square of them); None where that lies outside ``shape``."""
    reach_px = reach_m / gsd_m + 1
    top, bottom = int(max(row_px - reach_px, 0)), int(min(row_px + reach_px + 1, shape[0]))
    left, right = int(max(col_px - reach_px, 0)), int(min(col_px + reach_px + 1, shape[1]))
    if top >= bottom or left >= right:
        return None
    down_m = (np.arange(top, bottom) + 0.5 - row_px)[:, None] * gsd_m
    right_m = (np.arange(left, right) + 0.5 - col_px)[None, :] * gsd_m
    return Patch(slice(top, bottom), slice(left, right), np.hypot(down_m, right_m), np.arctan2(right_m, -down_m))


def blend(
    ground: Ground,
    rows: slice,
    cols: slice,
    alpha: Float32Array,
    colour: Float32Array | tuple[float, float, float],
    material: Material | None = None,
) -> None:
    """Blend ``colour`` ((3,) or (h, w, 3), DN) into a window by ``alpha`` (h, w) 0..1, in place.

    Where ``alpha`` passes one half the material becomes ``material``, if one is given.
    """
    window = ground.colour[rows, cols]
    window += np.clip(alpha, 0, 1)[..., None].astype(np.float32) * (np.asarray(colour, np.float32) - window)
    if material is not None:
        ground.material[rows, cols][alpha > 0.5] = material
