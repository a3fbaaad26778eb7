"""Which bands of a raster are red, green and blue."""

from __future__ import annotations

from pathlib import Path

from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from cv_pipeline.errors import ImageError

_RGB = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


def choose_bands(dataset: DatasetReader, path: Path, bands: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """The 1-based band numbers to read as red, green, blue.

    A choice by the user always wins. Without one the file's colour interpretation decides; three
    bands without any are taken in file order.

    Raises:
        ImageError: a chosen band does not exist, or the file does not say which bands are colours.
    """
    if bands is not None:
        return _check_chosen(dataset, path, bands)
    interp = dataset.colorinterp
    if all(colour in interp for colour in _RGB):
        red, green, blue = (interp.index(colour) + 1 for colour in _RGB)
        return red, green, blue
    if dataset.count == 3 and ColorInterp.alpha not in interp:
        return 1, 2, 3
    raise ImageError(_explain(dataset, path))


def _check_chosen(dataset: DatasetReader, path: Path, bands: tuple[int, int, int]) -> tuple[int, int, int]:
    wrong = [band for band in bands if not 1 <= band <= dataset.count]
    if wrong:
        raise ImageError(
            f"{path}: band {wrong[0]} does not exist, the file has {dataset.count}; "
            f"pass --bands R,G,B with numbers from 1 to {dataset.count}"
        )
    return bands


def _explain(dataset: DatasetReader, path: Path) -> str:
    """What to do about bands that are not plainly red, green and blue."""
    if ColorInterp.palette in dataset.colorinterp:
        return f"{path}: the image has a colour palette; expand it with gdal_translate -expand rgb and use the result"
    if dataset.count == 1:
        return f"{path}: the image has 1 band, 3 are needed; pass --bands 1,1,1 to read it as grey"
    if dataset.count == 2:
        return f"{path}: the image has 2 bands, 3 are needed; pass --bands 1,1,1 to read the first as grey"
    names = ", ".join(f"{number} {colour.name}" for number, colour in enumerate(dataset.colorinterp, start=1))
    return (
        f"{path}: the image has {dataset.count} bands and does not say which are red, green and blue ({names}); "
        "pass --bands R,G,B, for instance --bands 4,3,2"
    )
