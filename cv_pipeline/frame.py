"""The local metric plane in which every distance and azimuth is measured.

An azimuthal equidistant projection centred on the scene: x east, y true north, metres on the
ellipsoid. Over the 50 km of a large scene it is true to 5 parts per million; it has no zone borders
and works across the antimeridian and at the poles. An image without a CRS is its own plane, with
image up as north.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from cv_pipeline.types import Float64Array, Grid

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS, Transformer

_Floats = npt.NDArray[np.floating[Any]]


@lru_cache(maxsize=64)
def transformer(source: Any, target: Any) -> Transformer:
    """From one CRS to another, x before y; kept, because building one takes longer than a thousand points."""
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


def transformed(affine: Affine, x: _Floats, y: _Floats) -> tuple[Float64Array, Float64Array]:
    """Points moved by an affine, x before y (or column before row); the two of any shapes that broadcast."""
    moved_x, moved_y = cast("Any", affine) @ (x, y)  # the library's hints know single points only
    return moved_x, moved_y


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """Conversions between after-image pixels, local metres and longitude/latitude.

    Build one with :func:`local_frame`. ``crs`` is None for an image without a CRS; then
    :meth:`to_lonlat` must not be called (check :attr:`is_georeferenced`).
    """

    grid: Grid
    crs: CRS | None

    @property
    def is_georeferenced(self) -> bool:
        """Whether longitude and latitude exist."""
        return self.crs is not None

    def pixel_to_metres(self, rows_px: Float64Array, cols_px: Float64Array) -> Float64Array:
        """Local metres (n, 2) as (x_m, y_m) of pixel positions, each (n,)."""
        rows = np.atleast_1d(np.asarray(rows_px, dtype=np.float64))
        cols = np.atleast_1d(np.asarray(cols_px, dtype=np.float64))
        x, y = transformed(self.grid.transform, cols, rows)
        if self.crs is None:
            return np.column_stack([x, y])
        return np.column_stack(transformer(self.grid.crs, self.crs).transform(x, y))

    def metres_to_pixel(self, points_m: Float64Array) -> Float64Array:
        """Pixel positions (n, 2) as (row_px, col_px) of local metres (n, 2) as (x_m, y_m)."""
        points = np.asarray(points_m, dtype=np.float64).reshape(-1, 2)
        x, y = points[:, 0], points[:, 1]
        if self.crs is not None:
            x, y = transformer(self.crs, self.grid.crs).transform(x, y)
        cols, rows = transformed(~self.grid.transform, x, y)
        return np.column_stack([rows, cols])

    def to_lonlat(self, points_m: Float64Array) -> Float64Array:
        """WGS 84 (n, 2) as (lon_deg, lat_deg) of local metres (n, 2)."""
        if self.crs is None:
            raise ValueError("an image without a CRS has no longitude and latitude")
        points = np.asarray(points_m, dtype=np.float64).reshape(-1, 2)
        return np.column_stack(transformer(self.crs, "EPSG:4326").transform(points[:, 0], points[:, 1]))


def local_frame(grid: Grid) -> LocalFrame:
    """The local frame centred on ``grid``; see the module's text for its accuracy."""
    if grid.crs is None:
        return LocalFrame(grid=grid, crs=None)
    from pyproj import CRS

    x, y = grid.transform @ (grid.width / 2, grid.height / 2)
    lon, lat = transformer(grid.crs, "EPSG:4326").transform(x, y)
    aeqd = CRS.from_proj4(f"+proj=aeqd +lat_0={lat:.9f} +lon_0={lon:.9f} +datum=WGS84 +units=m +no_defs")
    return LocalFrame(grid=grid, crs=aeqd)
