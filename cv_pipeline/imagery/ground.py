"""Ground sample distance in true metres, whatever the CRS."""

from __future__ import annotations

import math
from pathlib import Path

from affine import Affine
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError

from cv_pipeline.errors import GsdError

MAX_AXIS_RATIO = 5.0
"""Beyond this the pixels are so far from square that the geotransform is likely wrong."""

MIN_GSD_M = 1e-3
"""No camera above the ground has finer pixels."""

_GEOD = Geod(ellps="WGS84")


def axis_gsd_m(transform: Affine, crs: object, height: int, width: int) -> tuple[float, float]:
    """True ground metres of one pixel step along (columns, rows) at the image centre.

    Measured as geodesics on the WGS 84 ellipsoid (Karney 2013, doi:10.1007/s00190-012-0578-z), so
    that a Web Mercator "metre" counts for what it is on the ground: cos(latitude) of a metre.

    Args:
        transform: maps (col_px, row_px) to (x, y) in ``crs``.
        crs: anything pyproj takes; must be related to the earth.
        height: image height, px.
        width: image width, px.

    Raises:
        GsdError: the centre has no longitude and latitude.
    """
    try:
        to_wgs = Transformer.from_crs(CRS.from_user_input(crs), "EPSG:4326", always_xy=True)
    except ProjError as error:
        raise GsdError(f"the CRS cannot be related to the earth ({error})") from error
    centre = (width / 2, height / 2)
    half_col, half_row = min(width, 64) / 2, min(height, 64) / 2
    return (
        _span_m(transform, to_wgs, centre, (half_col, 0.0)) / (2 * half_col),
        _span_m(transform, to_wgs, centre, (0.0, half_row)) / (2 * half_row),
    )


def _span_m(
    transform: Affine, to_wgs: Transformer, centre_px: tuple[float, float], half_px: tuple[float, float]
) -> float:
    """Ground length from ``centre - half`` to ``centre + half``, both (col, row) in pixels."""
    (col, row), (half_col, half_row) = centre_px, half_px
    x0, y0 = transform @ (col - half_col, row - half_row)
    x1, y1 = transform @ (col + half_col, row + half_row)
    (lon0, lon1), (lat0, lat1) = to_wgs.transform([x0, x1], [y0, y1])
    if not all(map(math.isfinite, (lon0, lon1, lat0, lat1))):
        raise GsdError("the image centre lies outside the CRS's area")
    if max(abs(lat0), abs(lat1)) > 90:
        raise GsdError(f"the image centre is at latitude {max(lat0, lat1, key=abs):.6g}, which does not exist")
    _, _, distance_m = _GEOD.inv(lon0, lat0, lon1, lat1)
    return float(distance_m)


def ground_gsd_m(path: Path, transform: Affine, crs: object, height: int, width: int) -> float:
    """Geometric mean of both axes' ground sample distances in metres; see :func:`axis_gsd_m`.

    Raises:
        GsdError: no position on the earth, a zero pixel size, or axes that differ more than fivefold.
    """
    try:
        col_m, row_m = axis_gsd_m(transform, crs, height, width)
    except GsdError as error:
        raise GsdError(
            f"{path}: {error}; assign the right CRS with gdal_edit.py -a_srs, or swap the axes of its corners with "
            "-a_ullr"
        ) from error
    small, large = sorted((col_m, row_m))
    if large < MIN_GSD_M:
        raise GsdError(
            f"{path}: a pixel measures {large:.2g} m on the ground, so geotransform and CRS do not belong together "
            "(degrees in a CRS of metres?); assign the right CRS with gdal_edit.py -a_srs"
        )
    if not small > 0 or large / small > MAX_AXIS_RATIO:
        raise GsdError(
            f"{path}: a pixel measures {col_m:.3g} by {row_m:.3g} m on the ground, which is too far from square; "
            "check the geotransform, or resample with gdalwarp -tr"
        )
    return math.sqrt(small * large)
