"""Opening an image file: every check that can be made before any pixel is trusted."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.io import DatasetReader

from cv_pipeline.errors import GsdError, ImageError
from cv_pipeline.imagery.bands import choose_bands
from cv_pipeline.imagery.ground import ground_gsd_m
from cv_pipeline.imagery.radiometry import sample, scale_limits
from cv_pipeline.types import BoolArray, Float64Array, Grid, ImageSource

MIN_SIDE_PX = 32
"""Smaller images hold no crater with its surroundings."""

_GSD_TOLERANCE = 0.10


@contextmanager
def open_dataset(path: Path, overview_level: int | None = None) -> Iterator[DatasetReader]:
    """A rasterio dataset, with the warning about missing georeference silenced: we say it ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        options = {} if overview_level is None else {"overview_level": overview_level}
        with rasterio.open(path, **options) as dataset:
            yield dataset


def open_source(
    path: str | Path, *, gsd_m: float | None = None, bands: tuple[int, int, int] | None = None
) -> ImageSource:
    """Open and check an image file; pixels are read later, by window.

    Args:
        path: any raster that GDAL opens.
        gsd_m: ground metres per pixel; needed where the file has no CRS, checked where it has one.
        bands: 1-based numbers of the red, green and blue bands; default: the file's own colours.

    Returns:
        The source, with its grid, radiometric limits and SHA-256.

    Raises:
        ImageError: missing, empty, no image, truncated, too small, no valid pixel, unusable bands.
        GsdError: no CRS and no ``gsd_m``, or the two contradict each other by more than 10 %.
    """
    path = Path(path)
    _check_file(path)
    try:
        with open_dataset(path) as dataset:
            return _describe(dataset, path, gsd_m, bands)
    except RasterioIOError as error:
        raise ImageError(
            f"{path}: cannot be read as an image, it is of another kind, truncated or damaged ({error}); "
            "check it with gdalinfo -stats, or fetch it again"
        ) from error
    except RasterioError as error:
        raise ImageError(f"{path}: cannot be opened ({error}); check it with gdalinfo") from error


def has_crs(path: str | Path) -> bool:
    """Whether an image carries a CRS. Raises ImageError like :func:`open_source`."""
    path = Path(path)
    _check_file(path)
    try:
        with open_dataset(path) as dataset:
            return dataset.crs is not None
    except RasterioError as error:
        raise ImageError(f"{path}: not an image that GDAL can open ({error}); give a GeoTIFF, PNG or JPEG") from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ImageError(f"{path}: is a folder; give one image file")
    if not path.exists():
        raise ImageError(f"{path}: no such file; check the path")
    if path.stat().st_size == 0:
        raise ImageError(f"{path}: the file is empty (0 bytes); fetch it again")


def _describe(
    dataset: DatasetReader, path: Path, gsd_m: float | None, bands: tuple[int, int, int] | None
) -> ImageSource:
    """All checks of an opened file, cheap ones first."""
    if min(dataset.height, dataset.width) < MIN_SIDE_PX:
        raise ImageError(
            f"{path}: the image is only {dataset.width} by {dataset.height} px; "
            f"at least {MIN_SIDE_PX} px a side are needed, give the whole scene"
        )
    chosen = choose_bands(dataset, path, bands)
    dtype = _check_dtype(dataset, path, chosen)
    grid = _grid(dataset, path, gsd_m)
    _check_complete(dataset, path)
    values, valid = sample(dataset, chosen)
    if not valid.any():  # the imagery may lie between the samples
        values, valid = _decimated(dataset, chosen)
    if not valid.any():
        raise ImageError(
            f"{path}: every pixel is nodata, masked or not finite (nodata value: {dataset.nodata}); "
            "check the nodata value with gdalinfo, or give another image"
        )
    low, high = scale_limits(values, valid, dtype)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ImageSource(path, grid, chosen, dtype, dataset.nodata, low, high, digest)


def _check_dtype(dataset: DatasetReader, path: Path, bands: tuple[int, int, int]) -> str:
    """The bands' common sample type."""
    dtypes = {dataset.dtypes[band - 1] for band in bands}
    if any("complex" in dtype for dtype in dtypes):
        raise ImageError(f"{path}: the samples are complex numbers (radar?); give an optical image or its amplitude")
    if len(dtypes) > 1:
        raise ImageError(f"{path}: the bands have different sample types; make them one with gdal_translate -ot")
    return str(dtypes.pop())


def _grid(dataset: DatasetReader, path: Path, gsd_m: float | None) -> Grid:
    """Where the pixels lie and how large they are on the ground."""
    height, width = dataset.height, dataset.width
    if dataset.crs is None:
        if gsd_m is None:
            raise GsdError(_no_gsd(dataset, path))
        return Grid(height, width, Affine(gsd_m, 0, 0, 0, -gsd_m, 0), None, gsd_m)
    own_m = ground_gsd_m(path, dataset.transform, dataset.crs, height, width)
    if gsd_m is not None and abs(gsd_m / own_m - 1) > _GSD_TOLERANCE:
        raise GsdError(
            f"{path}: --gsd {gsd_m:g} contradicts the file's georeference, by which a pixel is {own_m:.4g} m "
            "on the ground; leave --gsd out, or mend the georeference"
        )
    return Grid(height, width, dataset.transform, dataset.crs, own_m)


def _no_gsd(dataset: DatasetReader, path: Path) -> str:
    if dataset.gcps[0]:
        return (
            f"{path}: the image is located by ground control points only; "
            "warp it first: gdalwarp -r cubic IN.tif OUT.tif, and give the result"
        )
    return f"{path}: the image has no CRS, so its scale is unknown; pass --gsd with the metres per pixel"


def _check_complete(dataset: DatasetReader, path: Path) -> None:
    """Refuse a truncated file that GDAL would read without a word (JPEG fails by itself, when sampled)."""
    size = path.stat().st_size
    if dataset.driver == "GTiff":
        complete = _last_block_end(dataset) <= size
    elif dataset.driver == "PNG":
        complete = b"IEND" in _tail(path, size)
    else:
        complete = True
    if not complete:
        raise ImageError(f"{path}: the file is truncated at {size} bytes; fetch it again")


def _last_block_end(dataset: DatasetReader) -> int:
    """The byte after the last block of a TIFF, known without decoding any."""
    end = 0
    for band, (rows, cols) in enumerate(dataset.block_shapes, start=1):
        for y in range(-(-dataset.height // rows)):
            for x in range(-(-dataset.width // cols)):
                offset = dataset.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band)
                length = dataset.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=band)
                end = max(end, int(offset or 0) + int(length or 0))
        if dataset.interleaving is not None and dataset.interleaving.value == "PIXEL":
            break  # all bands share their blocks
    return end


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, size - 4096))
        return file.read()


def _decimated(dataset: DatasetReader, bands: tuple[int, int, int]) -> tuple[Float64Array, BoolArray]:
    """The whole image at up to 1000 px a side as values (3, n) and validity (n,)."""
    shape = (min(1000, dataset.height), min(1000, dataset.width))
    values = dataset.read(bands, out_shape=(3, *shape)).reshape(3, -1).astype(np.float64)
    masks = dataset.read_masks(sorted(set(bands)), out_shape=(len(set(bands)), *shape)) > 0
    return values, masks.any(axis=0).reshape(-1) & np.isfinite(values).all(axis=0)
