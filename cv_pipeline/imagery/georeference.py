"""Where an image's pixels lie: by its geotransform, by ground control points, or only by a stated pixel size."""

from __future__ import annotations

from pathlib import Path

from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT

from cv_pipeline.errors import GsdError
from cv_pipeline.imagery.ground import ground_gsd_m
from cv_pipeline.types import Grid

_GSD_TOLERANCE = 0.10
_MIN_GCPS = 4
"""Three fit exactly, whatever their errors."""


def has_place(dataset: DatasetReader) -> bool:
    """Whether a file says where on earth its pixels lie; a CRS without a geotransform places nothing."""
    return dataset.crs is not None and dataset.transform != Affine.identity()


def is_by_gcps(dataset: DatasetReader) -> bool:
    """Whether ground control points alone say where a file's pixels lie."""
    return not has_place(dataset) and bool(dataset.gcps[0]) and dataset.gcps[1] is not None


def rectified(dataset: DatasetReader, path: Path | str) -> WarpedVRT:
    """An image that is located by ground control points, laid north up by them in their CRS, at its own resolution.

    GDAL fits a polynomial of an order that their number allows.

    Raises:
        GsdError: too few points, or points that give no transform.
    """
    points, crs = dataset.gcps
    if len(points) < _MIN_GCPS:
        raise GsdError(
            f"{path}: the image is located by only {len(points)} ground control points, at least {_MIN_GCPS} are "
            "needed; add some, or georeference it with gdal_edit.py -a_ullr and -a_srs"
        )
    is_float = dataset.dtypes[0].startswith("float")
    try:
        # With a transform of our own WarpedVRT would not look at the points.
        return WarpedVRT(
            dataset,
            crs=crs,
            resampling=Resampling.cubic,
            src_nodata=float("nan") if is_float and dataset.nodata is None else dataset.nodata,
            add_alpha=ColorInterp.alpha not in dataset.colorinterp,
            UNIFIED_SRC_NODATA="YES",
        )
    except RasterioError as error:
        raise GsdError(
            f"{path}: its ground control points give no usable transform ({error}); check them with gdalinfo"
        ) from error


def locate(dataset: DatasetReader, path: Path, gsd_m: float | None) -> tuple[Grid, str]:
    """The grid of an image, and what had to be assumed for it ("" if nothing).

    Rational polynomials need the height of the ground and are refused.

    Raises:
        GsdError: the scale is unknown or contradicts ``gsd_m``, or the georeference is not of this earth.
    """
    if not has_place(dataset):
        return _placeless(dataset, path, gsd_m)
    height, width = dataset.height, dataset.width
    own_m = ground_gsd_m(path, dataset.transform, dataset.crs, height, width)
    grid = Grid(height, width, dataset.transform, dataset.crs, own_m)
    if gsd_m is not None and abs(gsd_m / grid.gsd_m - 1) > _GSD_TOLERANCE:
        raise GsdError(
            f"{path}: --gsd {gsd_m:g} contradicts the file's georeference, by which a pixel is {grid.gsd_m:.4g} m "
            "on the ground; leave --gsd out, or mend the georeference"
        )
    return grid, _doubts(dataset, path)


def _doubts(dataset: DatasetReader, path: Path) -> str:
    if isinstance(dataset, WarpedVRT):
        return (
            f"{path.name} is located by ground control points; it is rectified by them on reading, and its pixel "
            "coordinates are those of the rectified image."
        )
    if dataset.rpcs is not None:
        return (
            f"{path.name} carries rational polynomials (RPC) beside its georeference; if it was not orthorectified, "
            "relief displaces its ground: gdalwarp -rpc -to RPC_DEM=DEM.tif rectifies it."
        )
    return ""


def _placeless(dataset: DatasetReader, path: Path, gsd_m: float | None) -> tuple[Grid, str]:
    if gsd_m is None:
        raise GsdError(_no_gsd(dataset, path))
    grid = Grid(dataset.height, dataset.width, Affine(gsd_m, 0, 0, 0, -gsd_m, 0), None, gsd_m)
    if dataset.rpcs is not None:
        return grid, f"{path.name} is read as it is: its rational polynomials (RPC) are not used, relief is in it."
    if dataset.transform != Affine.identity():
        return grid, (
            f"{path.name} has a world file or geotransform but no CRS; its position is not used, only the stated "
            "pixel size."
        )
    return grid, ""


def _no_gsd(dataset: DatasetReader, path: Path) -> str:
    """What to do about an image whose scale is unknown."""
    if dataset.rpcs is not None:
        return (
            f"{path}: the image is located by rational polynomials (RPC) only, which need the height of the ground; "
            "orthorectify it first: gdalwarp -rpc -to RPC_DEM=DEM.tif -r cubic IN OUT.tif"
        )
    if dataset.transform != Affine.identity():
        size = (dataset.transform.a**2 + dataset.transform.d**2) ** 0.5
        return (
            f"{path}: the image has a geotransform or world file but no CRS, so its scale is unknown ({size:g} units "
            "per pixel); add the CRS with gdal_translate -a_srs EPSG:..., or pass --gsd with the metres per pixel"
        )
    if dataset.crs is not None:
        return f"{path}: the image names a CRS but has no geotransform; pass --gsd with the metres per pixel"
    return f"{path}: the image has no CRS, so its scale is unknown; pass --gsd with the metres per pixel"
