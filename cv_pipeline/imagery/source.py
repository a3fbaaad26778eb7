"""Opening an image file: every check that can be made before any pixel is trusted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.io import DatasetReader

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.bands import choose_bands
from cv_pipeline.imagery.georeference import has_place, is_by_gcps, locate, rectified
from cv_pipeline.imagery.location import check_file, digest, gdal_name, is_plain
from cv_pipeline.imagery.radiometry import sample, scale_limits
from cv_pipeline.types import BoolArray, Float64Array, ImageSource

MIN_SIDE_PX = 32
"""Smaller images hold no crater with its surroundings."""

_MAX_BLOCKS = 100_000
_MANY_SPECKS = 0.001


@contextmanager
def open_dataset(path: Path | str, overview_level: int | None = None) -> Iterator[DatasetReader]:
    """A rasterio dataset, with the warning about missing georeference silenced: we say it ourselves.

    An image that is located by ground control points comes rectified. A missing or damaged file is a RasterioError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        options = {} if overview_level is None else {"overview_level": overview_level}
        with rasterio.open(gdal_name(path), **options) as dataset:
            if is_by_gcps(dataset):
                with rectified(dataset, path) as upright:
                    yield upright
            else:
                yield dataset


class OpenImage:
    """A file held open, and those of its overviews that are asked for; a context manager."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._stack = ExitStack()
        self._levels: dict[int | None, DatasetReader] = {}

    def __enter__(self) -> Self:
        self.level(None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._levels.clear()
        self._stack.close()

    def level(self, number: int | None) -> DatasetReader:
        """The file itself, or one of its overviews; RasterioError where it has gone."""
        if number not in self._levels:
            self._levels[number] = self._stack.enter_context(open_dataset(self._path, number))
        return self._levels[number]


def open_source(
    path: str | Path,
    *,
    gsd_m: float | None = None,
    bands: tuple[int, int, int] | None = None,
    bands_option: str = "--bands",
) -> ImageSource:
    """Open and check an image file; pixels are read later, by window.

    Args:
        path: any raster that GDAL opens, also ``/vsi...`` and ``s3://...``.
        gsd_m: ground metres per pixel; needed where the file has no CRS, checked where it has one.
        bands: 1-based numbers of the red, green and blue bands; default: see :func:`choose_bands`.
        bands_option: the option that messages tell the user to pass.

    Returns:
        The source, with its grid, radiometric limits and SHA-256. Of an image that is located by ground control
        points the grid is that of the rectified image, and so are all its pixel coordinates.

    Raises:
        ImageError: missing, empty, no image, truncated, too small, no valid pixel, unusable bands.
        GsdError: no CRS and no ``gsd_m``, or the two contradict each other by more than 10 %.
    """
    path = Path(path)
    check_file(path)
    try:
        with open_dataset(path) as dataset:
            return _describe(dataset, path, gsd_m, bands, bands_option)
    except RasterioIOError as error:
        raise ImageError(
            f"{path}: cannot be read as an image, it is of another kind, truncated or damaged ({error}); "
            "check it with gdalinfo -stats, or fetch it again"
        ) from error
    except RasterioError as error:
        raise ImageError(f"{path}: cannot be opened ({error}); check it with gdalinfo") from error


def has_crs(path: str | Path) -> bool:
    """Whether an image says where on earth it lies. Raises ImageError like :func:`open_source`."""
    path = Path(path)
    check_file(path)
    try:
        with open_dataset(path) as dataset:
            return has_place(dataset)
    except RasterioError as error:
        raise ImageError(f"{path}: not an image that GDAL can open ({error}); give a GeoTIFF, PNG or JPEG") from error


def _describe(
    dataset: DatasetReader, path: Path, gsd_m: float | None, bands: tuple[int, int, int] | None, option: str
) -> ImageSource:
    """All checks of an opened file, cheap ones first."""
    _check_size(dataset, path)
    chosen, bands_note = choose_bands(dataset, path, bands, option)
    dtype, nodata = _check_samples(dataset, path, chosen)
    grid, grid_note = locate(dataset, path, gsd_m)
    _check_complete(dataset, path)
    values, valid, masked, specks = sample(dataset, chosen)
    if not valid.any():  # the imagery may lie between the samples
        values, valid = _decimated(dataset, chosen)
        masked = float(1 - valid.mean())
    if not valid.any():
        raise ImageError(
            f"{path}: every pixel is nodata, masked or not finite (nodata value: {nodata}); "
            "check the nodata value with gdalinfo, or give another image"
        )
    low, high = scale_limits(values, valid, dtype)
    hashes = digest(path, dataset.files)
    notes = [note for note in (bands_note, grid_note) if note]
    if not hashes.sha256:
        notes.append(f"{path.name} is not on this machine, so its content is not hashed.")
    if specks > max(_MANY_SPECKS, masked / 2):
        notes.append(
            f"{path.name}: {specks:.1%} of the pixels are nodata ({nodata}) in small specks, as if that were a value "
            "of the image; if so, gdal_edit.py -unsetnodata makes them count."
        )
    if np.ptp(values[:, valid], axis=1).max() == 0:
        notes.append(f"All sampled pixels of {path.name} have the same colour: it shows nothing.")
    return ImageSource(
        path, grid, chosen, dtype, nodata, low, high, hashes.sha256, masked, hashes.parts, hashes.parts_sha256,
        tuple(notes),
    )  # fmt: skip


def _check_size(dataset: DatasetReader, path: Path) -> None:
    if dataset.count == 0:
        parts = ", ".join(dataset.subdatasets[:5])
        parts = f"several images ({parts}); give one of these names" if parts else "nothing; give an image"
        raise ImageError(f"{path}: holds no bands of its own but {parts}")
    if min(dataset.height, dataset.width) < MIN_SIDE_PX:
        raise ImageError(
            f"{path}: the image is only {dataset.width} by {dataset.height} px; "
            f"at least {MIN_SIDE_PX} px a side are needed, give the whole scene"
        )


def _check_samples(dataset: DatasetReader, path: Path, bands: tuple[int, int, int]) -> tuple[str, float | None]:
    """The bands' common sample type and nodata value."""
    dtypes = {dataset.dtypes[band - 1] for band in bands}
    if any("complex" in dtype for dtype in dtypes):
        raise ImageError(f"{path}: the samples are complex numbers (radar?); give an optical image or its amplitude")
    if len(dtypes) > 1:
        raise ImageError(f"{path}: the bands have different sample types; make them one with gdal_translate -ot")
    empty = [dataset.nodatavals[band - 1] for band in bands]
    if len(set(map(str, empty))) > 1:  # as text, since NaN differs from itself
        raise ImageError(
            f"{path}: the bands have different nodata values ({', '.join(map(str, empty))}); "
            "make them one with gdal_translate -a_nodata"
        )
    return str(dtypes.pop()), empty[0]


def _check_complete(dataset: DatasetReader, path: Path) -> None:
    """Refuse a truncated file that GDAL would read without a word (JPEG fails by itself, when sampled)."""
    if not is_plain(path) or not path.is_file():
        return
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
    """The byte after the last block of a TIFF, known without decoding any; of very many blocks some are passed over."""
    end = 0
    for band, (rows, cols) in enumerate(dataset.block_shapes, start=1):
        across, down = -(-dataset.width // cols), -(-dataset.height // rows)
        step = -(-across * down // _MAX_BLOCKS)
        for number in (*range(0, across * down, step), across * down - 1):
            y, x = divmod(number, across)
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
